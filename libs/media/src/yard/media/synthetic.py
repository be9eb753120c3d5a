"""Generated media with a number in every picture, for demonstrations and for tests of frame exactness.

The number stands in the picture twice: as digits for people, and as a code of 3 rows of 8 cells at the bottom
left (16 bits of number, 8 bits of its CRC-32; white is 1), which survives JPEG quality 5, H.264 and scaling
down to 256 pixels.
"""

import zlib
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Pixels = NDArray[np.uint8]

_COLUMNS, _ROWS, _GRID = 8, 3, 16
_BLACK, _WHITE = 16, 235


def burn(pixels: Pixels, number: int) -> None:
    """Writes `number` (0..65535) into an upright RGB or gray picture, in place, as digits and as cells."""
    _burn_digits(pixels, number)
    for bit, cell in zip(_code(number), _cells(pixels), strict=True):
        cell[...] = _WHITE if bit else _BLACK


def read(pixels: Pixels) -> int:
    """The number burnt into an upright picture of any scale; ValueError when the check bits do not fit."""
    bits = [_centre_mean(cell) > 128 for cell in _cells(pixels)]
    number = sum(1 << place for place, bit in enumerate(bits[:16]) if bit)
    if _code(number) != bits:
        raise ValueError(f"no burnt number: cells {''.join(str(int(bit)) for bit in bits)}")
    return number


def scene(width: int, height: int, seed: int = 7) -> Pixels:
    """A photo-like still: a gradient, soft blobs and a little sensor noise, equal for equal arguments."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    tint = random.uniform(0.3, 1.0, 3)
    picture = (60 + 120 * (x / width + y / height)[..., None] / 2) * tint
    for _ in range(6):
        blob = np.exp(
            -(((x - random.uniform(0, width)) ** 2) + (y - random.uniform(0, height)) ** 2) / width**1.7
        )
        picture += blob[..., None] * random.uniform(-60, 90, 3)
    picture += random.normal(0, 3, (height, width, 1))
    still: Pixels = np.clip(picture, 0, 255).astype(np.uint8)
    return still


def moving_scene(width: int, height: int, frames: int) -> Iterator[Pixels]:
    """Numbered pictures 0..frames-1 of three boxes that move over a still scene."""
    background = scene(width, height)
    for number in range(frames):
        picture = background.copy()
        for box in range(3):
            _draw_box(picture, number, box)
        burn(picture, number)
        yield picture


def make_demo_video(
    path: Path, seconds: int = 20, size: tuple[int, int] = (1280, 720), fps: int = 30
) -> Path:
    """Writes an H.264 mp4 with moving objects and burnt numbers."""
    options = {"preset": "ultrafast", "crf": "23", "g": str(fps)}
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=fps, options=options)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        for number, picture in enumerate(moving_scene(*size, seconds * fps)):
            container.mux(stream.encode(to_frame(picture, number, Fraction(1, fps))))
        container.mux(stream.encode(None))
    return path


def make_demo_images(folder: Path, count: int = 40, size: tuple[int, int] = (1280, 720)) -> list[Path]:
    """Writes `count` numbered JPEG pictures, `000000.jpg` and so on, each of another scene."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{number:06d}.jpg" for number in range(count)]
    for number, path in enumerate(paths):
        Image.fromarray(numbered_scene(number, size)).save(path, quality=90)
    return paths


def numbered_scene(number: int, size: tuple[int, int]) -> Pixels:
    """A still scene of its own for each number, with the number burnt in."""
    picture = scene(*size, seed=number)
    burn(picture, number)
    return picture


def to_frame(pixels: Pixels, pts: int, time_base: Fraction) -> av.VideoFrame:
    """An RGB picture as a frame at time `pts * time_base`."""
    frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
    frame.pts = pts
    frame.time_base = time_base
    return frame


def _code(number: int) -> list[bool]:
    if not 0 <= number < 1 << 16:
        raise ValueError(f"a burnt number has 16 bits, got {number}")
    check = zlib.crc32(number.to_bytes(2, "little")) & 0xFF
    value = number | check << 16
    return [bool(value >> place & 1) for place in range(_COLUMNS * _ROWS)]


def _cells(pixels: Pixels) -> Iterator[NDArray[np.uint8]]:
    height, width = pixels.shape[:2]
    for row in range(_GRID - _ROWS, _GRID):
        top, bottom = row * height // _GRID, (row + 1) * height // _GRID
        for column in range(_COLUMNS):
            yield pixels[top:bottom, column * width // _GRID : (column + 1) * width // _GRID]


def _centre_mean(cell: Pixels) -> float:
    height, width = cell.shape[:2]
    return float(cell[height // 4 : height - height // 4, width // 4 : width - width // 4].mean())


def _burn_digits(pixels: Pixels, number: int) -> None:
    size = max(10, pixels.shape[0] // 8)
    mask = Image.new("L", (size * 4, size + size // 2))
    font: Any = ImageFont.load_default(size)
    ImageDraw.Draw(mask).text((2, 2), str(number), fill=255, font=font)
    stencil = np.asarray(mask) > 127
    target = pixels[: stencil.shape[0], : stencil.shape[1]]
    target[stencil[: target.shape[0], : target.shape[1]]] = 255


def _draw_box(picture: Pixels, number: int, box: int) -> None:
    height, width = picture.shape[:2]
    box_width, box_height = width // (6 + box), height // (5 + box)
    left = _bounce(number * (3 + 2 * box), width - box_width)
    top = _bounce(number * (2 + box) + box * 40, height * 3 // 4 - box_height)
    picture[top : top + box_height, left : left + box_width] = ((230, 60, 50), (60, 200, 80), (60, 90, 230))[
        box
    ]


def _bounce(distance: int, room: int) -> int:
    position = distance % (2 * room) if room > 0 else 0
    return position if position <= room else 2 * room - position
