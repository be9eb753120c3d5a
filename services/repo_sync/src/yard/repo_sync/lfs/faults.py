"""What goes wrong with LFS servers, in words that a person can act on."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from yard.runtime import errors
from yard.runtime.egress import Cut, Refused

_MOST_SAID: Final = 300

_FOR_GOOD: Mapping[int, tuple[str, str]] = MappingProxyType(
    {
        404: ("LFS_NOT_FOUND", "does not know the repository, or does not show it to this credential"),
        405: ("LFS_NOT_OFFERED", "offers no uploads"),
        409: ("LFS_REJECTED", "keeps files by another kind of hash"),
        410: ("LFS_REJECTED", "says that the file was removed by its owner and does not take it again"),
        413: ("LFS_TOO_LARGE", "does not take files as large as this one"),
        501: ("LFS_NOT_OFFERED", "offers no uploads"),
        507: ("LFS_QUOTA", "has no room left: buy storage there, or delete old files of LFS"),
        509: (
            "LFS_QUOTA",
            "has no bandwidth left for this repository: buy some there, or wait for a new month",
        ),
    }
)
_DENIED: Mapping[int, str] = MappingProxyType(
    {
        401: "refuses the credential of the repository: it may be wrong or expired, or not for LFS",
        403: "does not let this credential write: give it the right to write to the repository",
        407: "lies behind a proxy that asks for a credential",
    }
)


def of_status(status: int, said: str = "", retry_after_s: float | None = None) -> errors.YardError:
    """The error that a status of HTTP or of one file stands for, with the server's own words."""
    if status in _DENIED:
        return errors.PermissionDenied(
            f"the LFS server {_DENIED[status]}{_quoted(said)}", reason="LFS_AUTHENTICATION"
        )
    if status in _FOR_GOOD:
        reason, words = _FOR_GOOD[status]
        return errors.FailedPrecondition(f"the LFS server {words}{_quoted(said)}", reason=reason)
    if status in (408, 425, 429) or status >= 500:
        words = "is asked too often" if status == 429 else f"answers {status}"
        return later(f"the LFS server {words}{_quoted(said)}", retry_after_s)
    return errors.FailedPrecondition(f"the LFS server answers {status}{_quoted(said)}", reason="LFS_REJECTED")


def later(words: str, retry_after_s: float | None = None) -> errors.Unavailable:
    """It may go better next time."""
    fault = errors.Unavailable(words, reason="LFS_UNREACHABLE")
    fault.retry_after_s = retry_after_s
    return fault


def of_way(host: str, fault: Cut | Refused) -> errors.YardError:
    """The error of the way to a host: an address that is closed to us, or a connection that broke."""
    words = f"the LFS server {host} {fault.message}"
    if isinstance(fault, Cut):
        return later(words, fault.retry_after_s)
    reason = "LFS_CERTIFICATE" if fault.reason == "EGRESS_CERTIFICATE" else "LFS_ADDRESS"
    return errors.FailedPrecondition(words, reason=reason)


def strange(words: str) -> errors.FailedPrecondition:
    """An answer that is none by the rules of LFS."""
    return errors.FailedPrecondition(f"the answer of the LFS server {words}", reason="LFS_ANSWER")


def not_offered(host: str) -> errors.FailedPrecondition:
    """Nothing there speaks LFS."""
    return errors.FailedPrecondition(
        f"the host {host} offers no LFS for this repository: switch it on there, or off here",
        reason="LFS_NOT_OFFERED",
    )


def said(text: str) -> str:
    """A server's words in one line, short and without what a terminal or a page could take for orders."""
    plain = "".join(character if character.isprintable() else " " for character in text[:4096])
    return " ".join(plain.split())[:_MOST_SAID]


def _quoted(words: str) -> str:
    return f' ("{words}")' if words else ""
