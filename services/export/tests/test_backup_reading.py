"""Backups are read by a child process: what is found in good ones, what is refused in others, and where."""

from __future__ import annotations

import json
import struct
import zipfile
from collections.abc import AsyncIterator
from typing import Any

import pytest
from frameyard.export.v1 import backup_pb2 as messages
from yard.annotations.model import AnnotationSet
from yard.export.backups.sections import LENGTH, unpacked
from yard.runtime.workers import BytesSource, Pool

from services.export.tests.backup_archives import (
    HEAD,
    ISSUES,
    JOBS,
    LABEL,
    OBJECTS,
    PICTURES,
    TASK,
    box,
    columns,
    lines,
    manifest,
    members,
    zip_of,
)

JOB = "yard.export.backups.reading_job"
LIMITS = {"members": 100, "member_bytes": 1 << 20, "total_bytes": 1 << 22, "expansion": 100}


@pytest.fixture(scope="module")
def changes() -> dict[str, bytes]:
    """What makes a backup bad, by the fault that is to be told."""
    jobs = lines(
        {**JOBS[0], "frames": {"first": "0", "last": "1"}}, {**JOBS[1], "frames": {"first": "3", "last": "4"}}
    )
    return {
        "frameyard.json: is not that of": zip_of(members(frameyard_json=lines({**HEAD, "format": "zip"}))),
        "frameyard.json: has the version 2": zip_of(members(frameyard_json=lines({**HEAD, "version": 2}))),
        "frameyard.json: is of a project": zip_of(members(frameyard_json=lines({**HEAD, "kind": "project"}))),
        "frameyard.json: has 2 tasks": zip_of(members(frameyard_json=lines({**HEAD, "task_count": 2}))),
        "frameyard.json: cannot be read": zip_of(members(frameyard_json=b'{"format": 1}')),
        "task.json: cannot be read": zip_of(members(task_json=lines({**TASK, "owner": "me"}))),
        "task.json: name": zip_of(members(task_json=lines({**TASK, "name": " "}))),
        "task.json: labels[1].name": zip_of(members(task_json=lines({**TASK, "labels": [LABEL, LABEL]}))),
        "task.json: size": zip_of(members(task_json=lines({**TASK, "size": str(1 << 40)}))),
        "task.json: data.sources": zip_of(members(task_json=lines({**TASK, "data": {}}))),
        "task.json: deleted_frames[0]": zip_of(members(task_json=lines({**TASK, "size": "2"}))),
        "jobs.jsonl: line 2: 3 to 4 do not follow": zip_of(members(jobs_jsonl=jobs)),
        "jobs.jsonl: ends with frame 2": zip_of(members(jobs_jsonl=lines(JOBS[0]))),
        "jobs.jsonl: is not in the archive": zip_of(members(jobs_jsonl=None)),
        "issues.jsonl: line 1: there is no job": zip_of(members(issues_jsonl=lines({**ISSUES[0], "job": 9}))),
        "issues.jsonl: line 1: frame 0": zip_of(members(issues_jsonl=lines({**ISSUES[0], "frame": "0"}))),
        "issues.jsonl: line 1: position must be numbers": zip_of(
            members(issues_jsonl=b'{"job":1,"frame":"3","position":["NaN",1],"comments":[{"message":"x"}]}')
        ),
        "issues.jsonl: line 1: needs a comment": zip_of(
            members(issues_jsonl=lines({**ISSUES[0], "comments": []}))
        ),
        "issues.jsonl: line 1: cannot be read": zip_of(members(issues_jsonl=b"[" * 10_000)),
        "annotations/1.columns: ends within a batch": zip_of(
            members(annotations_1_columns=columns(OBJECTS)[:-1])
        ),
        "annotations/1.columns: has a batch of": zip_of(members(annotations_1_columns=b"\xff" * 9)),
        "annotations/1.columns: has a batch that is no": zip_of(
            members(annotations_1_columns=struct.pack("<I", 3) + b"\xff\xff\xff")
        ),
        "annotations/1.columns: batch[0] row[0].label_id": zip_of(
            members(annotations_1_columns=columns(AnnotationSet(shapes=(box(2, label_id=2),))))
        ),
        "annotations/1.columns: batch[0] row[0].frame": zip_of(
            members(annotations_1_columns=columns(AnnotationSet(shapes=(box(1),))))
        ),
        "annotations/1.columns: batch[0] origin": zip_of(
            members(annotations_1_columns=columns(AnnotationSet(shapes=(box(2, origin="x"),))))
        ),
        "media/manifest.jsonl: line 1: has 13 bytes in the archive": zip_of(
            members(media_manifest_jsonl=manifest(PICTURES).replace(b'"13"', b'"12"'))
        ),
        "media/manifest.jsonl: line 1: the source 1": zip_of(
            members(media_manifest_jsonl=manifest(PICTURES, source=1))
        ),
        "media/manifest.jsonl: has no file of the source 0": zip_of(members(media_manifest_jsonl=b"")),
        "media/0/a.png: is not in the archive": zip_of(members(media_0_a_png=None)),
        "media/0/../x": zip_of({**members(), "media/0/../x": b"out"}),
        "given.zip: is not a zip": b"plain",
    }


