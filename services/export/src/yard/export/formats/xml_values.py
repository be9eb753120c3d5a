"""Values of attributes that XML cannot hold, as people can type nearly all characters."""

from collections.abc import Collection, Iterable, Iterator

from yard.annotations.model import ShapeKind, Track
from yard.export.datasets.dataset import Dataset
from yard.export.datasets.parts import Part
from yard.export.wording.xml_text import can_hold

REPLACED = "characters that XML cannot hold are written as U+FFFD"


def account_values(dataset: Dataset, kinds: Collection[ShapeKind], *, has_tags: bool = False) -> None:
    """Counts them in objects of the kinds that are written with their attributes; of a track each once."""
    for part in dataset.parts:
        # Most tasks have none, and are not read for them.
        if not part.fits_xml and (count := sum(_counts(part, kinds, has_tags=has_tags))):
            dataset.leave_out("attribute", REPLACED, count)


def _counts(part: Part, kinds: Collection[ShapeKind], *, has_tags: bool) -> Iterator[int]:
    for tag in part.tags() if has_tags else ():
        yield _wrong(tag.attributes)
    for shape in part.shapes():
        if shape.kind in kinds:
            yield _wrong(shape.attributes)
    for track in part.tracks():
        if track.keyframes[0].kind in kinds:
            yield _wrong(_values(part, track))


def _values(part: Part, track: Track) -> Iterator[tuple[int, str]]:
    """All that it has anywhere, and defaults."""
    yield from part.subject.labels.completed(track.label_id, track.attributes).items()
    for keyframe in track.keyframes:
        yield from keyframe.attributes.items()


def _wrong(values: Iterable[tuple[int, str]]) -> int:
    return len({id_ for id_, value in values if not can_hold(value)})
