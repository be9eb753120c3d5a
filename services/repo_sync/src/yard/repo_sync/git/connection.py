"""One remote, opened for one call: it was looked up once, and all that git needs lies in one folder."""

import asyncio
import os
import re
import ssl
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from pathlib import Path
from typing import Final

import certifi
from yard.repo_sync.git import configuration, doors
from yard.repo_sync.git.access import Access
from yard.repo_sync.git.way import Way
from yard.runtime.egress import Cut, GitRemote, Refused, checked_addresses
from yard.runtime.errors import FailedPrecondition, Unavailable

RESOLVE_TIMEOUT_S: Final = 15.0

_PATH = "/usr/local/bin:/usr/bin:/bin"
# What hosts take as the user of a token, where they do not take any.
_USERNAMES: Mapping[str, str] = {"bitbucket.org": "x-token-auth", "github.com": "x-access-token"}
_USERNAME = "oauth2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """A remote and the folder that holds what opens it; `address` is the one that was checked."""

    remote: GitRemote
    access: Access
    folder: Path
    address: str

    @property
    def environment(self) -> Mapping[str, str]:
        """Of git when it may reach the remote; secrets are in files only."""
        scripts = Path(sys.executable).parent
        return {
            **local_environment(self.folder),
            "GIT_ALLOW_PROTOCOL": self.remote.scheme,
            "GIT_ASKPASS": str(scripts / "frameyard-git-askpass") if self.access.token else "",
            "GIT_SSH": str(scripts / "frameyard-git-ssh"),
            "GIT_SSH_VARIANT": "ssh",
            doors.FOLDER_VARIABLE: str(self.folder),
        }


def host_keys_in(folder: Path) -> tuple[str, ...]:
    """What ssh knows of the host by now, also if it was not let in."""
    with suppress(FileNotFoundError):
        lines = (folder / configuration.KNOWN_HOSTS_FILE).read_text().splitlines()
        return tuple(" ".join(line.split()[1:3]) for line in lines if line and not line.startswith("#"))
    return ()


def local_environment(folder: Path) -> Mapping[str, str]:
    """Of git when it reaches nothing but the folder."""
    return {
        "PATH": _PATH,
        "HOME": str(folder / "home"),
        "TMPDIR": str(folder),
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": str(folder / configuration.GIT_CONFIG_FILE),
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_ALLOW_PROTOCOL": "none",
    }


def username(remote: GitRemote, access: Access) -> str:
    """The user that goes with a token; each host has its own for those who name none."""
    return access.username or _USERNAMES.get(remote.host, _USERNAME)


async def connect(way: Way, remote: GitRemote, access: Access, folder: Path) -> Connection:
    """Checks where the remote is and writes what git reads; nothing is sent yet."""
    addresses = await _addresses(way, remote)
    made = Connection(remote=remote, access=access, folder=folder, address=addresses[0])
    await asyncio.to_thread(_write, made, addresses, way.ca_file)
    return made


async def _addresses(way: Way, remote: GitRemote) -> Sequence[str]:
    try:
        async with asyncio.timeout(RESOLVE_TIMEOUT_S):
            found = await checked_addresses(remote.host, remote.port, way.networks, way.resolve)
    except Refused as fault:
        raise FailedPrecondition(f"{remote.host} {fault.message}", reason="GIT_ADDRESS") from fault
    except Cut as fault:
        raise Unavailable(f"{remote.host} {fault.message}", reason="GIT_UNREACHABLE") from fault
    except TimeoutError:
        raise Unavailable(
            f"the name {remote.host} is not resolved in time", reason="GIT_UNREACHABLE"
        ) from None
    if not found:
        raise Unavailable(f"{remote.host} has no address", reason="GIT_UNREACHABLE")
    return [str(address) for address in found]


def _write(connection: Connection, addresses: Sequence[str], ca_file: str) -> None:
    folder, remote, access = connection.folder, connection.remote, connection.access
    (folder / "home").mkdir(exist_ok=True)
    pins = (
        ""
        if _is_literal(remote.host)
        else f"{remote.host}:{remote.port}:{','.join(map(_bracketed, addresses))}"
    )
    trusted = folder / configuration.TRUSTED_FILE
    _put(trusted, _trusted(ca_file))
    _put(folder / configuration.GIT_CONFIG_FILE, configuration.git_config(remote.text, pins, trusted))
    if access.token:
        _put(folder / doors.USERNAME_FILE, username(remote, access))
        _put(folder / doors.TOKEN_FILE, access.token)
    if remote.is_ssh:
        _write_ssh(connection)


def _write_ssh(connection: Connection) -> None:
    folder, remote, access = connection.folder, connection.remote, connection.access
    if access.private_key:
        key = access.private_key.strip().replace("\r\n", "\n")
        _put(folder / configuration.KEY_FILE, f"{key}\n")
    known = folder / configuration.KNOWN_HOSTS_FILE
    _put(known, "".join(f"{remote.host} {' '.join(key.split()[:2])}\n" for key in access.known_hosts))
    text = configuration.ssh_config(folder, remote, connection.address, is_known=bool(access.known_hosts))
    _put(folder / doors.SSH_CONFIG_FILE, text)


def _put(path: Path, text: str) -> None:
    """Readable to us alone from the first byte on."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)


def _trusted(ca_file: str) -> str:
    """What the fetching of media trusts too: the system, browsers, and the operator's own authority."""
    of_system = ssl.get_default_verify_paths().cafile or ""
    files = [file for file in (of_system, certifi.where(), ca_file) if file and Path(file).exists()]
    return "\n".join(Path(file).read_text() for file in dict.fromkeys(files))


def _is_literal(host: str) -> bool:
    return ":" in host or bool(re.fullmatch(r"[0-9.]+", host))


def _bracketed(address: str) -> str:
    return f"[{address}]" if isinstance(ip_address(address), IPv6Address) else address
