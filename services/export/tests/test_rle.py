import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pycocotools import mask as coco_mask
from yard.annotations.geometry import mask_pixels
from yard.export.wording import rle
from yard.export.wording.rle import RleError, counts_of, mask_points, text_of

# Its compiled part does not know the protocol of NumPy 2 yet.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
PICTURES = st.tuples(st.integers(1, 9), st.integers(1, 9), st.integers(0, 2**30)).map(
    lambda given: np.random.default_rng(given[2]).random(given[:2]) < given[2] % 7 / 6
)


def runs_of(pixels: NDArray[np.bool_]) -> list[int]:
    flat = pixels.T.ravel()
    edges = np.flatnonzero(np.diff(flat, prepend=False)).tolist()
    return np.diff([0, *edges, len(flat)]).tolist()  # type: ignore[no-any-return]


@given(st.lists(st.integers(0, 2**31), max_size=30))
def test_text_leads_back_to_its_numbers(counts: list[int]) -> None:
    assert counts_of(text_of(counts)).tolist() == counts


@given(PICTURES)
def test_text_is_that_of_pycocotools(pixels: NDArray[np.bool_]) -> None:
    encoded = coco_mask.encode(np.asfortranarray(pixels.astype(np.uint8)))
    assert text_of(runs_of(pixels)) == encoded["counts"].decode()
    assert counts_of(encoded["counts"].decode()).tolist() == runs_of(pixels)


@given(PICTURES, st.sampled_from([1, 5, 1 << 22]), st.booleans())
@settings(max_examples=300, deadline=None)
def test_masks_are_the_pixels_of_their_runs(pixels: NDArray[np.bool_], strip: int, as_text: bool) -> None:
    height, width = pixels.shape
    counts = runs_of(pixels)
    with pytest.MonkeyPatch.context() as patch:
        # Strips of few pixels have borders everywhere.
        patch.setattr(rle, "_STRIP", strip)
        points = mask_points(text_of(counts) if as_text else counts, [height, width], width, height)
    if not pixels.any():
        assert points is None
        return
    assert points is not None
    left, top, right, bottom = points[-4:]
    assert pixels.sum() == pixels[top : bottom + 1, left : right + 1].sum()
    assert (mask_pixels(points) == pixels[top : bottom + 1, left : right + 1]).all()
    assert all(points[1:-4])


def test_zero_runs_within_are_taken() -> None:
    assert mask_points([0, 1, 0, 1, 2], [2, 2], 2, 2) == [0, 2, 0, 0, 0, 1]


def test_a_full_picture_of_any_size_needs_a_strip_of_memory() -> None:
    side = 8192
    assert mask_points([0, side * side], [side, side], side, side) == [
        0,
        side * side,
        0,
        0,
        side - 1,
        side - 1,
    ]


def test_more_runs_than_a_mask_may_have_are_refused() -> None:
    side = 999
    with pytest.raises(RleError, match="more than"):
        mask_points([1] * (side * side), [side, side], side, side)
