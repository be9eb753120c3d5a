"""Indexing of archives and documents as jobs of child processes: batches leave as soon as they are full.

All take the source "file" and the arguments `name` (its label), `limits` (see `limits_of`) and `done`, the
number of results, taken or left out, that earlier batches hold: these are passed over. A batch ends with
`batch_files` results, or as soon as its pack has `pack_bytes`. Its result has files (results in it), count
(frames in its block), skipped (name and reason) and is_last. Results whose numbers are in `deadly` are left
out unread; if `is_careful`, a message goes before each member that is read and another after it.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from io import RawIOBase
from typing import Any

from yard.media.batch_stream import DEADLY, batch_end, pack_piece, reading
from yard.media.budget import ArchiveLimits, Skipped
from yard.media.byte_window import read_fully
from yard.media.errors import MediaError
from yard.media.image_facts import ImageLimits
from yard.media.index_block import (
    FRAMES_PER_BLOCK,
    PAGE_METHODS,
    ImageAddress,
    decode_frames,
    encode_frames,
)
from yard.media.jobs import Arguments, Host
from yard.media.member_frames import Member, member_frames
from yard.media.pdf_pages import PdfLimits, PdfPages
from yard.media.tar_members import TarMember, TarPlace, TarReader
from yard.media.zip_index import ZipEntry, read_zip

_PIECE = 256 << 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What an archive and each image in it may be."""

    archive: ArchiveLimits
    images: ImageLimits


def limits_of(arguments: Arguments) -> Limits:
    """From the argument `limits`: those of archives (see ArchiveLimits), and pixels and pages of an image."""
    given: Mapping[str, int] = arguments["limits"]
    images = ("pixels", "pages")
    return Limits(
        archive=ArchiveLimits(**{name: given[name] for name in given if name not in images}),
        images=ImageLimits(pixels=given["pixels"], pages=min(given["pages"], FRAMES_PER_BLOCK)),
    )


def index_zip(arguments: Arguments, host: Host) -> dict[str, Any]:
    """Emits batches of the images of a zip, addressed inside it."""
    limits = limits_of(arguments)
    batches = _Batches(host, arguments)
    with _named(arguments), host.open("file") as file, host.open("file") as aside:
        size = file.seek(0, 2) or 1
        done = arguments["done"]
        for number, found in enumerate(read_zip(file, limits.archive, passed=done), done):
            if isinstance(found, Skipped):
                batches.skip(found.name, found.reason)
                continue
            with batches.trying(number, found.name) as is_harmless:
                if is_harmless:
                    batches.index(_zipped(found, aside), limits.images)
            host.progress(min(0.99, found.offset / size))
        return batches.end()


def _zipped(found: ZipEntry, aside: RawIOBase) -> Member:
    return Member(
        name=found.name,
        size=found.size,
        source=0,
        offset=found.offset,
        length=found.length,
        method=found.method,
        head=found.head,
        aside=aside if found.method == "stored" else None,
    )


def index_tar(arguments: Arguments, host: Host) -> dict[str, Any]:
    """Emits batches of the images of a tar: addressed inside it or, if it is packed, with the bytes of packs.

    The argument `packs` is the number of batches before, as which the packs are numbered in addresses. The
    result of a batch has `place`, where the next one begins, or None; `place` as an argument begins there,
    and not with the first member, with the frame blocks of the batches before as the source "kept", whose
    lengths are the argument `kept_bytes`.
    """
    limits = limits_of(arguments)
    with _named(arguments), host.open("file") as file, host.open("file") as aside:
        size = file.seek(0, 2) or 1
        reader = _reader(arguments, host, file, limits)
        batches = _Batches(host, arguments, packs=arguments["packs"] if reader.is_packed else 0)
        for number, found in enumerate(reader, arguments["done"] if arguments["place"] else 0):
            if number < arguments["done"]:
                continue
            batches.place = reader.place
            if isinstance(found, Skipped):
                batches.skip(found.name, found.reason)
                continue
            with batches.trying(number, found.name) as is_harmless:
                if is_harmless and reader.is_packed:
                    batches.store(_Growing(found), limits.images)
                elif is_harmless:
                    batches.index(_plain(found, aside), limits.images)
            host.progress(min(0.99, file.tell() / size))
        return batches.end()


def _reader(arguments: Arguments, host: Host, file: RawIOBase, limits: Limits) -> TarReader:
    if arguments["place"] is None:
        return TarReader(file, limits.archive)
    names = (name for block in _blocks(arguments, host) for name in _members_in(block))
    return TarReader(file, limits.archive, behind=TarPlace(**arguments["place"]), names=names)


def _blocks(arguments: Arguments, host: Host) -> Iterator[bytes]:
    with host.open("kept") as kept:
        for length in arguments["kept_bytes"]:
            yield read_fully(kept, length)


def _members_in(block: bytes) -> Iterator[str]:
    """Names of the files of a frame block, once for each page."""
    for frame in decode_frames(block):
        yield frame.name.rpartition("/")[0] if frame.method in PAGE_METHODS else frame.name


