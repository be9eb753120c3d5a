"""Labels and pictures of data sets in JSON: what COCO and Datumaro say of them outside of their objects."""

from collections.abc import Callable, Iterator
from typing import Any

from yard.annotations.labels import Attribute, AttributeInput, Label
from yard.export.archives.opened import Entry, Opened
from yard.export.formats.division import Surveyed
from yard.export.formats.json_text import OWN
from yard.export.wording.json_stream import JsonError, JsonStream

Take = Callable[[str, str, JsonStream], None]
"""Reads or skips a member of a document: the key of the subset, the name of the member, the stream."""


def survey_documents(
    opened: Opened, surveyed: Surveyed, key_of: Callable[[str], str | None], take: "Take"
) -> None:
    """Goes through the outermost members of all files that belong to a subset."""
    for entry in opened.entries():
        key = key_of(entry.name)
        if key is None or not entry.name.lower().endswith(".json"):
            continue
        surveyed.key(key)
        try:
            _survey(opened, entry, key, take)
        except JsonError as wrong:
            surveyed.refuse(entry.name, str(wrong))


def _survey(opened: Opened, entry: Entry, key: str, take: "Take") -> None:
    with opened.open(entry) as file:
        json = JsonStream(file, lambda done: None)
        for name in json.members():
            take(key, name, json)
        json.end()


def survey_coco(opened: Opened, surveyed: Surveyed, key_of: Callable[[str], str | None]) -> None:
    """Categories and images."""

    def take(key: str, name: str, json: JsonStream) -> None:
        if name == "categories":
            for category in _objects(json):
                _label(surveyed, category.get("name"), ())
        elif name == "images":
            for place, image in enumerate(_objects(json), 1):
                _picture(surveyed, key, image.get("file_name"), f"{key}, image {place}")
        else:
            json.skip()

    survey_documents(opened, surveyed, key_of, take)


def survey_datumaro(opened: Opened, surveyed: Surveyed, key_of: Callable[[str], str | None]) -> None:
    """Labels with the names of their attributes, and the pictures of items."""

    def take(key: str, name: str, json: JsonStream) -> None:
        if name == "categories":
            of_labels = _member(_member(json.value(), "label"), "labels")
            for label in of_labels if isinstance(of_labels, list) else ():
                given = _member(label, "attributes")
                _label(surveyed, _member(label, "name"), given if isinstance(given, list) else ())
        elif name == "items":
            for place, item in enumerate(_objects(json), 1):
                path = _member(item.get("image") or item.get("media"), "path") or item.get("id")
                _picture(surveyed, key, path, f"{key}, item {place}")
        else:
            json.skip()

    survey_documents(opened, surveyed, key_of, take)


def _objects(json: JsonStream) -> Iterator[dict[str, Any]]:
    """What is no object is told by the reader."""
    if not json.is_array():
        json.skip()
        return
    yield from (each for each in json.elements() if isinstance(each, dict))


def _member(found: object, name: str) -> object:
    return found.get(name) if isinstance(found, dict) else None


def _label(surveyed: Surveyed, name: object, attributes: Any) -> None:
    if isinstance(name, str) and name:
        names = dict.fromkeys(each for each in attributes if isinstance(each, str) and each not in OWN)
        declared = (
            Attribute(name=each, input=AttributeInput.TEXT, mutable=True, default_value="") for each in names
        )
        surveyed.label(Label(name=name, attributes=tuple(declared)))


def _picture(surveyed: Surveyed, key: str, name: object, where: str) -> None:
    if isinstance(name, str) and name:
        surveyed.picture(key, name, where)
