"""Imports whose reading is stopped: they fail with clear words, and nothing is changed."""

import signal
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import psutil
import pytest
from frameyard.operation.v1 import operation_pb2, operation_service_pb2, operation_service_pb2_grpc
from yard.export.handlers.reading import READING_TIME
from yard.export.service import SERVICE
from yard.export.settings import Settings
from yard.runtime import app, errors
from yard.testkit.fixtures import OpenChannel, SettingsFor

from services.export.tests.callers import ANN, Client, reaching
from services.export.tests.counterparts import Counterparts
from services.export.tests.test_importing import GOOD, events, upload

TIMEOUT_S, MEMORY_MIB = 6.0, 160
CHILD = "yard.runtime.workers.child"
HEAD = """<annotations><version>1.1</version><meta/>
<image id="10" name="frame_000010" width="20" height="10">
"""
TAG = '<tag label="Straße" source="manual"></tag>\n'
COCO_HEAD = """{"categories": [{"id": 1, "name": "Straße"}],
"images": [{"id": 1, "file_name": "frame_000010.PNG", "width": 20, "height": 10}],
"annotations": [{"id": 1, "image_id": 1, "category_id": 1, "segmentation": [["""


def long() -> dict[str, bytes]:
    """Seconds of reading, and of more batches than one."""
    return {"annotations.xml": (HEAD + 2_000_000 * TAG + "</image></annotations>").encode()}


def wide() -> dict[str, bytes]:
    """One element, as long as it may be, of numbers that take ten times as much room as their text."""
    numbers = ",".join(["1.5"] * 4_000_000)
    return {"annotations/instances_default.json": f"{COCO_HEAD}{numbers}]]}}]}}".encode()}


@pytest.fixture
async def running(
    counterparts: tuple[Counterparts, str], settings_for: SettingsFor
) -> AsyncIterator[app.Running[Settings]]:
    _, address = counterparts
    settings = settings_for(
        Settings,
        **reaching(address),
        import_timeout_s=TIMEOUT_S,
        import_max_expansion=100_000,
    )
    settings = replace(settings, worker_memory_mib=MEMORY_MIB)
    async with app.serving(SERVICE, settings) as service:
        await service.runtime.workers.start()
        yield service


@pytest.fixture
def ann(running: app.Running[Settings], open_channel: OpenChannel) -> Client:
    return Client(open_channel(running.address, ANN))


def children() -> list[psutil.Process]:
    """The processes that read files."""
    return [child for child in psutil.Process().children(recursive=True) if CHILD in child.cmdline()]


async def watched(
    client: Client, operation: operation_pb2.Operation, seen: Callable[[], None]
) -> operation_pb2.Operation:
    """The end of an operation; calls once when the file is being read and objects of it are there."""
    stub = operation_service_pb2_grpc.OperationServiceStub(client.channel)
    request = operation_service_pb2.WatchOperationRequest(name=operation.name)
    async for response in stub.WatchOperation(request):
        found = response.operation
        if found.message == "reading given.zip" and found.progress > 0.1:
            seen()
            break
    return await client.ended(operation)


async def check_refused(
    operation: operation_pb2.Operation, reason: str, others: Counterparts, running: app.Running[Settings]
) -> None:
    assert operation.state == operation_pb2.OPERATION_STATE_FAILED
    fault = errors.from_status(operation.error)
    assert isinstance(fault, errors.InvalidArgument)
    assert fault.message == "given.zip cannot be imported; nothing was changed"
    told = f"cannot be read with the memory and time allowed: {reason}"
    assert fault.violations == (errors.Violation("given.zip", told),)
    assert others.headers == others.saved == []
    assert await events(running.runtime.db) == ["ImportFailed"]


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (signal.SIGSTOP, f"it takes longer than {TIMEOUT_S * READING_TIME:g} s"),
        (signal.SIGKILL, "the process that read it was killed or crashed"),
    ],
)
async def test_a_child_that_hangs_or_is_killed(
    ann: Client,
    counterparts: tuple[Counterparts, str],
    running: app.Running[Settings],
    number: signal.Signals,
    reason: str,
) -> None:
    others = counterparts[0]
    queued = await ann.bring(upload_id=await upload(running.runtime.blobs, others, long()))

    def stop() -> None:
        for child in children():
            child.send_signal(number)

    done = await watched(ann, queued, stop)
    await check_refused(done, reason, others, running)


async def test_a_file_that_needs_too_much_memory(
    ann: Client, counterparts: tuple[Counterparts, str], running: app.Running[Settings]
) -> None:
    others = counterparts[0]
    queued = await ann.bring("COCO 1.0", upload_id=await upload(running.runtime.blobs, others, wide()))
    await check_refused(await ann.ended(queued), f"it needs more than {MEMORY_MIB} MiB", others, running)
    queued = await ann.bring(upload_id=await upload(running.runtime.blobs, others, GOOD))
    assert (await ann.ended(queued)).state == operation_pb2.OPERATION_STATE_SUCCEEDED
