"""Elements of objects, alike in both CVAT formats: numbers with two decimals, order as CVAT writes it."""

from collections.abc import Callable, Sequence

from yard.annotations.labels import LabelSchema
from yard.annotations.model import ShapeKind, Source
from yard.export.datasets.drawn import Values
from yard.export.wording.xml_text import in_quotes, text

SOURCES = {
    Source.MANUAL: "manual",
    Source.AUTO: "auto",
    Source.SEMI_AUTO: "semi-auto",
    Source.FILE: "file",
}
BITS = "01"
LEAST = 0.01
"""What two decimals can tell: thinner boxes are written with that, as they would not be any otherwise."""
# Below this two different numbers may be written alike.
_CLOSE = 2 * LEAST
# The pattern that most objects follow.
BOX = ' xtl="%.2f" ytl="%.2f" xbr="%.2f" ybr="%.2f"'
# Attributes repeat from object to object, so their lines are kept; long and many different ones are not.
_MOST_KEPT = 4096
_LONGEST_KEPT = 1000


class Identities(dict[tuple[int, int], str]):
    """Label and source of objects as attributes, by label id and source."""

    def __init__(self, schema: LabelSchema) -> None:
        super().__init__()
        self._schema = schema

    def __missing__(self, key: tuple[int, int]) -> str:
        label = self._schema.label(key[0])
        # A label may have been deleted while the export runs.
        name = in_quotes(label.name) if label is not None else ""
        self[key] = text = f' label="{name}" source="{SOURCES[Source(key[1])]}"'
        return text


class ValueLines(dict[tuple[int, Values], str]):
    """The `attribute` lines of objects in the order of their label, by label id and values."""

    def __init__(self, schema: LabelSchema) -> None:
        super().__init__()
        self._schema = schema

    def __missing__(self, key: tuple[int, Values]) -> str:
        label_id, given = key
        names = self._schema.attributes(label_id)
        lines = "".join(
            [
                f'      <attribute name="{in_quotes(names[id_].name)}">{text(value)}</attribute>\n'
                for id_, value in given
            ]
        )
        if len(lines) <= _LONGEST_KEPT:
            if len(self) >= _MOST_KEPT:
                self.clear()
            self[key] = lines
        return lines


def turned(rotation: float) -> str:
    """The rotation, which is written only if there is one."""
    return f' rotation="{rotation:.2f}"' if rotation else ""


def group(number: int) -> str:
    """The group, which is written only if there is one."""
    return f' group_id="{number}"' if number else ""


def widened(points: Sequence[float]) -> tuple[float, float, float, float]:
    """The corners of a box, so that two decimals leave it an area."""
    x0, y0, x1, y1 = points
    if x1 - x0 < _CLOSE:
        x0, x1 = _apart(x0, x1)
    if y1 - y0 < _CLOSE:
        y0, y1 = _apart(y0, y1)
    return x0, y0, x1, y1


def _apart(low: float, high: float) -> tuple[float, float]:
    low, high = round(low, 2), round(high, 2)
    return low, high if low < high else low + LEAST


def _box(points: Sequence[float]) -> str:
    return BOX % widened(points)


def _ellipse(points: Sequence[float]) -> str:
    cx, cy, right, top = points
    return f' cx="{cx:.2f}" cy="{cy:.2f}" rx="{max(right - cx, LEAST):.2f}" ry="{max(cy - top, LEAST):.2f}"'


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
