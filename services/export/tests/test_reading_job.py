"""Files of every format are read by a child process, behind its walls."""

import struct
from collections.abc import AsyncIterator
from typing import Any

import pytest
from frameyard.annotation.v1.columnar_pb2 import ColumnarBatch
from yard.annotations.batch import Batch
from yard.annotations.columnar import decode
from yard.annotations.model import AnnotationSet
from yard.export.formats import FORMATS, IMPORT_ONLY
from yard.export.formats.format import Format, unread
from yard.export.formats.reading_job import described, frame_record
from yard.runtime import errors
from yard.runtime.workers import BytesSource, Pool

from services.export.tests.intake_scene import archived, imported
from services.export.tests.sample import IMAGES, dataset, files, frame_name

JOB = "yard.export.formats.reading_job"
READABLE = [known for known in FORMATS if known.read is not unread]
LIMITS = {"members": 100, "member_bytes": 1 << 20, "total_bytes": 1 << 22, "expansion": 100}


@pytest.fixture
async def pool() -> AsyncIterator[Pool]:
    async with Pool(processes=1, preload=(JOB,)) as pool:
        yield pool


async def read(
    pool: Pool, content: bytes, format_name: str, *, most: int = 1000, convert_masks: bool = False
) -> tuple[dict[str, Any], bytes]:
    """What the job says, and what it sends."""
    sent = bytearray()

    async def take(piece: bytes) -> None:
        sent.extend(piece)

    numbers = range(IMAGES.first, IMAGES.last + 1)
    names = (frame_name(IMAGES, IMAGES.start_frame + number * IMAGES.frame_step) for number in numbers)
    target = described(
        labels=IMAGES.labels,
        mode=IMAGES.mode,
        start_frame=IMAGES.start_frame,
        frame_step=IMAGES.frame_step,
        first=IMAGES.first,
    )
    arguments = {
        "format": format_name,
        "name": "a.zip",
        "most": most,
        "convert_masks": convert_masks,
        "limits": LIMITS,
        "target": target,
    }
    frames = b"".join(frame_record(name, 20, 10) for name in names)
    sources = {"file": BytesSource(content), "frames": BytesSource(frames)}
    result = await pool.call(f"{JOB}:read_file", arguments, sources=sources, on_bytes=take)
    return result, bytes(sent)


def objects_in(sent: bytes) -> AnnotationSet:
    batches, place = [], 0
    while place < len(sent):
        (length,) = struct.unpack_from("<I", sent, place)
        place += 4
        batches.append(Batch.of(ColumnarBatch.FromString(sent[place : place + length])))
        place += length
    return decode(batches)


@pytest.mark.parametrize("known", READABLE, ids=lambda known: known.full_name)
async def test_a_child_reads_what_this_process_reads(pool: Pool, known: Format) -> None:
    made = files(known, dataset(subject=IMAGES))
    result, sent = await read(pool, archived(made), known.full_name)
    assert result["faults"] == []
    here = imported(known, made, IMAGES)
    assert objects_in(sent) == here
    counts = (result["tags"], result["shapes"], result["tracks"])
    assert counts == (len(here.tags), len(here.shapes), len(here.tracks))
    assert sum(counts) > 0


@pytest.mark.parametrize("known", [*READABLE, *IMPORT_ONLY], ids=lambda known: known.full_name)
async def test_nonsense_is_refused_and_breaks_nothing(pool: Pool, known: Format) -> None:
    for content in (b"", b"\0" * 100, b"<a>", b"[" * 100_000, archived({}), archived({"a.txt": b"1"})):
        result, sent = await read(pool, content, known.full_name)
        assert result["faults"], content[:10]
        assert sent == b""


async def test_a_job_that_asks_for_what_is_not_there_is_a_bug(pool: Pool) -> None:
    with pytest.raises(errors.Internal):
        await read(pool, archived({}), "PDF 1.0")
