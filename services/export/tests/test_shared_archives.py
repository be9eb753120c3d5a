from collections.abc import Callable
from datetime import timedelta

import grpc
import grpc.aio
import pytest
from frameyard.common.v1.common_pb2 import FrameRange
from frameyard.operation.v1 import operation_pb2
from yard.export.handlers import purging
from yard.export.handlers.context import Exporting
from yard.export.settings import Settings
from yard.export.sources.channels import Channels
from yard.runtime import app, clock
from yard.testkit.eventually import eventually

from services.export.tests.callers import ANN, BOB, EVE, Client, result_of
from services.export.tests.counterparts import Counterparts

SUCCEEDED = operation_pb2.OPERATION_STATE_SUCCEEDED
FAILED = operation_pb2.OPERATION_STATE_FAILED


async def archives(running: app.Running[Settings]) -> list[str]:
    return [blob.key async for blob in running.runtime.blobs.list("exports/")]


async def events(running: app.Running[Settings]) -> list[str]:
    rows = await running.runtime.db.fetch("SELECT type FROM outbox ORDER BY type")
    return [row["type"].rpartition(".")[2] for row in rows]


async def purge(running: app.Running[Settings]) -> int:
    exporting = Exporting(runtime=running.runtime, channels=Channels.of(running.runtime.settings))
    try:
        return await purging.purge(exporting)
    finally:
        await exporting.channels.close()


async def expire(running: app.Running[Settings], operation: operation_pb2.Operation) -> None:
    await running.runtime.db.execute(
        "UPDATE export SET expires_at = $2 WHERE id = $1::text::uuid",
        operation.name.split("/")[1],
        clock.now() - timedelta(seconds=1),
    )


async def test_the_same_is_written_once_and_shared_by_rights(
    client: Callable[[str], Client],
    counterparts: tuple[Counterparts, str],
    running: app.Running[Settings],
) -> None:
    ann, bob, eve = (client(who) for who in (ANN, BOB, EVE))
    written = await ann.ended(await ann.create("COCO 1.0"))
    shared = await bob.create("COCO 1.0")
    assert (shared.state, shared.owner) == (SUCCEEDED, "2")
    assert result_of(shared).archive == result_of(written).archive
    assert result_of(shared).left_out == result_of(written).left_out
    assert (await bob.download(shared.name))[1] == (await ann.download(written.name))[1]
    with pytest.raises(grpc.aio.AioRpcError):
        await eve.download(shared.name)
    assert counterparts[0].streams == len(await archives(running)) == 1
    assert await events(running) == ["ExportCompleted"] * 2
    refusing = await bob.create("COCO 1.0", refuse_loss=True)
    assert (refusing.state, "would leave out" in refusing.error.message) == (FAILED, True)


async def test_an_archive_stays_as_long_as_it_is_shared(
    client: Callable[[str], Client], running: app.Running[Settings]
) -> None:
    ann = client(ANN)
    written = await ann.ended(await ann.create())
    await running.runtime.db.execute("UPDATE export SET expires_at = $1", clock.now() + timedelta(minutes=30))
    shared = await ann.create()
    (first, second) = await running.runtime.db.fetch("SELECT expires_at FROM export ORDER BY id")
    assert first["expires_at"] == second["expires_at"] > clock.now() + timedelta(hours=23)
    await expire(running, shared)
    assert await purge(running) == 1
    assert (await ann.download(written.name))[1]
    await expire(running, written)
    again = await ann.ended(await ann.create())
    assert await purge(running) == 1
    assert await archives(running) == [result_of(again).archive.key]


async def test_equal_content_gives_equal_bytes(
    client: Callable[[str], Client], running: app.Running[Settings]
) -> None:
    ann = client(ANN)
    first = await ann.ended(await ann.create("CVAT for images 1.1", with_images=True))
    await expire(running, first)
    second = await ann.ended(await ann.create("CVAT for images 1.1", with_images=True))
    assert result_of(first).archive.key != result_of(second).archive.key
    assert result_of(first).archive.sha256 == result_of(second).archive.sha256


