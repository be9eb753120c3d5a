"""The file as LFS keeps it: its bytes on the LFS server, a pointer in git, and attributes that say so."""

import asyncio
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from yard.repo_sync.git.connection import username
from yard.repo_sync.git.refs import HEADS
from yard.repo_sync.git.repository import Repository
from yard.repo_sync.git.ssh import ssh_command
from yard.repo_sync.git.way import Way
from yard.repo_sync.lfs import Above, Door, Reach, check_config, pointer, send, with_attributes
from yard.repo_sync.publishing.placing import Level
from yard.repo_sync.publishing.publication import Progress

ATTRIBUTES: Final = ".gitattributes"
CONFIG: Final = ".lfsconfig"


async def sent(way: Way, repository: Repository, file: Path, branch: str, progress: Progress) -> bytes:
    """The pointer to the file, which the LFS server has by then."""
    sha256, size = await asyncio.to_thread(_digest, file)

    async def note(bytes_sent: int) -> None:
        await progress(0.1 + 0.4 * bytes_sent / max(size, 1), "sending to LFS")

    reach = Reach(networks=way.networks, ca_file=way.ca_file, resolve=way.resolve, timeout_s=way.timeout_s)
    ref = f"{HEADS}{branch}" if branch else ""
    await send(await _door(repository), file, sha256, size, note, reach=reach, ref=ref)
    return pointer(sha256, size)


async def attributes(
    repository: Repository, levels: Sequence[Level], path: str, *, tracked: bool
) -> bytes | None:
    """The .gitattributes of the folder, so that the file is LFS's or is not; None if they say so already."""
    parts = path.split("/")
    if tracked:
        check_config(await _content(repository, levels[0], CONFIG), repository.connection.remote)
    *upper, own = [await _content(repository, level, ATTRIBUTES) for level in levels]
    above = [Above(content=content, path="/".join(parts[depth:])) for depth, content in enumerate(upper)]
    # The rules of others may take a while to match.
    wanted = await asyncio.to_thread(with_attributes, own, parts[-1], tracked=tracked, above=above)
    return None if wanted == own else wanted


async def _content(repository: Repository, level: Level, name: str) -> bytes:
    """Git itself follows no link here."""
    entry = level.entry(name.encode())
    return await repository.blob(entry.oid.hex()) if entry and entry.is_file else b""


async def _door(repository: Repository) -> Door:
    remote, access = repository.connection.remote, repository.connection.access
    if not remote.is_ssh:
        return Door.over_https(remote.text, username(remote, access), access.token)
    path = remote.path if remote.is_scp else f"/{remote.path}"
    answer = await ssh_command(repository.connection, ("git-lfs-authenticate", path, "upload"))
    host = f"[{remote.host}]" if ":" in remote.host else remote.host
    return Door.over_ssh(answer, f"https://{host}/{remote.path}")


def _digest(file: Path) -> tuple[str, int]:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest(), file.stat().st_size
