"""What all use cases share: the parts of the service, and who asks."""

import hashlib
import hmac
from dataclasses import dataclass
from uuid import UUID

from yard.identity.domain import User
from yard.identity.handlers.passwords import Passwords
from yard.identity.keys import SigningKeys
from yard.identity.settings import Settings, key_of
from yard.identity.store import Reader, users
from yard.runtime import auth, errors
from yard.runtime.auth import Principal
from yard.runtime.db import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """The parts of the running service."""

    db: Database
    passwords: Passwords
    keys: SigningKeys
    settings: Settings

    def keyed_digest(self, secret: str) -> str:
        """Equal for equal secrets, and of no use to who does not have our key."""
        return hmac.new(key_of(self.settings), secret.encode(), hashlib.sha256).hexdigest()


def principal_of(user: User, *, session_id: UUID | None = None) -> Principal:
    """The user as tokens name one."""
    session = str(session_id) if session_id else ""
    return Principal(user_id=user.id, username=user.username, role=user.role, session=session)


def digest(secret: str) -> bytes:
    """What is stored of a random secret: SHA-256 suffices for 256 bits of randomness."""
    return hashlib.sha256(secret.encode()).digest()


async def caller(reader: Reader) -> User:
    """The account of the caller as it is now, whatever the token says; services have none."""
    principal = auth.current()
    if principal.is_service:
        raise errors.PermissionDenied("a service account has no user account")
    user = await users.find(reader, principal.user_id)
    if user is None or not user.is_active:
        raise errors.Unauthenticated("the account is not active", reason="ACCOUNT_INACTIVE")
    return user


async def require_admin(reader: Reader) -> User:
    """The calling administrator; PermissionDenied for others."""
    user = await caller(reader)
    if not user.is_admin:
        raise errors.PermissionDenied("only administrators may do this")
    return user
