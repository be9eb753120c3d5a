"""What must hold of a track as a whole; its keyframes one by one are checked like shapes."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final

from yard.annotations.batch import LARGEST_BATCH
from yard.annotations.labels import LabelSchema
from yard.annotations.model import Keyframe, ShapeKind
from yard.export.intakes.intake import FoundTrack

LARGEST_CONTENT: Final = 1 << 20
"""Numbers and characters after which a batch ends: some MiB at most."""


def in_order(track: FoundTrack) -> FoundTrack:
    """Keyframes ascending by frame."""
    if all(one.frame <= other.frame for one, other in pairwise(track.keyframes)):
        return track
    return track._replace(keyframes=sorted(track.keyframes, key=lambda keyframe: keyframe.frame))


def is_never_seen(track: FoundTrack) -> bool:
    """Whether no job would have anything of it."""
    return bool(track.keyframes) and all(keyframe.outside for keyframe in track.keyframes)


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


def characters(attributes: Mapping[int, str]) -> int:
    """Length of all values."""
    return sum(map(len, attributes.values()))


def content_of(track: FoundTrack) -> int:
    """Numbers and characters."""
    numbers = sum(len(keyframe.points) for keyframe in track.keyframes)
    texts = sum(characters(keyframe.attributes) for keyframe in track.keyframes if keyframe.attributes)
    return numbers + texts + characters(track.attributes)


def cuts(keyframes: Sequence[Keyframe]) -> Iterator[tuple[int, int]]:
    """Runs of keyframes that fit into a batch each."""
    begin = content = 0
    for place, keyframe in enumerate(keyframes):
        content += len(keyframe.points) + (characters(keyframe.attributes) if keyframe.attributes else 0)
        if place + 1 - begin >= LARGEST_BATCH or content >= LARGEST_CONTENT:
            yield begin, place + 1
            begin, content = place + 1, 0
    if begin < len(keyframes):
        yield begin, len(keyframes)
