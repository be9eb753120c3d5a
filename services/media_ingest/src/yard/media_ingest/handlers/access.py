"""Who may see media: services, and users with a grant of theirs. Absent and forbidden answer alike."""

from uuid import UUID

from yard.media_ingest.handlers.context import Ingest, id_of
from yard.media_ingest.store import media as store
from yard.media_ingest.store.media import MediaRow
from yard.runtime import auth, errors

_HIDDEN = ("CANCELLED", "DELETED")
_NO_LIMIT = (1 << 63) - 1


async def visible_media(ingest: Ingest, text: str, grant: str) -> tuple[MediaRow, tuple[int, int]]:
    """The media and the frames of it that the caller may see; NotFound for what is not for the caller."""
    media_id = id_of("media", text)
    frames = _granted(ingest, media_id, grant)
    media = await store.media_of(ingest.db, media_id)
    if frames is None or media is None or media.state in _HIDDEN:
        raise errors.NotFound("media", text)
    return media, frames


async def whole_media(ingest: Ingest, text: str, grant: str) -> MediaRow:
    """Media of which the caller may see all frames: what it was made of is not told to who sees a part."""
    media, (first, last) = await visible_media(ingest, text, grant)
    if first > 0 or last < media.summary.size - 1:
        raise errors.NotFound("media", text)
    return media


def _granted(ingest: Ingest, media_id: UUID, token: str) -> tuple[int, int] | None:
    caller = auth.current()
    if caller.is_service:
        return 0, _NO_LIMIT
    try:
        grant = ingest.runtime.grants.verify(token)
    except errors.PermissionDenied:
        return None
    is_theirs = grant.media_id == media_id and grant.user_id == caller.user_id
    return (grant.first, grant.last) if is_theirs else None
