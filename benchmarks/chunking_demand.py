"""How soon the first frame of a chunk that nobody has built is there, and how fast built chunks come."""

import asyncio
import itertools
import struct
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from frameyard.chunk.v1 import chunk_service_pb2 as messages
from frameyard.media.v1 import media_pb2
from yard.runtime import clock

from benchmarks.chunking_baseline import CHUNK
from benchmarks.chunking_media import FPS, video
from benchmarks.chunking_process import measured
from benchmarks.chunking_service import BUCKET, Chunking, chunking
from benchmarks.chunking_videos import QUALITY
from benchmarks.report import Aim, Row, row

PLACES: Final = {"start": 0, "middle": 25, "end": 49}
_AIMS: Final = {FPS: 1 / 8, 250: 1 / 3}
ROUNDS: Final = 5
"""Each asks the baseline once."""
ASKED: Final = 4
"""Times ours is asked in a round, each time of new media."""
BUILT_BYTES: Final = 2_000_000
RATE: Final = 50
SENT: Final = 500
AT_ONCE: Final = 4
READ: Final = 200
SPREAD: Final = 60
"""Built chunks that are read in turn: 120 MB, more than the service holds in memory."""
_LOCAL_HEADER: Final = struct.Struct("<4s14xI4xHH")


def measure_demand() -> list[Row]:
    """The first frame over gRPC beside the whole chunk of the straightforward way, by places and GOPs."""
    return asyncio.run(_demand())


def measure_built() -> list[Row]:
    """Chunks of 2 MB that are built, beside reading their objects with the S3 client alone."""
    return asyncio.run(_built())


async def _demand() -> list[Row]:
    rows: list[Row] = []
    async with chunking() as service:
        for gop, most in _AIMS.items():
            times = await _times(service, gop)
            for place, (ours, baseline) in times.items():
                what = f"first frame at the {place}, GOP {gop}"
                rows += [
                    row(f"{what}: p50", "ms", ours, baseline, Aim(of="ratio", relation="<=", value=most)),
                    row(f"{what}: p99", "ms", [_p99(ours)], [_p99(baseline)]),
                ]
    return rows


async def _times(service: Chunking, gop: int) -> dict[str, tuple[list[float], list[float]]]:
    source = video(gop)
    stored = await service.stored(source)
    data = {"chunk_size": CHUNK, "image_quality": QUALITY}
    times: dict[str, tuple[list[float], list[float]]] = {place: ([], []) for place in PLACES}
    await _first_frame(service, await service.placed(stored, **data), 7)
    for _ in range(ROUNDS):
        for _ in range(ASKED):
            media = await service.placed(stored, **data)
            for place, number in PLACES.items():
                times[place][0].append(await _first_frame(service, media, number))
        for place, number in PLACES.items():
            times[place][1].append(await asyncio.to_thread(_straightforward, str(source), number * CHUNK))
    return times


async def _first_frame(service: Chunking, media: media_pb2.Media, number: int) -> float:
    """Milliseconds; the rest of the chunk is read too, and nothing is built any more afterwards."""
    request = messages.GetChunkRequest(media_id=media.id, number=number)
    received, taken = bytearray(), 0.0
    began = clock.monotonic()
    async for part in service.stub.GetChunk(request):
        received += part.content
        if not taken and holds_a_frame(received):
            taken = clock.monotonic() - began
    assert taken, len(received)
    await service.is_quiet()
    return 1000 * taken


def holds_a_frame(received: bytearray) -> bool:
    """Whether the first member of the zip is whole: its length stands in front of it."""
    if len(received) < _LOCAL_HEADER.size:
        return False
    lengths: tuple[bytes, int, int, int] = _LOCAL_HEADER.unpack_from(received)
    assert lengths[0] == b"PK\3\4"
    return len(received) >= _LOCAL_HEADER.size + sum(lengths[1:])


