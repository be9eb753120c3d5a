import numpy as np
import pytest
from yard.annotations.model import Shape, ShapeKind
from yard.annotations.rasters import raster

from libs.annotations.tests.examples import box


def painted(shape: Shape, width: int = 6, height: int = 5) -> list[str]:
    found = raster(shape, width, height)
    canvas = np.zeros((height, width), dtype=bool)
    rows, columns = found.pixels.shape
    canvas[found.top : found.top + rows, found.left : found.left + columns] = found.pixels
    return ["".join(".#"[pixel] for pixel in row) for row in canvas.astype(int)]


def test_a_polygon_with_a_dent() -> None:
    shape = box(0, 0, 0, 6, 0, 6, 5, 4, 5, 4, 2, 2, 2, 2, 5, 0, 5, kind=ShapeKind.POLYGON)
    assert painted(shape) == ["######", "######", "##..##", "##..##", "##..##"]


def test_a_mask_keeps_its_hole() -> None:
    shape = box(0, 0, 4, 1, 4, 1, 1, 3, 3, kind=ShapeKind.MASK)
    assert painted(shape) == ["......", ".###..", ".#.#..", ".###..", "......"]


def test_an_ellipse_and_its_quarter_turn() -> None:
    flat = box(0, 3, 2.5, 6, 1, kind=ShapeKind.ELLIPSE)
    assert painted(flat) == ["......", ".####.", "######", ".####.", "......"]
    upright = box(0, 3, 2.5, 6, 1.4, rotation=90.0, kind=ShapeKind.ELLIPSE)
    assert painted(upright) == ["..##..", "..##..", "..##..", "..##..", "..##.."]


def test_what_sticks_out_is_cut() -> None:
    assert painted(box(0, -3, 3, 2, 9)) == ["......", "......", "......", "##....", "##...."]


@pytest.mark.parametrize(
    ("shape", "runs"),
    [
        (box(0, 0, 0, 6, 5), [0, 30]),
        (box(0, 1, 1, 3, 4), [6, 3, 2, 3, 16]),
        (box(0, 5, 2, 6, 5), [27, 3]),
    ],
)
def test_runs_go_column_by_column_from_background(shape: Shape, runs: list[int]) -> None:
    assert raster(shape, 6, 5).column_runs(6, 5) == runs
