"""One task of a data set: its frames and objects, spooled as they came, read as often as a format likes."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from typing import Any, Generic, TypeVar

from frameyard.annotation.v1.columnar_pb2 import ColumnarBatch
from frameyard.media.v1.media_service_pb2 import ListFramesResponse
from yard.annotations.batch import Batch, ObjectKind
from yard.annotations.columnar import TrackReader, decode_shapes, decode_tags
from yard.annotations.interpolation import Path
from yard.annotations.model import Attributes, Keyframe, Shape, Tag, Track
from yard.export.domain import Subject
from yard.export.formats.drawn import Drawn, Frame, Picture, Tagged, Values
from yard.export.formats.spool import Spool
from yard.media.selection import FrameSelection
from yard.runtime import errors

Item = TypeVar("Item")
# CVAT spells it so.
VIDEO_EXTENSION = ".PNG"


class Part:
    """The frames and objects of one task or job; all orders are those of frames."""

    def __init__(self, subject: Subject, number: int, memory_bytes: int, closing: ExitStack) -> None:
        self.subject = subject
        self.number = number
        self.done = 0.0
        self._selection = FrameSelection(start=subject.start_frame, step=subject.frame_step)
        frames, tags, shapes, tracks = (closing.enter_context(Spool(memory_bytes)) for _ in range(4))
        self._frames, self._tags, self._shapes, self._tracks = frames, tags, shapes, tracks

    @property
    def is_video(self) -> bool:
        """Whether its frames come from a video."""
        return self.subject.mode == "interpolation"

    def add_frames(self, page: ListFramesResponse) -> None:
        """Takes a page of frames, in order."""
        self._frames.append(page.SerializeToString())

    def add_batch(self, batch: ColumnarBatch) -> None:
        """Takes a batch of the stream, in its order."""
        spools: dict[Any, Spool] = {ObjectKind.TAG: self._tags, ObjectKind.SHAPE: self._shapes}
        spools.get(batch.object_kind, self._tracks).append(batch.SerializeToString())

    def source_number(self, frame: int) -> int:
        """Number in the source of a relative frame."""
        return self._selection.absolute(frame)

    def frames(self) -> Iterator[Frame]:
        """All frames that are not deleted, in order."""
        for record in self._frames:
            for info in ListFramesResponse.FromString(record).frames:
                self.done = (info.frame - self.subject.first) / self.subject.size
                file_name = info.name + VIDEO_EXTENSION if self.is_video else info.name
                yield Frame(
                    info.frame,
                    info.source_frame,
                    info.name,
                    file_name,
                    file_name.rpartition(".")[0] or file_name,
                    info.width,
                    info.height,
                    self.number,
                )

    def tags(self) -> Iterator[Tagged]:
        """All tags by frame."""
        for tag in _ascending(
            (tag for batch in _batches(self._tags) for tag in decode_tags(batch)), _frame_of
        ):
            values = self._values(tag.label_id, tag.attributes)
            yield Tagged(tag.frame, tag.label_id, tag.group, tag.source, values)

    def shapes(self) -> Iterator[Drawn]:
        """All shapes by frame."""
        found = (shape for batch in _batches(self._shapes) for shape in decode_shapes(batch))
        return map(self._of_shape, _ascending(found, _frame_of))

    def tracks(self) -> Iterator[Track]:
        """All tracks by first frame, as they are kept: attributes without defaults."""
        return _ascending(self._read_tracks(), lambda track: track.first_frame)

    def states(self, number: int, track: Track) -> Iterator[tuple[Drawn, bool]]:
        """The states of a track on each frame from its first keyframe on, with whether it is outside."""
        path = Path(track)
        for frame in range(track.first_frame, self.subject.last + 1):
            state, is_keyframe = path.at(frame), path.is_keyframe(frame)
            if state is not None and (is_keyframe or not state.outside):
                yield self._of_track(track, state, number, is_keyframe=is_keyframe), state.outside
            if state is not None and state.outside and frame >= track.keyframes[-1].frame:
                return

    def pictures(self) -> Iterator[Picture]:
        """Each frame with its tags, shapes and the states of tracks that are visible there."""
        tags, shapes = _Cursor(self.tags(), _frame_of), _Cursor(self.shapes(), _frame_of)
        tracks = _Cursor(self.tracks(), lambda track: track.first_frame)
        moving: list[tuple[int, Track, Path]] = []
        count = 0
        for frame in self.frames():
            begun = [
                (number, track, Path(track)) for number, track in enumerate(tracks.upto(frame.number), count)
            ]
            count += len(begun)
            moving = [one for one in moving + begun if not _is_over(one[1], frame.number)]
            objects = shapes.upto(frame.number)
            objects += self._visible(moving, frame.number)
            objects.sort(key=lambda drawn: drawn.z_order)
            yield Picture(frame, objects, tags.upto(frame.number))

    def _visible(self, moving: Iterable[tuple[int, Track, Path]], frame: int) -> Iterator[Drawn]:
        for number, track, path in moving:
            state = path.at(frame)
            if state is not None and not state.outside:
                yield self._of_track(track, state, number, is_keyframe=path.is_keyframe(frame))

    def _values(self, label_id: int, *given: Attributes) -> Values:
        merged = {key: value for attributes in given for key, value in attributes.items()}
        return tuple(self.subject.labels.completed(label_id, merged).items())

    def _read_tracks(self) -> Iterator[Track]:
        reader = TrackReader()
        for batch in _batches(self._tracks):
            yield from reader.feed(batch)
        yield from reader.close()

    def _of_shape(self, shape: Shape) -> Drawn:
        return Drawn(
            shape.frame,
            shape.kind,
            list(shape.points),
            shape.rotation,
            shape.occluded,
            shape.z_order,
            shape.label_id,
            shape.group,
            shape.source,
            self._values(shape.label_id, shape.attributes),
            -1,
            False,
        )

    def _of_track(self, track: Track, state: Keyframe, number: int, *, is_keyframe: bool) -> Drawn:
        return Drawn(
            state.frame,
            state.kind,
            list(state.points),
            state.rotation,
            state.occluded,
            state.z_order,
            track.label_id,
            track.group,
            track.source,
            self._values(track.label_id, track.attributes, state.attributes),
            number,
            is_keyframe,
        )


class _Cursor(Generic[Item]):
    """Walks over sorted objects, frame by frame."""

    def __init__(self, items: Iterator[Item], place: Callable[[Item], int]) -> None:
        self._items = items
        self._place = place
        self._next = next(items, None)

    def upto(self, frame: int) -> list[Item]:
        taken = []
        while self._next is not None and self._place(self._next) <= frame:
            taken.append(self._next)
            self._next = next(self._items, None)
        return taken


def _is_over(track: Track, frame: int) -> bool:
    last = track.keyframes[-1]
    return last.outside and last.frame <= frame


def _frame_of(item: Tag | Shape | Tagged | Drawn) -> int:
    return item.frame


def _batches(spool: Spool) -> Iterator[Batch]:
    return (Batch.of(ColumnarBatch.FromString(record)) for record in spool)


def _ascending(items: Iterable[Item], place: Callable[[Item], int]) -> Iterator[Item]:
    last = -1
    for item in items:
        if place(item) < last:
            raise errors.Internal(f"annotations came out of order: frame {place(item)} after {last}")
        last = place(item)
        yield item
