"""Addresses of git repositories, and the field `URL [PATH]` that names one and a file in it.

Four forms: `https://host/owner/repo`, the same without `https://`, `ssh://user@host/owner/repo` and
`user@host:owner/repo`. What is not of these forms never reaches git.
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import quote, unquote_to_bytes

from yard.runtime.egress.urls import check_characters, parse_authority, parse_port

LONGEST_LOCATION: Final = 2_000
LONGEST_PATH_BYTES: Final = 1_024
LONGEST_PART_BYTES: Final = 255
DEEPEST_PATH: Final = 32
SUFFIXES: Final = (".zip", ".xml")

_HTTPS_PORTS = (443,)
_SSH_PORTS = (22, 443)
_DEFAULT_USER = "git"
_NAME_CHARACTERS, _NAME_BYTES = 100, 240

_URL = re.compile(r"(https|ssh)://([^/]+)/(.*)", re.IGNORECASE)
_SCP = re.compile(r"([^@:/\[\]]+)@((?:\[[^\]]*\]|[^:/\[\]]+)):(.*)")
_BARE = re.compile(r"((?:\[[^\]]*\]|[^@:/\[\]]+)(?::[0-9]+)?)/(.*)")
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}")
_SEGMENT = re.compile(r"(?:[A-Za-z0-9._~+=@,-]|%[0-9A-Fa-f]{2})+")
_FIELD = re.compile(r"(\S+)(?:\s+\[(.*)\])?")
_UNFIT = re.compile(r'[\\/*?:"<>|\s]')
# What file systems that fold case, drop characters or shorten names would take for git's own files.
_RESERVED = re.compile(r"\.git(modules|attributes|ignore)?|git~[0-9]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class GitRemote:
    """Where a repository is; `path` has no leading slash, `is_scp` says that it starts at the user's home."""

    scheme: Literal["https", "ssh"]
    user: str
    host: str
    port: int
    path: str
    is_scp: bool = False

    @classmethod
    def parse(cls, text: str) -> "GitRemote":
        """ValueError says what is wrong, without quoting the text: it may hold secrets."""
        check_characters(text)
        if "?" in text or "#" in text:
            raise ValueError("must not have a query or a fragment")
        if found := _URL.fullmatch(text):
            return _of_url(found[1].lower(), found[2], found[3])
        if "://" in text or "::" in text.partition("[")[0]:
            raise ValueError("must begin with https:// or ssh://")
        if found := _SCP.fullmatch(text):
            return _of_scp(found[1], found[2], found[3])
        if found := _BARE.fullmatch(text):
            return _of_bare(found[1], found[2])
        raise ValueError("must be https://host/owner/repository, ssh://… or git@host:owner/repository")

    @property
    def text(self) -> str:
        """The one form, as git takes it; never with a secret."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        if self.is_scp:
            return f"{self.user}@{host}:{self.path}"
        if self.port != _known(self.scheme)[0]:
            host = f"{host}:{self.port}"
        return f"{self.scheme}://{self.user}{'@' if self.user else ''}{host}/{self.path}"

    @property
    def is_ssh(self) -> bool:
        """Whether it is opened with a key; with a token otherwise."""
        return self.scheme == "ssh"


@dataclass(frozen=True, slots=True, kw_only=True)
class RepositoryField:
    """A repository and the normalised path of a file in it; no path: the default."""

    remote: GitRemote
    path: str | None

    @classmethod
    def parse(cls, text: str) -> "RepositoryField":
        """From `URL [PATH]`; ValueError says what is wrong, without quoting the text."""
        if not 1 <= len(text) <= LONGEST_LOCATION:
            raise ValueError(f"must have 1 to {LONGEST_LOCATION} characters, got {len(text)}")
        found = _FIELD.fullmatch(text.strip())
        if found is None:
            raise ValueError("must be of the form `URL [PATH]`")
        path = None if found[2] is None else normalised_path(found[2])
        return cls(remote=GitRemote.parse(found[1]), path=path)


def normalised_path(text: str) -> str:
    """A path inside a repository, without a leading slash; ValueError if it is none for a file of ours."""
    parts: list[str] = []
    for part in text.strip().split("/"):
        if part == ".." and not parts:
            raise ValueError("must have a path that stays in the repository")
        if part == "..":
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    path = "/".join(parts)
    if not path.endswith(SUFFIXES) or parts[-1] in SUFFIXES:
        raise ValueError("must have a path that ends in .zip or .xml")
    if len(path.encode(errors="replace")) > LONGEST_PATH_BYTES or len(parts) > DEEPEST_PATH:
        raise ValueError(f"must have a path of at most {LONGEST_PATH_BYTES} bytes and {DEEPEST_PATH} parts")
    for part in parts:
        _check_part(part)
    return path


def default_path(task_name: str) -> str:
    """`annotation/<task name>.zip`, with what does not fit into names of files replaced."""
    name = "".join(character if character.isprintable() else "_" for character in _UNFIT.sub("_", task_name))
    cut = name[:_NAME_CHARACTERS].encode()[:_NAME_BYTES].decode(errors="ignore")
    return f"annotation/{cut or '_'}.zip"


def _of_url(scheme: str, authority: str, path: str) -> GitRemote:
    if scheme == "https":
        if "@" in authority:
            raise ValueError("must not hold credentials; they are set apart")
        return _of_https(authority, path)
    user, at, host = authority.rpartition("@")
    if ":" in user:
        raise ValueError("must not hold credentials; they are set apart")
    if re.search(r":(?![0-9]*$)", host) and not host.startswith("["):
        raise ValueError("must have a port of digits after the colon; without ssh:// a path may follow it")
    name, port = parse_authority(host)
    return GitRemote(
        scheme="ssh",
        user=_user(user) if at else _DEFAULT_USER,
        host=name,
        port=_SSH_PORTS[0] if port is None else parse_port(port, _SSH_PORTS),
        path=_path(quote(path, "".join(map(chr, range(0x21, 0x7F))))),
    )


def _of_https(authority: str, path: str) -> GitRemote:
    host, port = parse_authority(authority)
    number = _HTTPS_PORTS[0] if port is None else parse_port(port, _HTTPS_PORTS)
    quoted = quote(path, "".join(map(chr, range(0x21, 0x7F))))
    return GitRemote(scheme="https", user="", host=host, port=number, path=_path(quoted))


def _of_scp(user: str, authority: str, path: str) -> GitRemote:
    if "%" in path:
        raise ValueError("must not have a percent sign in the form git@host:path; ssh:// takes it")
    host, _ = parse_authority(authority)
    if path.startswith("/"):
        return GitRemote(scheme="ssh", user=_user(user), host=host, port=22, path=_path(path[1:]))
    return GitRemote(scheme="ssh", user=_user(user), host=host, port=22, path=_path(path), is_scp=True)


def _of_bare(authority: str, path: str) -> GitRemote:
    """`host/owner/repo`: a host that looks like one, so that a typing error does not become a name."""
    made = _of_https(authority, path)
    if "/" not in made.path or not ("." in made.host or ":" in authority or made.host == "localhost"):
        raise ValueError("must be host/owner/repository, or begin with https:// or ssh://")
    return made


def _user(text: str) -> str:
    if not _USER.fullmatch(text):
        raise ValueError("must have a user of letters, digits, dots, dashes and underscores before the @")
    return text


def _path(text: str) -> str:
    """Segments that no shell, server or git could take for something else, whichever of them decodes them."""
    segments = text.removesuffix("/").split("/")
    for segment in segments:
        decoded = unquote_to_bytes(segment)
        if not _SEGMENT.fullmatch(segment) or segment.startswith("-") or not _is_plain(decoded):
            raise ValueError("must have a path of names, without `..`, leading dashes or special characters")
    return "/".join(segments)


def _is_plain(decoded: bytes) -> bool:
    is_name = decoded not in (b"", b".", b"..") and not decoded.startswith(b"-")
    return is_name and not re.search(rb"[\x00-\x1f\x7f/\\'\"`$%]", decoded)


def _known(scheme: str) -> tuple[int, ...]:
    return _HTTPS_PORTS if scheme == "https" else _SSH_PORTS


def _check_part(part: str) -> None:
    if not part.isprintable() or "\\" in part:
        raise ValueError("must have a path without control characters and backslashes")
    if len(part.encode()) > LONGEST_PART_BYTES:
        raise ValueError(f"must have a path whose parts have at most {LONGEST_PART_BYTES} bytes each")
    plain = unicodedata.normalize("NFKC", part).casefold().partition(":")[0].rstrip(" .")
    if _RESERVED.fullmatch(plain):
        raise ValueError("must have a path without git's own names")
