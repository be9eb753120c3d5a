"""Sessions that have one key for their whole life, for clients that can keep nothing else."""

from datetime import datetime, timedelta

from yard.identity import domain
from yard.identity.domain import User
from yard.identity.handlers import credentials
from yard.identity.handlers.context import Identity, digest, principal_of
from yard.identity.store import key_sessions as store
from yard.runtime import clock, errors, ids
from yard.runtime.auth import IssuedToken


async def open_session(identity: Identity, username: str, password: str) -> tuple[str, IssuedToken, User]:
    """A key, which is stored nowhere, with a first token; fails like a login."""
    domain.check_credentials(username, password, longest=domain.LONGEST_EMAIL)
    proved = await credentials.prove(identity, username, password, by_email=True)
    session_id, key, now = ids.uuid7(), ids.letters(domain.KEY_LENGTH), clock.now()
    async with identity.db.transaction() as tx:
        await credentials.hold(tx, proved)
        await store.insert(tx, session_id, proved.user.id, digest(key), now=now, expires_at=_end(now))
    issued = identity.keys.issue(principal_of(proved.user, session_id=session_id))
    return key, issued, proved.user


async def exchange(identity: Identity, key: str) -> IssuedToken:
    """A JWT for a key; its use is noted once an hour at most, for browsers come often."""
    now = clock.now()
    session = await store.find(identity.db, digest(key), now)
    if session is None:
        raise errors.Unauthenticated("the session has ended: log in again", reason="SESSION_ENDED")
    if session.used_at <= now - timedelta(seconds=domain.KEY_NOTED_EVERY_S):
        await store.note_use(identity.db, session.id, now, _end(now))
    return identity.keys.issue(principal_of(session.user, session_id=session.id))


async def close(identity: Identity, key: str) -> None:
    """Ends the session of a key, if there is one."""
    await store.delete(identity.db, digest(key))


def _end(used_at: datetime) -> datetime:
    """Later by the time in which uses are not noted, so that none of them counts too short."""
    return used_at + timedelta(days=domain.KEY_SESSION_DAYS, seconds=domain.KEY_NOTED_EVERY_S)
