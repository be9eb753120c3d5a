"""A mounted directory as a share: every descriptor is asked where it really leads before anything is read."""

import errno
import heapq
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from yard.runtime import errors
from yard.runtime.shares.values import (
    Children,
    Entry,
    Key,
    Page,
    Piece,
    Wanted,
    absent,
    is_text,
    joined,
)

_ABSENT = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG)


class Folder:
    """Links are followed as long as they stay below the root; what leads out is not there."""

    def __init__(self, root: str) -> None:
        self._root = os.path.realpath(root)
        self._below = self._root.rstrip("/") + "/"

    def page(self, directory: str, wanted: Wanted, after: Key | None, limit: int) -> Page:
        """The entries that follow the key `after`; memory does not grow with the directory."""
        with self._directory(directory) as descriptor, os.scandir(descriptor) as entries:
            found = (
                key
                for entry in entries
                if (key := self._key(descriptor, entry, wanted)) is not None
                and (after is None or key > after)
            )
            keys = heapq.nsmallest(limit + 1, found)
            listed = [self._entry(descriptor, directory, key) for key in keys[:limit]]
        rest = keys[limit - 1] if len(keys) > limit else None
        return Page(entries=tuple(entry for entry in listed if entry is not None), rest=rest)

    def children(self, directory: str) -> Children:
        """All entries; links to directories are not usable, as they might lead in circles."""
        children = Children()
        with self._directory(directory) as descriptor, os.scandir(descriptor) as entries:
            for entry in entries:
                self._add(children, descriptor, entry)
        return children

    def stat(self, path: str) -> Entry:
        """A file or directory; NotFound for everything else."""
        with self._placed(path) as descriptor:
            status = os.fstat(descriptor)
        if stat.S_ISDIR(status.st_mode):
            return Entry(path=path, is_directory=True, modified_ns=status.st_mtime_ns)
        if not stat.S_ISREG(status.st_mode):
            raise absent(path)
        return Entry(
            path=path,
            is_directory=False,
            size_bytes=status.st_size,
            modified_ns=status.st_mtime_ns,
            stamp=_stamp(status),
        )

    def read(self, path: str, offset: int, length: int) -> Piece:
        """A range, shorter only at the end of the file."""
        with self._placed(path) as place:
            if not stat.S_ISREG(os.fstat(place).st_mode):
                raise absent(path)
            with _reopened(place, os.O_RDONLY) as descriptor:
                content = _read(descriptor, offset, length)
                status = os.fstat(descriptor)
        version = f"{status.st_dev:x}-{status.st_ino:x}-{status.st_mtime_ns:x}"
        return Piece(content=content, size_bytes=status.st_size, version=version, stamp=_stamp(status))

    @contextmanager
    def _placed(self, path: str, at: int | None = None) -> Iterator[int]:
        """A descriptor that names a place and cannot be read; NotFound if the place is not below the root."""
        name = path if at is not None else self._below + path
        try:
            descriptor = os.open(name, os.O_PATH | os.O_CLOEXEC, dir_fd=at)
        except ValueError:
            raise absent(path) from None
        except OSError as fault:
            raise self._fault(fault, path) from fault
        try:
            if not self._is_inside(descriptor):
                raise absent(path)
            yield descriptor
        except OSError as fault:
            raise self._fault(fault, path) from fault
        finally:
            os.close(descriptor)

    @contextmanager
    def _directory(self, path: str) -> Iterator[int]:
        with self._placed(path) as place, _reopened(place, os.O_RDONLY | os.O_DIRECTORY) as descriptor:
            yield descriptor

    def _is_inside(self, descriptor: int) -> bool:
        place = str(Path(f"/proc/self/fd/{descriptor}").readlink())
        is_below = place == self._root or place.startswith(self._below)
        return is_below and os.fstat(descriptor).st_nlink > 0

    def _fault(self, fault: OSError, path: str) -> errors.YardError:
        is_connected = Path(self._root).is_dir()
        if fault.errno in _ABSENT and is_connected:
            return absent(path)
        reason = fault.strerror if is_connected else "it is not connected"
        return errors.Unavailable(f"{path or 'the share'} cannot be read: {reason}", metadata={"file": path})

    def _key(self, descriptor: int, entry: os.DirEntry[str], wanted: Wanted) -> Key | None:
        """None for what is not wanted or not for users to see."""
        is_directory = self._is_directory(descriptor, entry)
        if is_directory is None or not wanted.takes_name(entry.name, is_directory=is_directory):
            return None
        if not is_directory and wanted.asks_length:
            found = self._entry(descriptor, "", (1, entry.name))
            if found is None or not wanted.takes_length(found.size_bytes):
                return None
        return (0 if is_directory else 1, entry.name)

    def _is_directory(self, descriptor: int, entry: os.DirEntry[str]) -> bool | None:
        """None if it is neither directory nor regular file, or leads out, or has a name that is no text."""
        if not is_text(entry.name):
            return None
        with suppress(errors.YardError, OSError):
            if entry.is_symlink():
                return self._linked(descriptor, entry.name).is_directory
            if entry.is_dir(follow_symlinks=False):
                return True
            return False if entry.is_file(follow_symlinks=False) else None
        return None

    def _linked(self, descriptor: int, name: str) -> Entry:
        """Where an entry of an open directory leads."""
        with self._placed(name, descriptor) as place:
            status = os.fstat(place)
        if not stat.S_ISDIR(status.st_mode) and not stat.S_ISREG(status.st_mode):
            raise absent(name)
        is_directory = stat.S_ISDIR(status.st_mode)
        return Entry(
            path=name,
            is_directory=is_directory,
            size_bytes=0 if is_directory else status.st_size,
            modified_ns=status.st_mtime_ns,
            stamp=_stamp(status),
        )

    def _entry(self, descriptor: int, directory: str, key: Key) -> Entry | None:
        """None if it has gone in the meantime."""
        with suppress(errors.YardError):
            found = self._linked(descriptor, key[1])
            return Entry(
                path=joined(directory, key[1]),
                is_directory=found.is_directory,
                size_bytes=found.size_bytes,
                modified_ns=found.modified_ns,
                stamp=found.stamp,
            )
        return None

    def _add(self, children: Children, descriptor: int, entry: os.DirEntry[str]) -> None:
        if not is_text(entry.name):
            shown = os.fsencode(entry.name).decode("utf-8", "backslashreplace")
            children.leave(shown, "has a name that is not UTF-8")
        elif (reason := self._unusable(descriptor, entry)) is not None:
            children.leave(entry.name, reason)
        elif entry.is_dir(follow_symlinks=False):
            children.add(f"{entry.name}/")
        elif entry.is_symlink():
            with suppress(errors.YardError):
                found = self._linked(descriptor, entry.name)
                children.add(entry.name, found.size_bytes, found.modified_ns, found.stamp)
        else:
            with suppress(FileNotFoundError):
                status = entry.stat(follow_symlinks=False)
                children.add(entry.name, status.st_size, status.st_mtime_ns, _stamp(status))

    def _unusable(self, descriptor: int, entry: os.DirEntry[str]) -> str | None:
        is_directory = self._is_directory(descriptor, entry)
        if is_directory is None:
            return "is a link that leads out or nowhere" if entry.is_symlink() else "is no regular file"
        return "is a link to a directory" if is_directory and entry.is_symlink() else None


@contextmanager
def _reopened(place: int, flags: int) -> Iterator[int]:
    """The same file or directory, for reading: no name is looked up again."""
    descriptor = os.open(f"/proc/self/fd/{place}", flags | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _stamp(status: os.stat_result) -> int:
    """Not negative, as times before 1970 are."""
    return status.st_mtime_ns & ((1 << 63) - 1)


def _read(descriptor: int, offset: int, length: int) -> bytes:
    """Reads may be short on some file systems."""
    content = os.pread(descriptor, length, offset)
    while content and len(content) < length:
        more = os.pread(descriptor, length - len(content), offset + len(content))
        if not more:
            break
        content += more
    return content
