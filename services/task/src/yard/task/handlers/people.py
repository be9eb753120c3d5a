"""People as identity tells of them, and whether something can be given to somebody."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from frameyard.identity.v1.identity_events_pb2 import UserCreated, UserDeactivated, UserUpdated
from yard.runtime import auth
from yard.runtime.bus import Event
from yard.runtime.db import Database, Transaction
from yard.runtime.errors import Violation
from yard.task.domain.rows import Person
from yard.task.handlers.context import Tasks
from yard.task.store import people as store

# An account that was made a moment ago is told of within some milliseconds.
PATIENCE_S: Final = 2.0


async def learn(tasks: Tasks, tx: Transaction, event: Event[UserCreated | UserUpdated]) -> None:
    """Keeps name, role and activity of an account."""
    user = event.message.user
    person = Person(id=user.id, username=user.username, is_active=user.is_active, role=user.role)
    await store.put(tx, person)


async def forget(tasks: Tasks, tx: Transaction, event: Event[UserDeactivated]) -> None:
    """Keeps that an account is not active any more."""
    await store.deactivate(tx, event.message.user_id)


async def note_caller(tx: Transaction) -> None:
    """The caller's name, if identity has not told it yet."""
    principal = auth.current()
    if not principal.is_service:
        await store.note(tx, principal.user_id, principal.username)


async def violations(db: Database, wanted: Mapping[str, int]) -> list[Violation]:
    """The fields whose id is that of nobody to whom something can be given; 0 is nobody on purpose."""
    ids = {field: person_id for field, person_id in wanted.items() if person_id}
    if not ids:
        return []
    known = await _known(db, set(ids.values()))
    return [
        Violation(field, f"there is no active user {person_id}")
        for field, person_id in ids.items()
        if person_id not in known or not known[person_id].is_active
    ]


async def _known(db: Database, ids: set[int]) -> dict[int, Person]:
    """Those that are known, or are told of while we wait a little."""
    async with db.signals.listening(store.TOLD) as told:
        known = await store.people_of(db, ids)
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_S):
                while ids - known.keys():
                    await told.wait()
                    told.clear()
                    known = await store.people_of(db, ids)
    return known
