"""What the given files are, and whether media can be made of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from yard.runtime.errors import InvalidArgument, Violation

Kind = Literal["video", "images"]

_MOST_VIOLATIONS = 10
_LATER = {
    "archive": "is an archive ({format}), which this release does not unpack",
    "document": "is a document ({format}), which this release does not read",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the bytes of a file lie: in an object of the bucket from `offset` on, or in a file of a share.

    `key` is the object's, or the path below the root of `share`. Many small files may share one object.
    """

    key: str
    offset: int = 0
    size_bytes: int
    share: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenFile:
    """A complete file that can be read; its first bytes say `family` and `format`, or "".

    `sha256` is hex or empty, `url` where it was fetched from, without user and password.
    """

    name: str
    size_bytes: int
    place: Place
    sha256: str
    family: str
    format: str
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """A file that is left out, and why."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What media is made of: one video, or one image and more in the order given."""

    kind: Kind
    files: tuple[GivenFile, ...]
    skipped: tuple[Skipped, ...]


def choose(files: Sequence[GivenFile]) -> Choice:
    """One video or all images; other files are skipped. InvalidArgument names the files that do not fit."""
    _refuse_repeated(files)
    _refuse_later(files)
    videos = [file for file in files if file.family == "video"]
    images = [file for file in files if file.family == "image"]
    others = (file for file in files if file.family not in ("video", "image"))
    skipped = tuple(Skipped(name=file.name, reason=_reason(file)) for file in others)
    if len(videos) > 1:
        raise _refusal(
            [(videos[1].name, f"is a second video besides {videos[0].name}: give one video a task")]
        )
    if videos and images:
        raise _refusal([(videos[0].name, f"is a video among images such as {images[0].name}: give either")])
    if videos or images:
        kind: Kind = "video" if videos else "images"
        return Choice(kind=kind, files=tuple(videos or images), skipped=skipped)
    raise nothing_left(skipped)


def nothing_left(skipped: Sequence[Skipped]) -> InvalidArgument:
    """No file is media: names the first ten."""
    return _refusal((file.name, file.reason) for file in skipped[:_MOST_VIOLATIONS])


def _reason(file: GivenFile) -> str:
    return "is neither an image nor a video" if file.size_bytes else "is empty"


def _refuse_repeated(files: Sequence[GivenFile]) -> None:
    names: set[str] = set()
    for file in files:
        if file.name in names:
            raise _refusal([(file.name, "is the name of two files")])
        names.add(file.name)


def _refuse_later(files: Sequence[GivenFile]) -> None:
    later = [file for file in files if file.family in _LATER]
    if later:
        first = later[:_MOST_VIOLATIONS]
        raise _refusal((file.name, _LATER[file.family].format(format=file.format)) for file in first)


def _refusal(faults: Iterable[tuple[str, str]]) -> InvalidArgument:
    violations = [Violation(name, description) for name, description in faults]
    return InvalidArgument(
        "; ".join(f"{violation.field} {violation.description}" for violation in violations),
        violations,
        reason="MEDIA_UNUSABLE",
        metadata={"file": violations[0].field},
    )
