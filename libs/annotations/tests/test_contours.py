import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from yard.annotations.contours import Outlines, outlines
from yard.annotations.model import Shape, ShapeKind
from yard.annotations.rasters import raster

Pixels = NDArray[np.bool_]
LEFT, TOP = 3, 5


def mask_of(pixels: Pixels) -> list[int]:
    """The points of a mask of all these pixels, the outer ones too."""
    flat = pixels.ravel()
    turns = np.flatnonzero(np.diff(flat.astype(int), prepend=0, append=1 - int(flat[-1])))
    runs: list[int] = np.diff(turns, prepend=0).tolist()
    height, width = pixels.shape
    return [*runs, LEFT, TOP, LEFT + width - 1, TOP + height - 1]


def pixels_of(*rows: str) -> Pixels:
    return np.array([[letter == "#" for letter in row] for row in rows])


def painted(found: Outlines, width: int, height: int) -> Pixels:
    """All polygons drawn over one another."""
    canvas = np.zeros((TOP + height, LEFT + width), dtype=np.bool_)
    for points in found.polygons:
        shape = Shape(frame=0, label_id=1, kind=ShapeKind.POLYGON, points=tuple(map(float, points)))
        drawn = raster(shape, LEFT + width, TOP + height)
        rows, columns = drawn.pixels.shape
        canvas[drawn.top : drawn.top + rows, drawn.left : drawn.left + columns] |= drawn.pixels
    return canvas[TOP:, LEFT:]


def parts_of(pixels: Pixels, *, corners: bool) -> list[Pixels]:
    """What hangs together by edges, or also by corners."""
    left = {(int(row), int(column)) for row, column in np.argwhere(pixels)}
    steps = [(0, 1), (1, 0), (0, -1), (-1, 0)] + [(1, 1), (1, -1), (-1, 1), (-1, -1)] * corners
    found = []
    while left:
        part, waiting = np.zeros_like(pixels), [left.pop()]
        while waiting:
            row, column = waiting.pop()
            part[row, column] = True
            near = {(row + down, column + right) for down, right in steps} & left
            left -= near
            waiting += near
        found.append(part)
    return found


def holes_of(pixels: Pixels) -> list[Pixels]:
    padded = np.pad(~pixels, 1, constant_values=True)
    return [part[1:-1, 1:-1] for part in parts_of(padded, corners=False) if not part[0, 0]]


@pytest.mark.parametrize(
    ("rows", "polygons", "holes"),
    [
        (["##", "##"], [[3, 5, 5, 5, 5, 7, 3, 7]], 0),
        ([".#.", "###"], [[4, 5, 5, 5, 5, 6, 6, 6, 6, 7, 3, 7, 3, 6, 4, 6]], 0),
        (["#.", ".#"], [[3, 5, 4, 5, 4, 6, 5, 6, 5, 7, 4, 7, 4, 6, 3, 6]], 0),
        (["#.#"], [[3, 5, 4, 5, 4, 6, 3, 6], [5, 5, 6, 5, 6, 6, 5, 6]], 0),
        (["###", "#.#", "###"], [[3, 5, 6, 5, 6, 8, 3, 8]], 1),
    ],
)
def test_outlines_go_clockwise_from_the_top_left_corner(
    rows: list[str], polygons: list[list[int]], holes: int
) -> None:
    assert outlines(mask_of(pixels_of(*rows))) == Outlines(polygons, holes)


def test_runs_of_nothing_change_nothing() -> None:
    assert outlines((0, 1, 0, 3, 0, 0, 0, 1, 1)) == outlines((0, 4, 0, 0, 1, 1))
    assert outlines((1, 0, 1, 2, 0, 0, 1, 1)) == outlines((2, 2, 0, 0, 1, 1))


@given(st.data(), st.integers(1, 9), st.integers(1, 9))
def test_drawn_again_outlines_are_the_mask_without_its_holes(
    data: st.DataObject, width: int, height: int
) -> None:
    flat = data.draw(st.lists(st.booleans(), min_size=width * height, max_size=width * height).filter(any))
    pixels = np.array(flat).reshape(height, width)
    found, holes = outlines(mask_of(pixels)), holes_of(pixels)
    assert found.holes == len(holes)
    assert len(found.polygons) == len(parts_of(pixels, corners=True))
    filled = np.logical_or.reduce([pixels, *holes])
    assert (painted(found, width, height) == filled).all()


def test_a_large_area_costs_no_more_than_its_outline() -> None:
    side = 10**9
    assert outlines((0, side, 0, 0, side - 1, 0)).polygons == [[0, 0, side, 0, side, 1, 0, 1]]
