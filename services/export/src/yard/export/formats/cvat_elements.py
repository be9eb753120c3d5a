"""What the attributes of an object's element say, in both CVAT formats."""

from collections.abc import Callable, Mapping, Sequence

from yard.annotations.model import ShapeKind, Source
from yard.export.formats.cvat_shapes import CORNERS, SOURCES

Given = Mapping[str, str]
_INT32_MAX = 2**31 - 1
SOURCE_NAMES: dict[str | None, Source] = {name: source for source, name in SOURCES.items()}


def whole_number(given: Given, name: str, default: int | None = None) -> int:
    """A whole number of 32 bits; ValueError with words for people."""
    text = given.get(name)
    if text is None:
        if default is None:
            raise ValueError(f"{name} is missing")
        return default
    try:
        number = int(text)
    except ValueError:
        number = _INT32_MAX + 1
    if not -_INT32_MAX <= number <= _INT32_MAX:
        raise ValueError(f"{name} is {text[:40]!r}, a whole number of 32 bits is needed")
    return number


def is_set(given: Given, name: str, default: str = "0") -> bool:
    """A yes or no; ValueError if it is neither."""
    text = given.get(name, default)
    if text in ("1", "0"):
        return text == "1"
    if (known := text.lower()) not in ("true", "false"):
        raise ValueError(f"{name} is {text[:40]!r}, 0 or 1 is needed")
    return known == "true"


def source_of(given: Given) -> Source:
    """Who made an object; those that are not known here came from a file anyway."""
    return SOURCE_NAMES.get(given.get("source", "file").lower(), Source.FILE)


def rotation_of(given: Given) -> float:
    """Degrees from 0 to less than 360."""
    text = given.get("rotation")
    if text is None:
        return 0.0
    turned = float(text) % 360
    return 0.0 if turned >= 360 else turned


def words(fault: KeyError | ValueError) -> str:
    """What is wrong, for people."""
    if isinstance(fault, KeyError):
        return f"{fault.args[0]} is missing"
    return str(fault).replace("could not convert string to float:", "a number is needed, not")[:200]


def _box(given: Given) -> Sequence[float]:
    return [float(given["xtl"]), float(given["ytl"]), float(given["xbr"]), float(given["ybr"])]


def _ellipse(given: Given) -> Sequence[float]:
    cx, cy, rx, ry = (float(given[name]) for name in ("cx", "cy", "rx", "ry"))
    return [cx, cy, _exact(cx + rx), _exact(cy - ry)]


def _exact(number: float) -> float:
    """A sum of numbers with two decimals has two decimals itself, the binary one nearly so."""
    short = round(number, 2)
    return short if abs(short - number) < 1e-9 else number


def _pairs(given: Given) -> Sequence[float]:
    text = given["points"]
    points: list[float] = []
    try:
        for pair in text.split(";"):
            x, _, y = pair.partition(",")
            points += (float(x), float(y))
    except ValueError:
        raise ValueError(f"points are {text[:40]!r}, numbers x,y with ; between them are needed") from None
    return points


def _cuboid(given: Given) -> Sequence[float]:
    return [float(given[name]) for name in CORNERS]


def _mask(given: Given) -> Sequence[float]:
    left, top, width, height = (whole_number(given, name) for name in ("left", "top", "width", "height"))
    try:
        runs = [int(number) for number in given["rle"].split(",")]
    except ValueError:
        raise ValueError(f"rle is {given['rle'][:40]!r}, whole numbers with commas are needed") from None
    # Checked here, because numbers too large for a float would break everything behind.
    if min(runs) < 0 or sum(runs) != width * height:
        raise ValueError(f"the runs do not fill a box of {width}x{height} pixels")
    return [*runs, left, top, left + width - 1, top + height - 1]


SHAPES: dict[str, tuple[ShapeKind, Callable[[Given], Sequence[float]]]] = {
    "box": (ShapeKind.RECTANGLE, _box),
    "polygon": (ShapeKind.POLYGON, _pairs),
    "polyline": (ShapeKind.POLYLINE, _pairs),
    "points": (ShapeKind.POINTS, _pairs),
    "ellipse": (ShapeKind.ELLIPSE, _ellipse),
    "cuboid": (ShapeKind.CUBOID, _cuboid),
    "mask": (ShapeKind.MASK, _mask),
}
FLATTENED = ("box", "ellipse")
"""Those that two decimals may leave without a width or a height."""
