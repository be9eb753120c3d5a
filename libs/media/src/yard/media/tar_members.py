"""The files of a tar, packed or not, one after the other as they come."""

import io
from collections.abc import Iterator
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

    def __init__(self, file: BinaryIO | io.RawIOBase) -> None:
        self._file = file
        self._size = file.seek(0, io.SEEK_END)
        file.seek(0)
        self.packed = 0

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


def read_tar(
    file: BinaryIO | io.RawIOBase, limits: ArchiveLimits = DEFAULT_LIMITS
) -> Iterator[TarMember | Skipped]:
    """The files in the order of the archive, and what is left out; folders are passed over.

    MediaError as soon as the archive turns out to be damaged, cut off or beyond a limit: what was yielded
    before stays as it was read. The memory needed grows by some 100 bytes a member, for its name.
    """
    file.seek(0)
    packing = packing_of(read_fully(file, 8))
    file.seek(0)
    stream = _Plain(file) if packing is None else UnpackedFile(file, packing)
    budget = Budget(limits)
    tape = _Tape(stream, budget)
    seen: set[int] = set()
    for block, name in _entries(tape, budget):
        content = _Content(tape, block.size)
        offset = stream.packed if packing is None else None
        found = _offered(block, name, limits, seen)
        if isinstance(found, Skipped):
            yield found
        elif found is not None:
            yield TarMember(name=found, size=block.size, offset=offset, _content=content)
        content.pass_over()
        tape.take(-block.size % BLOCK)
    if packing is not None:
        # The checksum of a packed stream stands at its end.
        while tape.take(_PIECE):
            continue


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


def _entries(tape: _Tape, budget: Budget) -> Iterator[tuple[HeaderBlock, str]]:
    """Members with their names; the caller takes the content before it asks for the next one."""
    names = TarNames()
    is_first = True
    while (raw := tape.block()) and any(raw):
        block = parse_block(raw, is_first=is_first)
        is_first, has_more_holes = False, block.has_hole_map
        while has_more_holes:
            has_more_holes = ends_with_more(tape.block())
        budget.count_member()
        if block.is_extension:
            names.add(block, _extension(tape, block))
            continue
        block, name = names.applied_to(block)
        yield block, name
    if is_first and not raw:
        raise MediaError("truncated", "is an empty file instead of a tar")


def _extension(tape: _Tape, block: HeaderBlock) -> bytes:
    if block.size > _LONGEST_EXTENSION:
        raise MediaError("limit", f"has a tar header of {block.size} bytes, more than {_LONGEST_EXTENSION}")
    content = tape.take(block.size + -block.size % BLOCK)
    if len(content) < block.size:
        raise _cut()
    return content[: block.size]


def _cut() -> MediaError:
    return MediaError("truncated", "is a tar that ends within a member")
