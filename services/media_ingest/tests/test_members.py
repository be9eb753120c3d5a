"""Some members of a zip, by a list of their names, are the frames of media; several media share the zip."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pytest
from frameyard.media.v1 import media_pb2
from yard.media_ingest.settings import Settings
from yard.runtime import app

from services.media_ingest.tests.contents import photo
from services.media_ingest.tests.neighbours import Client, TaskSide
from services.media_ingest.tests.test_archives import check_frames, deflated, tarred, zipped
from services.media_ingest.tests.test_given import told
from services.media_ingest.tests.test_results import brief, results

FILES = {
    "images/train/b.jpg": photo(1),
    "images/train/a.jpg": photo(2),
    "images/val/a.jpg": photo(3),
    "masks/a.png": photo(4, form="PNG"),
    "notes.txt": b"words",
}
TRAIN, VAL = ["images/train/b.jpg", "images/train/a.jpg"], ["images/val/a.jpg"]


def listed(names: Iterable[str]) -> bytes:
    return "".join(f"{json.dumps(name)}\n" for name in names).encode()


def members(folder: str = "") -> dict[str, Any]:
    return {"members": media_pb2.ArchiveMembers(list="list.jsonl", folder=folder)}


@pytest.mark.parametrize("pack", [zipped, deflated])
async def test_media_shares_an_archive_whose_members_are_listed(
    pack: Any, ann: Client, export: Client, task: TaskSide, running: app.Running[Settings]
) -> None:
    archive = await ann.upload({"set.zip": pack(FILES)})
    train = await ann.upload({"list.jsonl": listed(TRAIN)})
    val = await ann.upload({"list.jsonl": listed(VAL)})
    media = await task.media(archive, train, **members("images/train/"))
    assert await check_frames(running, media) == ["a.jpg", "b.jpg"]
    assert not media.skipped
    assert brief(await results(export, media.id)) == [
        ("set.zip", media_pb2.FILE_OUTCOME_TAKEN, 2),
        ("list.jsonl", media_pb2.FILE_OUTCOME_TAKEN, 0),
        ("b.jpg", media_pb2.FILE_OUTCOME_TAKEN, 1),
        ("a.jpg", media_pb2.FILE_OUTCOME_TAKEN, 1),
    ]
    other = await task.media(archive, val, task_id=8, **members())
    assert await check_frames(running, other) == ["images/val/a.jpg"]
    data, files = await told(export, running, media)
    assert data.members == members("images/train/")["members"]
    assert [*files] == [(0, "set.zip"), (1, "list.jsonl")]


@pytest.mark.parametrize(
    ("content", "names", "reason"),
    [
        (zipped(FILES), [*VAL, "images/none.jpg"], "lists 1 member that is not in the archive"),
        (zipped(FILES), [], "lists no member"),
        (tarred(FILES), VAL, "can be chosen of a zip, which set is not"),
        (zipped(FILES), None, "line 1 is no JSON text with the name of a member"),
    ],
    ids=["missing", "none", "tar", "text"],
)
async def test_lists_that_do_not_fit_are_refused(
    content: bytes, names: list[str] | None, reason: str, ann: Client, task: TaskSide
) -> None:
    archive = await ann.upload({"set": content})
    names_file = await ann.upload({"list.jsonl": b"images/a.jpg" if names is None else listed(names)})
    fault = await task.refusal(archive, names_file, **members())
    assert reason in str([fault.message, *getattr(fault, "violations", ())])


async def test_a_list_that_is_not_given_is_refused(ann: Client, task: TaskSide) -> None:
    fault = await task.refusal(await ann.upload({"set.zip": zipped(FILES)}), **members())
    assert "'list.jsonl' is none of the given files" in str(getattr(fault, "violations", ()))