def _straightforward(source: str, first: int) -> float:
    with tempfile.TemporaryDirectory(prefix="frameyard-bench-") as folder:
        wanted = {"video": source, "first": first, "quality": QUALITY, "folder": folder}
        return 1000 * float(measured("benchmarks.chunking_baseline:zip_range", wanted).result)


async def _built() -> list[Row]:
    async with chunking() as service:
        media, keys = await _chunks_of_two_megabytes(service)
        rows = await _reads(service, media, keys[:1], "one built chunk of 2 MB, again and again")
        return rows + await _reads(service, media, keys, f"{SPREAD} built chunks of 2 MB in turn")


async def _reads(service: Chunking, media: media_pb2.Media, keys: Sequence[str], what: str) -> list[Row]:
    """More chunks than the service holds in memory come from the bucket."""
    turns = itertools.cycle(range(len(keys)))
    lengths: list[int] = []

    async def ours() -> None:
        request = messages.GetChunkRequest(media_id=media.id, number=next(turns))
        lengths.append(sum([len(part.content) async for part in service.stub.GetChunk(request)]))

    async def direct() -> None:
        lengths.append(await asyncio.to_thread(_read_object, service, keys[next(turns)]))

    late = [await _latencies(read) for read in (ours, direct)]
    rates: tuple[list[float], list[float]] = ([], [])
    for _ in range(3):
        for side, read in zip(rates, (ours, direct), strict=True):
            lengths.clear()
            seconds = await _all_read(read)
            side.append(sum(lengths) / seconds / 1e6)
    p99 = Aim(of="ours", relation="<", value=40)
    share = Aim(of="ratio", relation=">=", value=0.6)
    return [
        row(f"{what}, {RATE} requests/s: p50", "ms", late[0], late[1]),
        row(f"{what}, {RATE} requests/s: p99", "ms", [_p99(late[0])], [_p99(late[1])], p99),
        row(f"{what}, {AT_ONCE} at once, beside S3", "MB/s", rates[0], rates[1], share),
    ]


async def _chunks_of_two_megabytes(service: Chunking) -> tuple[media_pb2.Media, list[str]]:
    """Media whose first chunks have about that length and are built; their objects, by number."""
    stored = await service.stored(video(FPS))
    one = await service.chunk(await service.placed(stored, chunk_size=1, image_quality=QUALITY), 0)
    frames = round(BUILT_BYTES / len(one))
    media = await service.placed(stored, chunk_size=frames, image_quality=QUALITY)
    for number in range(SPREAD):
        await service.chunk(media, number)
    prefix = f"chunks/{media.id}/"
    found = await asyncio.to_thread(
        lambda: [str(item.object_name) for item in service.s3.list_objects(BUCKET, prefix, recursive=True)]
    )
    by_number = {int(name.rpartition("/")[2].partition("-")[0]) // frames: name for name in found}
    return media, [by_number[number] for number in range(SPREAD)]


def _read_object(service: Chunking, key: str) -> int:
    response = service.s3.get_object(bucket_name=BUCKET, object_name=key)
    length = len(response.read())
    response.close()
    response.release_conn()
    return length


async def _latencies(read: Callable[[], Awaitable[None]]) -> list[float]:
    """Milliseconds of calls that begin at a steady rate, whether the ones before have ended or not."""
    began = clock.monotonic()

    async def timed(number: int) -> float:
        due = began + number / RATE
        await asyncio.sleep(max(0.0, due - clock.monotonic()))
        await read()
        return 1000 * (clock.monotonic() - due)

    return await asyncio.gather(*(timed(number) for number in range(SENT)))


async def _all_read(read: Callable[[], Awaitable[None]]) -> float:
    """Seconds for all reads, so many at the same time."""

    async def some() -> None:
        for _ in range(READ // AT_ONCE):
            await read()

    began = clock.monotonic()
    await asyncio.gather(*(some() for _ in range(AT_ONCE)))
    return clock.monotonic() - began


def _p99(times: Sequence[float]) -> float:
    return sorted(times)[min(len(times) - 1, int(0.99 * len(times)))]
