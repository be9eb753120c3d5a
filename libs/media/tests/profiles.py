"""Colour profiles made by their specification (ICC.1), and what their colours are in sRGB."""

import struct
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]

# Columns: red, green, blue in XYZ, adapted to D50.
SRGB: Matrix = np.array(
    [[0.43607, 0.38515, 0.14307], [0.22249, 0.71687, 0.06061], [0.01392, 0.09708, 0.71410]]
)
ADOBE_RGB: Matrix = np.array(
    [[0.60974, 0.20528, 0.14919], [0.31111, 0.62567, 0.06322], [0.01947, 0.06087, 0.74457]]
)
DISPLAY_P3: Matrix = np.array(
    [[0.51512, 0.29198, 0.15710], [0.24120, 0.69225, 0.06657], [-0.00105, 0.04189, 0.78407]]
)
ADOBE_GAMMA = 563 / 256


def rgb_profile(primaries: Matrix, gamma: float | None = None) -> bytes:
    """Three primaries and one curve, that of sRGB if there is no gamma."""
    curve = _srgb_curve() if gamma is None else _curve(gamma)
    points = {name: _xyz(primaries[:, column]) for column, name in enumerate(("rXYZ", "gXYZ", "bXYZ"))}
    curves = dict.fromkeys(("rTRC", "gTRC", "bTRC"), curve)
    return _profile("RGB ", "XYZ ", {**points, **curves, "wtpt": _xyz((0.9642, 1.0, 0.8249))})


def inks_profile() -> bytes:
    """CMYK: cyan is a dull blue, and the other inks are black."""
    colours = [(100.0, 0.0, 0.0) if not rest else (0.0, 0.0, 0.0) for rest in range(8)]
    colours += [(55.0, -20.0, -40.0), *[(0.0, 0.0, 0.0)] * 7]
    lookup = bytes(
        value for light, a, b in colours for value in (round(light * 2.55), round(a + 128), round(b + 128))
    )
    identity = bytes(range(256))
    matrix = b"".join(_fixed(value) for value in (1, 0, 0, 0, 1, 0, 0, 0, 1))
    table = b"mft1" + bytes(4) + bytes((4, 3, 2, 0)) + matrix + identity * 4 + lookup + identity * 3
    return _profile("CMYK", "Lab ", {"A2B0": table, "wtpt": _xyz((0.9642, 1.0, 0.8249))})


def in_srgb(pixels: NDArray[np.uint8], primaries: Matrix, gamma: float | None = None) -> Matrix:
    """RGB pixels of a matrix profile in sRGB, 0 to 255, by the definition."""
    values = pixels / 255
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    if gamma is not None:
        linear = values**gamma
    target = np.clip(linear @ (np.linalg.inv(SRGB) @ primaries).T, 0, 1)
    encoded = np.where(target <= 0.0031308, target * 12.92, 1.055 * target ** (1 / 2.4) - 0.055)
    return np.asarray(encoded * 255)


def _profile(space: str, connection: str, tags: Mapping[str, bytes]) -> bytes:
    directory, body = b"", b""
    start = 128 + 4 + 12 * len(tags)
    for name, content in tags.items():
        directory += name.encode() + struct.pack(">II", start + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    header = struct.pack(">I4sI4s4s4s", start + len(body), b"none", 0x02400000, b"scnr", space.encode(), b"")
    header = header[:20] + connection.encode() + struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp"
    header += bytes(68 - len(header)) + b"".join(_fixed(value) for value in (0.9642, 1.0, 0.8249))
    return header + bytes(128 - len(header)) + struct.pack(">I", len(tags)) + directory + body


def _fixed(value: float) -> bytes:
    return struct.pack(">i", round(value * 65536))


def _xyz(point: tuple[float, ...] | Matrix) -> bytes:
    return b"XYZ " + bytes(4) + b"".join(_fixed(float(value)) for value in point)


def _curve(gamma: float) -> bytes:
    return b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256)) + bytes(2)


def _srgb_curve() -> bytes:
    parameters = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
    return b"para" + bytes(4) + struct.pack(">HH", 3, 0) + b"".join(map(_fixed, parameters))
