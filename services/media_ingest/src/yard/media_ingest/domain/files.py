"""What the given files are, and whether media can be made of them."""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, cast

import numpy as np
from yard.media_ingest.domain.arranged import Arranged
from yard.runtime.errors import InvalidArgument, Violation

Kind = Literal["video", "images"]
Material = Literal["video", "archive", "document", "images"]

_MOST_VIOLATIONS = 10
_ALONE: Mapping[str, str] = {"video": "a video", "archive": "an archive", "document": "a PDF"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the bytes of a file lie: in an object of the bucket from `offset` on, or in a file of a share.

    `key` is the object's, or the path below the root of `share`. Many small files may share one object.
    `stamp` tells whether a file of a share is still the one that was found, or is 0.
    """

    key: str
    offset: int = 0
    size_bytes: int
    share: str = ""
    stamp: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenFile:
    """A complete file that can be read; its first bytes say `family` and `format`, or "".

    `sha256` is hex or empty, `url` where it was fetched from, without user and password;
    `trouble` says why nothing can be made of it.
    """

    name: str
    size_bytes: int
    place: Place
    sha256: str
    family: str
    format: str
    url: str = ""
    trouble: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """A file that is left out, and why."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What media is made of: one video, archive or PDF, or one image and more in the order given."""

    material: Material
    files: Sequence[GivenFile]
    skipped: tuple[Skipped, ...]
    manifest: GivenFile | None = None
    """What describes the files."""
    members: GivenFile | None = None
    """What lists the members of the archive that are wanted."""

    @property
    def kind(self) -> Kind:
        """What becomes of it."""
        return "video" if self.material == "video" else "images"


def choose(files: Sequence[GivenFile]) -> Choice:
    """One video, one archive, one PDF, or all images; other files are skipped.

    InvalidArgument names the files that do not fit.
    """
    _refuse_repeated(files)
    alone: list[GivenFile] = []
    skipped: list[Skipped] = []
    positions = array("Q")
    for position, file in enumerate(files):
        if file.family == "image":
            positions.append(position)
        elif file.family in _ALONE:
            alone.append(file)
        else:
            skipped.append(Skipped(name=file.name, reason=_reason(file)))
    images = Arranged(files, positions)
    _refuse_company(alone, images)
    if alone:
        material = cast("Material", alone[0].family)
        return Choice(material=material, files=alone, skipped=tuple(skipped))
    if images:
        return Choice(material="images", files=images, skipped=tuple(skipped))
    raise nothing_left(skipped)


def _refuse_company(alone: Sequence[GivenFile], images: Sequence[GivenFile]) -> None:
    """A video, an archive or a PDF comes without others: names those that are too many."""
    if images and alone:
        first = images[0].name
        raise _refusal(
            (file.name, f"is {_ALONE[file.family]} among images such as {first}: give either")
            for file in alone[:_MOST_VIOLATIONS]
        )
    if len(alone) > 1:
        first_kind, name = alone[0].family, alone[0].name
        raise _refusal(
            (file.name, f"is {_besides(file.family, first_kind)} besides {name}: give one of them a task")
            for file in alone[1 : _MOST_VIOLATIONS + 1]
        )


def _besides(family: str, first: str) -> str:
    return f"a second {_ALONE[family].split()[1]}" if family == first else _ALONE[family]


def nothing_left(skipped: Sequence[Skipped]) -> InvalidArgument:
    """No file is media: names the first ten."""
    return _refusal((file.name, file.reason) for file in skipped[:_MOST_VIOLATIONS])


def _reason(file: GivenFile) -> str:
    if file.trouble:
        return file.trouble
    return "is neither an image nor a video" if file.size_bytes else "is empty"


def _refuse_repeated(files: Sequence[GivenFile]) -> None:
    hashes = np.fromiter((hash(file.name) for file in files), "i8", len(files))
    if len(np.unique(hashes)) == len(files):  # the usual case, which holds no names
        return
    names: set[str] = set()
    for file in files:
        if file.name in names:
            raise _refusal([(file.name, "is the name of two files")])
        names.add(file.name)


def _refusal(faults: Iterable[tuple[str, str]]) -> InvalidArgument:
    violations = [Violation(name, description) for name, description in faults]
    return InvalidArgument(
        "; ".join(f"{violation.field} {violation.description}" for violation in violations),
        violations,
        reason="MEDIA_UNUSABLE",
        metadata={"file": violations[0].field},
    )
