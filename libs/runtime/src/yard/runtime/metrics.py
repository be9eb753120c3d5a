"""Metrics: every name once, with its meaning; what costs a query is sampled when somebody scrapes."""

from typing import Final

from prometheus_client import Gauge, Histogram

# Calls answered, and how long they took; streams count from the first to the last message.
RPC_SECONDS: Final = "frameyard_rpc_seconds"
# Events that are committed and not yet published, and the age of the oldest.
OUTBOX_UNPUBLISHED: Final = "frameyard_outbox_unpublished_events"
OUTBOX_LAG_SECONDS: Final = "frameyard_outbox_lag_seconds"
# Events in the stream that the service has not handled yet.
CONSUMER_PENDING: Final = "frameyard_consumer_pending_events"
# Work that waits or runs, by kind, lane and state.
WORK_ITEMS: Final = "frameyard_work_items"
# HTTP requests answered, and how long they took to the last byte.
HTTP_SECONDS: Final = "frameyard_http_seconds"
# Calls that wait for a child process.
WORKERS_WAITING: Final = "frameyard_workers_waiting_calls"

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)

rpc_seconds = Histogram(
    RPC_SECONDS, "Time to answer a call.", ("service", "method", "code"), buckets=_BUCKETS
)
http_seconds = Histogram(
    HTTP_SECONDS, "Time to answer a request.", ("method", "route", "status"), buckets=_BUCKETS
)
outbox_unpublished = Gauge(OUTBOX_UNPUBLISHED, "Committed events that are not published yet.", ("service",))
outbox_lag_seconds = Gauge(OUTBOX_LAG_SECONDS, "Age of the oldest event not yet published.", ("service",))
consumer_pending = Gauge(CONSUMER_PENDING, "Events in the stream that are not handled yet.", ("service",))
work_items = Gauge(WORK_ITEMS, "Work that waits or runs.", ("service", "kind", "lane", "state"))
workers_waiting = Gauge(WORKERS_WAITING, "Calls that wait for a child process.", ("service",))
