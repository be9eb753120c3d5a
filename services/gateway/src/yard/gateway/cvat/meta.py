"""What is known of a task's or a job's frames, in JSON."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

from frameyard.common.v1.common_pb2 import FrameRange
from frameyard.media.v1 import media_pb2
from pydantic import BaseModel, ConfigDict, Field
from yard.gateway.cvat.moments import moment
from yard.runtime import errors


class FrameMeta(BaseModel):
    """One frame, or the video that all of them are in."""

    name: str
    width: int
    height: int
    related_files: int = 0
    has_related_context: bool = False


class DataMeta(BaseModel):
    """Frames with names and sizes; `start_frame` and `stop_frame` are those of the source."""

    chunks_updated_date: datetime
    chunk_size: int | None
    size: int
    image_quality: int
    start_frame: int
    stop_frame: int
    frame_filter: str
    frames: list[FrameMeta]
    deleted_frames: list[int]
    included_frames: list[int] | None = None
    chapters: list[dict[str, Any]] | None = None
    storage: str = "local"
    storage_method: str
    cloud_storage_id: int | None = None


class DataMetaWrite(BaseModel):
    """The frames that are deleted: those that are not named are there again."""

    model_config = ConfigDict(extra="ignore")

    deleted_frames: list[int] | None = Field(None, description="Relative numbers; absent: no change.")


def without_frames(media: media_pb2.Media, first: int, last: int, deleted: Sequence[FrameRange]) -> DataMeta:
    """All but the frames themselves, which may be many."""
    data = media.data
    return DataMeta(
        chunks_updated_date=moment(media.create_time),
        chunk_size=data.chunk_size,
        size=last - first + 1,
        image_quality=data.image_quality,
        start_frame=data.start_frame + first * data.frame_step,
        stop_frame=data.start_frame + last * data.frame_step,
        frame_filter=f"step={data.frame_step}" if data.frame_step > 1 else "",
        frames=[],
        deleted_frames=[frame for run in deleted for frame in range(run.first, run.last + 1)],
        storage_method="cache" if data.use_cache else "file_system",
    )


def frame_meta(frame: media_pb2.FrameInfo) -> dict[str, Any]:
    """One frame, ready for JSON."""
    return {
        "name": frame.name,
        "width": frame.width,
        "height": frame.height,
        "related_files": 0,
        "has_related_context": False,
    }


def runs_of(frames: Iterable[int]) -> list[FrameRange]:
    """The same frames as runs, ascending."""
    ordered = sorted(set(frames))
    starts = [number for before, number in pairwise([-2, *ordered]) if number != before + 1]
    ends = [number for number, after in pairwise([*ordered, -2]) if after != number + 1]
    return [FrameRange(first=first, last=last) for first, last in zip(starts, ends, strict=True)]


def frames_of(runs: Iterable[FrameRange]) -> Iterator[int]:
    """The frames of runs."""
    for run in runs:
        yield from range(run.first, run.last + 1)


def wanted_frames(written: DataMetaWrite, first: int, last: int, *, is_job: bool) -> set[int]:
    """The frames that are to be deleted; of a job those in its range, of a task all must be."""
    given = written.deleted_frames or []
    if is_job:
        return {frame for frame in given if first <= frame <= last}
    wrong = [
        errors.Violation(f"deleted_frames.{number}", f"must be 0 to {last}, got {frame}")
        for number, frame in enumerate(given)
        if not first <= frame <= last
    ]
    errors.refuse(wrong[:100])
    return set(given)
