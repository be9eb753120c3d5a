"""The intake of one import: looks names up, checks objects and hands them on as columns.

Rows are held until there are enough for a batch, are checked together and leave at once: memory does not grow
with the file.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final

import numpy as np
from yard.annotations.batch import LARGEST_BATCH, Batch, ObjectKind
from yard.annotations.errors import Fault
from yard.annotations.labels import Label, LabelSchema
from yard.annotations.screening import screened
from yard.annotations.validation import MOST_NUMBERS, Rules
from yard.export.archives.refusals import Refusals, refused
from yard.export.intakes.attribute_texts import NOT_DECLARED, AttributeTexts, by_name
from yard.export.intakes.found_columns import (
    as_shapes,
    box_batch,
    joined,
    keyframe_batch,
    shape_batch,
    tag_batch,
    track_batch,
)
from yard.export.intakes.found_tracks import (
    LARGEST_CONTENT,
    characters,
    content_of,
    cuts,
    faults_of,
    in_order,
    is_never_seen,
)
from yard.export.intakes.frame_table import FrameTable
from yard.export.intakes.intake import Floats, FoundShape, FoundTag, FoundTrack, Ints, ShapeColumns

MOST_OBJECTS: Final = 10_000_000
_MOST_IGNORED, _OTHERS = 200, "other reasons"


@dataclass(frozen=True, kw_only=True)
class Target:
    """Where the objects go: a task or one of its jobs, with the frames that it has."""

    labels: LabelSchema
    mode: str
    start_frame: int
    frame_step: int
    frames: FrameTable
    subset: str = ""
    """Of the data set that is read, "": the file is read as a whole."""
    elsewhere: FrameTable | None = None
    """Pictures of the other subsets: what is said of them is passed over."""


class Collected:
    """An Intake; `take` gets each batch that was found good, `tell` the share of the file that was read."""

    def __init__(
        self,
        target: Target,
        take: Callable[[Batch], None],
        tell: Callable[[float], None] = lambda done: None,
        *,
        most: int = MOST_OBJECTS,
    ) -> None:
        self.labels = target.labels
        self.size = len(target.frames)
        self.first = target.frames.first
        self.mode = target.mode
        self.frame_size = target.frames.size
        self.read = tell
        self.ignored: Counter[tuple[str, str]] = Counter()
        self.taken: Counter[ObjectKind] = Counter()
        self._target = target
        self._take = take
        self._most = most
        self._refusals = Refusals()
        self.refuse = self._refusals.add
        self._by_name, self._unknown = by_name(target.labels.labels), set[str]()
        self._texts = AttributeTexts()
        last = self.first + self.size - 1
        self._rules = Rules(
            schema=target.labels, first=self.first, last=last, frame_size=target.frames.size_if_any
        )
        self._tags: list[FoundTag] = []
        self._shapes: list[FoundShape] = []
        self._rows: list[ShapeColumns] = []
        self._places: list[str] = []
        self._content = 0
        self._boxes: list[tuple[Ints, Ints, Floats, str]] = []
        self._box_count = 0
        self._tracks: list[FoundTrack] = []
        self._track_places: list[str] = []
        self._keyframes = self._track_content = 0

    def label(self, name: str, where: str) -> Label | None:
        """See Intake; an unknown name is told once."""
        found = self._by_name.get(name)
        if found is None and name not in self._unknown:
            self._unknown.add(name)
            self.refuse(where, f"there is no label {name[:80]!r}")
        return found

    def frame_named(self, name: str, where: str) -> int | None:
        """See Intake."""
        found = self._target.frames.named(name)
        if len(found) == 1:
            return found[0]
        if not found and self._target.elsewhere is not None and self._target.elsewhere.named(name):
            return None
        several = "there is no frame" if not found else "several frames could be meant by"
        self.refuse(where, f"{several} {name[:120]!r}")
        return None

    def knows_frame(self, name: str) -> bool:
        """See Intake."""
        return len(self._target.frames.named(name)) == 1

    def frame_of_source(self, number: int, where: str) -> int | None:
        """See Intake; pictures of a video in a data set have their numbers in their names."""
        if self._target.subset and len(named := self._target.frames.named(f"frame_{number:06d}")) == 1:
            return named[0]
        frame, rest = divmod(number - self._target.start_frame, self._target.frame_step)
        if not rest and self.first <= frame < self.first + self.size:
            return frame
        self.refuse(where, f"frame {str(number)[:20]} of the source is not one of the target")
        return None

    def takes_subset(self, name: str) -> bool:
        """See Intake."""
        return not self._target.subset or (name or "default") == self._target.subset

    def frame_at(self, position: int, where: str) -> int | None:
        """See Intake."""
        if 0 <= position < self.size:
            return self.first + position
        self.refuse(where, f"there is no frame {str(position)[:20]}, the target has {self.size}")
        return None

    def attributes(self, label: Label, given: Mapping[str, object], where: str) -> dict[int, str]:
        """See Intake."""
        found = {}
        for name, value in given.items():
            known = self._texts.value(label, name, value)
            if not known.id:
                self.ignore("attribute", NOT_DECLARED)
            elif known.fault is not None:
                self.refuse(where, known.fault)
            else:
                found[known.id] = known.text
        return found

    def ignore(self, kind: str, reason: str, count: int = 1) -> None:
        """See Intake; no more than 200 different reasons are told apart."""
        key = kind, reason
        if key not in self.ignored and len(self.ignored) >= _MOST_IGNORED:
            key = kind[:40], _OTHERS
        self.ignored[key] += count

    def tag(self, tag: FoundTag) -> None:
        """See Intake."""
        self._tags.append(tag)
        self._content += characters(tag.attributes)
        if len(self._tags) >= LARGEST_BATCH or self._content >= LARGEST_CONTENT:
            self._flush_stills()

    def shape(self, shape: FoundShape, where: str) -> None:
        """See Intake."""
        count = len(shape.points)
        if count > MOST_NUMBERS:
            self.refuse(where, f"points: has {count} numbers, at most {MOST_NUMBERS} are allowed")
            return
        if self._boxes:
            self._flush_boxes()
        self._shapes.append(shape)
        self._places.append(where)
        for text in shape.attributes.values():
            count += len(text)
        self._content += count
        if len(self._places) >= LARGEST_BATCH or self._content >= LARGEST_CONTENT:
            self._flush_stills()

    def rectangles(self, rows: ShapeColumns, places: Sequence[str]) -> None:
        """See Intake."""
        if self._boxes:
            self._flush_boxes()
        if len(self._places) + len(places) > LARGEST_BATCH:
            self._flush_stills()
        self._gather_shapes()
        self._rows.append(rows)
        self._places += places
        self._content += 4 * len(places) + sum(map(characters, filter(None, rows.attributes)))
        if self._content >= LARGEST_CONTENT:
            self._flush_stills()

    def boxes(self, frames: Ints, label_ids: Ints, corners: Floats, where: str) -> None:
        """See Intake."""
        if self._places:
            self._flush_stills()
        self._boxes.append((frames, label_ids, corners, where))
        self._box_count += len(frames)
        if self._box_count >= LARGEST_BATCH:
            self._flush_boxes()

    def track(self, track: FoundTrack, where: str) -> None:
        """See Intake."""
        track = in_order(track)
        for reason in faults_of(track, self.labels):
            self.refuse(where, reason)
        if is_never_seen(track):
            self.ignore("track", "is outside on every keyframe")
            return
        self._tracks.append(track)
        self._track_places.append(where)
        self._keyframes += len(track.keyframes)
        self._track_content += content_of(track)
        if self._keyframes >= LARGEST_BATCH or self._track_content >= LARGEST_CONTENT:
            self._flush_tracks()

    def finish(self) -> None:
        """Hands the rest on; raises RefusedError if the file has any fault."""
        self._flush_stills()
        self._flush_boxes()
        self._flush_tracks()
        self._refusals.check()

    def _flush_stills(self) -> None:
        tags, self._tags = self._tags, []
        self._gather_shapes()
        rows, self._rows = self._rows, []
        places, self._places = self._places, []
        self._content = 0
        if tags:
            of_tags = [f"tag on frame {tag.frame}" for tag in tags]
            self._check(tag_batch(tags, self._at(of_tags)), of_tags)
        if rows:
            self._check(shape_batch(joined(rows), self._at(places)), places)

    def _gather_shapes(self) -> None:
        if self._shapes:
            shapes, self._shapes = self._shapes, []
            self._rows.append(ShapeColumns(*zip(*shapes, strict=True)))

    def _flush_boxes(self) -> None:
        boxes, self._boxes, self._box_count = self._boxes, [], 0
        if not boxes:
            return
        frames, labels, corners, places = zip(*boxes, strict=True)
        of_rows = [place for place, own in zip(places, frames, strict=True) for _ in range(len(own))]
        all_frames, all_labels, all_corners = map(np.concatenate, (frames, labels, corners))
        for begin in range(0, len(of_rows), LARGEST_BATCH):
            part = slice(begin, begin + LARGEST_BATCH)
            batch = box_batch(all_frames[part], all_labels[part], all_corners[part])
            self._check(batch, of_rows[part])

    def _check(self, batch: Batch, places: Sequence[str]) -> None:
        good = screened(batch, self._rules, str)
        self._refuse_rows(good.faults, places)
        self._hand_on(good.batch)

    def _flush_tracks(self) -> None:
        tracks, places = self._tracks, self._track_places
        self._tracks, self._track_places, self._keyframes, self._track_content = [], [], 0, 0
        if not tracks:
            return
        numbers = np.repeat(np.arange(len(tracks)), [len(track.keyframes) for track in tracks])
        labels = np.array([track.label_id for track in tracks], np.int64)
        keyframes = list(chain.from_iterable(track.keyframes for track in tracks))
        first = self.taken[ObjectKind.TRACK]
        for begin in range(0, len(tracks), LARGEST_BATCH):
            part = slice(begin, begin + LARGEST_BATCH)
            self._hand_on(track_batch(tracks[part], self._at(places[part])))
        for begin, end in cuts(keyframes):
            owners = numbers[begin:end]
            own = [places[owner] for owner in owners.tolist()]
            batch = keyframe_batch(owners + first, keyframes[begin:end], self._at(own))
            good = screened(as_shapes(batch, labels[owners]), self._rules, str)
            if good.faults:
                frames = (keyframe.frame for keyframe in keyframes[begin:end])
                own = [f"{place}, frame {frame}" for place, frame in zip(own, frames, strict=True)]
            self._refuse_rows(good.faults, own)
            self._hand_on(Batch(**(batch.columns() | {"points": good.batch.points})))

    def _hand_on(self, batch: Batch) -> None:
        self.taken[batch.object_kind] += batch.count
        if self.taken.total() > self._most:
            raise refused("file", f"has more than {self._most} objects and keyframes")
        if not self._refusals.faults:
            self._take(batch)

    def _at(self, places: Sequence[str]) -> Callable[[int, str], None]:
        return lambda row, reason: self.refuse(places[row], reason)

    def _refuse_rows(self, faults: Sequence[Fault], places: Sequence[str]) -> None:
        for fault in faults:
            row, _, field = fault.field.partition(".")
            self.refuse(places[int(row)], f"{field}: {fault.description}")
