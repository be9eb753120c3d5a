"""Media as chunking sees it, what is made from it, and how popular that is."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from math import log
from typing import Literal
from uuid import UUID

Kind = Literal["video", "images"]
Quality = Literal["compressed", "original", "preview"]
Form = Literal["zip", "mp4", "jpeg"]

MOST_FRAMES = 10_000
"""Frames in one answer."""

ORIGINAL_JPEG_QUALITY = 95
"""Of frames of videos in a zip of original quality, unless the task asks for more: visually lossless."""

HALF_LIFE_S = 43_200.0
"""A use counts half as much after this time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frames:
    """Relative frames, both ends included."""

    first: int
    last: int

    def __len__(self) -> int:
        return self.last - self.first + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrupt:
    """A relative frame that is shown as a placeholder, and why."""

    frame: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """Indexed media; `form` is its own container of compressed chunks, `operation_id` that of its build."""

    id: UUID
    task_id: int
    kind: Kind
    size: int
    width: int
    height: int
    image_quality: int
    chunk_size: int
    form: Form
    use_cache: bool
    plan_key: str
    plan_size_bytes: int
    operation_id: UUID | None

    @property
    def chunk_count(self) -> int:
        """Chunks of the whole media."""
        return -(-self.size // self.chunk_size)

    def chunk(self, number: int) -> Frames:
        """The frames of a chunk; past the last chunk they lie past the last frame."""
        first = number * self.chunk_size
        return Frames(first=first, last=max(first, min(first + self.chunk_size, self.size) - 1))

    def is_chunk(self, frames: Frames) -> bool:
        """Whether these are the frames of one of its chunks."""
        number, offset = divmod(frames.first, self.chunk_size)
        return not offset and frames == self.chunk(number)

    def is_native(self, rendition: "Rendition") -> bool:
        """Whether it is of compressed quality in the media's own container."""
        return rendition.quality == "compressed" and rendition.form == self.form

    def keeps(self, rendition: "Rendition") -> bool:
        """Whether what was made stays until the media goes, instead of being cached."""
        return self.is_native(rendition) and not self.use_cache

    def chunks(self) -> Iterator["Rendition"]:
        """All compressed chunks in its own container, in order."""
        for number in range(self.chunk_count):
            frames = self.chunk(number)
            yield Rendition(media_id=self.id, quality="compressed", form=self.form, frames=frames)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendition:
    """One thing that is made from media: a chunk, or a preview (of one frame, form "jpeg")."""

    media_id: UUID
    quality: Quality
    form: Form
    frames: Frames

    @property
    def key(self) -> str:
        """Where its object lies."""
        if self.quality == "preview":
            return f"{previews_prefix(self.media_id)}{self.frames.first}"
        prefix = chunks_prefix(self.media_id)
        return f"{prefix}{self.quality}/{self.form}/{self.frames.first}-{self.frames.last}"


def chunks_prefix(media_id: UUID) -> str:
    """Under which all chunks of media lie."""
    return f"chunks/{media_id}/"


def previews_prefix(media_id: UUID) -> str:
    """Under which all previews of media lie."""
    return f"previews/{media_id}/"


def weight(now: datetime) -> float:
    """Natural logarithm of what one use at this time counts.

    A score is the logarithm of the sum of all uses' weights. As later uses weigh more, old ones fade without
    any score being touched.
    """
    return now.timestamp() / HALF_LIFE_S * log(2)
