"""Frames of media as JSON, written while they are read: there may be a million."""

from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from typing import Any, Final

import orjson
from fastapi import Response
from fastapi.responses import StreamingResponse
from frameyard.annotation.v1 import annotation_service_pb2 as annotations
from frameyard.common.v1.common_pb2 import FrameRange
from frameyard.media.v1 import media_pb2, media_service_pb2
from yard.gateway.cvat import meta
from yard.gateway.edge.objects import begun
from yard.gateway.upstream.caller import Caller
from yard.gateway.upstream.sights import Sight

PAGE: Final = 5_000
MOST_RUNS: Final = 10_000


async def meta_answer(caller: Caller, sight: Sight, target: annotations.AnnotationTarget) -> Response:
    """What is known of the frames of a task or a job."""
    request = annotations.GetDeletedFramesRequest(target=target)
    deleted = (await caller.call(caller.services.annotations.GetDeletedFrames, request)).deleted
    told = meta.without_frames(sight.media, sight.first, sight.last, deleted).model_dump(mode="json")
    del told["frames"]
    return StreamingResponse(await begun(_written(caller, sight, told)), media_type="application/json")


async def delete_frames(
    caller: Caller, sight: Sight, target: annotations.AnnotationTarget, written: meta.DataMetaWrite
) -> None:
    """Deletes frames and brings others back, so that exactly the named ones of the target are deleted."""
    if written.deleted_frames is None:
        return
    wanted = meta.wanted_frames(written, sight.first, sight.last, is_job=sight.is_job)
    request = annotations.GetDeletedFramesRequest(target=target)
    answer = await caller.call(caller.services.annotations.GetDeletedFrames, request)
    present = set(meta.frames_of(answer.deleted))
    for gone, back in _steps(meta.runs_of(wanted - present), meta.runs_of(present - wanted)):
        change = annotations.UpdateDeletedFramesRequest(target=target, delete=gone, restore=back)
        await caller.call(caller.services.annotations.UpdateDeletedFrames, change)


def _steps(
    gone: list[FrameRange], back: list[FrameRange]
) -> Iterable[tuple[list[FrameRange], list[FrameRange]]]:
    """One change, unless there are more runs than one may have."""
    for start in range(0, max(len(gone), len(back)), MOST_RUNS):
        stop = start + MOST_RUNS
        yield gone[start:stop], back[start:stop]


async def _written(caller: Caller, sight: Sight, told: dict[str, Any]) -> AsyncGenerator[bytes]:
    yield orjson.dumps(told)[:-1] + b',"frames":['
    comma = b""
    async for page in _pages(caller, sight):
        yield comma + b",".join(map(orjson.dumps, page))
        comma = b","
    yield b"]}"


async def _pages(caller: Caller, sight: Sight) -> AsyncIterator[list[dict[str, Any]]]:
    """Frames by pages; the one entry of a video that comes as video."""
    if sight.is_video and sight.media.data.chunk_format == media_pb2.CHUNK_FORMAT_MP4:
        yield [await _video(caller, sight)]
        return
    request = media_service_pb2.ListFramesRequest(
        media_id=sight.media.id, grant=sight.grant, first=sight.first, last=sight.last, page_size=PAGE
    )
    while True:
        answer = await caller.call(caller.services.media.ListFrames, request)
        if answer.frames:
            yield [meta.frame_meta(frame) for frame in answer.frames]
        request.page_token = answer.next_page_token
        if not request.page_token:
            return


async def _video(caller: Caller, sight: Sight) -> dict[str, Any]:
    """The video by the name of its file."""
    frame = media_pb2.FrameInfo(name="video", width=sight.media.width, height=sight.media.height)
    if not sight.is_job:
        request = media_service_pb2.ListFileResultsRequest(
            media_id=sight.media.id, grant=sight.grant, outcome=media_pb2.FILE_OUTCOME_TAKEN, page_size=1
        )
        results = (await caller.call(caller.services.media.ListFileResults, request)).results
        frame.name = results[0].name if results else frame.name
    return meta.frame_meta(frame)
