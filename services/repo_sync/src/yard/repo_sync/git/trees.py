"""Tree objects as bytes: one entry is replaced, all others stay what they are, whatever their names."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

FILE: Final = b"100644"
FOLDER: Final = b"40000"

_FILES = frozenset({b"100644", b"100755", b"100664"})
_FOLDERS = frozenset({b"40000", b"040000"})


class DamagedTreeError(ValueError):
    """The bytes are no tree."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One name in a tree; `oid` is binary."""

    mode: bytes
    name: bytes
    oid: bytes

    @property
    def is_file(self) -> bool:
        """Whether it is a regular file: neither link, folder nor submodule."""
        return self.mode in _FILES

    @property
    def is_folder(self) -> bool:
        """Whether it is a tree."""
        return self.mode in _FOLDERS

    @property
    def packed(self) -> bytes:
        """As a tree has it."""
        return b"%s %s\0%s" % (self.mode, self.name, self.oid)

    @property
    def key(self) -> bytes:
        """Trees are sorted by this."""
        return self.name + b"/" if self.is_folder else self.name


def entries(tree: bytes, oid_bytes: int) -> Iterator[Entry]:
    """All entries in order."""
    at = 0
    while at < len(tree):
        space = tree.find(b" ", at, at + 8)
        end = tree.find(b"\0", space)
        if space < 0 or end < 0 or end + 1 + oid_bytes > len(tree):
            raise DamagedTreeError
        after = end + 1 + oid_bytes
        yield Entry(mode=tree[at:space], name=tree[space + 1 : end], oid=tree[end + 1 : after])
        at = after


def find(tree: bytes, name: bytes, oid_bytes: int) -> Entry | None:
    """The entry of that name."""
    return next((entry for entry in entries(tree, oid_bytes) if entry.name == name), None)


def without(tree: bytes, name: bytes, oid_bytes: int) -> bytes:
    """The tree with nothing of that name."""
    return b"".join(entry.packed for entry in entries(tree, oid_bytes) if entry.name != name)


def with_entry(tree: bytes, new: Entry) -> bytes:
    """The tree with that entry in place of the one of its name, or added where it belongs."""
    parts: list[bytes] = []
    is_placed = False
    for entry in entries(tree, len(new.oid)):
        if not is_placed and entry.key > new.key:
            parts.append(new.packed)
            is_placed = True
        if entry.name != new.name:
            parts.append(entry.packed)
    if not is_placed:
        parts.append(new.packed)
    return b"".join(parts)
