"""Directories that the operator has connected, to look at."""

import asyncio
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from frameyard.media.v1 import share_service_pb2 as messages
from yard.media_ingest.handlers.context import Ingest
from yard.runtime import errors, paging

PAGE = 100
LARGEST_PAGE = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A directory, or a file with its length; `path` is below the root of the share."""

    name: str
    path: str
    is_directory: bool
    size_bytes: int
    modified_ns: int

    @property
    def key(self) -> tuple[int, str]:
        """Directories first, each part by name."""
        return (0 if self.is_directory else 1, self.name)


async def list_shares(ingest: Ingest) -> messages.ListSharesResponse:
    """All shares by name."""
    return messages.ListSharesResponse(shares=[messages.Share(name=name) for name in sorted(ingest.shares)])


async def list_entries(
    ingest: Ingest, request: messages.ListShareEntriesRequest
) -> messages.ListShareEntriesResponse:
    """One page of one directory."""
    limit = paging.size(request.page_size, default=PAGE, largest=LARGEST_PAGE)
    after = paging.decode(request.page_token, request)
    root = ingest.shares.get(request.share)
    if root is None:
        raise errors.NotFound("share", request.share[:64])
    found = await asyncio.to_thread(_entries, root, request.directory)
    rest = sorted(
        (entry for entry in found if _is_wanted(entry, request, after)), key=lambda entry: entry.key
    )
    token = paging.encode(list(rest[limit - 1].key), request) if len(rest) > limit else ""
    return messages.ListShareEntriesResponse(entries=map(_to_proto, rest[:limit]), next_page_token=token)


def inside(root: Path, path: str) -> Path:
    """The real place of a path below a share; NotFound if it is absent or, by '..' or links, outside."""
    absent = errors.NotFound("share directory", path[:256])
    if "\0" in path or path.startswith("/"):
        raise absent
    try:
        found = (root / path).resolve(strict=True)
    except (OSError, RuntimeError, ValueError):
        raise absent from None
    if not found.is_relative_to(root):
        raise absent
    return found


def _entries(root: Path, directory: str) -> list[Entry]:
    folder = inside(root, directory)
    try:
        with os.scandir(folder) as entries:
            return [*_described(root, folder, entries)]
    except NotADirectoryError:
        raise errors.NotFound("share directory", directory[:256]) from None
    except OSError as fault:
        raise errors.Unavailable(f"the share cannot be read: {fault.strerror}") from fault


def _described(root: Path, folder: Path, entries: Iterable[os.DirEntry[str]]) -> Iterable[Entry]:
    """Files and directories; links are followed unless they lead out, other things are left out."""
    for entry in entries:
        if not _is_text(entry.name):
            continue
        try:
            if entry.is_symlink() and not Path(entry.path).resolve(strict=True).is_relative_to(root):
                continue
            status = entry.stat()
            is_directory = entry.is_dir()
        except (OSError, RuntimeError):
            continue
        if is_directory or entry.is_file():
            yield Entry(
                name=entry.name,
                path=(folder.relative_to(root) / entry.name).as_posix(),
                is_directory=is_directory,
                size_bytes=0 if is_directory else status.st_size,
                modified_ns=status.st_mtime_ns,
            )


def _is_text(name: str) -> bool:
    """Names that are not UTF-8 cannot be told in a message."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_wanted(entry: Entry, request: messages.ListShareEntriesRequest, after: list[object] | None) -> bool:
    return entry.name.startswith(request.name_prefix) and (after is None or list(entry.key) > after)


def _to_proto(entry: Entry) -> messages.ShareEntry:
    kind = messages.SHARE_ENTRY_KIND_DIRECTORY if entry.is_directory else messages.SHARE_ENTRY_KIND_FILE
    message = messages.ShareEntry(path=entry.path, kind=kind, size_bytes=entry.size_bytes)
    message.modify_time.FromNanoseconds(entry.modified_ns)
    return message
