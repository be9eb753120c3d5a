"""The files of a tar, packed or not, one after the other as they come."""

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, Protocol

from yard.media.budget import ArchiveLimits, Budget, Skipped
from yard.media.byte_window import read_fully
from yard.media.errors import MediaError
from yard.media.member_names import BadNameError, label_of, shown
from yard.media.tar_header import BLOCK, HeaderBlock, TarNames, ends_with_more, parse_block
from yard.media.unpacking import UnpackedFile, packing_of

DEFAULT_LIMITS = ArchiveLimits()

_PIECE = 256 << 10
_LONGEST_EXTENSION = 64 << 10


class _Stream(Protocol):
    packed: int

    def read(self, size: int) -> bytes: ...

    def skip(self, size: int) -> int: ...


class _Plain:
    """A tar that is not packed: what is passed over is not read."""

    def __init__(self, file: BinaryIO | io.RawIOBase, start: int) -> None:
        self._file = file
        self._size = file.seek(0, io.SEEK_END)
        self.packed = file.seek(start)

    def read(self, size: int) -> bytes:
        content = read_fully(self._file, size)
        self.packed += len(content)
        return content

    def skip(self, size: int) -> int:
        done = min(size, self._size - self.packed)
        self.packed = self._file.seek(self.packed + done)
        return done


class _Tape:
    """Exact reads of an unpacked stream; every byte is counted by the budget."""

    def __init__(self, stream: _Stream, budget: Budget) -> None:
        self._stream = stream
        self._budget = budget

    def take(self, size: int) -> bytes:
        """Fewer bytes at the end only."""
        pieces: list[bytes] = []
        while size and (piece := self._stream.read(size)):
            self._budget.count_bytes(len(piece), self._stream.packed)
            pieces.append(piece)
            size -= len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def skip(self, size: int) -> None:
        """Passes over these bytes, which count as any."""
        while size:
            done = self._stream.skip(size)
            if not done:
                raise _cut()
            self._budget.count_bytes(done, self._stream.packed)
            size -= done

    def block(self) -> bytes:
        """The next block; empty at the end."""
        block = self.take(BLOCK)
        if block and len(block) < BLOCK:
            raise _cut()
        return block


@dataclass(slots=True)
class _Content:
    """What is left of a member."""

    tape: _Tape
    left: int
    is_over: bool = False

    def read(self, size: int) -> bytes:
        if self.is_over:
            raise ValueError("a member is read before the next one is asked for")
        content = self.tape.take(min(size, self.left))
        self.left -= len(content)
        if not content and self.left and size:
            raise _cut()
        return content

    def pass_over(self) -> None:
        self.is_over = True
        self.tape.skip(self.left)


@dataclass(frozen=True, slots=True, kw_only=True)
class TarMember:
    """A regular file; its bytes can be read until the next member is asked for."""

    name: str
    size: int
    offset: int | None
    """Where its bytes lie in the archive if that is not packed."""
    _content: _Content = field(repr=False, compare=False)

    def read(self, size: int) -> bytes:
        """The next `size` bytes, fewer at the end of the file; MediaError if the archive ends within it."""
        return self._content.read(size)


@dataclass(frozen=True, slots=True, kw_only=True)
class TarPlace:
    """Where reading can begin in a tar that is not packed: a header, and the entries before it."""

    offset: int
    members: int


class TarReader:
    """The files in the order of the archive, and what is left out; folders are passed over.

    MediaError as soon as the archive turns out to be damaged, cut off or beyond a limit: what was yielded
    before stays as it was read. The memory needed grows by some 100 bytes a member, for its name.
    """

    def __init__(
        self,
        file: BinaryIO | io.RawIOBase,
        limits: ArchiveLimits = DEFAULT_LIMITS,
        *,
        behind: TarPlace | None = None,
        names: Iterable[str] = (),
    ) -> None:
        """Begins `behind` an earlier place, before which files of these names were taken."""
        start = behind or TarPlace(offset=0, members=0)
        file.seek(0)
        packing = packing_of(read_fully(file, 8))
        file.seek(0)
        self.is_packed = packing is not None
        self.place: TarPlace | None = None
        """Before what was yielded last; None in a packed archive, or where an earlier header counts."""
        self._stream: _Stream = _Plain(file, start.offset) if packing is None else UnpackedFile(file, packing)
        self._budget = Budget(limits, members=start.members, unpacked=start.offset)
        self._tape = _Tape(self._stream, self._budget)
        self._seen = {hash(name) for name in names}

    def __iter__(self) -> Iterator[TarMember | Skipped]:
        """Can be read once."""
        tape = self._tape
        for block, name in self._entries():
            content = _Content(tape, block.size)
            offset = None if self.is_packed else self._stream.packed
            found = _offered(block, name, self._budget.limits, self._seen)
            if isinstance(found, Skipped):
                yield found
            elif found is not None:
                yield TarMember(name=found, size=block.size, offset=offset, _content=content)
            content.pass_over()
            tape.take(-block.size % BLOCK)
        if self.is_packed:
            # The checksum of a packed stream stands at its end.
            while tape.take(_PIECE):
                continue

    def _entries(self) -> Iterator[tuple[HeaderBlock, str]]:
        """Members with their names; the caller takes the content before it asks for the next one."""
        names = TarNames()
        is_first = True
        self._mark(names)
        while (raw := self._tape.block()) and any(raw):
            block = parse_block(raw, is_first=is_first)
            is_first, has_more_holes = False, block.has_hole_map
            while has_more_holes:
                has_more_holes = ends_with_more(self._tape.block())
            self._budget.count_member()
            if block.is_extension:
                names.add(block, _extension(self._tape, block))
                continue
            block, name = names.applied_to(block)
            yield block, name
            self._mark(names)
        if is_first and not raw:
            raise MediaError("truncated", "is an empty file instead of a tar")

    def _mark(self, names: TarNames) -> None:
        is_place = names.is_empty and not self.is_packed
        place = TarPlace(offset=self._stream.packed, members=self._budget.members)
        self.place = place if is_place else None


def read_tar(
    file: BinaryIO | io.RawIOBase, limits: ArchiveLimits = DEFAULT_LIMITS
) -> Iterator[TarMember | Skipped]:
    """All of a `TarReader`."""
    return iter(TarReader(file, limits))


def _offered(block: HeaderBlock, name: str, limits: ArchiveLimits, seen: set[int]) -> str | Skipped | None:
    """The name of a file; why it is left out; or None for a folder."""
    if block.is_folder or (block.is_file and name.endswith("/")):
        return None
    try:
        label = label_of(name)
    except BadNameError as fault:
        return Skipped(shown(name), str(fault))
    if not block.is_file:
        return Skipped(label, "is a link, a device or a file with holes")
    if block.size > limits.member_bytes:
        return Skipped(label, f"has {block.size} bytes, more than {limits.member_bytes}")
    if hash(label) in seen:
        return Skipped(label, "its name is that of a member before")
    seen.add(hash(label))
    return label


def _extension(tape: _Tape, block: HeaderBlock) -> bytes:
    if block.size > _LONGEST_EXTENSION:
        raise MediaError("limit", f"has a tar header of {block.size} bytes, more than {_LONGEST_EXTENSION}")
    content = tape.take(block.size + -block.size % BLOCK)
    if len(content) < block.size:
        raise _cut()
    return content[: block.size]


def _cut() -> MediaError:
    return MediaError("truncated", "is a tar that ends within a member")
