"""What LabelMe files say, read as text where they are written in the plain way of CVAT and Datumaro.

A file is plain if all of it, from the first character to the last, is what one pattern allows: elements in
the usual order without attributes, comments, references or anything else that only a parser understands.
Then it is well-formed, and its texts are what a parser would tell. All other files are for the parser.
"""

import re
from typing import Final, NamedTuple


class Said(NamedTuple):
    """What an object says; texts without the blanks around them, `coordinates` as written, x and y by turns.

    `coordinates` is None without a polygon, `mask` without a mask.
    """

    name: str
    is_deleted: bool
    is_occluded: bool
    id: str
    part_of: str
    kind: str
    coordinates: list[str | None] | None
    mask: str | None
    attributes: str


class SaidDocument(NamedTuple):
    """What a file says."""

    filename: str
    folder: str
    objects: list[Said]


# Blanks of XML, and what texts may hold beside those: no line end that a parser would change.
_S: Final = r"[ \t\r\n]*+"
_TEXT: Final = r"[^<>&\x00-\x08\x0b-\x1f\x7f-\x9f\ufffe\uffff]*+"


def _leaf(name: str, *, is_kept: bool = True) -> str:
    text = f"({_TEXT})" if is_kept else _TEXT
    return rf"(?:<{name}>{text}</{name}>|<{name}[ ]?/>){_S}"


_POINT: Final = rf"<pt>{_S}<x>{_TEXT}</x>{_S}<y>{_TEXT}</y>{_S}</pt>{_S}"
_HEAD: Final = re.compile(
    rf"(?:<\?xml version=[\"']1\.0[\"'](?: encoding=[\"'][A-Za-z0-9_-]+[\"'])?\?>)?{_S}<annotation>{_S}"
    rf"{_leaf('filename')}(?:{_leaf('folder')})?"
    rf"(?:<source>{_S}{_leaf('sourceImage', is_kept=False)}{_leaf('sourceAnnotation', is_kept=False)}"
    rf"</source>{_S})?"
    rf"(?:<imagesize>{_S}{_leaf('nrows', is_kept=False)}{_leaf('ncols', is_kept=False)}</imagesize>{_S})?"
)
_OBJECT: Final = re.compile(
    rf"<object>{_S}{_leaf('name')}(?:{_leaf('deleted')})?(?:{_leaf('verified', is_kept=False)})?"
    rf"(?:{_leaf('occluded')})?(?:{_leaf('date', is_kept=False)})?(?:{_leaf('id')})?"
    rf"(?:<parts>{_S}{_leaf('hasparts', is_kept=False)}{_leaf('ispartof')}</parts>{_S})?"
    rf"(?:{_leaf('type')})?"
    rf"<polygon>{_S}((?:{_POINT})*+)(?:{_leaf('username', is_kept=False)})?</polygon>{_S}"
    rf"(?:{_leaf('attributes')})?</object>{_S}"
)
_END: Final = re.compile(rf"</annotation>{_S}\Z")
_NUMBER: Final = re.compile(r"<[xy]>([^<]*)")


def plainly_said(content: bytes) -> SaidDocument | None:
    """What the file says; None if it is not plain."""
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return None
    head = _HEAD.match(text)
    if head is None:
        return None
    place = head.end()
    objects: list[Said] = []
    while (found := _OBJECT.match(text, place)) is not None:
        objects.append(_said(found))
        place = found.end()
    if _END.match(text, place) is None:
        return None
    return SaidDocument(_plain(head[1]), _plain(head[2]), objects)


def _said(found: re.Match[str]) -> Said:
    name, deleted, occluded, id_, part_of, kind, points, attributes = found.groups()
    return Said(
        name=_plain(name),
        is_deleted=_plain(deleted) == "1",
        is_occluded=_plain(occluded) == "yes",
        id=_plain(id_),
        part_of=_plain(part_of),
        kind=_plain(kind),
        coordinates=_NUMBER.findall(points),
        mask=None,
        attributes=_plain(attributes),
    )


def _plain(text: str | None) -> str:
    return text.strip() if text else ""
