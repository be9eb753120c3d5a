"""Made tasks of annotated video: boxes that wander over the picture, each job drawn by another hand.

What two jobs draw on the frames that they share differs by about a pixel, so that merging has to look. With
`origins` the objects were written at the level of the task instead: every job holds a cut of the same track.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from yard.annotations.merge import JobAnnotations
from yard.annotations.model import AnnotationSet, Keyframe, Shape, ShapeKind, Track
from yard.annotations.slicing import Window, slice_track

WIDTH: Final = 1920
HEIGHT: Final = 1080
LABELS: Final = 4
_HAND_PX: Final = 1.0

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Frames, how they are cut into jobs, and how many objects wander over all of them."""

    frames: int
    segment: int
    overlap: int
    objects: int
    spacing: int = 1
    """Frames from one keyframe to the next."""
    turned: bool = False

    def windows(self) -> list[Window]:
        """The frames of each job."""
        starts = range(0, max(1, self.frames - self.overlap), self.segment - self.overlap)
        return [Window(start, min(start + self.segment, self.frames) - 1) for start in starts]

    def boxes(self, frames: Sequence[int]) -> Floats:
        """Boxes (objects, frames, 5): left, top, right, bottom, rotation."""
        random = np.random.default_rng(7)
        frame = np.array(frames)
        sizes = random.uniform(50, 120, (2, self.objects, 1))
        centres = [
            _there_and_back(random.uniform(0, 2 * limit, (self.objects, 1)), speed, frame, limit)
            for limit, speed in (
                (WIDTH - 130, random.uniform(-4, 4, (self.objects, 1))),
                (HEIGHT - 130, random.uniform(-2, 2, (self.objects, 1))),
            )
        ]
        low = [centre + 5 for centre in centres]
        high = [corner + size for corner, size in zip(low, sizes, strict=True)]
        rotation = (frame * 0.5 + random.uniform(0, 360, (self.objects, 1))) % 360 * self.turned
        return np.stack([*low, *high, rotation], axis=2)

    def keyframes(self, window: Window) -> list[int]:
        """The frames of a window on which its tracks have keyframes."""
        return sorted({*range(window.first, window.last + 1, self.spacing), window.last})


def _there_and_back(start: Floats, speed: Floats, frame: NDArray[np.int64], limit: int) -> Floats:
    """Places 0..limit of things that turn at the borders."""
    place = (start + speed * frame) % (2 * limit)
    return np.minimum(place, 2 * limit - place)


def as_shapes(scene: Scene) -> list[JobAnnotations]:
    """Each box of each frame as a shape of its own, in every job that has the frame."""
    ids = iter(range(1, 1 << 62))
    return [
        _job(number, window, shapes=_shapes(scene, window, number, ids))
        for number, window in enumerate(scene.windows(), 1)
    ]


def as_tracks(scene: Scene, *, origins: bool = False) -> list[JobAnnotations]:
    """Each object as a track a job, or cut from one track of the task if `origins` are asked for."""
    ids = iter(range(1, 1 << 62))
    windows = scene.windows()
    if origins:
        whole = list(_tracks(scene, Window(0, scene.frames - 1), 0, ids))
        return [_cut(whole, window, number, ids) for number, window in enumerate(windows, 1)]
    return [
        _job(number, window, tracks=_tracks(scene, window, number, ids))
        for number, window in enumerate(windows, 1)
    ]


def _job(
    number: int, window: Window, *, shapes: Iterable[Shape] = (), tracks: Iterable[Track] = ()
) -> JobAnnotations:
    annotations = AnnotationSet(shapes=tuple(shapes), tracks=tuple(tracks))
    return JobAnnotations(job_id=number, first=window.first, last=window.last, annotations=annotations)


def _by_hand(scene: Scene, frames: Sequence[int], number: int) -> Floats:
    """The boxes on some frames as one person draws them."""
    drawn = scene.boxes(frames)
    drawn[:, :, :4] += np.random.default_rng(number).uniform(-_HAND_PX, _HAND_PX, drawn[:, :, :4].shape)
    return np.round(drawn, 2)


def _shapes(scene: Scene, window: Window, number: int, ids: Iterator[int]) -> Iterator[Shape]:
    frames = range(window.first, window.last + 1)
    drawn = _by_hand(scene, frames, number).transpose(1, 0, 2).tolist()
    for frame, boxes in zip(frames, drawn, strict=True):
        for place, box in enumerate(boxes):
            yield Shape(
                id=next(ids),
                job_id=number,
                frame=frame,
                label_id=1 + place % LABELS,
                kind=ShapeKind.RECTANGLE,
                points=tuple(box[:4]),
                rotation=box[4],
            )


def _tracks(scene: Scene, window: Window, number: int, ids: Iterator[int]) -> Iterator[Track]:
    frames = scene.keyframes(window)
    for place, path in enumerate(_by_hand(scene, frames, number).tolist()):
        keyframes = tuple(
            Keyframe(frame=frame, kind=ShapeKind.RECTANGLE, points=tuple(box[:4]), rotation=box[4])
            for frame, box in zip(frames, path, strict=True)
        )
        yield Track(id=next(ids), job_id=number, label_id=1 + place % LABELS, keyframes=keyframes)


def _cut(whole: Sequence[Track], window: Window, number: int, ids: Iterator[int]) -> JobAnnotations:
    cuts = ((track, slice_track(track, window)) for track in whole)
    tracks = [
        replace(cut, id=next(ids), job_id=number, origin=f"track {track.id}")
        for track, cut in cuts
        if cut is not None
    ]
    return _job(number, window, tracks=tracks)
