"""Writes docs/formats.md from the table of formats: `python -m services.export.tests.document`."""

import io
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from yard.annotations.model import ShapeKind
from yard.export.formats import FORMATS, IMPORT_ONLY
from yard.export.formats.format import Format, unread

from services.export.tests import contract
from services.export.tests.scenes import PROJECT, SCENES, box, images

FILE: Final = Path("docs/formats.md")
PROPERTIES: Final = ("attributes", "group", "occluded", "rotation", "source", "z_order")
KINDS: Final = ("tag", *(kind.name.lower() for kind in ShapeKind), "track")
_LAYOUT = images(
    "layout", box(0), *SCENES[3].tasks[0].objects.shapes, names=["a/one.jpg", "two.png", "3.png", "4.png"]
)
_INTRODUCTION = """# Formats

Made from the table of formats (`yard.export.formats`) and from what they write; change those and run
`python -m services.export.tests.document`.

## What they hold

Kinds and properties of objects that come back when an export is imported again. What a format cannot hold is
left out or written as something simpler; the result of an export counts it by kind and reason, a track once,
and an export may ask to be refused instead.
"""
_RULES = """## What holds for all of them

Exports:

- An archive has the same bytes for the same annotations. With images it has the files of the frames as they
  were uploaded, under their own names; without, annotations only.
- Frames of a video are called `frame_` and the number in the source, six digits at least. Deleted frames are
  left out.
- A task or job without a subset is the subset `default` (`train` in YOLO). A project's tasks share a subset
  if theirs are called alike; a name that another task has too gets `_1`, `_2` before its extension.
- Names that differ in the extension only keep it where a format wants names without one.
- Objects stand in the order of `z_order`; where its numbers have no place, those other than 0 are counted.
  `source` is not counted: what is imported comes from a file, unless the format tells otherwise.
- Attributes whose names are words of the format for something else are left out and counted.
- Members of a group stay objects of their own.

Imports:

- A zip, or one file where the format says so. Folders around everything do not matter.
- Labels and attributes are found by name, blanks around it aside. A label that the task does not have is
  refused; an attribute that the label does not have is counted as ignored; a value that is not allowed is
  refused.
- Frames are found by name, with or without folders and extension, or by the number in the source; start and
  step are those of the task. A name that fits several frames, or none, is refused.
- Boxes that reach over the edge of their frame are cut there where the format cannot mean it, and counted.
- Everything is checked before anything is changed. A file with faults changes nothing: the first 20 are told
  with file, line or object, and reason.
- Damaged archives, paths that lead out, archives that unpack to more than the limits, document types and
  entities, numbers that are not finite, and run lengths beyond the frame are refused, in bounded time and
  memory.
"""


def document() -> str:
    """The whole page."""
    parts = [_INTRODUCTION, *_table("holds", KINDS, lambda known: known.holds)]
    parts += ["", *_table("keeps", PROPERTIES, lambda known: known.keeps), "", _RULES]
    for known in FORMATS:
        parts += _section(known)
    parts += (line for known in IMPORT_ONLY for line in _import_only(known))
    return "\n".join(parts) + "\n"


def _table(head: str, columns: tuple[str, ...], has: Callable[[Format], tuple[str, ...]]) -> Iterator[str]:
    yield f"| {head} | {' | '.join(column.replace('_', ' ') for column in columns)} |"
    yield f"| --- |{' --- |' * len(columns)}"
    for known in FORMATS:
        yield f"| {known.full_name} | {' | '.join('yes' if one in has(known) else '' for one in columns)} |"


def _section(known: Format) -> Iterator[str]:
    fits = [name for name, does in _fits(known).items() if does]
    yield f"## {known.full_name}\n"
    yield f"{known.description}" + (f" It fits {' and '.join(fits)} best." if fits else "") + "\n"
    yield _words(known.write) + "\n"
    yield "Files, of a task with images:\n"
    yield from (f"- `{name}`" for name in _names(known))
    lost = sorted(_lost(known))
    if lost:
        yield "\nLeft out, or written as something simpler:\n"
        yield from (f"- {kind}: {reason}" for kind, reason in lost)
    yield ""
    if known.read is not unread:
        yield from _importing(known)


def _importing(known: Format) -> Iterator[str]:
    bare = " or ".join(f"`.{extension}`" for extension in known.bare)
    yield f"Import, from a zip{f' or a bare {bare}' if bare else ''}: {_words(known.read)}\n"


def _import_only(known: Format) -> Iterator[str]:
    yield f"## {known.full_name}\n"
    yield f"{known.description}\n"


def _fits(known: Format) -> dict[str, bool]:
    return {"videos": known.for_interpolation, "sets of images": known.for_annotation}


def _words(of: Callable[..., object]) -> str:
    """What the module of a writer or reader says of itself."""
    text = sys.modules[of.__module__].__doc__
    assert text
    return text.strip()


def _names(known: Format) -> list[str]:
    content, _ = contract.exported(known, _LAYOUT, with_images=True)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return archive.namelist()


def _lost(known: Format) -> set[tuple[str, str]]:
    """Kinds and reasons that any scene of the contract meets."""
    accounts = (contract.exported(known, scene)[1] for scene in (*SCENES, PROJECT))
    return {(one.kind, one.reason) for account in accounts for one in account}


if __name__ == "__main__":
    FILE.write_text(document())
