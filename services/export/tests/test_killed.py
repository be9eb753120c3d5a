"""An export whose process is killed goes on in the next one."""

import io
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from frameyard.operation.v1 import operation_pb2
from yard.export.settings import Settings
from yard.runtime import rpc
from yard.runtime.db import Database
from yard.testkit.eventually import eventually
from yard.testkit.fixtures import SettingsFor
from yard.testkit.service_program import ServiceProgram, end_leases_of_work

from services.export.tests.callers import ANN, Client, reaching, result_of
from services.export.tests.counterparts import Counterparts

GOLDEN = Path(__file__).parent / "golden" / "cvat_video/annotations.xml"


@pytest.fixture
def settings(counterparts: tuple[Counterparts, str], settings_for: SettingsFor, tmp_path: Path) -> Settings:
    _, address = counterparts
    return settings_for(
        Settings,
        **reaching(address),
        port_file=str(tmp_path / "ports.json"),
    )


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    db = await Database.connect(settings.database_url, max_size=1)
    yield db
    await db.close()


async def test_an_export_goes_on_after_a_kill(
    counterparts: tuple[Counterparts, str], settings: Settings, database: Database, tmp_path: Path
) -> None:
    others = counterparts[0]
    others.gate.clear()
    program = ServiceProgram(settings, log=tmp_path / "log")
    async with rpc.channel(await program.address(), token=ANN) as channel:
        operation = await Client(channel).create()
        await eventually(lambda: others.streams)
        waiting = await Client(channel).create()
    program.kill()
    others.gate.set()
    await end_leases_of_work(database)
    program.restart()
    async with rpc.channel(await program.address(), token=ANN) as channel:
        ann = Client(channel)
        done = await ann.ended(operation)
        assert done.state == operation_pb2.OPERATION_STATE_SUCCEEDED
        assert result_of(await ann.ended(waiting)).archive == result_of(done).archive
        _, content = await ann.download(operation.name)
    assert zipfile.ZipFile(io.BytesIO(content)).read("annotations.xml") == GOLDEN.read_bytes()
    types = await database.fetch("SELECT type FROM outbox")
    assert [row["type"] for row in types] == ["frameyard.export.v1.ExportCompleted"] * 2
    program.interrupt()
    assert program.wait() == 0
