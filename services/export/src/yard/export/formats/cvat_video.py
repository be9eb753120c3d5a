"""CVAT for video 1.1: tracks frame by frame; a single shape is a track that ends on the next frame.

Differs from CVAT in one point: every shape is closed unless it lies on the very last frame.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import count

from yard.annotations.interpolation import Path
from yard.annotations.model import Keyframe, Shape, Track
from yard.export.formats import media
from yard.export.formats.archive import Member
from yard.export.formats.cvat_meta import head
from yard.export.formats.cvat_shapes import ELEMENTS, geometry, group, identity, values
from yard.export.formats.dataset import Dataset
from yard.export.formats.format import Format
from yard.export.formats.xml_text import nested

TAGS = "a video has tracks only, a frame as a whole cannot have a label"


def write(dataset: Dataset) -> Iterator[Member]:
    """`annotations.xml` and, if wanted, `images/`."""
    yield Member(name="annotations.xml", content=_document(dataset))
    yield from media.members(dataset, "images")


def _document(dataset: Dataset) -> Iterator[bytes]:
    yield b'<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n'
    yield head(dataset).encode()
    numbers = count()
    for track in dataset.tracks():
        yield from _track(dataset, next(numbers), track, _states(track, dataset.subject.last))
        dataset.done = (track.first_frame - dataset.subject.first) / dataset.subject.size
    for shape in dataset.shapes():
        track, states = _of_shape(shape, dataset.subject.last)
        yield from _track(dataset, next(numbers), track, states, fixed=shape.attributes)
    if tags := sum(1 for _ in dataset.tags()):
        dataset.leave_out("tag", TAGS, tags)
    yield b"</annotations>\n"


def _states(track: Track, last: int) -> Iterator[tuple[Keyframe, bool]]:
    """Each frame on which the track is visible, and its keyframes outside; with whether it is a keyframe."""
    path = Path(track)
    for frame in range(track.first_frame, last + 1):
        state, is_keyframe = path.at(frame), path.is_keyframe(frame)
        if state is not None and (is_keyframe or not state.outside):
            yield state, is_keyframe
        if state is not None and state.outside and frame >= track.keyframes[-1].frame:
            return


def _of_shape(shape: Shape, last: int) -> tuple[Track, Iterable[tuple[Keyframe, bool]]]:
    keyframes = [
        Keyframe(
            frame=frame,
            kind=shape.kind,
            points=shape.points,
            rotation=shape.rotation,
            occluded=shape.occluded,
            outside=frame > shape.frame,
            z_order=shape.z_order,
        )
        for frame in (shape.frame, shape.frame + 1)
        if frame <= last
    ]
    track = Track(label_id=shape.label_id, group=shape.group, source=shape.source, keyframes=tuple(keyframes))
    return track, [(keyframe, True) for keyframe in keyframes]


def _track(
    dataset: Dataset,
    number: int,
    track: Track,
    states: Iterable[tuple[Keyframe, bool]],
    fixed: Mapping[int, str] | None = None,
) -> Iterator[bytes]:
    whose = identity(dataset.subject.labels, track.label_id, track.source)
    immutable = track.attributes if fixed is None else fixed
    yield f'  <track id="{number}"{whose}{group(track.group)}>\n'.encode()
    for state, is_keyframe in states:
        yield _state(dataset, track.label_id, immutable, state, is_keyframe=is_keyframe).encode()
    yield b"  </track>\n"


def _state(
    dataset: Dataset, label_id: int, fixed: Mapping[int, str], state: Keyframe, *, is_keyframe: bool
) -> str:
    written = (
        f' frame="{dataset.source_number(state.frame)}" keyframe="{is_keyframe:d}" '
        f'outside="{state.outside:d}" occluded="{state.occluded:d}"'
        f'{geometry(state.kind, state.points, state.rotation)} z_order="{state.z_order}"'
    )
    given = dataset.attributes(label_id, fixed, state.attributes)
    lines = (values(dataset.subject.labels, label_id, given, 3),)
    return nested(2, ELEMENTS[state.kind], lines, written)


CVAT_FOR_VIDEO = Format(
    name="CVAT for video",
    version="1.1",
    extension="zip",
    description="XML with tracks over frames. Single shapes become tracks of one frame; tags are left out.",
    holds=("rectangle", "polygon", "polyline", "points", "ellipse", "cuboid", "mask", "track"),
    for_interpolation=True,
    for_annotation=False,
    write=write,
)
