"""The bytes of chunks and previews, from the bucket or from who builds them."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass

from yard.chunking.build.builder import Joined
from yard.chunking.build.building import BUILDER_ENDED, Picture
from yard.chunking.domain import Media, Rendition
from yard.chunking.handlers import counting
from yard.chunking.handlers.context import Chunking
from yard.chunking.store.chunks import Built
from yard.runtime import clock, errors

MESSAGE_BYTES = 1 << 19
"""At most: smaller ones cost more each on their way, larger ones more a byte."""
_TRIES = 3
CHUNK_DAMAGED = "CHUNK_DAMAGED"
"""Reason of the error that says that the next request makes it anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """Bytes to read once, in pieces of at most 1 MiB; from the bucket if `built` is set."""

    pieces: AsyncIterator[bytes]
    built: Built | None = None
    following: "_Following | None" = None

    async def described(self) -> Built | Picture:
        """Size of the first picture, and the damaged frames; waits until all bytes are there."""
        if self.built is not None:
            return self.built
        assert self.following is not None
        return await self.following.described()


@asynccontextmanager
async def opened(chunking: Chunking, media: Media, rendition: Rendition) -> AsyncIterator[Content]:
    """What is kept or cached; built first if it is not there, also if the bucket has lost it."""
    kind = "preview" if rendition.quality == "preview" else "chunk"
    for _ in range(_TRIES):
        is_again = chunking.knowing.built(rendition) is not None
        found = await _obtained(chunking, media, rendition)
        counting.requests.labels(kind, _outcome(found)).inc()
        if isinstance(found, Joined):
            async with _of_building(chunking, media, rendition, found) as content:
                yield content
            return
        async with _of_bucket(chunking, rendition, found, is_again=is_again) as stored:
            if stored is not None:
                yield stored
                return
        await _lost(chunking, rendition, found)
    raise errors.Unavailable(f"{rendition.key} comes and goes")


async def _lost(chunking: Chunking, rendition: Rendition, built: Built) -> None:
    chunking.knowing.lost(rendition)
    await chunking.builder.forget(rendition, built)


async def _obtained(chunking: Chunking, media: Media, rendition: Rendition) -> Built | Joined:
    if (known := chunking.knowing.built(rendition)) is not None:
        return known
    asked_at = clock.monotonic()
    found = await chunking.builder.obtain(media, rendition)
    if isinstance(found, Built):
        chunking.knowing.used(rendition, found, asked_at)
    return found


def _outcome(found: Built | Joined) -> str:
    if isinstance(found, Built):
        return "hit"
    if found.building.is_relay:
        return "peer"
    return "built" if found.has_begun else "joined"


@asynccontextmanager
async def _of_building(
    chunking: Chunking, media: Media, rendition: Rendition, joined: Joined
) -> AsyncIterator[Content]:
    following = _Following(chunking, media, rendition, joined)
    try:
        async with aclosing(following.pieces()) as pieces:
            yield Content(pieces=pieces, following=following)
    finally:
        following.close()


class _Following:
    """Reads what is being built, by another builder if one ends before a byte of it was passed on."""

    def __init__(self, chunking: Chunking, media: Media, rendition: Rendition, joined: Joined) -> None:
        self._chunking = chunking
        self._media = media
        self._rendition = rendition
        self._found: Built | Joined = joined

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """All bytes, once."""
        for left in reversed(range(_TRIES)):
            has_begun = False
            try:
                async with aclosing(self._of_found()) as pieces:
                    async for piece in pieces:
                        has_begun = True
                        yield piece
            except errors.Unavailable as fault:
                if has_begun or not left or fault.reason not in (BUILDER_ENDED, CHUNK_DAMAGED):
                    raise
            else:
                return
            self.close()
            self._found = await _obtained(self._chunking, self._media, self._rendition)

    async def described(self) -> Built | Picture:
        """What is known once all bytes are there."""
        return self._found if isinstance(self._found, Built) else await self._found.building.picture()

    def close(self) -> None:
        """Leaves; the building goes on."""
        if isinstance(self._found, Joined):
            self._found.close()

    async def _of_found(self) -> AsyncGenerator[bytes, None]:
        if isinstance(self._found, Joined):
            async for piece in self._found.reader:
                yield piece
            return
        async with _of_bucket(self._chunking, self._rendition, self._found, is_again=False) as stored:
            if stored is None:
                await _lost(self._chunking, self._rendition, self._found)
                raise _damaged(self._rendition)
            async for piece in stored.pieces:
                yield piece


@asynccontextmanager
async def _of_bucket(
    chunking: Chunking, rendition: Rendition, built: Built, *, is_again: bool
) -> AsyncIterator[Content | None]:
    """None if what was built is not there; what is read again within seconds is held in memory."""
    if (held := chunking.holding.pieces_of(rendition, built)) is not None:
        yield Content(pieces=_each(held), built=built)
        return
    stream = chunking.relay.stream_whole(rendition.key, built.blob.size_bytes, built.blob.sha256)
    with chunking.reading.of(rendition):
        async with aclosing(stream) as blocks:
            try:
                first = await anext(blocks)
            except (errors.NotFound, errors.OutOfRange, errors.DataLoss):
                yield None
                return
            pieces = _whole(chunking, rendition, built, _behind(first, blocks))
            if is_again:
                pieces = chunking.holding.noted(rendition, built, pieces)
            yield Content(pieces=pieces, built=built)


async def _whole(
    chunking: Chunking, rendition: Rendition, built: Built, pieces: AsyncIterator[bytes]
) -> AsyncIterator[bytes]:
    """Unavailable if the object is not what was built: it is forgotten then, and made by the next request."""
    try:
        async for piece in pieces:
            yield piece
    except errors.DataLoss as fault:
        await _lost(chunking, rendition, built)
        raise _damaged(rendition) from fault


def _damaged(rendition: Rendition) -> errors.Unavailable:
    return errors.Unavailable(f"{rendition.key} is damaged and is made anew", reason=CHUNK_DAMAGED)


async def _behind(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    held, size_bytes = [first], len(first)
    async for piece in rest:
        if size_bytes + len(piece) > MESSAGE_BYTES:
            yield b"".join(held)
            held, size_bytes = [], 0
        held.append(piece)
        size_bytes += len(piece)
    yield b"".join(held)


async def _each(pieces: list[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece
