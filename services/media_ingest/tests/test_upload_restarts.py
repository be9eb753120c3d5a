"""Uploads in slots after a kill: what was stored is kept, and what began again leaves nothing."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import grpc.aio
import pytest
from frameyard.media.v1 import upload_service_pb2 as messages
from frameyard.media.v1.upload_service_pb2 import NewUploadFile
from yard.media_ingest.domain.uploads import PART_BYTES
from yard.media_ingest.handlers import expiry
from yard.media_ingest.handlers.context import Ingest
from yard.media_ingest.service import SERVICE
from yard.media_ingest.settings import Settings
from yard.runtime import app, auth
from yard.runtime.db import Database
from yard.testkit import eventually
from yard.testkit.fixtures import SettingsFor
from yard.testkit.service_program import ServiceProgram

from services.media_ingest.tests.conftest import ANN
from services.media_ingest.tests.neighbours import client_at, stream
from services.media_ingest.tests.packs import keys
from services.media_ingest.tests.stored import content

SLOT = "tasks/12/data"
NAME = "long.mp4"


@pytest.fixture
def settings(settings_for: SettingsFor, issuer: auth.TokenIssuer, tmp_path: Path) -> Settings:
    return settings_for(
        Settings, jwks=issuer.jwks, drain_timeout_s=0.2, port_file=str(tmp_path / "ports.json")
    )


async def killed_at(
    settings: Settings, issuer: auth.TokenIssuer, db: Database, log: Path, body: bytes
) -> messages.Upload:
    """An upload in the slot whose only file, of unknown length, had come in half when all was killed."""
    program = ServiceProgram(settings, log=log)
    address = await program.address()
    async with client_at(address, issuer.issue(ANN).token) as ann:
        upload = await ann.open({}, slot=SLOT)
        await ann.add(upload, NewUploadFile(name=NAME, size_unknown=True))

        async def half() -> AsyncIterator[messages.UploadFileRequest]:
            async for request in stream(upload.id, 0, body[: 2 * PART_BYTES + 100]):
                yield request
            await asyncio.Event().wait()

        call = ann.uploads.UploadFile(half())
        sending = asyncio.ensure_future(call)
        await eventually(lambda: db.fetchval(f"SELECT received_bytes >= {PART_BYTES} FROM upload_file"))
        program.kill()
        with suppress(grpc.aio.AioRpcError):
            await sending
    return upload


async def test_a_file_of_unknown_length_goes_on_after_a_kill(
    settings: Settings, issuer: auth.TokenIssuer, db: Database, tmp_path: Path
) -> None:
    body = os.urandom(3 * PART_BYTES + 5)
    upload = await killed_at(settings, issuer, db, tmp_path / "log", body)
    async with (
        app.serving(SERVICE, settings) as running,
        client_at(running.address, issuer.issue(ANN).token) as ann,
    ):
        again = await ann.open({}, slot=SLOT)
        assert again.id == upload.id
        [file] = again.files
        assert PART_BYTES <= file.received_bytes < len(body)
        assert not file.is_complete
        await ann.end(again, file.number, body[file.received_bytes :], file.received_bytes)
        await ann.finish(again, NAME)
        assert await content(running, again) == body
        assert len(await keys(running, again)) == 1


async def test_what_began_again_before_a_kill_is_freed_by_the_collector(
    settings: Settings, issuer: auth.TokenIssuer, db: Database, tmp_path: Path
) -> None:
    upload = await killed_at(settings, issuer, db, tmp_path / "log", os.urandom(3 * PART_BYTES))
    await db.execute(
        """
        WITH again AS (
            UPDATE upload_file AS file
            SET blob_key = NULL, multipart_id = NULL, received_bytes = 0
            FROM upload_file AS before
            WHERE before.upload_id = file.upload_id AND before.number = file.number
            RETURNING before.upload_id, before.blob_key, before.multipart_id
        )
        INSERT INTO upload_leftover (upload_id, blob_key, multipart_id, is_pack)
        SELECT upload_id, blob_key, multipart_id, false
        FROM again
        """
    )
    row = await db.fetchrow("SELECT blob_key, multipart_id FROM upload_leftover")
    assert row is not None
    async with app.serving(SERVICE, settings) as running:
        await expiry.purge_uploads(Ingest(runtime=running.runtime))
        assert await db.fetchval("SELECT count(*) FROM upload_leftover") == 0
        assert await keys(running, upload) == []
        left = running.runtime.blobs.in_parts(row["blob_key"]).stored(row["multipart_id"])
        with pytest.raises(Exception, match="was not found"):
            await anext(aiter(left))