async def test_whatever_changes_the_bytes_makes_another_archive(
    client: Callable[[str], Client],
    counterparts: tuple[Counterparts, str],
    running: app.Running[Settings],
) -> None:
    ann, others = client(ANN), counterparts[0]

    async def is_new(**options: object) -> bool:
        known = set(await archives(running))
        done = await ann.ended(await ann.create(**options))  # type: ignore[arg-type]
        assert done.state == SUCCEEDED, done
        return result_of(done).archive.key not in known

    assert await is_new()
    assert not await is_new()
    assert await is_new(job_id=31)
    assert await is_new(with_images=True)
    assert await is_new(known="MOT 1.1")
    others.revision += 1
    assert await is_new()
    others.deleted = [FrameRange(first=0, last=1)]
    assert await is_new()
    assert not await is_new()


async def test_who_asks_while_it_is_written_waits_for_the_same(
    client: Callable[[str], Client],
    counterparts: tuple[Counterparts, str],
    running: app.Running[Settings],
) -> None:
    ann, bob, others = client(ANN), client(BOB), counterparts[0]
    others.gate.clear()
    first = await ann.create()
    await eventually(lambda: others.streams)
    second, third = await bob.create(), await bob.create(refuse_loss=True)
    assert second.state == operation_pb2.OPERATION_STATE_RUNNING
    others.gate.set()
    done = [await ann.ended(first), await bob.ended(second), await bob.ended(third)]
    assert [each.state for each in done] == [SUCCEEDED, SUCCEEDED, FAILED]
    assert result_of(done[0]).archive == result_of(done[1]).archive
    assert others.streams == len(await archives(running)) == 1
    assert await events(running) == ["ExportCompleted", "ExportCompleted", "ExportFailed"]
    assert (await bob.download(second.name))[1]


async def test_who_waits_writes_it_if_the_first_is_cancelled_or_refuses_losses(
    client: Callable[[str], Client],
    counterparts: tuple[Counterparts, str],
    running: app.Running[Settings],
) -> None:
    ann, bob, others = client(ANN), client(BOB), counterparts[0]
    others.gate.clear()
    cancelled = await ann.create()
    await eventually(lambda: others.streams)
    refusing, ending, last = [await bob.create(refuse_loss=refused) for refused in (True, False, False)]
    await bob.cancel(ending.name)
    assert (await bob.ended(ending)).state == operation_pb2.OPERATION_STATE_CANCELLED
    await ann.cancel(cancelled.name)
    assert (await ann.ended(cancelled)).state == operation_pb2.OPERATION_STATE_CANCELLED
    others.gate.set()
    assert (await bob.ended(refusing)).state == FAILED
    done = await bob.ended(last)
    assert done.state == SUCCEEDED
    assert await archives(running) == [result_of(done).archive.key]


async def test_who_waits_fails_with_the_first(
    client: Callable[[str], Client],
    counterparts: tuple[Counterparts, str],
    running: app.Running[Settings],
) -> None:
    ann, bob, others = client(ANN), client(BOB), counterparts[0]
    others.gate.clear()
    others.broken_frame = True
    first = await ann.create(with_images=True)
    await eventually(lambda: others.streams)
    second = await bob.create(with_images=True)
    others.gate.set()
    for each in (await ann.ended(first), await bob.ended(second)):
        assert (each.state, "frame 0" in each.error.message) == (FAILED, True)
    assert await events(running) == ["ExportFailed"] * 2
    assert others.streams == 1
    others.broken_frame = False
    assert (await ann.ended(await ann.create(with_images=True))).state == SUCCEEDED


async def test_annotations_that_change_while_they_are_read_are_found_by_what_they_are(
    client: Callable[[str], Client], counterparts: tuple[Counterparts, str]
) -> None:
    ann, others = client(ANN), counterparts[0]
    others.gate.clear()
    first = await ann.create()
    await eventually(lambda: others.streams)
    others.revision += 1
    others.gate.set()
    written = result_of(await ann.ended(first))
    assert written.revision == others.revision
    shared = await ann.create()
    assert shared.state == SUCCEEDED
    assert result_of(shared).archive == written.archive
