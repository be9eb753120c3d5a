"""Logging in, going on, logging out."""

from datetime import datetime, timedelta
from uuid import UUID

from yard.identity import domain
from yard.identity.domain import Session, Tokens, User
from yard.identity.handlers import credentials, guesses
from yard.identity.handlers.context import Identity, digest, principal_of
from yard.identity.store import key_sessions, sessions, users
from yard.runtime import clock, errors, ids, telemetry
from yard.runtime.db import Transaction

_log = telemetry.log(__name__)


async def log_in(identity: Identity, username: str, password: str) -> tuple[Tokens, User]:
    """Opens a session; an unknown name, a wrong password and an inactive account fail alike."""
    domain.check_credentials(username, password)
    proved = await credentials.prove(identity, username, password)
    return await _open(identity, proved), proved.user


async def refresh(identity: Identity, refresh_token: str) -> Tokens:
    """New tokens for a session; a token that comes a second time was stolen, and ends the session."""
    used, fresh = digest(refresh_token), ids.token()
    async with identity.db.transaction() as tx:
        session = await sessions.lock(tx, used)
        user = None if session is None else await _holder(tx, session)
        if session is not None and user is None:
            await sessions.delete(tx, session.id)
        elif session is not None:
            await sessions.rotate(tx, session.id, used, digest(fresh), _end(identity))
    if session is None or user is None:
        raise errors.Unauthenticated("the session has ended: log in again", reason="SESSION_ENDED")
    return _tokens(identity, user, session.id, fresh)


async def log_out(identity: Identity, refresh_token: str) -> None:
    """Ends the session of a refresh token, if there is one."""
    async with identity.db.transaction() as tx:
        session = await sessions.lock(tx, digest(refresh_token))
        if session is not None:
            await sessions.delete(tx, session.id)


async def purge(identity: Identity) -> None:
    """Forgets what has ended by itself: sessions and failed logins."""
    async with identity.db.transaction() as tx:
        await sessions.purge(tx, clock.now())
        await key_sessions.purge(tx, clock.now())
        await guesses.purge(tx)


async def _open(identity: Identity, found: users.Credentials) -> Tokens:
    session_id, refresh_token = ids.uuid7(), ids.token()
    async with identity.db.transaction() as tx:
        await credentials.hold(tx, found)
        await sessions.insert(tx, session_id, found.user.id, _end(identity))
        await sessions.add_token(tx, session_id, digest(refresh_token))
    return _tokens(identity, found.user, session_id, refresh_token)


async def _holder(tx: Transaction, session: Session) -> User | None:
    """The active user who may go on with the session."""
    if session.is_used:
        _log.warning("refresh_token_reused", user_id=session.user_id)
        return None
    user = await users.find(tx, session.user_id)
    is_valid = session.expires_at > clock.now() and user is not None and user.is_active
    return user if is_valid else None


def _end(identity: Identity) -> datetime:
    return clock.now() + timedelta(days=identity.settings.refresh_ttl_days)


def _tokens(identity: Identity, user: User, session_id: UUID, refresh_token: str) -> Tokens:
    issued = identity.keys.issue(principal_of(user, session_id=session_id))
    return Tokens(access_token=issued.token, expires_at=issued.expires_at, refresh_token=refresh_token)
