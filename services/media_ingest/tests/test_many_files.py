"""Uploads of very many files: steps cost as much at the end as at the beginning."""

from __future__ import annotations

import random
from uuid import UUID

from frameyard.media.v1.upload_service_pb2 import NewUploadFile
from yard.media_ingest.domain.uploads import MOST_FILES
from yard.media_ingest.settings import Settings
from yard.media_ingest.store.uploads import given_files
from yard.runtime import app, clock, errors
from yard.testkit.refusals import refusal

from services.media_ingest.tests.neighbours import Client

STEP = 10_000
STEPS = 10
LONGEST_S = 60.0  # some 15 s if the machine has nothing else to do


async def test_a_hundred_thousand_files_are_added_in_steps_begun_again_and_put_in_order(
    ann: Client, running: app.Running[Settings]
) -> None:
    files = [
        NewUploadFile(name=f"folder/{number:06d}.jpg", size_unknown=True) for number in range(STEP * STEPS)
    ]
    began = clock.monotonic()
    upload = await ann.open({}, slot="tasks/1/data")
    for start in range(0, len(files), STEP):
        added = await ann.add(upload, *files[start : start + STEP])
        assert [file.number for file in added] == [*range(start, start + STEP)]
    again = [NewUploadFile(name=file.name) for file in files]
    random.Random(7).shuffle(again)
    assert all(file.is_complete for file in await ann.add(upload, *again))
    await ann.finish(upload, *(file.name.removeprefix("folder/") for file in again))
    given = await given_files(running.runtime.db, UUID(upload.id))
    assert [file.name for file in given] == [file.name for file in again]
    assert clock.monotonic() - began < LONGEST_S


async def test_an_upload_has_a_largest_number_of_files(ann: Client, running: app.Running[Settings]) -> None:
    upload = await ann.open({"a.jpg": b""})
    await running.runtime.db.execute("UPDATE upload_file SET number = $1", MOST_FILES - 2)
    await ann.add(upload, NewUploadFile(name="b.jpg"))
    fault = await refusal(ann.add(upload, NewUploadFile(name="c.jpg")), errors.ResourceExhausted)
    assert fault.reason == "UPLOAD_FILES"
    [again] = await ann.add(upload, NewUploadFile(name="b.jpg"))
    assert again.number == MOST_FILES - 1
