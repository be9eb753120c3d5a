"""Dead letters on the command line: listed as lines of JSON, driven again through the service's handlers."""

import json
from collections.abc import AsyncIterator, Sequence
from uuid import UUID

from yard.runtime import dead_letters
from yard.runtime.app.lifecycle import opened
from yard.runtime.app.service import S, Service
from yard.runtime.db import Database
from yard.runtime.dead_letters import DeadLetter

PAGE = 100


async def show(settings: S) -> AsyncIterator[str]:
    """A line for each open dead letter, oldest first; bodies stay in the database."""
    db = await Database.connect(settings.database_url, max_size=1)
    try:
        async for letter in _all(db):
            yield json.dumps(_described(letter))
    finally:
        await db.close()


async def redrive(service: Service[S], settings: S, letter_ids: Sequence[UUID]) -> AsyncIterator[str]:
    """Drives those again, all if none is named; yields a line for each, its `error` empty if it went well."""
    async with opened(service, settings) as runtime:
        parts = await service.build(runtime)
        chosen = list(letter_ids) or [letter.id async for letter in _all(runtime.db)]
        for outcome in await dead_letters.redrive(runtime.db, parts.subscriptions, chosen):
            yield json.dumps({"id": str(outcome.id), "error": outcome.error})
        for close in parts.on_close:
            await close()


async def _all(db: Database) -> AsyncIterator[DeadLetter]:
    after: UUID | None = None
    while page := await dead_letters.list_open(db, after=after, limit=PAGE):
        for letter in page:
            yield letter
        after = page[-1].id


def _described(letter: DeadLetter) -> dict[str, object]:
    return {
        "id": str(letter.id),
        "handler": letter.handler,
        "type": letter.type,
        "subject": letter.subject,
        "event_id": str(letter.event_id),
        "reason": letter.reason,
        "first_error": letter.first_error,
        "tries": letter.tries,
        "created_at": letter.created_at.isoformat(),
    }
