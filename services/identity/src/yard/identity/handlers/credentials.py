"""Who proves by name and password to be whom."""

from yard.identity import domain
from yard.identity.handlers import guesses
from yard.identity.handlers.context import Identity
from yard.identity.store import users
from yard.identity.store.users import Credentials
from yard.runtime import errors
from yard.runtime.db import Transaction


async def prove(identity: Identity, typed: str, password: str, *, by_email: bool = False) -> Credentials:
    """The account; an unknown name, a wrong password and an inactive account fail alike.

    A user name goes before an e-mail address, which must be that of one active account only. Failures count
    for what was typed: else the limit would tell whose address one is.
    """
    key = domain.username_key(typed)
    await guesses.refuse_over_limit(identity.db, key)
    found = await users.find_credentials(identity.db, typed)
    if found is None and by_email:
        found = await users.find_by_email(identity.db, typed)
    is_right = await identity.passwords.verify(found.password_hash if found else None, password)
    is_accepted = is_right and found is not None and found.user.is_active
    await guesses.settle(identity.db, key, is_right=is_accepted)
    if found is None or not is_accepted:
        raise refused()
    return found


async def hold(tx: Transaction, proved: Credentials) -> None:
    """Keeps the account as it is; it may have changed, and all its sessions ended, since it was proved."""
    if await users.lock_credentials(tx, proved.user.id) != proved:
        raise refused()


def refused() -> errors.Unauthenticated:
    """Says nothing about what is wrong."""
    return errors.Unauthenticated("user name or password is wrong", reason="WRONG_CREDENTIALS")
