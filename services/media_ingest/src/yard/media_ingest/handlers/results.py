"""What became of each given file, for those who may see all of the media."""

import asyncio
from collections.abc import Callable
from typing import TypeVar
from uuid import UUID

from frameyard.media.v1 import media_pb2
from frameyard.media.v1 import media_service_pb2 as messages
from yard.media.errors import MediaError
from yard.media_ingest.domain.results import (
    OUTCOMES,
    TRAILER_BYTES,
    FileResult,
    Outcome,
    ResultBlock,
    blocks_from,
    decode_index,
    decode_results,
    index_range,
)
from yard.media_ingest.handlers.access import whole_media
from yard.media_ingest.handlers.context import Ingest, media_prefix
from yard.media_ingest.store.media import MediaRow
from yard.runtime import errors, paging

PAGE = 1_000
LARGEST_PAGE = 10_000
MOST_BLOCKS = 32
"""Blocks that are read for one page; with few matches in each, a page is shorter than it may be."""

T = TypeVar("T")


def results_key(media_id: UUID) -> str:
    """Where lies what became of each given file."""
    return f"{media_prefix(media_id)}results"


async def list_results(
    ingest: Ingest, request: messages.ListFileResultsRequest
) -> messages.ListFileResultsResponse:
    """One page in the order given."""
    limit = paging.size(request.page_size, default=PAGE, largest=LARGEST_PAGE)
    bound = _bound(request)
    first = paging.decode_number(request.page_token, bound)
    outcome = _outcome(request.outcome)
    media = await whole_media(ingest, request.media_id, request.grant)
    if media.state == "INDEXING":
        raise errors.FailedPrecondition("the media is indexing", reason="MEDIA_NOT_READY")
    found, rest = await _page(ingest, media, first or 0, limit, outcome)
    return messages.ListFileResultsResponse(
        results=map(_to_proto, found),
        next_page_token="" if rest is None else paging.encode([rest], bound),
    )


def _bound(request: messages.ListFileResultsRequest) -> messages.ListFileResultsRequest:
    """What a page token belongs to: grants are renewed between pages."""
    bound = messages.ListFileResultsRequest()
    bound.CopyFrom(request)
    bound.ClearField("grant")
    return bound


def _outcome(number: media_pb2.FileOutcome.ValueType) -> Outcome | None:
    if number == media_pb2.FILE_OUTCOME_UNSPECIFIED:
        return None
    by_number = {media_pb2.FileOutcome.Value(f"FILE_OUTCOME_{each.upper()}"): each for each in OUTCOMES}
    if number not in by_number:
        raise errors.invalid("outcome", f"is no outcome: {number}")
    return by_number[number]


async def _page(
    ingest: Ingest, media: MediaRow, first: int, limit: int, outcome: Outcome | None
) -> tuple[list[FileResult], int | None]:
    """Results from number `first` on, and the number to go on from; media of old has none."""
    found: list[FileResult] = []
    blocks = blocks_from(await _index(ingest, media), first, outcome)
    for read, block in enumerate(blocks):
        if read == MOST_BLOCKS:
            return found, block.first
        content = await ingest.blobs.get(results_key(media.id), offset=block.offset, length=block.length)
        results = await _decoded(decode_results, content)
        for number, result in enumerate(results[max(0, first - block.first) :], max(first, block.first)):
            if outcome is not None and result.outcome != outcome:
                continue
            if len(found) == limit:
                return found, number
            found.append(result)
    return found, None


async def _index(ingest: Ingest, media: MediaRow) -> list[ResultBlock]:
    key = results_key(media.id)
    try:
        stat = await ingest.blobs.stat(key)
    except errors.NotFound:
        return []
    start = max(0, stat.size - TRAILER_BYTES)
    trailer = await ingest.blobs.get(key, offset=start, length=TRAILER_BYTES)
    offset, length = await _decoded(lambda content: index_range(content, stat.size), trailer)
    return await _decoded(decode_index, await ingest.blobs.get(key, offset=offset, length=length))


async def _decoded(decode: Callable[[bytes], T], content: bytes) -> T:
    try:
        return await asyncio.to_thread(decode, content)
    except MediaError as fault:
        raise errors.DataLoss(f"the results cannot be read: {fault}") from fault


def _to_proto(result: FileResult) -> media_pb2.FileResult:
    return media_pb2.FileResult(
        name=result.name,
        outcome=media_pb2.FileOutcome.Value(f"FILE_OUTCOME_{result.outcome.upper()}"),
        reason=result.reason,
        frame_count=result.frames,
        size_bytes=result.size_bytes,
        url=result.url,
    )
