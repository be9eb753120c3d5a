"""What a share holds, and what is asked of it."""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field

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


@dataclass(slots=True)
class Children:
    """All entries of one directory in columns, as there may be a million; names of directories end in "/"."""

    names: list[str] = field(default_factory=list)
    sizes: "array[int]" = field(default_factory=lambda: array("q"))
    times: "array[int]" = field(default_factory=lambda: array("q"))
    unusable: list[Unusable] = field(default_factory=list)

    def add(self, name: str, size_bytes: int = 0, modified_ns: int = 0) -> None:
        """One more."""
        self.names.append(name)
        self.sizes.append(size_bytes)
        self.times.append(modified_ns)

    def ordered(self) -> Iterator[tuple[str, int, int]]:
        """Name, length and time, so that the paths of a whole tree come out in order of their characters."""
        for number in sorted(range(len(self.names)), key=self.names.__getitem__):
            yield self.names[number], self.sizes[number], self.times[number]


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
