"""Elements of objects, alike in both CVAT formats: numbers with two decimals, order as CVAT writes it."""

from collections.abc import Sequence

from yard.annotations.labels import LabelSchema
from yard.annotations.model import ShapeKind, Source
from yard.export.formats.drawn import Values
from yard.export.formats.xml_text import in_quotes, text

ELEMENTS = {
    ShapeKind.RECTANGLE: "box",
    ShapeKind.POLYGON: "polygon",
    ShapeKind.POLYLINE: "polyline",
    ShapeKind.POINTS: "points",
    ShapeKind.ELLIPSE: "ellipse",
    ShapeKind.CUBOID: "cuboid",
    ShapeKind.MASK: "mask",
}
SOURCES = {
    Source.MANUAL: "manual",
    Source.AUTO: "auto",
    Source.SEMI_AUTO: "semi-auto",
    Source.FILE: "file",
}


def geometry(kind: ShapeKind, points: Sequence[float], rotation: float) -> str:
    """The attributes that say where an object is."""
    return _GEOMETRIES[kind](points) + (f' rotation="{rotation:.2f}"' if rotation else "")


def values(schema: LabelSchema, label_id: int, given: Values, depth: int) -> str:
    """The `attribute` lines of an object, in the order of its label."""
    indent = "  " * depth
    names = schema.attributes(label_id)
    return "".join(
        [
            f'{indent}<attribute name="{in_quotes(names[key].name)}">{text(value)}</attribute>\n'
            for key, value in given
        ]
    )


def identity(schema: LabelSchema, label_id: int, source: Source) -> str:
    """Label and source; the label is "" if it was deleted while the export ran."""
    label = schema.label(label_id)
    name = in_quotes(label.name) if label is not None else ""
    return f' label="{name}" source="{SOURCES[source]}"'


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
    pairs = zip(points[0::2], points[1::2], strict=True)
    return f' points="{";".join([f"{x:.2f},{y:.2f}" for x, y in pairs])}"'


def _cuboid(points: Sequence[float]) -> str:
    return "".join([f' {name}="{value:.2f}"' for name, value in zip(_CORNERS, points, strict=True)])


def _mask(points: Sequence[float]) -> str:
    *runs, left, top, right, bottom = map(int, points)
    rle = ", ".join(map(str, runs))
    return f' rle="{rle}" left="{left}" top="{top}" width="{right - left + 1}" height="{bottom - top + 1}"'


_CORNERS = [
    f"{axis}{corner}{face}" for face in (1, 2) for corner in ("tl", "bl", "tr", "br") for axis in "xy"
]
_GEOMETRIES = {
    ShapeKind.RECTANGLE: _box,
    ShapeKind.POLYGON: _pairs,
    ShapeKind.POLYLINE: _pairs,
    ShapeKind.POINTS: _pairs,
    ShapeKind.ELLIPSE: _ellipse,
    ShapeKind.CUBOID: _cuboid,
    ShapeKind.MASK: _mask,
}
