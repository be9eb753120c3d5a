"""One task of a data set: its frames and objects, spooled as they came, read as often as a format likes."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import repeat
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np
from frameyard.annotation.v1.columnar_pb2 import ColumnarBatch
from frameyard.media.v1.media_pb2 import FrameInfo
from frameyard.media.v1.media_service_pb2 import ListFramesResponse
from yard.annotations.batch import Batch, ObjectKind
from yard.annotations.columnar import TrackReader
from yard.annotations.model import Track
from yard.export.datasets.columns import (
    AtFrames,
    Completion,
    by_frame,
    drawn_of,
    in_order,
    shown,
    tagged_of,
    z_order_of,
)
from yard.export.datasets.cutting import cut_stream, stretches_of
from yard.export.datasets.deletion import without_deleted
from yard.export.datasets.drawn import Drawn, Frame, Picture, Tagged
from yard.export.datasets.moving import moving
from yard.export.datasets.names import Names
from yard.export.datasets.spool import Spool, Strand
from yard.export.datasets.stretches import Stretches, numbers_of
from yard.export.datasets.walking import all_states, walking
from yard.export.domain import Subject
from yard.export.wording.xml_text import can_hold
from yard.media.selection import FrameSelection
from yard.runtime import errors

# CVAT spells it so.
VIDEO_EXTENSION = ".PNG"
_make_frame = partial(tuple.__new__, Frame)
_make_picture = partial(tuple.__new__, Picture)
_track_of = attrgetter("track")


class Spools(NamedTuple):
    """What all parts of a data set write to: its number of open files does not grow with that of tasks."""

    frames: Spool
    tags: Spool
    shapes: Spool
    tracks: Spool
    stretches: Spool


class Part:
    """The frames and objects of one task or job; all orders are those of frames."""

    def __init__(self, subject: Subject, number: int, spools: Spools) -> None:
        self.subject = subject
        self.number = number
        self.done = 0.0
        self._selection = FrameSelection(start=subject.start_frame, step=subject.frame_step)
        self._completion = Completion(subject.labels)
        self._names, self._place = Names([self.file_names]), 0
        self._frames, self._tags, self._shapes, self._tracks = map(Strand, spools[:4])
        self._stretches = Stretches(spools.stretches)
        self._is_cut = False
        self.fits_xml = all(
            can_hold(one.default) for label in subject.labels.labels for one in label.attributes
        )
        """Whether XML can hold all values of attributes as they are."""

    @property
    def is_video(self) -> bool:
        """Whether its frames come from a video."""
        return self.subject.mode == "interpolation"

    def add_frames(self, page: ListFramesResponse) -> None:
        """Takes a page of frames, in order."""
        self._frames.append(page.SerializeToString())

    def add_batch(self, batch: ColumnarBatch) -> None:
        """Takes a batch of the stream, in its order."""
        self.fits_xml = self.fits_xml and can_hold("".join(batch.strings))
        strands: dict[Any, Strand] = {ObjectKind.TAG: self._tags, ObjectKind.SHAPE: self._shapes}
        strands.get(batch.object_kind, self._tracks).append(batch.SerializeToString())

    def share_names(self, names: Names, place: int) -> None:
        """Takes names that are unique in a subset, among whose parts this is number `place`."""
        self._names, self._place = names, place

    def source_number(self, frame: int) -> int:
        """Number in the source of a relative frame."""
        return self._selection.absolute(frame)

    def shown_from(self, frame: int) -> int | None:
        """The first frame from this one on that is not deleted, None if there is none."""
        place = bisect_right(self.subject.deleted, frame, key=lambda run: run[0]) - 1
        if place >= 0 and frame <= self.subject.deleted[place][1]:
            return self.shown_from(self.subject.deleted[place][1] + 1)
        return frame if frame <= self.subject.last else None

    def file_names(self) -> Iterator[list[str]]:
        """Names of files as they are in the source, a page at a time, but for deleted frames."""
        for page in self._pages():
            yield self._file_names(page)

    def frames(self) -> Iterator[Frame]:
        """All frames that are not deleted, in order."""
        first = 0
        for page in self._pages():
            names = self._file_names(page)
            files, items = self._names.of(self._place, names, first)
            first += len(page)
            columns = (
                [info.frame for info in page],
                [info.source_frame for info in page],
                [file[: -len(VIDEO_EXTENSION)] for file in files] if self.is_video else files,
                files,
                items,
                [info.width for info in page],
                [info.height for info in page],
                repeat(self.number, len(page)),
            )
            begin, size = self.subject.first, self.subject.size
            for frame in map(_make_frame, zip(*columns, strict=True)):
                self.done = (frame[0] - begin) / size
                yield frame

    def tags(self) -> Iterator[Tagged]:
        """All tags by frame, but for those on deleted frames."""
        for batch in self._kept(self._tags):
            yield from tagged_of(batch, self._completion).rows

    def shapes(self) -> Iterator[Drawn]:
        """All shapes by frame, but for those on deleted frames."""
        for batch in self._kept(self._shapes):
            yield from drawn_of(batch, self._completion).rows

    def tracks(self) -> Iterator[Track]:
        """All tracks by first frame, as they are kept: attributes without defaults."""
        last = -1
        for track in self._read_tracks():
            if track.first_frame < last:
                raise errors.Internal(
                    f"annotations came out of order: frame {track.first_frame} after {last}"
                )
            last = track.first_frame
            yield track

    def states(self, number: int, track: Track) -> Iterator[tuple[Drawn, bool]]:
        """The states of a track on each frame from its first keyframe on, with whether it is outside.

        Around deleted frames that hide a keyframe the states are marked as keyframes: they say the same.
        """
        found = self._states(number, track)
        return without_deleted(found, self.shown_from) if self.subject.deleted else found

    def pictures(self) -> Iterator[Picture]:
        """Each frame with its tags, shapes and the states of tracks that are visible there."""
        completion, first, last = self._completion, self.subject.first, self.subject.last
        self._cut_tracks()
        tags = AtFrames(by_frame(tagged_of(batch, completion) for batch in self._kept(self._tags)))
        shapes = AtFrames(by_frame(drawn_of(batch, completion) for batch in self._kept(self._shapes)))
        tracked = [AtFrames(moving(self._stretches, numbers, first, last)) for numbers in (4, 16)]
        tracked.append(AtFrames(walking(self._stretches, first, last)))
        is_tracked = bool(self._tracks)
        for frame in self.frames():
            objects = shapes.at(frame[0])
            if is_tracked:
                objects = _with_tracks(objects, [states.at(frame[0]) for states in tracked])
            yield _make_picture((frame, objects, tags.at(frame[0])))

    def _states(self, number: int, track: Track) -> Iterator[tuple[Drawn, bool]]:
        for stretch in stretches_of(track, number, self._completion):
            yield from all_states(stretch, numbers_of(stretch.keyframes.heads), self.subject.last)

    def _file_names(self, page: list[FrameInfo]) -> list[str]:
        extension = VIDEO_EXTENSION if self.is_video else ""
        return [info.name + extension for info in page]

    def _pages(self) -> Iterator[list[FrameInfo]]:
        """All frames that are not deleted, a page at a time."""
        deleted = self.subject.deleted
        for record in self._frames:
            page = list(ListFramesResponse.FromString(record).frames)
            if deleted:
                numbers = np.fromiter((info.frame for info in page), dtype=np.int64, count=len(page))
                page = [
                    info for info, is_shown in zip(page, shown(numbers, deleted), strict=True) if is_shown
                ]
            yield page

    def _kept(self, strand: Strand) -> Iterator[Batch]:
        return in_order(_batches(strand), self.subject.deleted)

    def _cut_tracks(self) -> None:
        if not self._is_cut:
            cut_stream(self._stretches.add, _batches(self._tracks), self._completion)
            self._is_cut = True

    def _read_tracks(self) -> Iterator[Track]:
        reader = TrackReader()
        for batch in _batches(self._tracks):
            yield from reader.feed(batch)
        yield from reader.close()


def _with_tracks(shapes: list[Drawn], tracked: Iterable[list[Drawn]]) -> list[Drawn]:
    """All objects of a frame by z order: shapes, then tracks by number."""
    found = [states for states in tracked if states]
    if not found:
        return shapes
    (states, *others) = found
    for other in others:
        states += other
    if others:
        states.sort(key=_track_of)
    states = shapes + states
    states.sort(key=z_order_of)
    return states


def _batches(strand: Strand) -> Iterator[Batch]:
    return (Batch.of(ColumnarBatch.FromString(record)) for record in strand)
