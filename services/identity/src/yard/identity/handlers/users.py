"""Accounts: making, reading, changing."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from frameyard.identity.v1 import identity_events_pb2 as events
from frameyard.identity.v1 import identity_service_pb2 as messages
from yard.identity import domain
from yard.identity.domain import NewUser, User
from yard.identity.handlers import guesses
from yard.identity.handlers.context import Identity, caller, require_admin
from yard.identity.handlers.messages import public_user, user_to_proto
from yard.identity.store import key_sessions, sessions, users
from yard.identity.store.users import Selection
from yard.runtime import auth, errors, idempotency, telemetry
from yard.runtime.db import Transaction

_log = telemetry.log(__name__)


async def create(
    identity: Identity, new: NewUser, request: messages.CreateUserRequest
) -> messages.CreateUserResponse:
    """Makes an account, once for each request id; administrators only."""
    await require_admin(identity.db)
    domain.check_new_user(new, request.password)
    password_hash = await identity.passwords.hash(request.password)
    comparable = messages.CreateUserRequest()
    comparable.CopyFrom(request)
    # What is kept to recognise a repeat must not help to guess the password.
    comparable.password = identity.keyed_digest(request.password)

    async with identity.db.transaction() as tx:
        return await idempotency.once(
            tx,
            request.request_id,
            comparable,
            messages.CreateUserResponse,
            lambda: _insert(tx, new, password_hash),
        )


async def create_first_admin(identity: Identity) -> None:
    """Makes the administrator that the settings name, if there is no account at all."""
    settings = identity.settings
    if not settings.admin_password:
        return
    new = NewUser(username=settings.admin_username, role="admin")
    domain.check_new_user(new, settings.admin_password)
    password_hash = await identity.passwords.hash(settings.admin_password)
    async with identity.db.transaction() as tx:
        if await users.lock_first(tx):
            created = await _insert(tx, new, password_hash)
            _log.info("first_administrator_created", user_id=created.user.id)


async def get(identity: Identity, user_id: int) -> User:
    """One account; NotFound without one."""
    user = await users.find(identity.db, user_id)
    if user is None:
        raise errors.NotFound("user", user_id)
    return user


async def get_self(identity: Identity) -> User:
    """The account of the caller."""
    return await caller(identity.db)


async def search(
    identity: Identity, selection: Selection, *, after: str | None, skip: int, limit: int
) -> list[User]:
    """Accounts by name; `after` is the key of the last one that was sent."""
    return await users.page(identity.db, selection, after=after, skip=skip, limit=limit)


async def count(identity: Identity, selection: Selection) -> int:
    """All that are selected."""
    return await users.count(identity.db, selection)


async def update(identity: Identity, user_id: int, changes: Mapping[str, Any]) -> User:
    """Changes the given fields of an account; a deactivated one loses its sessions."""
    domain.check_mask(changes)
    async with identity.db.transaction() as tx:
        asking = await caller(tx)
        domain.check_may_change(asking, user_id, changes)
        domain.check_changes(changes)
        # Administrators are locked before the account, always, so that two changes cannot deadlock.
        admin_ids = await users.lock_admins(tx) if domain.ADMIN_FIELDS.intersection(changes) else []
        before = await users.lock(tx, user_id)
        after = await users.update(tx, user_id, changes)
        if domain.ADMIN_FIELDS.intersection(changes):
            domain.check_an_admin_stays(before, after, admin_ids)
        await _announce(tx, before, after)
        return after


async def change_password(identity: Identity, user_id: int, *, old: str, new: str, session: str) -> None:
    """Sets a password and ends the other sessions; wrong old passwords count like wrong logins."""
    asking = await caller(identity.db)
    target_id = user_id or asking.id
    if target_id != asking.id and not asking.is_admin:
        raise errors.PermissionDenied("only administrators set the passwords of others")
    domain.check_new_password(new)
    # Administrators may leave it out; a wrong one is refused from them too.
    if not asking.is_admin or (old and target_id == asking.id):
        await _verify_old(identity, asking, old)
    password_hash = await identity.passwords.hash(new)
    spared = UUID(session) if session and target_id == asking.id else None
    async with identity.db.transaction() as tx:
        await users.lock(tx, target_id)
        await users.set_password(tx, target_id, password_hash)
        await sessions.delete_of_user(tx, target_id, spare=spared)
        await key_sessions.delete_of_user(tx, target_id, spare=spared)


def may_see_email(user: User) -> bool:
    """E-mail addresses are for the user and for administrators."""
    principal = auth.current()
    return principal.is_admin or principal.user_id == user.id


async def _verify_old(identity: Identity, user: User, old: str) -> None:
    if not old or len(old) > domain.LONGEST_PASSWORD:
        raise errors.invalid("old_password", f"must be 1 to {domain.LONGEST_PASSWORD} characters")
    key = domain.username_key(user.username)
    await guesses.refuse_over_limit(identity.db, key)
    is_right = await identity.passwords.verify(await users.password_hash(identity.db, user.id), old)
    await guesses.settle(identity.db, key, is_right=is_right)
    if not is_right:
        raise errors.invalid("old_password", "is not the present password")


async def _insert(tx: Transaction, new: NewUser, password_hash: str) -> messages.CreateUserResponse:
    user = await users.insert(tx, new, password_hash)
    await tx.emit(events.UserCreated(user=public_user(user)), key=str(user.id))
    return messages.CreateUserResponse(user=user_to_proto(user))


async def _announce(tx: Transaction, before: User, after: User) -> None:
    was, now = public_user(before), public_user(after)
    if before.is_active and not after.is_active:
        await sessions.delete_of_user(tx, after.id)
        await key_sessions.delete_of_user(tx, after.id)
        await tx.emit(events.UserDeactivated(user_id=after.id), key=str(after.id))
        was.is_active = False
    if was != now:
        await tx.emit(events.UserUpdated(user=now), key=str(after.id))
