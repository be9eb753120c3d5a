"""The batch API: asking where a file is to be sent, and reading the answer."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from yard.repo_sync.lfs.door import Door, headers, href, read_json
from yard.repo_sync.lfs.faults import of_status, said, strange
from yard.runtime import clock, errors
from yard.runtime.egress import RemoteUrl, Reply

MEDIA_TYPE: Final = "application/vnd.git-lfs+json"
LARGEST_ANSWER: Final = 1 << 20

_LONGEST_LIFE_S = 10 * 365 * 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """A request that the server wants of us, good until `expires_at`."""

    url: RemoteUrl
    headers: Mapping[str, str] = field(repr=False)
    expires_at: datetime | None

    @property
    def has_expired(self) -> bool:
        """By our clock, which may differ from the server's."""
        return self.expires_at is not None and self.expires_at <= clock.now()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is to be done with a file; nothing at all if the server has it."""

    upload: Action | None = None
    verify: Action | None = None


def request(sha256: str, size: int, ref: str) -> bytes:
    """Asks to upload one file; `ref` is the full name of the branch, or empty."""
    asked: dict[str, Any] = {
        "operation": "upload",
        "transfers": ["basic"],
        "objects": [{"oid": sha256, "size": size}],
        "hash_algo": "sha256",
    }
    return json.dumps({**asked, "ref": {"name": ref}} if ref else asked).encode("ascii")


def read_answer(reply: Reply, door: Door, sha256: str) -> Asked:
    """What the server wants; the error that it names for the file, or FailedPrecondition for nonsense."""
    if len(reply.body) > LARGEST_ANSWER:
        raise strange(f"has more than {LARGEST_ANSWER} bytes")
    read = _object(read_json(reply.body))
    if read.get("transfer") not in (None, "", "basic"):
        raise strange("wants a way of transfer that was not offered")
    if read.get("hash_algo") not in (None, "", "sha256"):
        raise of_status(409)
    found = _entry(read.get("objects"), sha256)
    _check_error(found.get("error"), door, reply.retry_after_s)
    actions = _object(found.get("actions") or {})
    is_authenticated = found.get("authenticated") is True
    return Asked(
        upload=_action(actions.get("upload"), door, is_authenticated),
        verify=_action(actions.get("verify"), door, is_authenticated),
    )


def words_of(reply: Reply, door: Door) -> str:
    """What the server has said of an error, without our secrets; empty if it has not said it by the rules."""
    read = read_json(reply.body) if len(reply.body) <= LARGEST_ANSWER else None
    return said(door.hide(read.get("message"))) if isinstance(read, dict) else ""


def _object(read: object) -> dict[str, Any]:
    if not isinstance(read, dict):
        raise strange("is not by the rules")
    return read


def _entry(read: object, sha256: str) -> dict[str, Any]:
    entries = read if isinstance(read, list) else []
    for entry in entries:
        if isinstance(entry, dict) and entry.get("oid") == sha256:
            return entry
    raise strange("does not speak of the file")


def _check_error(read: object, door: Door, retry_after_s: float | None) -> None:
    if not read:
        return
    fault = _object(read)
    code, message = fault.get("code"), fault.get("message")
    status = code if isinstance(code, int) and 400 <= code <= 599 else 422
    raise of_status(status, said(door.hide(message)), retry_after_s)


def _action(read: object, door: Door, is_authenticated: bool) -> Action | None:
    if read is None:
        return None
    action = _object(read)
    url = href(action.get("href"))
    if door.url.scheme == "https" and url.scheme == "http":
        raise errors.FailedPrecondition(
            "the LFS server wants the file to be sent without TLS", reason="LFS_ADDRESS"
        )
    asked = headers(action.get("header"))
    if not is_authenticated and door.has(url) and "authorization" not in {name.lower() for name in asked}:
        asked = {**door.headers, **asked}
    return Action(url=url, headers=asked, expires_at=_expiry(action))


def _expiry(action: dict[str, Any]) -> datetime | None:
    seconds, text = action.get("expires_in"), action.get("expires_at")
    if isinstance(seconds, int) and seconds:
        return clock.now() + timedelta(seconds=min(max(seconds, -1), _LONGEST_LIFE_S))
    if not isinstance(text, str) or not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None
