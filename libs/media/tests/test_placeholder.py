import numpy as np
import pytest
from yard.media.placeholder import placeholder

REASON = "folder/a picture with a long name.png: cannot be decoded as an image (broken data stream)"


@pytest.mark.parametrize(
    "size", [(1, 1), (1, 500), (500, 1), (8, 8), (64, 48), (320, 240), (1921, 1081), (4001, 3003)]
)
def test_it_has_the_size_of_its_frame(size: tuple[int, int]) -> None:
    pixels = placeholder(*size, 17, REASON)
    assert pixels.shape == (size[1], size[0], 3)
    assert pixels.dtype == np.uint8


@pytest.mark.parametrize("size", [(100, 60), (320, 240), (1920, 1080), (4000, 3000)])
def test_number_and_reason_can_be_told_apart(size: tuple[int, int]) -> None:
    first = placeholder(*size, 17, REASON)
    assert first.max() > 200, "words are white"
    assert not np.array_equal(first, placeholder(*size, 18, REASON))
    assert not np.array_equal(first, placeholder(*size, 17, "is not there"))
    assert np.array_equal(first, placeholder(*size, 17, REASON))


@pytest.mark.parametrize("reason", ["", "x" * 5000, "\0\n\t\u202e", "圖片損壞 ☂", "a b " * 2000])
def test_any_reason_is_taken(reason: str) -> None:
    for size in ((40, 30), (300, 40), (640, 360)):
        assert placeholder(*size, 0, reason).shape == (size[1], size[0], 3)