def index_pdf(arguments: Arguments, host: Host) -> dict[str, Any]:
    """Emits one batch of all pages, named `name/000000.png` and on; the argument `dpi` gives their sizes."""
    limits = PdfLimits(
        dpi=arguments["dpi"],
        pages=min(FRAMES_PER_BLOCK, arguments["limits"]["pages"]),
        pixels=arguments["limits"]["pixels"],
    )
    batches = _Batches(host, arguments)
    with _named(arguments), host.open("file") as file, PdfPages(file, limits) as pages:
        frames = []
        for page in range(pages.count):
            width, height = pages.size(page)
            name = f"{arguments['name']}/{page:06d}.png"
            frames.append(ImageAddress(name=name, width=width, height=height, page=page, method="page"))
        batches.take(frames)
        return batches.end()


class _Growing:
    """A member of a packed tar, whose bytes come once: what was looked at is kept until it is taken."""

    def __init__(self, member: TarMember) -> None:
        self._member = member
        self._held = b""
        self.name, self.size = member.name, member.size

    def head(self, size: int) -> bytes:
        """As of `Member`."""
        pieces = [self._held]
        missing = min(size, self.size) - len(self._held)
        while missing > 0 and (piece := self._member.read(missing)):
            pieces.append(piece)
            missing -= len(piece)
        self._held = b"".join(pieces)
        return self._held[:size]

    def content(self) -> Iterator[bytes]:
        """All of it."""
        if self._held:
            yield self._held
        while piece := self._member.read(_PIECE):
            yield piece


class _Batches:
    """Gathers frames, and emits a block of them when it is full or its pack is."""

    def __init__(self, host: Host, arguments: Arguments, packs: int = 0) -> None:
        self._host = host
        self._batch_files = arguments["batch_files"]
        self._pack_bytes = arguments["pack_bytes"]
        self._pack = packs
        self._packed = 0
        self._files = 0
        self._frames: list[ImageAddress] = []
        self._skipped: list[dict[str, str]] = []
        self._is_careful: bool = arguments.get("is_careful", False)
        self._deadly = frozenset(arguments.get("deadly", ()))
        self.place: TarPlace | None = None
        """Where the file begins that is given next."""

    @contextmanager
    def trying(self, number: int, name: str) -> Iterator[bool]:
        """A member is read inside; False if it has killed another child, and is left out here."""
        if number in self._deadly:
            self.skip(name, DEADLY)
            yield False
            return
        if self._is_careful:
            self._host.emit(reading(number))
        yield True
        if self._is_careful:
            self._host.emit(reading(None))

    def index(self, member: Member, limits: ImageLimits) -> None:
        """An image where it lies, or a reason why it is none."""
        try:
            frames = member_frames(member, limits)
        except MediaError as fault:
            self.skip(member.name, _reason(fault))
        else:
            self.take(frames)

    def store(self, found: _Growing, limits: ImageLimits) -> None:
        """An image that goes into the pack, unless it is none."""
        member = Member(
            name=found.name,
            size=found.size,
            source=0,
            offset=0,
            length=found.size,
            method="stored",
            head=found.head,
        )
        try:
            frames = member_frames(member, limits)
        except MediaError as fault:
            self.skip(member.name, _reason(fault))
            return
        self._make_room(len(frames))
        placed = [replace(frame, source=self._pack, offset=self._packed) for frame in frames]
        for piece in found.content():
            self._host.emit(pack_piece(piece))
            self._packed += len(piece)
        self.take(placed)
        if self._packed >= self._pack_bytes:
            self._emit(is_last=False)

    def take(self, frames: list[ImageAddress]) -> None:
        """The frames of one file."""
        self._make_room(len(frames))
        self._frames += frames
        self._files += 1

    def skip(self, name: str, reason: str) -> None:
        """A file that is left out."""
        self._make_room(0)
        self._skipped.append({"name": name, "reason": reason})
        self._files += 1

    def end(self) -> dict[str, Any]:
        """Emits the rest."""
        self._emit(is_last=True)
        return {}

    def _make_room(self, frames: int) -> None:
        if self._files >= self._batch_files or len(self._frames) + frames > FRAMES_PER_BLOCK:
            self._emit(is_last=False)

    def _emit(self, *, is_last: bool) -> None:
        block = encode_frames([replace(frame, order=order) for order, frame in enumerate(self._frames)])
        result = {
            "files": self._files,
            "count": len(self._frames),
            "skipped": self._skipped,
            "is_last": is_last,
            "place": None if self.place is None else asdict(self.place),
        }
        self._host.emit(batch_end(block, result))
        self._files = self._packed = 0
        self._frames, self._skipped = [], []
        self._pack += 1


def _reason(fault: MediaError) -> str:
    return fault.message.removeprefix(f"{fault.name}: ") if fault.name else fault.message


def _plain(found: TarMember, aside: RawIOBase) -> Member:
    assert found.offset is not None
    return Member(
        name=found.name,
        size=found.size,
        source=0,
        offset=found.offset,
        length=found.size,
        method="stored",
        head=_Growing(found).head,
        aside=aside,
    )


@contextmanager
def _named(arguments: Arguments) -> Iterator[None]:
    """What is wrong with the file as a whole is told with its label."""
    try:
        yield
    except MediaError as fault:
        raise MediaError(fault.code, fault.message, fault.name or arguments["name"]) from fault
