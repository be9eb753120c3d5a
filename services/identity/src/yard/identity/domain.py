"""Accounts: what is valid, and who may change what. No I/O."""

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple, TypeAlias
from uuid import UUID

from yard.runtime import errors
from yard.runtime.errors import Violation

Role: TypeAlias = Literal["admin", "user", "worker"]

FAILURE_LIMIT = 10
FAILURE_WINDOW_S = 900
ACCESS_TOKEN_LIMIT = 100
LONGEST_USERNAME = 150
LONGEST_SEARCH = 301
LONGEST_PASSWORD = 1000
NEW_PASSWORD_LENGTHS = range(8, LONGEST_PASSWORD + 1)
LONGEST_TOKEN_NAME = 100
LONGEST_EMAIL = 254
LARGEST_SKIP = (1 << 62) - 1
KEY_LENGTH = 40
KEY_SESSION_DAYS = 14
KEY_NOTED_EVERY_S = 3600
TOKEN_FIELDS = frozenset({"name", "expire_time"})
OWN_FIELDS = frozenset({"first_name", "last_name", "email"})
ADMIN_FIELDS = frozenset({"role", "is_active"})

_USERNAME = re.compile(r"[\w@.+-]{1,150}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_LONGEST = {"first_name": 150, "last_name": 150, "email": LONGEST_EMAIL}
_LONGEST_EMAIL_KEY = 320  # normal forms may be longer, and an index takes some 2,700 bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person with an account."""

    id: int
    username: str
    first_name: str
    last_name: str
    email: str
    role: Role
    is_active: bool
    created_at: datetime

    @property
    def is_admin(self) -> bool:
        """An administrator who can still log in."""
        return self.role == "admin" and self.is_active


@dataclass(frozen=True, slots=True, kw_only=True)
class NewUser:
    """What an administrator gives for an account."""

    username: str
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    role: Role = "user"


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalToken:
    """A personal access token without its secret; `expires_at` None means never."""

    id: int
    name: str
    read_only: bool
    created_at: datetime
    updated_at: datetime
    expires_at: datetime | None
    used_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """What a session gives out."""

    access_token: str
    expires_at: datetime
    refresh_token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One refresh token as it was presented: whose session it belongs to, and whether it was used before."""

    id: UUID
    user_id: int
    is_used: bool
    expires_at: datetime


def username_key(username: str) -> str:
    """Equal for names that differ in case or in Unicode form only."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", username).casefold())


def email_key(email: str) -> str:
    """Equal for addresses that differ in case or in Unicode form only."""
    return username_key(email)[:_LONGEST_EMAIL_KEY]


class SearchKeys(NamedTuple):
    """What an account is found by; named as the columns."""

    plain_username_key: str
    full_name_key: str
    last_name_key: str


def search_key(text: str) -> str:
    """Equal for texts that differ in case, accents, Unicode form or the width of blanks only."""
    decomposed = unicodedata.normalize("NFKD", username_key(text))
    return " ".join("".join(char for char in decomposed if not unicodedata.combining(char)).split())


def search_keys(username: str, first_name: str, last_name: str) -> SearchKeys:
    """For an account with these names."""
    return SearchKeys(
        plain_username_key=search_key(username),
        full_name_key=search_key(f"{first_name} {last_name}"),
        last_name_key=search_key(last_name),
    )


def check_new_user(user: NewUser, password: str) -> None:
    """Refuses an account with all its faults at once."""
    violations: list[Violation] = []
    if not _USERNAME.fullmatch(user.username):
        got = repr(user.username[: LONGEST_USERNAME + 10])
        description = f"must be 1 to {LONGEST_USERNAME} letters, digits or @ . + - _, got {got}"
        violations.append(Violation("user.username", description))
    profile = {"first_name": user.first_name, "last_name": user.last_name, "email": user.email}
    violations += _profile_violations(profile)
    violations += _password_violations("password", password)
    errors.refuse(violations)


def check_changes(changes: Mapping[str, Any]) -> None:
    """Refuses new values of an account with all their faults at once."""
    errors.refuse(list(_profile_violations(changes)))


def check_mask(paths: Collection[str]) -> None:
    """Refuses a mask that is empty or names what cannot be changed."""
    allowed = sorted(OWN_FIELDS | ADMIN_FIELDS)
    if not paths:
        raise errors.invalid("update_mask", f"must name at least one of {', '.join(allowed)}")
    unknown = [path for path in paths if path not in allowed]
    if unknown:
        raise errors.invalid("update_mask", f"{', '.join(unknown)}: only {', '.join(allowed)} can be changed")


