"""Where the LFS server of a repository is, and what opens it."""

import json
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from yard.repo_sync.lfs.faults import strange
from yard.runtime import errors
from yard.runtime.egress import Network, RemoteUrl, Resolve, system_resolve

LONGEST_HREF: Final = 8192
"""Characters: signed addresses of object stores are long."""

_MOST_HEADERS = 32
_LONGEST_VALUE = 8192
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}")
_VALUE = re.compile(r"[\x20-\x7e]*")
# Those that frame a request or belong to one connection are ours alone.
_OURS = frozenset(
    {
        "accept-encoding",
        "connection",
        "content-length",
        "cookie",
        "expect",
        "host",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Which networks are open besides what is public, whom TLS trusts, and how long all of it may take."""

    networks: Sequence[Network] = ()
    ca_file: str = ""
    resolve: Resolve = system_resolve
    timeout_s: float = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """The address of an LFS server and the headers that it wants of us, which are secret."""

    url: RemoteUrl
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)

    @classmethod
    def over_https(cls, url: str, username: str = "", token: str = "") -> "Door":
        """That of a repository with an http or https URL, opened by the repository's own credential."""
        try:
            found = RemoteUrl.parse(_server_of(url))
        except ValueError as fault:
            raise errors.FailedPrecondition(f"the repository's URL {fault}", reason="LFS_ADDRESS") from fault
        pair = b64encode(f"{username or 'git'}:{token}".encode()).decode("ascii")
        if not token:
            return cls(url=found)
        return cls(url=found, headers={"Authorization": f"Basic {pair}"}, secrets=(token, pair))

    @classmethod
    def over_ssh(cls, answer: bytes, url: str = "") -> "Door":
        """That which `git-lfs-authenticate` has answered; `url` over https serves if it names no address."""
        read = read_json(answer)
        if not isinstance(read, dict):
            raise strange("has no object of JSON")
        server = read.get("href") or (_server_of(url) if url else "")
        found = href(server)
        if found.scheme != "https":
            raise errors.FailedPrecondition(
                "the host sends us to an LFS server without TLS", reason="LFS_ADDRESS"
            )
        asked = headers(read.get("header"))
        return cls(
            url=found, headers=asked, secrets=tuple(value.rpartition(" ")[2] for value in asked.values())
        )

    @property
    def batch(self) -> RemoteUrl:
        """Where transfers are asked for."""
        path, mark, query = self.url.target.partition("?")
        target = f"{path.rstrip('/')}/objects/batch{mark}{query}"
        return RemoteUrl(scheme=self.url.scheme, host=self.url.host, port=self.url.port, target=target)

    def has(self, url: RemoteUrl) -> bool:
        """Whether the URL is on this very server, so that it may see the credential."""
        return (url.scheme, url.host, url.port) == (self.url.scheme, self.url.host, self.url.port)

    def hide(self, text: object) -> str:
        """The text without our secrets, should a server repeat them; empty if it is no text."""
        if not isinstance(text, str):
            return ""
        for secret in self.secrets:
            text = text.replace(secret, "…") if len(secret) >= 4 else text
        return text


def href(text: object) -> RemoteUrl:
    """An address that a server names; FailedPrecondition if it is none."""
    if not isinstance(text, str):
        raise strange("has no address")
    try:
        return RemoteUrl.parse(text, longest=LONGEST_HREF)
    except ValueError as fault:
        raise strange(f"has an address that {fault}") from fault


def headers(read: object) -> Mapping[str, str]:
    """Headers that a server wants of us, without those that are ours; FailedPrecondition if they are none."""
    if read is None:
        return {}
    if not isinstance(read, dict) or len(read) > _MOST_HEADERS:
        raise strange("has headers that are none")
    found: dict[str, str] = {}
    for name, value in read.items():
        if not isinstance(value, str) or not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            raise strange("has headers that are none")
        if len(value) > _LONGEST_VALUE:
            raise strange("has headers that are too long")
        if name.lower() not in _OURS and not name.lower().startswith("proxy-"):
            found[name] = value
    return found


def read_json(content: bytes) -> Any:
    """What the JSON says; None if it is none."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def _server_of(url: str) -> str:
    """As git-lfs derives it from the URL of a repository."""
    plain = url.rstrip("/")
    return f"{plain.removesuffix('.git')}.git/info/lfs"
