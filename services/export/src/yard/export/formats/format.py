"""What an exchange format says of itself."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from yard.export.formats.archive import Member
from yard.export.formats.dataset import Dataset

Write = Callable[[Dataset], Iterator[Member]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A writer; `holds` lists kinds of objects in the words of the API."""

    name: str
    version: str
    extension: str
    description: str
    holds: tuple[str, ...]
    for_interpolation: bool
    for_annotation: bool
    write: Write

    @property
    def full_name(self) -> str:
        """Name by which clients ask for it."""
        return f"{self.name} {self.version}"
