"""An image that kills its child is left out by name, and the others are taken."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from yard.media_ingest.settings import Settings
from yard.runtime import app, auth
from yard.testkit.fixtures import SettingsFor

from services.media_ingest.tests.contents import photo
from services.media_ingest.tests.plans import read_plan

if TYPE_CHECKING:
    from services.media_ingest.tests.neighbours import Client, TaskSide


@pytest.fixture
def settings(settings_for: SettingsFor, issuer: auth.TokenIssuer) -> Settings:
    return settings_for(Settings, jwks=issuer.jwks, worker_memory_mib=256, worker_processes=1)


async def test_only_the_deadly_image_is_left_out(
    ann: Client, task: TaskSide, running: app.Running[Settings]
) -> None:
    # The decoder of AVIF takes in the whole file at once, which is more than a child may have here.
    deadly = b"\0\0\0\x20ftypavif\0\0\0\0avifmif1miafMA1B" + bytes(240 << 20)
    files = {f"{number}.jpg": photo(number) for number in range(4)} | {"2.jpg": deadly}
    media = await task.media(await ann.upload(files))
    assert [(file.name, file.reason) for file in media.skipped] == [
        ("2.jpg", "reading it takes too long or too much memory, or crashes")
    ]
    assert (await read_plan(running, media)).names == sorted(files.keys() - {"2.jpg"})
