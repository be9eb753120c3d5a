"""Small XML files as whole trees: one file is one picture's objects.

The tree is built by the standard library's own builder. A file is bounded in bytes and in tags, read as UTF-8
whatever it declares, and refused if it has a document type: there are no entities but the five of XML itself.
"""

from typing import Final
from xml.etree.ElementTree import Element, ParseError, XMLParser

from yard.export.archives.opened import Entry, Opened
from yard.export.archives.refusals import refused

LARGEST_BYTES: Final = 16 << 20
MOST_TAGS: Final = 1_000_000


class BrokenDocumentError(Exception):
    """The file cannot be read; the text says why."""


def document(opened: Opened, entry: Entry, root: str) -> Element:
    """The root, which must have this name; BrokenDocumentError."""
    return parsed(content_of(opened, entry), root)


def content_of(opened: Opened, entry: Entry) -> bytes:
    """The bytes of a file that may be parsed; BrokenDocumentError."""
    with opened.open(entry) as file:
        content = file.read(LARGEST_BYTES + 1)
    if len(content) > LARGEST_BYTES or content.count(b"<") > MOST_TAGS:
        raise refused(entry.name, f"has more than {LARGEST_BYTES} bytes or {MOST_TAGS} tags")
    # The parser would follow a mark of UTF-16, in which nothing could be looked for.
    if b"\0" in content:
        raise BrokenDocumentError("is not UTF-8")
    if b"<!DOCTYPE" in content:
        raise BrokenDocumentError("has a document type, which is not allowed")
    return content


def parsed(content: bytes, root: str) -> Element:
    """The root of these bytes, which must have this name; BrokenDocumentError."""
    parser = XMLParser(encoding="utf-8")  # noqa: S314 - without a document type there are no entities
    try:
        parser.feed(content)
        found: Element = parser.close()
    except ParseError as fault:
        raise BrokenDocumentError(f"is not XML: {fault}") from fault
    if found.tag != root:
        raise BrokenDocumentError(f"begins with {found.tag[:40]!r}, {root} is needed")
    return found


def is_xml(name: str) -> bool:
    """Whether a member is an XML file, and none that a desktop has put beside it."""
    base = name.rpartition("/")[2]
    return base.lower().endswith(".xml") and not base.startswith("._") and "__MACOSX/" not in name


def said(element: Element | None) -> str:
    """Its text without the blanks around it, "" if there is none."""
    return "" if element is None else (element.text or "").strip()
