"""What LabelMe files say, whatever way they are written in: read by a parser."""

from collections.abc import Mapping
from xml.etree.ElementTree import Element

from yard.export.formats.labelme_plain import Said, SaidDocument
from yard.export.intakes.xml_document import said


def said_by_tree(root: Element) -> SaidDocument:
    """What a document says; of children with the same tag the last one counts."""
    objects = [_said({child.tag: child for child in element}) for element in root if element.tag == "object"]
    return SaidDocument(said(root.find("filename")), said(root.find("folder")), objects)


def _said(children: Mapping[str, Element]) -> Said:
    parts, polygon, segment = children.get("parts"), children.get("polygon"), children.get("segm")
    return Said(
        name=said(children.get("name")),
        is_deleted=said(children.get("deleted")) == "1",
        is_occluded=said(children.get("occluded")) == "yes",
        id=said(children.get("id")),
        part_of="" if parts is None else said(parts.find("ispartof")),
        kind=said(children.get("type")),
        coordinates=None if polygon is None else _coordinates(polygon),
        mask=None if segment is None else said(segment.find("mask")),
        attributes=said(children.get("attributes")),
    )


def _coordinates(polygon: Element) -> list[str | None]:
    return [value.text for point in polygon if point.tag == "pt" for value in point]
