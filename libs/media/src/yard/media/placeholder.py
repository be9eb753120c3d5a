"""The picture that takes the place of a frame which cannot be decoded: its number stays, and it says why."""

from functools import lru_cache
from math import isqrt

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from yard.media.encode_jpeg import Pixels

_GROUND, _CROSS, _WORDS = (40, 40, 44), (150, 60, 60), (255, 255, 255)
_SIZES = (96, 72, 56, 40, 32, 24, 18, 14, 11, 9)
"""Heights of letters in pixels; the first that fits is taken."""
_MARGIN = 0.06
_SPACING = 1.25
_MOST_REASON = 300
_DRAWN_PIXELS = 2_000_000
"""Larger pictures are drawn smaller and blown up: that is fast, and the letters grow along."""

_Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
_Lines = list[tuple[str, _Font, float]]


def placeholder(width: int, height: int, frame: int, reason: str) -> Pixels:
    """RGB (height, width, 3) that says in words that the relative frame is damaged, and the reason.

    As much of the reason is told as there is room for; pictures too small for words are crossed out.
    """
    scale = isqrt((width * height - 1) // _DRAWN_PIXELS) + 1
    drawn = _drawn(-(-width // scale), -(-height // scale), frame, reason)
    if scale == 1:
        return drawn
    return drawn.repeat(scale, axis=1)[:, :width].repeat(scale, axis=0)[:height]


def _drawn(width: int, height: int, frame: int, reason: str) -> Pixels:
    image = Image.new("RGB", (width, height), _GROUND)
    draw = ImageDraw.Draw(image)
    thickness = max(1, min(width, height) // 200)
    draw.line((0, 0, width - 1, height - 1), _CROSS, thickness)
    draw.line((0, height - 1, width - 1, 0), _CROSS, thickness)
    _write(draw, _laid_out(width, height, f"Frame {frame} is damaged", _plain(reason)), (width, height))
    return np.asarray(image)


def _write(draw: ImageDraw.ImageDraw, lines: _Lines, size: tuple[int, int]) -> None:
    """Centred, on a ground of their own so that the cross does not run through the words."""
    width, height = size
    top = (height - sum(line_height for _, _, line_height in lines)) / 2
    for text, font, line_height in lines:
        left = (width - font.getlength(text)) / 2
        draw.rectangle((left - 2, top, width - left + 2, top + line_height), _GROUND)
        draw.text((left, top + line_height / 2), text, _WORDS, font, anchor="lm")
        top += line_height


def _laid_out(width: int, height: int, heading: str, reason: str) -> _Lines:
    """Lines with their fonts and heights: the heading as large as fits, under it the reason, smaller."""
    room, most = width * (1 - 2 * _MARGIN), height * (1 - 2 * _MARGIN)
    for size in _SIZES:
        lines = _wrapped(heading, size, room)
        if lines and len(lines) <= 2 and len(lines) * size * _SPACING <= max(most / 3, 2.5 * _SIZES[-1]):
            break
    else:
        return []
    laid_out = [(line, _font(size), size * _SPACING) for line in lines]
    if sum(line_height for *_, line_height in laid_out) > most:
        return []
    small = max(_SIZES[-1], size * 5 // 8)
    left = int((most - len(lines) * size * _SPACING) // (small * _SPACING))
    told = _wrapped(reason, small, room) if left > 0 else []
    return laid_out + [(line, _font(small), small * _SPACING) for line in told[:left]]


def _wrapped(text: str, size: int, room: float) -> list[str]:
    """Lines no longer than the room; longer words are broken; none if not even a letter fits."""
    font = _font(size)
    lines: list[str] = []
    line = ""
    for word in text.split():
        joined = f"{line} {word}" if line else word
        if font.getlength(joined) <= room:
            line = joined
            continue
        if line:
            lines.append(line)
        line = word
        while line and font.getlength(line) > room:
            cut = max(1, int(len(line) * room / font.getlength(line)))
            if cut == 1 and font.getlength(line[0]) > room:
                return []
            lines.append(line[:cut])
            line = line[cut:]
    return [*lines, line] if line else lines


def _plain(reason: str) -> str:
    """Short, and without what a font has no picture for."""
    return "".join(sign if sign.isprintable() else " " for sign in reason[:_MOST_REASON])


@lru_cache(maxsize=len(_SIZES) * 2)
def _font(size: int) -> _Font:
    """The font that comes with Pillow."""
    return ImageFont.load_default(size)
