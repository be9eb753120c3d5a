"""Figures that cost a query: taken when somebody scrapes, within a second, left as they were on a fault."""

import asyncio
from typing import Any, Final

from yard.runtime import bus, errors, metrics
from yard.runtime.app.service import Runtime

TIMEOUT_S: Final = 1.0


async def sample(runtime: Runtime[Any], *, has_consumer: bool) -> None:
    """Reads the lag of outbox and consumer, and the depth of the queues."""
    metrics.workers_waiting.labels(runtime.name).set(runtime.workers_waiting)
    try:
        async with asyncio.timeout(TIMEOUT_S):
            await _sample_database(runtime)
            if has_consumer:
                await _sample_consumer(runtime)
    except (errors.Unavailable, *bus.NATS_FAULTS):
        return


async def _sample_database(runtime: Runtime[Any]) -> None:
    row = await runtime.db.fetchrow(_OUTBOX)
    assert row is not None
    metrics.outbox_unpublished.labels(runtime.name).set(row["events"])
    metrics.outbox_lag_seconds.labels(runtime.name).set(row["lag_s"])
    metrics.work_items.clear()
    for kind, lane, state, items in await runtime.db.fetch(_WORK):
        metrics.work_items.labels(runtime.name, kind, lane, state).set(items)


async def _sample_consumer(runtime: Runtime[Any]) -> None:
    found = await runtime.nc.jetstream().consumer_info(bus.STREAM, runtime.name)
    pending = (found.num_pending or 0) + (found.num_ack_pending or 0)
    metrics.consumer_pending.labels(runtime.name).set(pending)


_OUTBOX = """
SELECT
    count(*) AS events,
    coalesce(extract(epoch FROM now() - min(created_at)), 0)::float8 AS lag_s
FROM outbox
WHERE published_at IS NULL
"""

_WORK = """
SELECT kind, lane, state, count(*) AS items
FROM work
WHERE state IN ('queued', 'running')
GROUP BY kind, lane, state
"""
