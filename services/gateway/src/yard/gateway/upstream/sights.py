"""What a caller may see of media: asked of the task service, and kept for a minute at most."""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC
from typing import Final

from frameyard.media.v1 import media_pb2, media_service_pb2
from frameyard.task.v1 import task_service_pb2
from yard.gateway.upstream.caller import Caller
from yard.runtime import clock, errors

KEPT_S: Final = 60.0
MOST_KEPT: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """Relative frames `first` to `last` of media that is ready, by task or job."""

    media: media_pb2.Media
    grant: str
    first: int
    last: int
    is_job: bool

    @property
    def is_video(self) -> bool:
        """Whether the frames are those of one video."""
        return self.media.kind == media_pb2.MEDIA_KIND_VIDEO


class Sights:
    """By credential and target; who lost a right keeps what is here for a minute."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, int, int], tuple[float, Sight]] = OrderedDict()

    async def of(self, caller: Caller, *, task_id: int = 0, job_id: int = 0) -> Sight:
        """NotFound without the right, and as long as there are no frames."""
        key = (caller.credential, task_id, job_id)
        until, kept = self._kept.get(key, (0.0, None))
        if kept is not None and until > clock.monotonic():
            return kept
        found, left_s = await _ask(caller, task_id, job_id)
        if caller.credential:
            self._kept[key] = (clock.monotonic() + min(KEPT_S, left_s), found)
            self._kept.move_to_end(key)
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        return found


async def _ask(caller: Caller, task_id: int, job_id: int) -> tuple[Sight, float]:
    asked = (
        task_service_pb2.GetMediaGrantRequest(job_id=job_id)
        if job_id
        else task_service_pb2.GetMediaGrantRequest(task_id=task_id)
    )
    try:
        granted = await caller.call(caller.services.tasks.GetMediaGrant, asked)
    except errors.FailedPrecondition as fault:
        raise _without_frames() from fault
    request = media_service_pb2.GetMediaRequest(media_id=granted.media_id, grant=granted.grant)
    media = (await caller.call(caller.services.media.GetMedia, request)).media
    if media.state != media_pb2.MEDIA_STATE_READY:
        raise _without_frames()
    found = Sight(
        media=media,
        grant=granted.grant,
        first=granted.frames.first,
        last=granted.frames.last,
        is_job=bool(job_id),
    )
    return found, (granted.expire_time.ToDatetime(UTC) - clock.now()).total_seconds() / 2


def _without_frames() -> errors.NotFound:
    return errors.NotFound("frames", "", message="there are no frames yet", reason="NO_FRAMES")
