"""What an exchange format says of itself."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from yard.export.archives.archive import Member
from yard.export.archives.opened import Opened
from yard.export.datasets.dataset import Dataset
from yard.export.formats.division import Division
from yard.export.intakes.intake import Intake
from yard.runtime import errors

Write = Callable[[Dataset], Iterator[Member]]
Read = Callable[[Opened, Intake], None]


def unread(opened: Opened, intake: Intake) -> None:
    """For formats whose reader is not written yet."""
    raise errors.Unimplemented(f"{opened.name}: files of this format cannot be imported in this release")


def unwritten(dataset: Dataset) -> Iterator[Member]:
    """For names under which files are imported only."""
    raise errors.Unimplemented("this is the name of formats to import, none to export to")


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A writer and a reader, both synchronous.

    `holds` and `keeps` list kinds and properties of objects in the words of the API. `write` gives the files
    of the archive in a fixed order; it reads the data set as often as it likes, a pass at a time, and tells
    it what it leaves out. `read` hands over what it finds, in any order, and refuses by `Intake.refuse` what
    is wrong; `bare` lists extensions of files that it also reads outside an archive. `division` tells how
    subsets are found in a data set with images, None: there are no files of images.
    """

    name: str
    version: str
    extension: str
    description: str
    holds: tuple[str, ...]
    keeps: tuple[str, ...] = ()
    for_interpolation: bool
    for_annotation: bool
    write: Write
    read: Read
    bare: tuple[str, ...] = ()
    division: Division | None = None

    @property
    def full_name(self) -> str:
        """Name by which clients ask for it."""
        return f"{self.name} {self.version}"
