"""What a share holds, and what is asked of it."""

import hashlib
from array import array
from collections.abc import Iterator
from dataclasses import dataclass

from yard.runtime import errors

MOST_PATH_CHARACTERS = 4096

Key = tuple[int, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A directory, or a file with its length; `path` is below the root of the share."""

    path: str
    is_directory: bool
    size_bytes: int = 0
    modified_ns: int = 0
    stamp: int = 0
    """Another one if the file has changed; 0 unknown."""

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]

    @property
    def key(self) -> Key:
        """Directories first, each part by name."""
        return (0 if self.is_directory else 1, self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unusable:
    """Something below a directory that cannot be taken, and why, in words for people."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which entries of a directory are listed; suffixes and lengths are asked of files only."""

    name_prefix: str = ""
    directories: bool = True
    files: bool = True
    suffixes: tuple[str, ...] = ()
    least_bytes: int | None = None
    most_bytes: int | None = None

    def takes_name(self, name: str, *, is_directory: bool) -> bool:
        """What can be told without the length."""
        if not name.startswith(self.name_prefix):
            return False
        if is_directory:
            return self.directories
        return self.files and (not self.suffixes or name.lower().endswith(self.suffixes))

    @property
    def asks_length(self) -> bool:
        """Whether the length of files counts."""
        return self.least_bytes is not None or self.most_bytes is not None

    def takes_length(self, size_bytes: int) -> bool:
        """Whether a file of this length is wanted."""
        is_long = self.least_bytes is None or size_bytes >= self.least_bytes
        return is_long and (self.most_bytes is None or size_bytes <= self.most_bytes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Entries in the order of their keys; `rest` is where the next page goes on, None after the last."""

    entries: tuple[Entry, ...]
    rest: Key | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Bytes of a file; `size_bytes` and `version` are those of the whole file when they were read."""

    content: bytes
    size_bytes: int
    version: str
    stamp: int = 0


class Children:
    """All entries of one directory in columns, as there may be a million."""

    def __init__(self) -> None:
        self._names: list[str] = []  # those of directories end in "/", which sorts whole paths
        self._sizes: array[int] = array("q")
        self._times: array[int] = array("q")
        self._stamps: array[int] = array("Q")
        self._reasons: list[str] = []

    def __len__(self) -> int:
        return len(self._names)

    def add(self, name: str, size_bytes: int = 0, modified_ns: int = 0, stamp: int = 0) -> None:
        """One more; the names of directories end in "/"."""
        self._names.append(name)
        self._sizes.append(size_bytes)
        self._times.append(modified_ns)
        self._stamps.append(stamp)

    def leave(self, name: str, reason: str) -> None:
        """One that is not usable."""
        self._reasons.append(reason)
        self.add(name, -len(self._reasons))

    def ordered(self, directory: str) -> Iterator[Entry | Unusable]:
        """Such that a walk gives the paths of a whole tree in order of their characters."""
        for number in sorted(range(len(self._names)), key=self._names.__getitem__):
            path, size_bytes = joined(directory, self._names[number]), self._sizes[number]
            if size_bytes < 0:
                yield Unusable(path=path, reason=self._reasons[-1 - size_bytes])
            else:
                yield Entry(
                    path=path.removesuffix("/"),
                    is_directory=path.endswith("/"),
                    size_bytes=size_bytes,
                    modified_ns=self._times[number],
                    stamp=self._stamps[number],
                )


def stamp_of(version: str) -> int:
    """A stamp from a text that names a version of a file, such as an ETag; 0 of an empty one."""
    return int.from_bytes(hashlib.sha256(version.encode()).digest()[:7], "big") if version else 0


def checked(path: str) -> str:
    """The path of a user, without slashes at its end; NotFound if it could name something outside."""
    bare = path.rstrip("/")
    is_root = path == ""
    if len(path) <= MOST_PATH_CHARACTERS and (is_root or is_plain(bare)):
        return bare
    raise absent(path)


def is_plain(path: str) -> bool:
    """Whether a path is made of names: no empty ones, no "." or "..", no NUL, and all of it text."""
    names = path.split("/")
    return is_text(path) and "\0" not in path and not any(name in ("", ".", "..") for name in names)


def is_text(name: str) -> bool:
    """Names that are not UTF-8 cannot be told in a message."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def absent(path: str) -> errors.NotFound:
    """The answer for what is not there, and for what lies outside."""
    return errors.NotFound("share entry", path[:256])


def joined(directory: str, name: str) -> str:
    """The path of an entry of a directory."""
    return f"{directory}/{name}" if directory else name
