"""What git, ssh and remotes complain of, as errors with words that a person can act on."""

import base64
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from yard.repo_sync.git.access import Access
from yard.runtime.egress import GitRemote
from yard.runtime.errors import FailedPrecondition, Internal, PermissionDenied, Unavailable, YardError

MOST_WORDS: Final = 500

_CONTROL = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|[^\x20-\x7e\xa0-\U0010ffff]+")
_SENT_KEY = re.compile(r"sent by the remote host is\s+(SHA256:[A-Za-z0-9+/]{43})")
_STATUS = re.compile(r"(?:returned error: |HTTP )(\d{3})")


@dataclass(frozen=True, slots=True)
class Complaint:
    """What was said of which remote; secrets of `access` are never repeated."""

    remote: GitRemote
    access: Access
    text: str

    @property
    def where(self) -> str:
        """The host, as people call it."""
        return self.remote.host


def refusal(complaint: Complaint) -> YardError:
    """The error that a failed command stands for."""
    if status := _STATUS.search(complaint.text):
        return _of_status(int(status[1]), complaint)
    for pattern, make in _KNOWN:
        if re.search(pattern, complaint.text, re.IGNORECASE):
            return make(complaint)
    words = said(complaint) or clean(complaint.text, complaint.access) or "nothing"
    return Unavailable(f"git failed at {complaint.where}, which said: {words}", reason="GIT_FAILED")


def said(complaint: Complaint) -> str:
    """The remote's own lines, cleaned and cut; without secrets."""
    lines = complaint.text.splitlines()
    remote = [line.removeprefix("remote:") for line in lines if line.startswith("remote:")]
    return clean(" ".join(remote), complaint.access)


def clean(text: str, access: Access) -> str:
    """Without control characters and secrets, at most 500 characters."""
    plain = _CONTROL.sub(" ", text)
    for secret in (access.token, *access.private_key.split("\n")):
        if len(secret) >= 4 and not secret.startswith("---"):
            plain = plain.replace(secret, "…")
    return " ".join(plain.split())[:MOST_WORDS]


def fingerprint(key: str) -> str:
    """`SHA256:…` of a key in the form `type base64`."""
    digest = hashlib.sha256(base64.b64decode(key.split()[1])).digest()
    return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


def too_large(limit_bytes: int) -> FailedPrecondition:
    """The repository is more than one may bring here."""
    return FailedPrecondition(
        f"the repository is too large: its newest folders take more than {limit_bytes // 2**20} MiB",
        reason="GIT_TOO_LARGE",
    )


def no_room() -> Unavailable:
    """Our own disk, not the remote's."""
    return Unavailable("this server has no room left for what it needs meanwhile", reason="NO_ROOM")


def _of_status(status: int, complaint: Complaint) -> YardError:
    where = complaint.where
    if status in (401, 403):
        return _authentication(complaint)
    if status in (404, 410):
        return _not_found(complaint)
    if status in (301, 302, 303, 307, 308):
        return _redirect(complaint)
    if status in (408, 425, 429) or (status >= 500 and status != 507):
        return Unavailable(f"{where} answers {status}; it may work later", reason="GIT_UNREACHABLE")
    reasons = {413: "takes no file of this size", 507: "has no room left", 402: "wants to be paid"}
    words = reasons.get(status, f"answers {status}")
    its_own = f": {said(complaint)}" if said(complaint) else ""
    return FailedPrecondition(f"{where} {words}{its_own}", reason="GIT_REJECTED")


def _authentication(complaint: Complaint) -> YardError:
    remote, access = complaint.remote, complaint.access
    if remote.is_ssh and not access.private_key:
        words = f"{remote.host} wants a key, and none is set for this repository"
    elif remote.is_ssh:
        words = f"{remote.host} refuses the key; add its public half as a deploy key with write access"
    elif not access.token:
        words = f"{remote.host} wants a token, and none is set for this repository"
    else:
        words = f"{remote.host} refuses the token; it may be wrong, expired or without write access here"
    return PermissionDenied(words, reason="GIT_AUTHENTICATION")


