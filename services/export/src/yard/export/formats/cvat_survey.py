"""Labels with their attributes, and the pictures of each subset, as CVAT's XML tells them."""

from collections.abc import Mapping
from typing import Final

from yard.annotations.labels import Attribute, AttributeInput, Label, LabelKind
from yard.export.archives.opened import Entry, Opened
from yard.export.formats.division import DEFAULT, Surveyed
from yard.export.intakes.xml_document import is_xml
from yard.export.wording.xml_events import BrokenXmlError, XmlEvents

_LONGEST_TEXT: Final = 1 << 20
_KINDS: Final = {kind.name.lower(): kind for kind in LabelKind}
_INPUTS: Final = {kind.name.lower(): kind for kind in AttributeInput}
_TOLD: Final = {
    "label": ("name", "color", "type"),
    "attribute": ("name", "mutable", "input_type", "default_value", "values"),
    "project": ("subsets",),
}


def survey_cvat(opened: Opened, surveyed: Surveyed) -> None:
    """Goes through all XML files."""
    for entry in opened.entries():
        if is_xml(entry.name):
            _Document(surveyed, entry).read(opened)


class _Document:
    def __init__(self, surveyed: Surveyed, entry: Entry) -> None:
        self._surveyed = surveyed
        self._entry = entry
        self._events = XmlEvents(self._start, self._end)
        self._path: list[str] = []
        self._label: dict[str, str] = {}
        self._attribute: dict[str, str] = {}
        self._attributes: list[Attribute] = []

    def read(self, opened: Opened) -> None:
        try:
            with opened.open(self._entry) as file:
                self._events.read(file, lambda done: None)
        except BrokenXmlError as broken:
            self._surveyed.refuse(f"{self._entry.name}:{broken.line}", broken.reason)

    def _start(self, name: str, given: Mapping[str, str]) -> None:
        self._path.append(name)
        if len(self._path) == 2 and name in ("image", "track"):
            key = given.get("subset") or DEFAULT
            self._surveyed.key(key)
            if name == "image" and given.get("name"):
                self._surveyed.picture(key, given["name"], f"{self._entry.name}:{self._events.line}")
        elif self._path[1:2] == ["meta"] and self._is_told(name):
            self._events.gather(_LONGEST_TEXT)

    def _is_told(self, name: str) -> bool:
        return name in _TOLD.get(self._path[-2], ())

    def _end(self, name: str) -> None:
        if self._path[1:2] == ["meta"]:
            self._close(name)
        self._path.pop()

    def _close(self, name: str) -> None:
        if self._is_told(name) and len(self._path) > 2:
            text, holder = self._events.gathered(), self._path[-2]
            if holder == "project":
                for key in filter(None, map(str.strip, text.split("\n"))):
                    self._surveyed.key(key)
            else:
                (self._label if holder == "label" else self._attribute)[name] = text
        elif name == "attribute":
            self._attributes.append(_attribute(self._attribute))
            self._attribute = {}
        elif name == "label":
            self._close_label()

    def _close_label(self) -> None:
        told, attributes = self._label, tuple(self._attributes)
        self._label, self._attributes = {}, []
        kind = _KINDS.get(told.get("type", ""), LabelKind.ANY)
        if name := told.get("name"):
            self._surveyed.label(
                Label(name=name, color=told.get("color", ""), kind=kind, attributes=attributes)
            )


def _attribute(told: Mapping[str, str]) -> Attribute:
    values = tuple(value for value in told.get("values", "").split("\n") if value)
    kind = _INPUTS.get(told.get("input_type", ""), AttributeInput.TEXT)
    if kind is AttributeInput.TEXT:
        values = ()
    return Attribute(
        name=told.get("name", ""),
        input=kind,
        mutable=told.get("mutable") == "True",
        values=values,
        default_value=told.get("default_value"),
    )
