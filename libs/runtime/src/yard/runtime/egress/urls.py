"""URLs by a strict grammar, parsed once: what is checked is what is connected to."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from types import MappingProxyType
from typing import Final
from urllib.parse import quote, urljoin

import idna

LONGEST_URL: Final = 2048

_DEFAULT_PORTS: Mapping[str, int] = MappingProxyType({"http": 80, "https": 443})
# Above 1023, those on which other protocols could take our request for one of theirs, as browsers have it.
_CLOSED_PORTS = frozenset(
    {1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6679, 6697, 10080, *range(6665, 6670)}
)
_URL = re.compile(r"(https?)://([^/?#]+)(/[^?#]*)?(\?[^#]*)?(?:#.*)?", re.IGNORECASE)
_AUTHORITY = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([^:\[\]]+))(?::([0-9]{1,5}))?")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_SAFE = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in '"<>^`{|}')


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteUrl:
    """An http or https URL; `host` is ASCII or an address without brackets, `target` path and query."""

    scheme: str
    host: str
    port: int
    target: str

    @classmethod
    def parse(cls, text: str, *, longest: int = LONGEST_URL) -> "RemoteUrl":
        """ValueError says what is wrong, without quoting the text: it may hold secrets."""
        check_characters(text, longest)
        found = _URL.fullmatch(text)
        if found is None:
            raise ValueError("must be http:// or https:// with a host")
        scheme, authority, path, query = found.groups()
        scheme = scheme.lower()
        host, port = parse_authority(authority)
        number = _DEFAULT_PORTS[scheme] if port is None else parse_port(port, _DEFAULT_PORTS.values())
        return cls(scheme=scheme, host=host, port=number, target=quote(f"{path or '/'}{query or ''}", _SAFE))

    def joined(self, location: str) -> "RemoteUrl":
        """Where a redirect from here leads; ValueError if that is no URL of ours, or leaves TLS."""
        check_characters(location)
        try:
            target = urljoin(self.text, location)
        except ValueError:
            raise ValueError("must be a URL") from None  # the library's words quote what it was given
        found = RemoteUrl.parse(target)
        if self.scheme == "https" and found.scheme == "http":
            raise ValueError("must not lead from https to http")
        return found

    @property
    def authority(self) -> str:
        """Host and port as the header Host has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def text(self) -> str:
        """The URL in its one form; with the query, so it may be a secret."""
        return f"{self.scheme}://{self.authority}{self.target}"

    @property
    def path(self) -> str:
        """Percent-encoded, without the query."""
        return self.target.partition("?")[0]

    @property
    def shown(self) -> str:
        """What others may see of it: queries often hold signatures."""
        return f"{self.scheme}://{self.authority}{self.path}"


def check_characters(text: str, longest: int = LONGEST_URL) -> None:
    """ValueError for what no URL has, before anything else is looked at."""
    if not 1 <= len(text) <= longest:
        raise ValueError(f"must have 1 to {longest} characters, got {len(text)}")
    if "\\" in text or any(not character.isprintable() or character.isspace() for character in text):
        raise ValueError("must not have spaces, backslashes or control characters")


def parse_authority(text: str) -> tuple[str, str | None]:
    """Host and digits of the port, by the rules of all URLs that users name."""
    if "@" in text:
        raise ValueError("must not carry a user name or a password")
    found = _AUTHORITY.fullmatch(text)
    if found is None:
        raise ValueError("must have a host, and a port of digits if any")
    literal, name, port = found.groups()
    return _ipv6(literal) if literal else _name(name), port


def _ipv6(text: str) -> str:
    try:
        return str(IPv6Address(text))
    except ValueError:
        raise ValueError("must have an IPv6 address in its brackets") from None


def _name(text: str) -> str:
    """A name in ASCII, or an IPv4 address in its plain form: the other forms exist to deceive."""
    host = _ascii(text).removesuffix(".")
    labels = host.split(".")
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError("must have the name of a host")
    if not _NUMBER.fullmatch(labels[-1]):
        return host
    try:
        return str(IPv4Address(host))
    except ValueError:
        raise ValueError("must have an IPv4 address as four decimal numbers without leading zeros") from None


def _ascii(text: str) -> str:
    if text.isascii():
        return text.lower()
    try:
        return idna.encode(text, uts46=True).decode("ascii").lower()
    except (idna.IDNAError, UnicodeError):
        raise ValueError("must have the name of a host") from None


def parse_port(text: str, known: Collection[int]) -> int:
    """One of the known ports of the protocol, or one from 1024 on that is of no other protocol."""
    port = int(text)
    if port in known or (1024 <= port <= 65535 and port not in _CLOSED_PORTS):
        return port
    ports = ", ".join(str(one) for one in sorted(known))
    raise ValueError(f"must have the port {ports} or one from 1024 on that is of no other protocol")