def _not_found(complaint: Complaint) -> YardError:
    words = f"{complaint.where} has no such repository, or hides it from this credential"
    return FailedPrecondition(words, reason="GIT_NOT_FOUND")


def _redirect(complaint: Complaint) -> YardError:
    words = f"{complaint.where} says that the repository is elsewhere; set the address to which it has moved"
    return FailedPrecondition(words, reason="GIT_REDIRECT")


def _host_key(complaint: Complaint) -> YardError:
    seen = _SENT_KEY.search(complaint.text)
    known = ", ".join(fingerprint(key) for key in complaint.access.known_hosts) or "none"
    words = (
        f"{complaint.where} shows another host key than before: known are {known}, "
        f"it shows {seen[1] if seen else 'one of another type'}; "
        "if its owner confirms the change, set or forget the host keys"
    )
    return FailedPrecondition(words, reason="GIT_HOST_KEY_CHANGED")


def _certificate(complaint: Complaint) -> YardError:
    words = f"{complaint.where} has a certificate that cannot be trusted"
    return FailedPrecondition(words, reason="GIT_CERTIFICATE")


def _no_ssh(_: Complaint) -> YardError:
    return FailedPrecondition(
        "there is no ssh client on this server; use an https address", reason="GIT_NO_SSH"
    )


def _no_git(_: Complaint) -> YardError:
    return Internal("there is no git on this server", reason="GIT_NO_GIT")


def _slow(complaint: Complaint) -> YardError:
    return Unavailable(f"{complaint.where} is too slow", reason="GIT_SLOW")


def _unreachable(complaint: Complaint) -> YardError:
    return Unavailable(
        f"{complaint.where} cannot be reached, or broke the connection", reason="GIT_UNREACHABLE"
    )


def _key_form(_: Complaint) -> YardError:
    words = "the private key cannot be read; it must be an OpenSSH or PEM key without a passphrase"
    return PermissionDenied(words, reason="GIT_AUTHENTICATION")


_KNOWN: tuple[tuple[str, Callable[[Complaint], YardError]], ...] = (
    (r"(?m)^(?!remote:).*no space left on device", lambda _: no_room()),
    (r"host key verification failed|host identification has changed|host key is known for", _host_key),
    (r"there is no git on this server", _no_git),
    (r"there is no ssh on this server|cannot run \S*frameyard-git-ssh", _no_ssh),
    (r"error in libcrypto|invalid format|bad passphrase|incorrect passphrase", _key_form),
    (
        r"permission denied \((?!.*no such)|authentication failed|could not read (username|password)"
        r"|too many authentication failures|marked as read only|deploy key|permission to .* denied"
        r"|write access to repository not granted|not allowed to push code|no matching host key type",
        _authentication,
    ),
    (
        r"certificate verif\w+ failed|ssl certificate problem|certificate .*(expired|trusted|match)",
        _certificate,
    ),
    (r"operation too slow|operation timed out", _slow),
    (r"update url base from redirection", _redirect),
    (
        r"does not appear to be a git repository|repository '.*' not found|repository not found"
        r"|git-http-push failed|dumb http transport|is this a git repository\?"
        r"|project you were looking for could not be found",
        _not_found,
    ),
    (
        r"could not resolve|failed to connect|couldn't connect|connection (refused|timed out|reset|closed)"
        r"|no route to host|network is unreachable|empty reply|kex_exchange|timeout, server .* not responding"
        r"|unexpected disconnect|gnutls recv error|chunked-encod(ing|ed)|transfer closed|outstanding read"
        r"|remote end hung up|curl (16|18|28|35|52|55|56|92|95)|gnutls_handshake|ssl_error_syscall",
        _unreachable,
    ),
)
