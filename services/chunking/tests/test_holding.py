from collections.abc import AsyncIterator

from yard.chunking.domain import Frames, Rendition
from yard.chunking.handlers.holding import LARGEST_BYTES, MOST_BYTES, Holding
from yard.chunking.store.chunks import Built
from yard.runtime import ids
from yard.runtime.blobs import BlobRef

PIECE = b"x" * (1 << 20)
MEDIA_ID = ids.uuid7()


def rendition(number: int) -> Rendition:
    frames = Frames(first=number, last=number)
    return Rendition(media_id=MEDIA_ID, quality="compressed", form="zip", frames=frames)


def built(number: int, pieces: int, sha256: str = "a") -> Built:
    blob = BlobRef(key=rendition(number).key, size_bytes=pieces * len(PIECE), sha256=sha256)
    return Built(blob=blob, width=1, height=1)


async def stream(pieces: int) -> AsyncIterator[bytes]:
    for _ in range(pieces):
        yield PIECE


async def read(holding: Holding, number: int, pieces: int) -> None:
    noted = holding.noted(rendition(number), built(number, pieces), stream(pieces))
    assert sum([len(piece) async for piece in noted]) == pieces * len(PIECE)


async def test_the_last_ones_are_held_within_the_limit() -> None:
    holding = Holding()
    most = MOST_BYTES // (8 * len(PIECE))
    for number in range(most + 1):
        await read(holding, number, 8)
        await read(holding, number, 8)
        assert holding.pieces_of(rendition(1), built(1, 8)) is None or number
    held = [bool(holding.pieces_of(rendition(number), built(number, 8))) for number in range(most + 1)]
    assert held == [False, *[True] * most]


async def test_what_is_larger_or_built_anew_or_left_is_not_held() -> None:
    holding = Holding()
    await read(holding, 0, LARGEST_BYTES // len(PIECE) + 1)
    assert holding.pieces_of(rendition(0), built(0, 9)) is None
    await read(holding, 1, 2)
    assert holding.pieces_of(rendition(1), built(1, 2)) == [PIECE, PIECE]
    assert holding.pieces_of(rendition(1), built(1, 2, sha256="b")) is None
    noted = holding.noted(rendition(2), built(2, 2), stream(2))
    await anext(noted)
    await noted.aclose()  # type: ignore[attr-defined]
    assert holding.pieces_of(rendition(2), built(2, 2)) is None