@pytest.fixture
async def pool() -> AsyncIterator[Pool]:
    async with Pool(processes=1, preload=(JOB,)) as pool:
        yield pool


async def read(pool: Pool, content: bytes, kind: str = "task", **more: Any) -> tuple[dict[str, Any], bytes]:
    """What the job says, and what it sends."""
    sent = bytearray()

    async def take(piece: bytes) -> None:
        sent.extend(piece)

    arguments = {"name": "given.zip", "kind": kind, "most": 1000, "limits": LIMITS, **more}
    found = await pool.call(
        f"{JOB}:read_backup", arguments, sources={"file": BytesSource(content)}, on_bytes=take
    )
    return found, bytes(sent)


def records(sent: bytes, bounds: list[int]) -> list[bytes]:
    found, place = [], bounds[0]
    while place < bounds[1]:
        (length,) = LENGTH.unpack_from(sent, place)
        place += LENGTH.size
        found.append(sent[place : place + length])
        place += length
    return found


async def test_a_good_backup_is_told_section_by_section(pool: Pool) -> None:
    content = zip_of(members())
    found, sent = await read(pool, content)
    assert found["faults"] == []
    (task,) = found["tasks"]
    assert task["bytes"] == sum(map(len, PICTURES.values()))
    (definition,) = records(sent, task["task"])
    assert messages.BackupTask.FromString(definition).size == 5
    assert len(records(sent, task["jobs"])) == 2
    assert len(records(sent, task["issues"])) == 1
    for record, (name, picture) in zip(records(sent, task["files"]), PICTURES.items(), strict=True):
        stored, packed = unpacked(record)
        assert messages.BackupFile.FromString(packed).name == name
        begin = stored.offset + 30 + stored.raw_length
        assert content[begin : begin + stored.size] == picture
    ((stored, number),) = [unpacked(record) for record in records(sent, task["objects"])]
    assert (int.from_bytes(number, "little"), stored.size) == (1, len(columns(OBJECTS)))


async def test_each_fault_is_told_with_its_place(pool: Pool, changes: dict[str, bytes]) -> None:
    for expected, content in changes.items():
        found, _ = await read(pool, content)
        told = [f"{where}: {reason}" for where, reason in found["faults"]]
        assert any(each.startswith(expected) for each in told), (expected, told)


async def test_faults_are_told_together(pool: Pool) -> None:
    wrong = {**TASK, "name": "", "deleted_frames": [{"first": "9", "last": "9"}]}
    found, _ = await read(pool, zip_of(members(task_json=lines(wrong))))
    assert [where for where, _ in found["faults"]] == ["task.json: name", "task.json: deleted_frames[0]"]


async def test_limits_hold(pool: Pool) -> None:
    bomb = zip_of({"frameyard.json": b" " * (2 << 20)}, method=zipfile.ZIP_DEFLATED)
    found, _ = await read(pool, bomb)
    assert "at most 1048576 are read" in found["faults"][0][1]
    found, _ = await read(pool, zip_of(members()), most=3)
    assert "more objects" in found["faults"][0][1]
    found, _ = await read(pool, zip_of(members()), limits={**LIMITS, "members": 3})
    assert found["faults"]


async def test_packed_media_is_refused_and_packed_text_is_not(pool: Pool) -> None:
    found, _ = await read(pool, zip_of(members(), method=zipfile.ZIP_DEFLATED))
    assert found["faults"][0][1] == "is deflated, but must be stored"
    small = {**TASK, "size": "0", "deleted_frames": []}
    only_text = {"frameyard.json": lines(HEAD), "task.json": lines(small)}
    found, _ = await read(pool, zip_of(only_text, method=zipfile.ZIP_DEFLATED))
    assert found["faults"] == []


async def test_objects_that_do_not_fit_their_label_any_more_stay(pool: Pool) -> None:
    tags_only = {**LABEL, "kind": "LABEL_KIND_TAG"}
    content = members(task_json=lines({**TASK, "labels": [tags_only]}))
    found, _ = await read(pool, zip_of(content))
    assert found["faults"] == []


async def test_a_project_has_folders(pool: Pool) -> None:
    head = {**HEAD, "kind": "project", "task_count": 2, "project": {"name": "all", "labels": [LABEL]}}
    inside = members(task_json=lines({**TASK, "labels": []}))
    files = {
        "frameyard.json": lines(head),
        **{f"tasks/{n}/{name}": each for n in range(2) for name, each in inside.items()},
    }
    for number in range(2):
        del files[f"tasks/{number}/frameyard.json"]
    found, _ = await read(pool, zip_of(files), kind="project")
    assert (found["faults"], len(found["tasks"])) == ([], 2)
    wrong = {**files, "tasks/1/task.json": json.dumps(TASK).encode()}
    found, _ = await read(pool, zip_of(wrong), kind="project")
    assert found["faults"] == [["tasks/1/task.json: labels", "belong to the project"]]
