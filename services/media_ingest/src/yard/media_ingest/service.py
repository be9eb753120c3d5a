"""Puts media_ingest together."""

import asyncio

from frameyard.media.v1 import media_service_pb2_grpc, share_service_pb2_grpc, upload_service_pb2_grpc
from frameyard.media.v1.media_events_pb2 import MediaDeleted
from frameyard.task.v1.task_events_pb2 import MediaRequested
from yard.media_ingest.handlers import expiry, indexing, purging, requests, storing
from yard.media_ingest.handlers.context import INDEX_MEDIA, PURGE_MEDIA, SERVICE_NAME, Ingest
from yard.media_ingest.rpc.media import MEDIA_SERVICE, MediaServicer
from yard.media_ingest.rpc.shares import SHARE_SERVICE, ShareServicer
from yard.media_ingest.rpc.uploads import UPLOAD_SERVICE, UploadServicer
from yard.media_ingest.settings import Settings, batch_files_of, networks_of
from yard.media_ingest.subscriptions import subscriptions
from yard.runtime import errors, shares, telemetry
from yard.runtime.app import Parts, Runtime, Service
from yard.runtime.blobs import PartAddresses
from yard.runtime.db import Transaction
from yard.runtime.egress import Egress, Patience
from yard.runtime.operations import Operation
from yard.runtime.work import Work, WorkHandler, handle

_log = telemetry.log(__name__)


async def build(runtime: Runtime[Settings]) -> Parts:
    """Connects the use cases to the servers."""
    settings = runtime.settings
    connected = shares.connect(settings, settings.shares)
    ingest = Ingest(
        runtime=runtime,
        shares=connected,
        batch_files=batch_files_of(settings),
        addresses=_addresses_of(settings),
        egress=_egress_of(settings),
    )

    async def note_cancel(tx: Transaction, operation: Operation) -> None:
        await requests.note_cancel(ingest, tx, operation)

    runtime.operations.on_cancel(INDEX_MEDIA, note_cancel)
    return Parts(
        servicers=[
            (
                upload_service_pb2_grpc.add_UploadServiceServicer_to_server,
                UploadServicer(ingest),
                UPLOAD_SERVICE,
            ),
            (
                media_service_pb2_grpc.add_MediaServiceServicer_to_server,
                MediaServicer(ingest),
                MEDIA_SERVICE,
            ),
            (
                share_service_pb2_grpc.add_ShareServiceServicer_to_server,
                ShareServicer(ingest),
                SHARE_SERVICE,
            ),
        ],
        subscriptions=subscriptions(ingest),
        work=[_indexing(ingest), _purging(ingest)],
        background=[("purge_uploads", lambda: _purge_uploads_for_ever(ingest))],
        on_close=[storing.end_storing, connected.close, ingest.egress.close],
    )


def _addresses_of(settings: Settings) -> PartAddresses | None:
    address = settings.upload_s3_address
    return PartAddresses.connect(settings, address) if address else None


def _egress_of(settings: Settings) -> Egress:
    """As many connections as all downloads of this replica may use at the same time."""
    return Egress(
        networks=networks_of(settings),
        ca_file=settings.egress_ca_file,
        connections=settings.remote_concurrency * settings.index_concurrency,
        patience=Patience(min_bytes_s=settings.remote_min_bytes_s),
    )


def _indexing(ingest: Ingest) -> WorkHandler:
    async def index(work: Work[MediaRequested]) -> None:
        await indexing.index_media(ingest, work)

    async def fail(tx: Transaction, work: Work[MediaRequested], error: errors.YardError) -> None:
        await indexing.fail_media(ingest, tx, work, error)

    return handle(
        INDEX_MEDIA,
        MediaRequested,
        index,
        on_failed=fail,
        concurrency=ingest.settings.index_concurrency,
        timeout_s=ingest.settings.index_timeout_s,
    )


def _purging(ingest: Ingest) -> WorkHandler:
    async def purge(work: Work[MediaDeleted]) -> None:
        await purging.purge_media(ingest, work)

    return handle(PURGE_MEDIA, MediaDeleted, purge)


async def _purge_uploads_for_ever(ingest: Ingest) -> None:
    while True:
        try:
            if count := await expiry.purge_uploads(ingest):
                _log.info("uploads_purged", count=count)
        except errors.Unavailable as fault:
            _log.warning("purge_failed", reason=fault.reason)
        await asyncio.sleep(ingest.settings.upload_purge_every_s)


SERVICE = Service(
    name=SERVICE_NAME,
    settings=Settings,
    build=build,
    migrations="yard.media_ingest.migrations",
    worker_preload=("yard.media.jobs", "yard.media.archive_jobs"),
    warm_workers=1,
)
