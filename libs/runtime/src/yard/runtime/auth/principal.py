"""The caller of the present call."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal

from yard.runtime import errors

Role = Literal["admin", "user", "worker", "service"]

_current: ContextVar["Principal | None"] = ContextVar("principal", default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """A person, or a service account (`user_id` 0, `service` its name); `session` is the login behind it.

    With `read_only` the token does not let them change anything, whatever they may do otherwise.
    """

    user_id: int
    username: str
    role: Role
    service: str = ""
    session: str = ""
    read_only: bool = False

    @property
    def is_admin(self) -> bool:
        """An administrator; a service account is none."""
        return self.role == "admin"

    @property
    def is_service(self) -> bool:
        """A service account."""
        return self.role == "service"

    @property
    def subject(self) -> str:
        """The owner of operations and work: the user id as text, or service:<name>."""
        return f"service:{self.service}" if self.is_service else str(self.user_id)


def current() -> Principal:
    """Who makes the present call; Unauthenticated outside of a call and in public methods."""
    principal = _current.get()
    if principal is None:
        raise errors.Unauthenticated("no token came with the call", reason="TOKEN_MISSING")
    return principal


def become(principal: Principal) -> None:
    """Sets the caller for the rest of this task."""
    _current.set(principal)


@contextmanager
def acting_as(principal: Principal) -> Iterator[None]:
    """Sets the caller for a block: work that is done later in somebody's name, and tests."""
    token = _current.set(principal)
    try:
        yield
    finally:
        _current.reset(token)
