"""The bytes of chunks and previews, from the bucket or from who builds them."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import cast

from yard.chunking.build.builder import Joined
from yard.chunking.build.building import Building, Picture
from yard.chunking.domain import Media, Rendition
from yard.chunking.handlers import counting
from yard.chunking.handlers.context import Chunking
from yard.chunking.store.chunks import Built
from yard.runtime import clock, errors

PIECE_BYTES = 1 << 18
"""Of a message: larger ones cost more time a byte on their way."""
_READ_BYTES = 1 << 20
_TRIES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """Bytes to read once, in pieces of at most 1 MiB; from the bucket if `built` is set."""

    pieces: AsyncIterator[bytes]
    built: Built | None = None
    building: Building | None = None

    async def described(self) -> Built | Picture:
        """Size of the first picture, and the damaged frames; waits until all bytes are there."""
        if self.built is not None:
            return self.built
        assert self.building is not None
        return await self.building.picture()


@asynccontextmanager
async def opened(chunking: Chunking, media: Media, rendition: Rendition) -> AsyncIterator[Content]:
    """What is kept or cached; built first if it is not there, also if the bucket has lost it."""
    kind = "preview" if rendition.quality == "preview" else "chunk"
    for _ in range(_TRIES):
        is_under_way = chunking.builder.is_building(rendition)
        is_again = chunking.knowing.built(rendition) is not None
        found = await _obtained(chunking, media, rendition)
        counting.requests.labels(kind, _outcome(found, is_joined=is_under_way)).inc()
        if isinstance(found, Joined):
            async with _of_building(found) as content:
                yield content
            return
        async with _of_bucket(chunking, rendition, found, is_again=is_again) as stored:
            if stored is not None:
                yield stored
                return
        chunking.knowing.lost(rendition)
        await chunking.builder.forget(rendition, found)
    raise errors.Unavailable(f"{rendition.key} comes and goes")


async def _obtained(chunking: Chunking, media: Media, rendition: Rendition) -> Built | Joined:
    if (known := chunking.knowing.built(rendition)) is not None:
        return known
    asked_at = clock.monotonic()
    found = await chunking.builder.obtain(media, rendition)
    if isinstance(found, Built):
        chunking.knowing.used(rendition, found, asked_at)
    return found


def _outcome(found: Built | Joined, *, is_joined: bool) -> str:
    if isinstance(found, Built):
        return "hit"
    return "joined" if is_joined else "built"


@asynccontextmanager
async def _of_building(joined: Joined) -> AsyncIterator[Content]:
    try:
        yield Content(pieces=aiter(joined.reader), building=joined.building)
    finally:
        joined.close()


@asynccontextmanager
async def _of_bucket(
    chunking: Chunking, rendition: Rendition, built: Built, *, is_again: bool
) -> AsyncIterator[Content | None]:
    """None if the object is not there; what is read again within seconds is held in memory."""
    if (held := chunking.holding.pieces_of(rendition, built)) is not None:
        yield Content(pieces=_each(held), built=built)
        return
    stream = cast("AsyncGenerator[bytes, None]", chunking.blobs.stream(rendition.key, chunk=_READ_BYTES))
    with chunking.reading.of(rendition):
        async with aclosing(stream) as blocks:
            try:
                first = await anext(blocks)
            except errors.NotFound:
                yield None
                return
            pieces = _behind(first, blocks)
            if is_again:
                pieces = chunking.holding.noted(rendition, built, pieces)
            yield Content(pieces=pieces, built=built)


async def _behind(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    async for piece in _cut(first):
        yield piece
    async for block in rest:
        async for piece in _cut(block):
            yield piece


async def _cut(block: bytes) -> AsyncIterator[bytes]:
    for offset in range(0, len(block), PIECE_BYTES):
        yield block[offset : offset + PIECE_BYTES]


async def _each(pieces: list[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece
