"""Reads both CVAT formats: images with shapes and tags, and tracks over frames.

Images are found by name, those without one by their number in the source, frames of tracks by that number.
Only keyframes of tracks are taken, what lies between them is interpolated again. Sources and groups stay.
"""

import re
from collections.abc import Mapping
from typing import Final

from yard.annotations.labels import Label
from yard.annotations.model import Keyframe
from yard.export.archives.opened import Entry, Opened
from yard.export.formats.cvat_elements import (
    SHAPES,
    is_set,
    rotation_of,
    source_of,
    whole_number,
    words,
)
from yard.export.formats.cvat_stills import BOX, SharedAttributes, Stills, mapping_of
from yard.export.formats.cvat_tracks import GatheredTrack, Said
from yard.export.intakes.intake import NONE, FoundTag, Intake
from yard.export.intakes.xml_document import is_xml
from yard.export.wording.xml_events import DEEPEST, BrokenXmlError, XmlEvents

INSTRUCTION: Final = "frameyard"
TRACKS_FOLLOW: Final = f"{INSTRUCTION} {Said.TRACKS.value}"
SHAPES_FOLLOW: Final = f"{INSTRUCTION} {Said.SHAPES.value}"
SEVERAL = "has tracks of several tasks, which number their frames alike: export the one that is wanted alone"
SKELETON = ("skeleton", "there are no skeletons here")
UNKNOWN = ("element", "it is none that the format has")
_LONGEST_TEXT: Final = 65_536
_MOST_DIGITS: Final = 10
_MOST_VALUES: Final = 1000
META: Final = "meta"
OBJECTS: Final = frozenset([*SHAPES, "tag"])
HOLDERS: Final = ("image", "track", META, "version")
_RANGE: Final = ("stop_frame", "frame_filter")
_STEP: Final = re.compile(r"step\s*=\s*([1-9][0-9]{0,8})")
Given = Mapping[str, str]


def read(opened: Opened, intake: Intake) -> None:
    """Reads every XML file of the archive, as CVAT does, or the bare one."""
    entries = [entry for entry in opened.entries() if is_xml(entry.name)]
    if not entries:
        intake.refuse(opened.name, "holds no XML file")
    whole = max(1, sum(entry.size for entry in entries))
    before = 0
    for entry in entries:
        _Document(intake, entry, before / whole, entry.size / whole).read(opened)
        before += entry.size


def _is_behind(frame: str, stop: int) -> bool:
    return frame.isdecimal() and len(frame) < _MOST_DIGITS and int(frame) > stop


class _Document:
    """One file: `annotations` holds `image` and `track`, these hold objects, these hold `attribute`."""

    def __init__(self, intake: Intake, entry: Entry, begin: float, share: float) -> None:
        self._intake = intake
        self._entry = entry
        self._begin = begin
        self._share = share
        self._events = XmlEvents(self._start, self._end, self._instruction)
        self._parser = self._events.parser
        self._depth = 0
        self._holder = ""
        self._frame: int | None = None
        self._track: GatheredTrack | None = None
        self._task: str | None = None
        self._number = 0
        self._object = ""
        self._given: Given = {}
        self._line = 0
        self._values: dict[str, str] = {}
        self._name = ""
        self._said = Said.NOTHING
        self._range: dict[str, str] = {}
        self._attributes = SharedAttributes(intake)
        self._stills = Stills(intake, entry.name, self._attributes)
        self._hold = self._stills.hold
        self._said_of_box: list[str] = []

    def read(self, opened: Opened) -> None:
        try:
            with opened.open(self._entry) as file:
                self._events.read(file, self._tell)
            self._stills.flush()
        except BrokenXmlError as broken:
            self._stills.flush()
            self._intake.refuse(f"{self._entry.name}:{broken.line}", broken.reason)

    def _tell(self, done: int) -> None:
        self._stills.flush()
        self._intake.read(min(1.0, self._begin + self._share * done / max(1, self._entry.size)))

    def _start(self, name: str, given: Given) -> None:
        depth = self._depth = self._depth + 1
        if depth == 3:
            if self._holder != META and self._is_wanted(name, given):
                self._object = name
                self._given = given
                self._line = self._parser.CurrentLineNumber
                if self._values:
                    self._values = {}
        elif depth == 4:
            self._open_text(name, given)
        elif depth == 2:
            self._open_holder(name, given)
        elif depth == 1 and name != "annotations":
            raise BrokenXmlError(self._events.line, f"begins with {name[:40]!r}, annotations is needed")
        elif depth > DEEPEST:
            raise BrokenXmlError(self._events.line, f"has more than {DEEPEST} elements inside each other")

    def _start_in_image(self, name: str, said: list[str]) -> None:
        """The same; names and values come by turns, for no mapping is needed of most."""
        if name == BOX and self._depth == 2:
            self._depth = 3
            self._object = name
            self._said_of_box = said
            self._line = self._parser.CurrentLineNumber
            if self._values:
                self._values = {}
        else:
            self._start(name, mapping_of(said))

    def _end(self, name: str) -> None:
        depth = self._depth
        self._depth = depth - 1
        if depth == 3 and (kind := self._object):
            self._object = ""
            if kind == BOX and self._frame is not None:
                self._hold(self._said_of_box, self._frame, self._line, self._values)
            else:
                self._close_object(kind)
        elif depth == 4 and self._name:
            into = self._values if self._object else self._range
            into[self._name] = self._events.gathered()
            self._name = ""
            if len(into) > _MOST_VALUES:
                raise BrokenXmlError(self._events.line, f"an object has more than {_MOST_VALUES} attributes")
        elif depth == 2:
            self._close_holder()

    def _instruction(self, target: str, data: str) -> None:
        if target == INSTRUCTION and data in (Said.TRACKS.value, Said.SHAPES.value):
            self._said = Said(data)

    def _open_holder(self, name: str, given: Given) -> None:
        self._holder = name
        if name not in HOLDERS:
            self._intake.ignore(*UNKNOWN)
            return
        self._line = self._events.line
        if name in ("image", "track") and not self._intake.takes_subset(given.get("subset", "")):
            return
        try:
            if name == "image":
                self._frame = self._frame_of(given)
                if self._frame is not None:
                    self._events.hear(self._start_in_image, in_order=True)
            elif name == "track":
                self._track = self._track_of(given)
        except ValueError as fault:
            self._intake.refuse(self._where, words(fault))

    @property
    def _where(self) -> str:
        return f"{self._entry.name}:{self._line}"

    def _close_holder(self) -> None:
        track, self._track, self._frame, self._holder = self._track, None, None, ""
        self._events.hear(self._start, in_order=False)
        if track is not None and len(track):
            track.finish(self._intake, self._said, is_at_end=self._is_at_end(track))

    def _is_at_end(self, track: GatheredTrack) -> bool:
        """Whether the last keyframe lies on the last two frames, where CVAT does not close shapes."""
        stop = self._stop
        if stop is None:
            return track.last_frame >= self._intake.first + self._intake.size - 2
        step = _STEP.fullmatch(self._range.get("frame_filter", "").strip())
        return self._number + (int(step[1]) if step else 1) >= stop

    @property
    def _stop(self) -> int | None:
        """The last frame of the file by its number in the source, if it says so."""
        text = self._range.get("stop_frame", "").strip()
        return int(text) if text.isdecimal() and len(text) < _MOST_DIGITS else None

    def _frame_of(self, given: Given) -> int | None:
        if name := given.get("name"):
            return self._intake.frame_named(name, self._where)
        return self._intake.frame_of_source(whole_number(given, "id"), self._where)

    def _track_of(self, given: Given) -> GatheredTrack | None:
        task = given.get("task_id", "")
        if self._task not in (None, task):
            raise BrokenXmlError(self._events.line, SEVERAL)
        self._task = task
        label = self._label(given)
        group = whole_number(given, "group_id", 0)
        return None if label is None else GatheredTrack(label, group, source_of(given), self._where)

    def _is_wanted(self, name: str, given: Given) -> bool:
        if name not in OBJECTS:
            self._intake.ignore(*(SKELETON if name == "skeleton" else UNKNOWN))
            return False
        if self._frame is not None:
            return True
        return self._track is not None and name != "tag" and self._is_keyframe(self._track, given)

    def _is_keyframe(self, track: GatheredTrack, given: Given) -> bool:
        """The first element is taken for one in any case."""
        stop = self._stop if given.get("outside") == "1" else None
        if stop is not None and _is_behind(given.get("frame", ""), stop):
            # Old versions of CVAT close shapes behind the end.
            return False
        track.elements += 1
        return track.elements == 1 or given.get("keyframe", "1") != "0"

    def _open_text(self, name: str, given: Given) -> None:
        if self._object:
            if name == "attribute":
                self._name = given.get("name", "")
        elif self._holder == META and name in _RANGE:
            self._name = name
        if self._name:
            self._events.gather(_LONGEST_TEXT)

    def _close_object(self, name: str) -> None:
        try:
            if self._track is not None:
                self._add_keyframe(self._track, name)
            elif name == "tag":
                self._add_tag()
            elif self._frame is not None:
                self._stills.add(name, self._given, self._frame, self._line, self._values)
        except (KeyError, ValueError) as fault:
            self._intake.refuse(self._where, words(fault))

    def _add_tag(self) -> None:
        given, where = self._given, self._where
        label = self._label(given)
        group = whole_number(given, "group_id", 0)
        if label is not None and self._frame is not None:
            values = self._attributes.of(label, self._values, where)
            self._intake.tag(FoundTag(self._frame, label.id, values, group, source_of(given)))

    def _add_keyframe(self, track: GatheredTrack, name: str) -> None:
        given, where = self._given, self._where
        kind, points_of = SHAPES[name]
        self._number = whole_number(given, "frame")
        points = tuple(points_of(given))
        frame = self._intake.frame_of_source(self._number, where)
        if frame is None:
            return
        if len(track) >= self._intake.size:
            self._intake.refuse(where, "the track has more keyframes than there are frames")
            self._track = None
            return
        keyframe = Keyframe(
            frame=frame,
            kind=kind,
            points=points,
            rotation=rotation_of(given),
            occluded=is_set(given, "occluded"),
            outside=is_set(given, "outside"),
            z_order=whole_number(given, "z_order", 0),
            attributes=self._attributes.of(track.label, self._values, where) if self._values else NONE,
        )
        track.add(keyframe)

    def _label(self, given: Given) -> Label | None:
        return self._intake.label(given.get("label", ""), self._where)
