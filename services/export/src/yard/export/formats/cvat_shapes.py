"""Elements of objects, alike in both CVAT formats: numbers with two decimals, order as CVAT writes it."""

from collections.abc import Callable, Sequence

from yard.annotations.labels import LabelSchema
from yard.annotations.model import ShapeKind, Source
from yard.export.formats.drawn import Values
from yard.export.formats.xml_text import in_quotes, text

SOURCES = {
    Source.MANUAL: "manual",
    Source.AUTO: "auto",
    Source.SEMI_AUTO: "semi-auto",
    Source.FILE: "file",
}
BITS = "01"
# Attributes repeat from object to object, so their lines are kept; long and many different ones are not.
_MOST_KEPT = 4096
_LONGEST_KEPT = 1000


class Wording:
    """The text of what objects share: labels, sources and the values of attributes."""

    def __init__(self, schema: LabelSchema) -> None:
        self._schema = schema
        self._identities: dict[tuple[int, int], str] = {}
        self._lines: dict[tuple[int, Values], str] = {}

    def identity(self, label_id: int, source: Source) -> str:
        """Label and source; the label is "" if it was deleted while the export ran."""
        known = self._identities.get((label_id, source))
        if known is None:
            label = self._schema.label(label_id)
            name = in_quotes(label.name) if label is not None else ""
            known = f' label="{name}" source="{SOURCES.get(source, "manual")}"'
            self._identities[label_id, source] = known
        return known

    def values(self, label_id: int, given: Values) -> str:
        """The `attribute` lines of an object, in the order of its label."""
        if not given:
            return ""
        key = (label_id, given)
        known = self._lines.get(key)
        return self._written(key) if known is None else known

    def _written(self, key: tuple[int, Values]) -> str:
        label_id, given = key
        names = self._schema.attributes(label_id)
        lines = "".join(
            f'      <attribute name="{in_quotes(names[id_].name)}">{text(value)}</attribute>\n'
            for id_, value in given
        )
        if len(lines) <= _LONGEST_KEPT:
            if len(self._lines) >= _MOST_KEPT:
                self._lines.clear()
            self._lines[key] = lines
        return lines


def turned(rotation: float) -> str:
    """The rotation, which is written only if there is one."""
    return f' rotation="{rotation:.2f}"' if rotation else ""


def group(number: int) -> str:
    """The group, which is written only if there is one."""
    return f' group_id="{number}"' if number else ""


def _box(points: Sequence[float]) -> str:
    x0, y0, x1, y1 = points
    return f' xtl="{x0:.2f}" ytl="{y0:.2f}" xbr="{x1:.2f}" ybr="{y1:.2f}"'


def _ellipse(points: Sequence[float]) -> str:
    cx, cy, right, top = points
    return f' cx="{cx:.2f}" cy="{cy:.2f}" rx="{right - cx:.2f}" ry="{cy - top:.2f}"'


def _pairs(points: Sequence[float]) -> str:
    pattern = _PAIRS.get(len(points)) or ";".join(["%.2f,%.2f"] * (len(points) // 2))
    return f' points="{pattern % tuple(points)}"'


def _cuboid(points: Sequence[float]) -> str:
    return "".join([f' {name}="{value:.2f}"' for name, value in zip(CORNERS, points, strict=True)])


def _mask(points: Sequence[float]) -> str:
    *runs, left, top, right, bottom = map(int, points)
    rle = ", ".join(map(str, runs))
    return f' rle="{rle}" left="{left}" top="{top}" width="{right - left + 1}" height="{bottom - top + 1}"'


CORNERS = [f"{axis}{corner}{face}" for face in (1, 2) for corner in ("tl", "bl", "tr", "br") for axis in "xy"]
_PAIRS = {count: ";".join(["%.2f,%.2f"] * (count // 2)) for count in range(2, 130, 2)}
_DRAWN: dict[ShapeKind, tuple[str, Callable[[Sequence[float]], str]]] = {
    ShapeKind.RECTANGLE: ("box", _box),
    ShapeKind.POLYGON: ("polygon", _pairs),
    ShapeKind.POLYLINE: ("polyline", _pairs),
    ShapeKind.POINTS: ("points", _pairs),
    ShapeKind.ELLIPSE: ("ellipse", _ellipse),
    ShapeKind.CUBOID: ("cuboid", _cuboid),
    ShapeKind.MASK: ("mask", _mask),
}
# By the number of the kind: looking up a member of an enumeration in a dictionary costs more than the rest.
ELEMENTS = [_DRAWN[ShapeKind(kind)][0] if kind else "" for kind in range(len(_DRAWN) + 1)]
GEOMETRIES = [_DRAWN[ShapeKind(kind or 1)][1] for kind in range(len(_DRAWN) + 1)]
