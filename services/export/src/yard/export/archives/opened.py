"""An uploaded file as readers see it: an archive with members, or one bare file."""

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple, Protocol


class Entry(NamedTuple):
    """A regular file of an archive; the name is a label with forward slashes, never a path to write to."""

    name: str
    size: int
    """Length after unpacking, bytes."""


class Opened(Protocol):
    """What a reader may ask for, all of it in bounded memory; limits of size and ratio hold while reading.

    What is wrong with the archive itself raises RefusedError, also from reads of a member.
    """

    name: str
    """File name that it was uploaded with."""
    count: int
    """How many files `entries` has."""

    def entries(self) -> Iterator[Entry]:
        """All files in the order of the archive; a bare file is its own only entry."""

    def find(self, name: str) -> Entry | None:
        """The file with this name, however deep the archive's own outermost folder; None if there is none."""

    def open(self, entry: Entry) -> BinaryIO:
        """Its bytes, readable once from the front; members may be opened again, and several at a time."""
