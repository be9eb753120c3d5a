"""The frames and objects of a subject as formats read them: in order, never all at once."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import Generic, Self, TypeVar

from frameyard.annotation.v1.columnar_pb2 import ColumnarBatch
from frameyard.media.v1.media_service_pb2 import ListFramesResponse
from yard.annotations.batch import Batch, ObjectKind
from yard.annotations.columnar import TrackReader, decode_shapes, decode_tags
from yard.annotations.interpolation import Path
from yard.annotations.model import Attributes, Keyframe, Shape, ShapeKind, Source, Tag, Track
from yard.export.domain import Frame, LeftOut, Subject
from yard.export.formats.spool import Spool
from yard.media.selection import FrameSelection
from yard.runtime import errors

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """An object on one frame: a shape, or a track's state with all attributes; `track` counts from 0."""

    kind: ShapeKind
    points: tuple[float, ...]
    rotation: float
    occluded: bool
    z_order: int
    label_id: int
    group: int
    source: Source
    attributes: Attributes
    track: int | None = None
    is_keyframe: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A frame and what is on it; objects ascend by z order."""

    frame: Frame
    objects: tuple[Drawn, ...] = ()
    tags: tuple[Tag, ...] = ()


@dataclass(slots=True)
class _Moving:
    number: int
    track: Track
    path: Path = field(init=False)

    def __post_init__(self) -> None:
        self.path = Path(self.track)


class Dataset:
    """What one export writes; `image` gives the file of a frame, `done` the share 0..1 that was read."""

    def __init__(self, subject: Subject, memory_bytes: int, image: Callable[[Frame], bytes] | None) -> None:
        self.subject = subject
        self.image = image
        self.done = 0.0
        self._selection = FrameSelection(start=subject.start_frame, step=subject.frame_step)
        self._left_out: Counter[tuple[str, str]] = Counter()
        self._spools = ExitStack()
        frames, tags, shapes, tracks = (self._spools.enter_context(Spool(memory_bytes)) for _ in range(4))
        self._frames, self._tags, self._shapes, self._tracks = frames, tags, shapes, tracks

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._spools.close()

    def add_frames(self, page: ListFramesResponse) -> None:
        """Takes a page of frames, in order."""
        self._frames.append(page.SerializeToString())

    def add_batch(self, batch: ColumnarBatch) -> None:
        """Takes a batch of the stream, in its order."""
        spools = {ObjectKind.TAG: self._tags, ObjectKind.SHAPE: self._shapes}
        spools.get(batch.object_kind, self._tracks).append(batch.SerializeToString())  # type: ignore[call-overload]

    def leave_out(self, kind: str, reason: str, count: int = 1) -> None:
        """Notes objects that the format cannot hold."""
        self._left_out[kind, reason] += count

    @property
    def left_out(self) -> list[LeftOut]:
        """What was left out, by kind."""
        return sorted(LeftOut(kind, reason, count) for (kind, reason), count in self._left_out.items())

    def source_number(self, frame: int) -> int:
        """Number in the source of a relative frame."""
        return self._selection.absolute(frame)

    def frames(self) -> Iterator[Frame]:
        """All frames in order."""
        for record in self._frames:
            for info in ListFramesResponse.FromString(record).frames:
                self.done = (info.frame - self.subject.first) / self.subject.size
                yield Frame(
                    number=info.frame,
                    source_number=info.source_frame,
                    name=info.name,
                    width=info.width,
                    height=info.height,
                )

    def tags(self) -> Iterator[Tag]:
        """All tags by frame."""
        return _ascending((tag for batch in _batches(self._tags) for tag in decode_tags(batch)), _frame_of)

    def shapes(self) -> Iterator[Shape]:
        """All shapes by frame."""
        return _ascending(
            (shape for batch in _batches(self._shapes) for shape in decode_shapes(batch)), _frame_of
        )

    def tracks(self) -> Iterator[Track]:
        """All tracks by first frame."""
        return _ascending(self._read_tracks(), lambda track: track.first_frame)

    def pictures(self) -> Iterator[Picture]:
        """Each frame with its tags, shapes and the states of tracks that are visible there."""
        tags, shapes = _Cursor(self.tags(), _frame_of), _Cursor(self.shapes(), _frame_of)
        tracks = _Cursor(self.tracks(), lambda track: track.first_frame)
        moving: list[_Moving] = []
        count = 0
        for frame in self.frames():
            begun = [_Moving(number, track) for number, track in enumerate(tracks.upto(frame.number), count)]
            count += len(begun)
            moving = [one for one in moving + begun if not _is_over(one.track, frame.number)]
            objects = [self._of_shape(shape) for shape in shapes.upto(frame.number)]
            objects += self._of_tracks(moving, frame.number)
            objects.sort(key=lambda drawn: drawn.z_order)
            yield Picture(frame=frame, objects=tuple(objects), tags=tuple(tags.upto(frame.number)))

    def attributes(self, label_id: int, *given: Attributes) -> dict[int, str]:
        """All attributes of the label; later mappings win, what none gives has its default."""
        merged = {key: value for attributes in given for key, value in attributes.items()}
        return self.subject.labels.completed(label_id, merged)

    def _read_tracks(self) -> Iterator[Track]:
        reader = TrackReader()
        for batch in _batches(self._tracks):
            yield from reader.feed(batch)
        yield from reader.close()

    def _of_shape(self, shape: Shape) -> Drawn:
        return Drawn(
            kind=shape.kind,
            points=shape.points,
            rotation=shape.rotation,
            occluded=shape.occluded,
            z_order=shape.z_order,
            label_id=shape.label_id,
            group=shape.group,
            source=shape.source,
            attributes=self.attributes(shape.label_id, shape.attributes),
        )

    def _of_tracks(self, moving: Iterable[_Moving], frame: int) -> Iterator[Drawn]:
        for one in moving:
            state = one.path.at(frame)
            if state is not None and not state.outside:
                yield self._of_track(one.track, state, one.number, is_keyframe=one.path.is_keyframe(frame))

    def _of_track(self, track: Track, state: Keyframe, number: int, *, is_keyframe: bool) -> Drawn:
        return Drawn(
            kind=state.kind,
            points=state.points,
            rotation=state.rotation,
            occluded=state.occluded,
            z_order=state.z_order,
            label_id=track.label_id,
            group=track.group,
            source=track.source,
            attributes=self.attributes(track.label_id, track.attributes, state.attributes),
            track=number,
            is_keyframe=is_keyframe,
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


def _frame_of(item: Tag | Shape) -> int:
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
