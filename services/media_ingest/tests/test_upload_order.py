"""Closing an upload puts its files in the order that the client names."""

from __future__ import annotations

from uuid import UUID

import pytest
from frameyard.media.v1 import media_pb2
from frameyard.media.v1 import upload_service_pb2 as messages
from yard.media_ingest.settings import Settings
from yard.media_ingest.store.uploads import given_files
from yard.runtime import app, errors
from yard.testkit.refusals import refusal

from services.media_ingest.tests.contents import photos
from services.media_ingest.tests.neighbours import Client, TaskSide
from services.media_ingest.tests.plans import read_plan

NAMES = ("b.jpg", "x/a.jpg", "x/b.jpg", "y/c.jpg", "z/c.jpg", "ü.jpg")


@pytest.fixture
async def upload(ann: Client) -> messages.Upload:
    return await ann.open(dict.fromkeys(NAMES, b""))


async def given(running: app.Running[Settings], upload: messages.Upload) -> list[str]:
    return [file.name for file in await given_files(running.runtime.db, UUID(upload.id))]


async def test_named_files_come_first_and_the_others_as_they_were_added(
    ann: Client, running: app.Running[Settings], upload: messages.Upload
) -> None:
    assert (await ann.finish(upload, "z/c.jpg", "ü.jpg", "a.jpg")).state == messages.UPLOAD_STATE_FINISHED
    assert await given(running, upload) == ["z/c.jpg", "ü.jpg", "x/a.jpg", "b.jpg", "x/b.jpg", "y/c.jpg"]
    await ann.finish(upload, "z/c.jpg", "ü.jpg", "a.jpg")


async def test_without_an_order_files_come_as_they_were_added(
    ann: Client, running: app.Running[Settings], upload: messages.Upload
) -> None:
    await ann.finish(upload)
    assert await given(running, upload) == [*NAMES]


async def test_a_whole_name_goes_before_base_names(
    ann: Client, running: app.Running[Settings], upload: messages.Upload
) -> None:
    await ann.finish(upload, "x/b.jpg", "b.jpg")
    assert (await given(running, upload))[:2] == ["x/b.jpg", "b.jpg"]


async def test_names_of_no_file_or_of_several_are_all_told(ann: Client, upload: messages.Upload) -> None:
    fault = await refusal(
        ann.finish(upload, "c.jpg", "none.jpg", "a.jpg", "x/a.jpg", "b.jpg", "b.jpg"), errors.InvalidArgument
    )
    assert [(each.field, each.description) for each in fault.violations] == [
        ("order[0]", "is the name of 2 files: 'c.jpg'"),
        ("order[1]", "is the name of no file: 'none.jpg'"),
        ("order[3]", "names the same file as order[2]: 'x/a.jpg'"),
        ("order[5]", "names the same file as order[4]: 'b.jpg'"),
    ]
    assert (await ann.get(upload)).state == messages.UPLOAD_STATE_OPEN


async def test_media_has_its_frames_in_that_order(
    ann: Client, running: app.Running[Settings], task: TaskSide
) -> None:
    files = photos("a.jpg", "b.jpg", "c.jpg")
    upload = await ann.open(files)
    for number, content in enumerate(files.values()):
        await ann.send(upload, number, content)
    await ann.finish(upload, "c.jpg", "a.jpg")
    media = await task.media(upload, sorting=media_pb2.SORTING_METHOD_PREDEFINED)
    assert (await read_plan(running, media)).names == ["c.jpg", "a.jpg", "b.jpg"]
