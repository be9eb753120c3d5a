"""Downloads that are stopped or killed go on in the next process, and repeat at most one part."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path
from typing import Any

import pytest
from frameyard.media.v1.media_events_pb2 import MediaIndexed
from yard.media_ingest.domain.uploads import MIB
from yard.media_ingest.service import SERVICE
from yard.media_ingest.settings import Settings
from yard.runtime import app, auth
from yard.runtime.app.lifecycle import opened
from yard.runtime.db import Database
from yard.testkit import eventually
from yard.testkit.fixtures import SettingsFor
from yard.testkit.service_program import ServiceProgram, end_leases_of_work

from libs.runtime.tests.web import Asked, serving
from services.media_ingest.tests.contents import photo
from services.media_ingest.tests.neighbours import TaskSide
from services.media_ingest.tests.plans import read_plan
from services.media_ingest.tests.remote import PART, files, long_clip, remote


@pytest.fixture
def settings(settings_for: SettingsFor, issuer: auth.TokenIssuer, tmp_path: Path) -> Settings:
    return settings_for(
        Settings,
        jwks=issuer.jwks,
        egress_networks=("127.0.0.0/8",),
        drain_timeout_s=0.2,
        port_file=str(tmp_path / "ports.json"),
    )


class Halting:
    """A server that halts in the middle of a file until it is released."""

    def __init__(self, content: bytes, halt_at: int) -> None:
        self.content = content
        self.halt_at = halt_at
        self.released = asyncio.Event()
        self.firsts: list[int] = []

    async def __call__(self, asked: Asked) -> None:
        self.firsts.append(asked.first)
        if self.released.is_set():
            asked.serve(self.content, ETag='"1"')
            return
        asked.head(Content_Length=str(len(self.content)), ETag='"1"')
        asked.send(self.content[: self.halt_at])
        await asked.writer.drain()
        await self.released.wait()


async def test_a_killed_download_repeats_at_most_one_part(
    settings: Settings, task: TaskSide, db: Database, tmp_path: Path
) -> None:
    content, halt_at = long_clip(30 * MIB), 20 * MIB
    halting = Halting(content, halt_at)
    async with serving(halting) as web:
        program = ServiceProgram(settings, log=tmp_path / "log")
        await program.address()
        media_id = await task.request(sources=[remote(web.url("/film.mp4"))])
        await eventually(lambda: db.fetchval("SELECT count(*) = 2 FROM remote_part"), timeout_s=30.0)
        program.kill()
        halting.released.set()
        await end_leases_of_work(db)
        async with app.serving(SERVICE, settings) as running:
            event = await task.outcome(media_id)
            assert isinstance(event, MediaIndexed), event
            [source] = (await read_plan(running, event.media)).head.sources
            assert await running.runtime.blobs.get(source.key) == content
    [_, first] = halting.firsts
    assert 2 * PART <= first <= halt_at
    assert halt_at - first <= PART


async def test_a_file_that_was_joined_before_the_kill_is_taken_as_it_is(
    settings: Settings, task: TaskSide, db: Database
) -> None:
    """The object is there and its row does not say so yet: it was killed between the two."""
    content = long_clip(20 * MIB)
    halting = Halting(content, 18 * MIB)
    async with serving(halting) as web:
        async with app.serving(SERVICE, settings) as running:
            media_id = await task.request(sources=[remote(web.url("/film.mp4"))])
            await eventually(lambda: db.fetchval("SELECT count(*) = 2 FROM remote_part"), timeout_s=30.0)
        async with opened(SERVICE, settings) as runtime:
            file: Any = await db.fetchrow("SELECT blob_key, multipart_id, received_bytes FROM remote_file")
            rows = await db.fetch("SELECT number, tag FROM remote_part ORDER BY number")
            parts, multipart_id = runtime.blobs.in_parts(file["blob_key"]), file["multipart_id"]
            last = (3, await parts.put(multipart_id, 3, content[file["received_bytes"] :]))
            await parts.complete(multipart_id, [*((row["number"], row["tag"]) for row in rows), last])
        halting.released.set()
        async with app.serving(SERVICE, settings) as running:
            event = await task.outcome(media_id)
            assert isinstance(event, MediaIndexed), event
            [source] = (await read_plan(running, event.media)).head.sources
            assert source.key == file["blob_key"]
            assert source.sha256 == hashlib.sha256(content).hexdigest()
    assert halting.firsts == [0, file["received_bytes"]]


async def test_small_files_of_a_stopped_process_are_kept(
    settings: Settings, task: TaskSide, db: Database
) -> None:
    """Those whose pack is stored are not asked for again."""
    pictures = {f"/{number}.jpg": photo(number) + bytes(MIB) for number in range(16)}
    last = "/15.jpg"
    async with serving(files({path: pictures[path] for path in pictures if path != last})) as web:
        good = web.handler
        released = asyncio.Event()

        async def halting(asked: Asked) -> None:
            if asked.path == last and not released.is_set():
                await released.wait()
            await good(asked)

        web.handler = halting
        async with app.serving(SERVICE, settings):
            media_id = await task.request(sources=[remote(*map(web.url, pictures))])
            await eventually(lambda: db.fetchval("SELECT count(*) >= 7 FROM remote_file"), timeout_s=30.0)
            kept = await db.fetchval("SELECT count(*) FROM remote_file WHERE is_complete")
        released.set()
        good = files(pictures)
        web.asked.clear()
        async with app.serving(SERVICE, settings) as running:
            event = await task.outcome(media_id)
            assert isinstance(event, MediaIndexed), event
            assert (await read_plan(running, event.media)).head.size == len(pictures)
        assert len({asked.path for asked in web.asked}) <= len(pictures) - kept