def check_new_password(password: str) -> None:
    """Refuses a password that is too short or too long."""
    errors.refuse(list(_password_violations("new_password", password)))


def check_credentials(username: str, password: str, *, longest: int = LONGEST_USERNAME) -> None:
    """Refuses what no account can have, before any work is done for it."""
    violations = []
    if not 1 <= len(username) <= longest or "\0" in username:
        violations.append(Violation("username", f"must be 1 to {longest} characters"))
    if not 1 <= len(password) <= LONGEST_PASSWORD:
        violations.append(Violation("password", f"must be 1 to {LONGEST_PASSWORD} characters"))
    errors.refuse(violations)


def check_listing(*, search: str, username: str, skip: int, has_token: bool) -> None:
    """Refuses texts that no name is and the database cannot take, and a place that is told twice."""
    violations = []
    for field, text, longest in (
        ("search", search, LONGEST_SEARCH),
        ("username", username, LONGEST_USERNAME),
    ):
        if len(text) > longest or "\0" in text:
            violations.append(Violation(field, f"must be at most {longest} characters without NUL"))
    if not 0 <= skip <= LARGEST_SKIP:
        violations.append(Violation("skip", f"must be 0 or more, got {skip}"))
    elif skip and has_token:
        violations.append(Violation("skip", "a page token tells already where the page begins"))
    errors.refuse(violations)


def check_token(name: str, expires_at: datetime | None, now: datetime) -> None:
    """Refuses a personal access token with all its faults at once."""
    errors.refuse([*_token_violations("", {"name": name, "expire_time": expires_at}, now)])


def check_token_changes(changes: Mapping[str, Any], now: datetime) -> None:
    """Refuses new values of a personal access token with all their faults at once."""
    unknown = sorted(set(changes) - TOKEN_FIELDS)
    if unknown or not changes:
        what = f"{', '.join(unknown)}: only" if unknown else "must name at least one of"
        raise errors.invalid("update_mask", f"{what} {', '.join(sorted(TOKEN_FIELDS))}")
    errors.refuse([*_token_violations("access_token.", changes, now)])


def check_may_change(caller: User, target_id: int, paths: Collection[str]) -> None:
    """Users change their own profile; everything else is for administrators."""
    if caller.is_admin:
        return
    if target_id != caller.id:
        raise errors.PermissionDenied("only administrators change other accounts")
    if not OWN_FIELDS.issuperset(paths):
        raise errors.PermissionDenied("only administrators change role and activity")


def check_an_admin_stays(before: User, after: User, admin_ids: Collection[int]) -> None:
    """Refuses to take the role or the activity from the only administrator."""
    if before.is_admin and not after.is_admin and not set(admin_ids) - {before.id}:
        raise errors.FailedPrecondition(
            f"{before.username} is the last administrator: make another one first",
            reason="LAST_ADMINISTRATOR",
            metadata={"username": before.username},
        )


def _profile_violations(values: Mapping[str, Any]) -> Iterator[Violation]:
    for name, longest in _LONGEST.items():
        if len(values.get(name, "")) > longest:
            yield Violation(f"user.{name}", f"must be at most {longest} characters, got {len(values[name])}")
        if "\0" in values.get(name, ""):
            yield Violation(f"user.{name}", "must not contain NUL")
    email = values.get("email", "")
    if email and not _EMAIL.fullmatch(email):
        yield Violation("user.email", "must be an e-mail address")


def _token_violations(prefix: str, values: Mapping[str, Any], now: datetime) -> Iterator[Violation]:
    name, end = values.get("name"), values.get("expire_time")
    if name is not None and (not 1 <= len(name) <= LONGEST_TOKEN_NAME or "\0" in name):
        yield Violation(f"{prefix}name", f"must be 1 to {LONGEST_TOKEN_NAME} characters")
    if end is not None and end <= now:
        yield Violation(f"{prefix}expire_time", f"must be in the future, got {end.isoformat()}")


def _password_violations(field: str, password: str) -> Iterator[Violation]:
    lengths = NEW_PASSWORD_LENGTHS
    if len(password) not in lengths:
        expected = f"{lengths.start} to {lengths.stop - 1} characters"
        yield Violation(field, f"must be {expected}, got {len(password)}")
