from __future__ import annotations

import pytest
from yard.media_ingest.handlers import batches
from yard.media_ingest.settings import Settings
from yard.runtime import app, auth, errors
from yard.testkit.fixtures import SettingsFor

from services.media_ingest.tests.contents import clip, photos
from services.media_ingest.tests.neighbours import Client, TaskSide


@pytest.fixture
def settings(settings_for: SettingsFor, issuer: auth.TokenIssuer) -> Settings:
    return settings_for(Settings, jwks=issuer.jwks, worker_timeout_s=0.001)


async def test_a_file_that_takes_too_long_is_named_and_not_tried_again(
    ann: Client, task: TaskSide, running: app.Running[Settings]
) -> None:
    fault = await task.refusal(await ann.upload({"film.mp4": clip()}))
    assert "film.mp4: reading it takes too long or too much memory, or crashes" in fault.message
    assert fault.metadata["file"] == "film.mp4"
    assert await running.runtime.db.fetchval("SELECT attempt FROM work WHERE kind = 'index_media'") == 1
    fault = await task.refusal(await ann.upload(photos("a.jpg", "b.jpg")))
    assert isinstance(fault, errors.InvalidArgument)
    assert [violation.field for violation in fault.violations] == ["a.jpg", "b.jpg"]
    assert "a.jpg reading it takes too long or too much memory, or crashes" in fault.message


async def test_many_deadly_files_are_no_accident(
    ann: Client, task: TaskSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "MOST_DEADLY", 0)
    fault = await task.refusal(await ann.upload(photos("a.jpg", "b.jpg")))
    assert isinstance(fault, errors.WorkerCrashed)
    assert fault.metadata["file"] == "a.jpg"


async def test_an_index_has_a_limit(
    ann: Client, task: TaskSide, running: app.Running[Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "MOST_BLOCK_BYTES", 100)
    monkeypatch.setattr(batches, "SLOWEST_BYTES_S", 1)
    fault = await task.refusal(await ann.upload({"film.mp4": clip()}))
    assert isinstance(fault, errors.InvalidArgument)
    assert "has an index of more than 100 bytes" in fault.message
