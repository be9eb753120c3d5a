"""The .lfsconfig of a repository, which may send everybody's git-lfs to another server."""

import re
from typing import Final
from urllib.parse import urlsplit

from yard.runtime import errors
from yard.runtime.egress import GitRemote

LARGEST_CONFIG: Final = 1 << 16

_SECTION = re.compile(r'\s*\[\s*([A-Za-z0-9.-]+)(?:\s+"((?:[^"\\]|\\.)*)")?\s*\](.*)')
_SETTING = re.compile(r"\s*([A-Za-z][A-Za-z0-9-]*)\s*=\s*(.*)")


def check_config(content: bytes, remote: GitRemote) -> None:
    """FailedPrecondition (LFS_ELSEWHERE) if clones would look for files elsewhere than where we send them.

    That is the repository's own place on its own host alone: its credential is nobody else's business.
    """
    if len(content) > LARGEST_CONFIG:
        raise errors.FailedPrecondition(
            f"the .lfsconfig of the repository has more than {LARGEST_CONFIG} bytes", reason="LFS_ELSEWHERE"
        )
    for url in _servers(content.decode("utf-8", "replace")):
        host, port, path = _place(url)
        is_own_port = remote.is_ssh or port in (None, remote.port)
        if host != remote.host.lower() or not is_own_port or path != _plain(remote.path):
            named = f"{host}/{path}"[:200]
            shown = f"to {named}" if named.isprintable() and host else "elsewhere"
            words = f"the .lfsconfig of the repository sends LFS {shown}: change it, or switch LFS off here"
            raise errors.FailedPrecondition(words, reason="LFS_ELSEWHERE")


def _servers(text: str) -> list[str]:
    found: list[str] = []
    section = ""
    for line in text.splitlines():
        heading = _SECTION.fullmatch(line)
        if heading:
            section, line = heading[1].lower(), heading[3]
        setting = _SETTING.fullmatch(line)
        if setting and (section, setting[1].lower()) in (("lfs", "url"), ("remote", "lfsurl")):
            found.append(setting[2].strip().strip('"'))
    return found


def _place(url: str) -> tuple[str, int | None, str]:
    """Host, port if it is https, and path; no host: it is no address."""
    try:
        found = urlsplit(url if "://" in url else f"ssh://{url.replace(':', '/', 1)}")
        host, port = found.hostname or "", found.port
    except ValueError:
        return "", None, ""
    return host.lower(), (port or 443) if found.scheme == "https" else None, _plain(found.path)


def _plain(path: str) -> str:
    """Of a repository or of its LFS, however it is written."""
    return path.strip("/").removesuffix("/info/lfs").removesuffix(".git")
