"""Labels and pictures of data sets that have lists: of classes, and of the pictures of each subset."""

import re
from collections.abc import Iterator
from typing import Final

from yard.annotations.labels import Label
from yard.export.archives.opened import Entry, Opened
from yard.export.formats.box_reading import lines_of, text_of
from yard.export.formats.division import Surveyed, is_picture
from yard.export.formats.voc_labelmap import BACKGROUND, NAME, parsed, plain
from yard.export.intakes.xml_document import BrokenDocumentError, document, is_xml, said

_LIST: Final = re.compile(r"(?:.*/)?ImageSets/(Main|Segmentation|Layout|Action)/([^/]+)\.txt", re.IGNORECASE)
_MASK: Final = re.compile(r"(?:.*/)?Segmentation(?:Class|Object)/.+", re.IGNORECASE)
_PRESENCE: Final = re.compile(r".+\s(?:1|0|-1)")
_LONGEST_LINE: Final = 8192


def is_no_mask(name: str) -> bool:
    """Whether a member of VOC's layout is a picture of the data set."""
    return is_picture(name) and not _MASK.fullmatch(name)


def is_no_labelme_mask(name: str) -> bool:
    """Whether a member of LabelMe's layout is a picture of the data set."""
    return is_picture(name) and "/Masks/" not in f"/{name}"


def survey_classes(opened: Opened, surveyed: Surveyed, entry: Entry | None) -> None:
    """A label a line."""
    for name in lines_of(opened, entry) if entry is not None else ():
        if name.strip():
            surveyed.label(Label(name=name.strip()))


def survey_mot(opened: Opened, surveyed: Surveyed) -> None:
    """The labels of all sequences."""
    for entry in opened.entries():
        if entry.name == "gt/labels.txt" or entry.name.endswith("/gt/labels.txt"):
            survey_classes(opened, surveyed, entry)


def survey_objects(opened: Opened, surveyed: Surveyed) -> None:
    """The names of all objects in XML files of VOC or LabelMe."""
    for entry in opened.entries():
        if is_xml(entry.name):
            try:
                root = document(opened, entry, "annotation")
            except BrokenDocumentError as broken:
                surveyed.refuse(entry.name, str(broken))
                continue
            for element in root.findall("object"):
                is_there = said(element.find("deleted")) != "1"
                if (name := said(element.find("name"))) and is_there:
                    surveyed.label(Label(name=name))


def survey_voc(opened: Opened, surveyed: Surveyed) -> None:
    """The classes of `labelmap.txt`, else those of objects; the lists of the pictures of each subset."""
    names = _mapped(opened, surveyed)
    if not names:
        survey_objects(opened, surveyed)
    found: dict[str, list[tuple[Entry, str]]] = {}
    for entry in opened.entries():
        if match := _LIST.fullmatch(entry.name):
            found.setdefault(match[1].lower(), []).append((entry, match[2]))
    prefixes = tuple(f"{plain(name).replace('/', '_')}_" for name in names)
    for kind in ("main", "segmentation", "layout", "action"):
        if lists := [
            (entry, key)
            for entry, key in found.get(kind, ())
            if not (key.startswith(prefixes) and _tells_presence(opened, entry))
        ]:
            for entry, key in lists:
                _survey_list(opened, surveyed, entry, key)
            return


def _mapped(opened: Opened, surveyed: Surveyed) -> list[str]:
    entry = opened.find(NAME)
    if entry is None:
        return []
    try:
        names = [name for name, _ in parsed(text_of(opened, entry)) if name != BACKGROUND]
    except ValueError as fault:
        surveyed.refuse(entry.name, str(fault))
        return []
    for name in names:
        surveyed.label(Label(name=name))
    return names


def _tells_presence(opened: Opened, entry: Entry) -> bool:
    """Whether it is a list of the pictures that a label is on."""
    return all(_PRESENCE.fullmatch(line) for _, line in _lines(opened, entry))


def _survey_list(opened: Opened, surveyed: Surveyed, entry: Entry, key: str) -> None:
    surveyed.key(key)
    for number, line in _lines(opened, entry):
        surveyed.picture(key, line, f"{entry.name}:{number}")


def _lines(opened: Opened, entry: Entry) -> Iterator[tuple[int, str]]:
    with opened.open(entry) as file:
        number = 0
        while line := file.readline(_LONGEST_LINE):
            number += 1
            if text := line.decode("utf-8", "replace").strip():
                yield number, text
