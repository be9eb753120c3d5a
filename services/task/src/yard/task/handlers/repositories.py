"""What the service of dataset repositories tells of tasks."""

from frameyard.sync.v1.sync_events_pb2 import SyncStatusChanged
from yard.runtime.bus import Event
from yard.runtime.db import Transaction
from yard.task.store import repositories as store
from yard.task.store.repositories import News

LONGEST_MESSAGE = 1_000


async def note_status(tx: Transaction, event: Event[SyncStatusChanged]) -> None:
    """Takes over the repository of a task and whether it has the present annotations; the newest news win."""
    told = event.message
    news = News(
        task_id=told.task_id,
        version=event.version,
        status=told.status,
        revision=told.revision,
        message=told.error.message[:LONGEST_MESSAGE],
        location=told.repository.location,
        use_lfs=told.repository.use_lfs,
        format=told.repository.format,
    )
    await store.note(tx, news)
