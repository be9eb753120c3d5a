"""What the numbers can be by which a task asks for its media."""

from collections.abc import Iterator, Mapping
from typing import Final

LONGEST_CHUNK: Final = 10_000
"""Frames."""

_BOUNDS: Final[Mapping[str, tuple[int, int | None]]] = {
    "image_quality": (5, 100),
    "start_frame": (0, None),
    "stop_frame": (0, None),
    "frame_step": (1, None),
    "chunk_size": (1, LONGEST_CHUNK),
    "pdf_dpi": (36, 600),
}

NAMES: Final = tuple(_BOUNDS)


def out_of_bounds(given: Mapping[str, int]) -> Iterator[tuple[str, str]]:
    """Of the parameters that are given those that cannot be so, by name, each with what is wrong."""
    for name, value in given.items():
        least, most = _BOUNDS[name]
        if value < least or (most is not None and value > most):
            bounds = f"{least} or more" if most is None else f"{least} to {most}"
            yield name, f"must be {bounds}, got {value}"
