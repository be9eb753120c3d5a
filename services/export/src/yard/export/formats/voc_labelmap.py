"""`labelmap.txt` of PASCAL VOC: names of classes with the colours that their pixels have.

A line is `label:r,g,b:parts:actions`, the background comes first. What a line cannot hold (a colon, a sharp
at its begin) becomes an underscore in names; colours that two labels share are made different.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from yard.annotations.labels import Label
from yard.export.intakes.intake import Intake

NAME: Final = "labelmap.txt"
BACKGROUND: Final = "background"
VOID: Final = 255
"""The number whose colour PASCAL VOC gives to pixels that belong to nothing, along the edges of objects."""
RENAMED: Final = "a colon, or a sharp at its begin, is written as an underscore"
_HEAD: Final = "# label:color_rgb:parts:actions\n"
_BLACK: Final = (0, 0, 0)
_LINE: Final = re.compile(r"(?P<name>[^:]+):(?P<color>\s*\d{1,3}\s*,\s*\d{1,3}\s*,\s*\d{1,3}\s*)?(?::.*)?")
_MOST_LINES: Final = 10_000
Color = tuple[int, int, int]


class LabelMap:
    """The classes of an export: number 0 is the background, then come the labels in their order."""

    def __init__(self, labels: Sequence[Label]) -> None:
        self.names = dict(zip((label.id for label in labels), _names(labels), strict=True))
        self.renamed = sum(self.names[label.id] != label.name for label in labels)
        given = {label.id: _color(label.color) for label in labels}
        taken = {_BLACK}
        colors = [_BLACK]
        self.numbers: dict[int, int] = {}
        for label in labels:
            if self.names[label.id] == BACKGROUND:
                self.numbers[label.id] = 0
                continue
            color = given[label.id]
            if color in taken:
                color = next(free for free in _palette() if free not in taken and free not in given.values())
            taken.add(color)
            self.numbers[label.id] = len(colors)
            colors.append(color)
        self.colors: Sequence[Color] = colors

    def text(self) -> bytes:
        """The whole file."""
        names = {number: self.names[id_] for id_, number in self.numbers.items()} | {0: BACKGROUND}
        lines = (
            f"{names[number]}:{red},{green},{blue}::\n"
            for number, (red, green, blue) in enumerate(self.colors)
        )
        return (_HEAD + "".join(lines)).encode()


def instance_color(number: int) -> Color:
    """The colour of the n-th object on a frame: VOC's, the bits of n spread over the channels."""
    red = green = blue = 0
    for place in range(7, -1, -1):
        red |= (number & 1) << place
        green |= (number >> 1 & 1) << place
        blue |= (number >> 2 & 1) << place
        number >>= 3
    return red, green, blue


def numbers_of(colors: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """The numbers whose colours these are, red in the upper bits."""
    found = np.zeros_like(colors)
    for place in range(8):
        for channel, shift in enumerate((16, 8, 0)):
            found |= (colors >> (shift + 7 - place) & 1) << (3 * place + channel)
    return found


def parsed(text: str) -> list[tuple[str, Color | None]]:
    """Names with their colours, if they have any, line by line; ValueError tells what is wrong."""
    found: list[tuple[str, Color | None]] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if match is None or len(found) >= _MOST_LINES:
            raise ValueError(f"line {number} is not of the form name:red,green,blue:parts:actions")
        color = tuple(map(int, match["color"].split(","))) if match["color"] else None
        if color is not None and max(color) > 255:
            raise ValueError(f"line {number} has a colour beyond 255")
        found.append((match["name"].strip(), color))  # type: ignore[arg-type]
    return found


def _names(labels: Iterable[Label]) -> Iterator[str]:
    """Names that a line can hold, none of them twice."""
    taken: set[str] = {label.name for label in labels if label.name == plain(label.name)}
    for label in labels:
        name = plain(label.name)
        if name != label.name:
            while name in taken:
                name += "_"
            taken.add(name)
        yield name


def plain(name: str) -> str:
    """The name as a line can hold it."""
    without = name.replace(":", "_")
    return "_" + without[1:] if without.startswith("#") else without


def label_written_as(intake: Intake, name: str, where: str) -> Label | None:
    """The label of this name, else the only one whose name is written so, but for blanks around it.

    Refuses if there is none.
    """
    names = [label.name for label in intake.labels.labels]
    if name not in names:
        fitting = [known for known in names if plain(known).strip() == name.strip()]
        if len(fitting) == 1:
            return intake.label(fitting[0], where)
    return intake.label(name, where)


def list_of(label: Label, subset: str) -> str:
    """The stem of the list that tells which frames of a subset have the label."""
    return f"{plain(label.name).replace('/', '_')}_{subset}"


def label_of_list(labels: Iterable[Label], stem: str) -> Label | None:
    """The label whose list it is; the one with the longest name that fits, the first of equal ones."""
    fitting = [label for label in labels if stem.startswith(list_of(label, ""))]
    return max(fitting, key=lambda label: len(label.name), default=None)


def _color(text: str) -> Color:
    digits = text.lstrip("#").ljust(6, "0")
    return int(digits[0:2], 16), int(digits[2:4], 16), int(digits[4:6], 16)


def _palette() -> Iterator[Color]:
    return (instance_color(number) for number in range(1, 1 << 24))
