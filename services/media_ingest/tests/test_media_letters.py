"""Work of media that was given up: told of, kept as a dead letter, driven again by the command."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from frameyard.media.v1.media_events_pb2 import MediaFailed
from yard.media_ingest.handlers.context import INDEX_MEDIA, PURGE_MEDIA
from yard.media_ingest.settings import Settings
from yard.runtime import app, auth, errors
from yard.runtime.db import Database
from yard.runtime.work import MAX_ATTEMPTS
from yard.testkit import eventually
from yard.testkit.fixtures import SettingsFor
from yard.testkit.service_program import environment

from services.media_ingest.tests.contents import photos
from services.media_ingest.tests.neighbours import Client, TaskSide

PREFIX = "frameyard_media_"


@pytest.fixture
def settings(settings_for: SettingsFor, issuer: auth.TokenIssuer, tmp_path: Path) -> Settings:
    return settings_for(Settings, jwks=issuer.jwks, port_file=str(tmp_path / "ports.json"))


async def command(settings: Settings, *arguments: str) -> list[dict[str, Any]]:
    """What an operator enters."""
    program = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "yard.media_ingest",
        "dead-letters",
        *arguments,
        env=environment(settings),
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await program.communicate()
    assert program.returncode == 0
    return [json.loads(line) for line in out.decode().splitlines() if line.startswith("{")]


async def given_up_from_now_on(db: Database, tries: int) -> None:
    """New work begins with so many lost workers."""
    await db.execute(f"ALTER TABLE work ALTER COLUMN tries SET DEFAULT {tries}")


async def test_media_whose_workers_were_lost_is_told_and_freed_by_redriving(
    ann: Client, task: TaskSide, running: app.Running[Settings], settings: Settings
) -> None:
    db, blobs = running.runtime.db, running.runtime.blobs
    upload = await ann.upload(photos("a.jpg"))
    await given_up_from_now_on(db, MAX_ATTEMPTS)
    media_id = await task.request(upload)
    event = await task.outcome(media_id)
    assert isinstance(event, MediaFailed), event
    assert errors.from_status(event.error).reason == "WORKER_LOST"
    await eventually(lambda: db.fetchval("SELECT count(*) = 2 FROM dead_letter"))
    left = f"media/{media_id}/index/0"
    await blobs.put(left, b"what its workers have left")

    letters = {letter["handler"]: letter["id"] for letter in await command(settings, "list")}
    assert letters.keys() == {f"work:{INDEX_MEDIA}", f"work:{PURGE_MEDIA}"}
    assert [each["error"] for each in await command(settings, "redrive", *letters.values())] == ["", ""]
    assert await command(settings, "list") == []

    async def is_freed() -> bool:
        return not [found async for found in blobs.list(f"media/{media_id}/")]

    await eventually(is_freed, timeout_s=20.0)
    # The task has been told, and is given other media or the same again.
    operation = "SELECT state FROM operation WHERE kind = $1"
    await eventually(lambda: ended(db, operation))
    assert task.told(media_id) == [event]
    await given_up_from_now_on(db, 0)
    assert (await task.media(upload)).size == 1


async def ended(db: Database, query: str) -> bool:
    return bool(await db.fetchval(query, INDEX_MEDIA) == "FAILED")


async def test_what_comes_in_is_counted(ann: Client, task: TaskSide, running: app.Running[Settings]) -> None:
    names = ("received_bytes", "ended", "frames", "files")
    before = await counted(running)
    files = {**photos("a.jpg", "b.jpg"), "notes.txt": b"no picture"}
    await task.media(await ann.upload(files))
    await task.refusal(await ann.upload({"notes.txt": b"no picture"}))
    await eventually(lambda: has_grown(running, before))
    after = await counted(running)
    grown = {name: after[name] - before.get(name, 0.0) for name in after if after[name] != before.get(name)}
    assert grown == {
        'received_bytes_total{way="upload"}': sum(map(len, files.values())) + len(b"no picture"),
        'ended_total{outcome="ready"}': 1,
        'ended_total{outcome="MEDIA_UNUSABLE"}': 1,
        'frames_total{kind="images"}': 2,
        'files_total{outcome="taken"}': 2,
        'files_total{outcome="skipped"}': 1,
        'files_total{outcome="refused"}': 1,
    }
    assert {name.partition("_total")[0] for name in grown} == set(names)


async def has_grown(running: app.Running[Settings], before: dict[str, float]) -> bool:
    after = await counted(running)
    ended = [sum(found[name] for name in found if name.startswith("ended")) for found in (before, after)]
    return ended[1] - ended[0] == 2


async def counted(running: app.Running[Settings]) -> dict[str, float]:
    """Our metrics, as Prometheus scrapes them."""
    host, port = running.metrics_address.split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"GET /metrics HTTP/1.1\r\nHost: here\r\n\r\n")
    text = (await reader.read()).decode()
    writer.close()
    ours = (line for line in text.splitlines() if line.startswith(PREFIX) and "_total{" in line)
    pairs = (line.removeprefix(PREFIX).rsplit(" ", 1) for line in ours)
    return {name: float(value) for name, value in pairs}
