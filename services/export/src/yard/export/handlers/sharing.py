"""One archive for all exports of the same: written once in the whole fleet, found by its digest."""

from datetime import timedelta
from uuid import UUID

from frameyard.export.v1 import export_service_pb2 as messages
from yard.export.domain import KEPT
from yard.export.handlers.context import KIND, Exporting
from yard.export.handlers.ending import settle
from yard.export.store import Export, shared_archives
from yard.export.store.shared_archives import Holder
from yard.runtime import clock
from yard.runtime.db import Transaction

# One that goes so soon is not shared: the purge may be at it.
NEAR_THE_END = timedelta(minutes=5)


async def begin(
    exporting: Exporting,
    tx: Transaction,
    export: Export,
    request: messages.CreateExportRequest,
    digest: bytes,
) -> None:
    """Ends a new export with an archive that is there, lets it wait for one, or queues the writing."""
    holder = await obtain(tx, export.id, digest)
    if holder is None:
        await tx.enqueue(request, kind=KIND, owner=export.owner, operation_id=export.id)
    elif holder.result is not None:
        await settle(exporting, tx, export.id, request, await shared_result(tx, holder))
    else:
        await shared_archives.follow(tx, export.id, holder.id, request.SerializeToString())
        await exporting.runtime.operations.start(tx, export.id)


async def obtain(tx: Transaction, export_id: UUID, digest: bytes) -> Holder | None:
    """Who has the archive or writes it; None: from now on it is this export."""
    holder = await shared_archives.holder(tx, digest)
    if holder is not None and holder.id != export_id:
        is_kept = holder.result is not None or holder.is_at_work
        if is_kept and holder.expires_at > clock.now() + NEAR_THE_END:
            return holder
        await shared_archives.claim(tx, holder.id, None)
    await shared_archives.claim(tx, export_id, digest)
    return None


async def shared_result(tx: Transaction, holder: Holder) -> messages.ExportResult:
    """The result of a finished archive for one more export, which prolongs its time."""
    assert holder.result is not None
    result = messages.ExportResult.FromString(holder.result)
    expires_at = clock.now() + KEPT
    result.expire_time.FromDatetime(expires_at)
    await shared_archives.prolong(tx, holder.id, expires_at)
    return result
