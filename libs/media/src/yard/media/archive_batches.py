"""What jobs have indexed of an archive or document, gathered into the batches that leave them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from io import RawIOBase
from typing import Any

from yard.media.batch_stream import DEADLY, batch_end, pack_piece, reading
from yard.media.errors import MediaError
from yard.media.image_facts import ImageLimits
from yard.media.index_block import FRAMES_PER_BLOCK, ImageAddress, encode_frames
from yard.media.job_host import Arguments, Host
from yard.media.member_frames import Member, member_frames
from yard.media.tar_members import TarMember, TarPlace

_PIECE = 256 << 10


class StreamedMember:
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

    def member(self, offset: int = 0, aside: RawIOBase | None = None) -> Member:
        """As a file that is stored at `offset` of an archive, which can be read aside too."""
        size = self.size
        return Member(
            name=self.name,
            size=size,
            offset=offset,
            length=size,
            method="stored",
            head=self.head,
            aside=aside,
        )

    def content(self) -> Iterator[bytes]:
        """All of it."""
        if self._held:
            yield self._held
        while piece := self._member.read(_PIECE):
            yield piece


class Batches:
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
        if (frames := self._looked_at(member, limits)) is not None:
            self.take(frames)

    def store(self, found: StreamedMember, limits: ImageLimits) -> None:
        """An image that goes into the pack, unless it is none."""
        if (frames := self._looked_at(found.member(), limits)) is None:
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

    def _looked_at(self, member: Member, limits: ImageLimits) -> list[ImageAddress] | None:
        """Its frames; None if it is no image, and is left out."""
        try:
            return member_frames(member, limits)
        except MediaError as fault:
            self.skip(member.name, _reason(fault))
            return None

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
