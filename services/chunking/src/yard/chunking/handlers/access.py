"""Which frames of which media a caller may see."""

from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

from yard.chunking.domain import Frames, Media
from yard.chunking.handlers.context import Chunking
from yard.chunking.handlers.knowing import MEDIA_CHANGED
from yard.chunking.store import media as store
from yard.runtime import auth, clock, errors
from yard.runtime.pauses import until_any

# A caller may be faster than the event that tells of the media.
PATIENCE_S = 3.0
_POLL_S = 0.1
_ALL = Frames(first=0, last=(1 << 63) - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Visible:
    """Media, the frames of it that the caller may see, and who reads: a service may do so for a person."""

    media: Media
    granted: Frames
    reader: str

    def covers(self, frames: Frames) -> bool:
        """Whether the caller may see all of these frames, and there are so many."""
        last = min(self.granted.last, self.media.size - 1)
        return self.granted.first <= frames.first and frames.last <= last

    def check(self, frames: Frames) -> None:
        """NotFound for frames that are not for the caller; OutOfRange for frames that nobody has."""
        last = self.media.size - 1
        if frames.last > last and self.granted.first <= frames.first and self.granted.last >= last:
            raise errors.OutOfRange(f"frame {frames.last} is past the last one, {last}")
        if not self.covers(frames):
            raise errors.NotFound("media", self.media.id)


async def visible(chunking: Chunking, text: str, grant: str) -> Visible:
    """NotFound for what is absent or not for the caller; Unavailable if we have not heard of it yet."""
    try:
        media_id = UUID(text)
    except ValueError:
        raise errors.NotFound("media", text[:64]) from None
    granted = _granted(chunking, media_id, grant)
    if granted is None:
        raise errors.NotFound("media", media_id)
    frames, reader = granted
    return Visible(media=await _media(chunking, media_id), granted=frames, reader=reader)


def _granted(chunking: Chunking, media_id: UUID, token: str) -> tuple[Frames, str] | None:
    """The frames, and the reader; a service that shows a person's grant reads for that person."""
    caller = auth.current()
    if token:
        with suppress(errors.PermissionDenied):
            grant = chunking.runtime.grants.verify(token)
            if grant.media_id == media_id and (caller.is_service or grant.user_id == caller.user_id):
                frames = _ALL if caller.is_service else Frames(first=grant.first, last=grant.last)
                return frames, f"user:{grant.user_id}"
    return (_ALL, caller.subject) if caller.is_service else None


async def _media(chunking: Chunking, media_id: UUID) -> Media:
    gives_up_at = clock.monotonic() + PATIENCE_S
    while (media := await chunking.knowing.media(media_id)) is None:
        if await store.is_deleted(chunking.db, media_id):
            raise errors.NotFound("media", media_id)
        if clock.monotonic() > gives_up_at:
            raise _unheard(media_id)
        async with chunking.db.signals.listening(MEDIA_CHANGED) as changed:
            await until_any(changed, timeout_s=_POLL_S)
    return media


def _unheard(media_id: UUID) -> errors.YardError:
    """Who has a grant knows that the media is there."""
    if auth.current().is_service:
        return errors.NotFound("media", media_id)
    return errors.Unavailable(f"media {media_id} is not known here yet", reason="MEDIA_NOT_KNOWN_YET")
