"""What must hold of a track as a whole; its keyframes one by one are checked like shapes."""

from collections.abc import Iterator, Mapping
from itertools import pairwise

from yard.annotations.labels import LabelSchema
from yard.annotations.model import ShapeKind
from yard.export.intakes.intake import FoundTrack


def in_order(track: FoundTrack) -> FoundTrack:
    """Keyframes ascending by frame."""
    if all(one.frame <= other.frame for one, other in pairwise(track.keyframes)):
        return track
    return track._replace(keyframes=sorted(track.keyframes, key=lambda keyframe: keyframe.frame))


def faults_of(track: FoundTrack, labels: LabelSchema) -> Iterator[str]:
    """What is wrong with a track whose keyframes are in order."""
    if not track.keyframes:
        yield "the track has no keyframes"
        return
    yield from _keyframe_faults(track)
    yield from _attribute_faults(track, labels)


def _keyframe_faults(track: FoundTrack) -> Iterator[str]:
    for one, other in pairwise(track.keyframes):
        if one.frame == other.frame:
            yield f"frame {one.frame} has more than one keyframe"
    kinds = {keyframe.kind for keyframe in track.keyframes}
    if ShapeKind.MASK in kinds:
        yield "masks cannot be tracked"
    elif len(kinds) > 1:
        yield f"the track mixes {' and '.join(sorted(kind.name.lower() for kind in kinds))}"
    if all(keyframe.outside for keyframe in track.keyframes):
        yield "the object is outside on every keyframe"


def _attribute_faults(track: FoundTrack, labels: LabelSchema) -> Iterator[str]:
    """Immutable attributes belong to the track, mutable ones to its keyframes."""
    schema = labels.attributes(track.label_id)
    wrong = _wrong(track.attributes, {key for key, one in schema.items() if not one.mutable})
    mutable = {key for key, one in schema.items() if one.mutable}
    for keyframe in track.keyframes:
        if keyframe.attributes:
            wrong = wrong or _wrong(keyframe.attributes, mutable)
    if wrong:
        yield f"attribute {wrong} stands at the track instead of its keyframes, or the other way round"
    for key, text in track.attributes.items():
        if key in schema and (fault := schema[key].fault_of(text)):
            yield f"attribute {schema[key].name!r}: {fault}"


def _wrong(given: Mapping[int, str], allowed: set[int]) -> int:
    return next((key for key in given if key not in allowed), 0)
