"""Puts chunking together."""

from frameyard.chunk.v1 import chunk_peer_service_pb2_grpc, chunk_service_pb2_grpc
from frameyard.chunk.v1.chunk_work_pb2 import ChunkRun
from frameyard.media.v1.media_events_pb2 import MediaDeleted, MediaIndexed
from yard.chunking.handlers import building, building_runs, purging
from yard.chunking.handlers.context import BUILD_CHUNKS, BUILD_RUN, PURGE_MEDIA, SERVICE_NAME, Chunking
from yard.chunking.handlers.evicting import evict
from yard.chunking.rpc.chunks import CHUNK_SERVICE, ChunkServicer
from yard.chunking.rpc.peers import CHUNK_PEER_SERVICE, ChunkPeerServicer
from yard.chunking.settings import Settings
from yard.chunking.store.chunks import CHUNK_CHANGED
from yard.chunking.subscriptions import subscriptions
from yard.runtime import errors, telemetry
from yard.runtime.app import Parts, Runtime, Service
from yard.runtime.db import Transaction
from yard.runtime.pauses import until_any
from yard.runtime.work import Work, WorkHandler, handle

EVICT_EVERY_S = 10.0
BUILD_ATTEMPTS = 3

_log = telemetry.log(__name__)


async def build(runtime: Runtime[Settings]) -> Parts:
    """Connects the use cases to the servers."""
    chunking = Chunking.of(runtime)
    return Parts(
        servicers=[
            (
                chunk_service_pb2_grpc.add_ChunkServiceServicer_to_server,
                ChunkServicer(chunking),
                CHUNK_SERVICE,
            ),
            (
                chunk_peer_service_pb2_grpc.add_ChunkPeerServiceServicer_to_server,
                ChunkPeerServicer(chunking),
                CHUNK_PEER_SERVICE,
            ),
        ],
        subscriptions=subscriptions(chunking),
        work=[_planning(chunking), _building(chunking), _purging(chunking)],
        background=[
            ("evict", lambda: _evict_for_ever(chunking)),
            ("forget_media", chunking.knowing.forget_for_ever),
            ("renew_readers", chunking.reading.renew_for_ever),
        ],
        on_close=[chunking.close],
    )


def _planning(chunking: Chunking) -> WorkHandler:
    async def run(work: Work[MediaIndexed]) -> None:
        await building.plan_build(chunking, work)

    async def fail(tx: Transaction, work: Work[MediaIndexed], error: errors.YardError) -> None:
        await building.plan_failed(chunking, tx, work, error)

    return handle(BUILD_CHUNKS, MediaIndexed, run, on_failed=fail, max_attempts=BUILD_ATTEMPTS)


def _building(chunking: Chunking) -> WorkHandler:
    async def run(work: Work[ChunkRun]) -> None:
        await building_runs.build_run(chunking, work)

    async def fail(tx: Transaction, work: Work[ChunkRun], error: errors.YardError) -> None:
        await building_runs.run_failed(chunking, tx, work, error)

    settings = chunking.runtime.settings
    return handle(
        BUILD_RUN,
        ChunkRun,
        run,
        on_failed=fail,
        concurrency=max(1, min(settings.build_concurrency, settings.worker_processes - 1)),
        timeout_s=settings.build_timeout_s,
        max_attempts=BUILD_ATTEMPTS,
    )


def _purging(chunking: Chunking) -> WorkHandler:
    async def run(work: Work[MediaDeleted]) -> None:
        await purging.purge_media(chunking, work)

    return handle(PURGE_MEDIA, MediaDeleted, run)


async def _evict_for_ever(chunking: Chunking) -> None:
    async with chunking.db.signals.listening(CHUNK_CHANGED) as changed:
        while True:
            changed.clear()
            try:
                while count := await evict(chunking):
                    _log.info("chunks_evicted", count=count)
            except (errors.Unavailable, errors.Conflict) as fault:
                _log.warning("eviction_failed", reason=fault.reason)
            await until_any(changed, timeout_s=EVICT_EVERY_S)


SERVICE = Service(
    name=SERVICE_NAME,
    settings=Settings,
    build=build,
    migrations="yard.chunking.migrations",
    worker_preload=("yard.media.video_chunks", "yard.media.mp4_jobs", "yard.media.image_chunks"),
    warm_workers=1,
)
