import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from yard.media import synthetic
from yard.media.hard_clips import HIDDEN
from yard.media.video_index import index_video


@pytest.mark.parametrize("number", [0, 1, 255, 256, HIDDEN, 65_535])
def test_a_number_survives_bad_jpeg_and_scaling(number: int) -> None:
    picture = synthetic.scene(640, 480, seed=number)
    synthetic.burn(picture, number)
    target = io.BytesIO()
    Image.fromarray(picture).resize((256, 192)).save(target, "JPEG", quality=5)
    assert synthetic.read(np.asarray(Image.open(target))) == number


def test_a_gray_picture_can_carry_a_number() -> None:
    picture = np.full((120, 160), 90, np.uint8)
    synthetic.burn(picture, 77)
    assert synthetic.read(picture) == 77


@pytest.mark.parametrize("number", [-1, 65_536])
def test_numbers_have_a_range(number: int) -> None:
    with pytest.raises(ValueError, match="16 bits"):
        synthetic.burn(np.zeros((64, 64, 3), np.uint8), number)


def test_a_picture_without_a_number_is_not_read_as_one() -> None:
    with pytest.raises(ValueError, match="no burnt number"):
        synthetic.read(np.full((240, 320, 3), 255, np.uint8))


def test_a_turned_picture_is_not_read() -> None:
    picture = synthetic.numbered_scene(5, (320, 240))
    for turns in (1, 2, 3):
        with pytest.raises(ValueError, match="no burnt number"):
            synthetic.read(np.rot90(picture, turns))


def test_the_demonstration_has_its_pictures(tmp_path: Path) -> None:
    images = synthetic.make_demo_images(tmp_path / "images", count=3, size=(320, 240))
    assert [path.name for path in images] == ["000000.jpg", "000001.jpg", "000002.jpg"]
    assert [synthetic.read(np.asarray(Image.open(path))) for path in images] == [0, 1, 2]
    video = synthetic.make_demo_video(tmp_path / "film.mp4", seconds=1, size=(320, 240), fps=10)
    with video.open("rb") as file:
        assert index_video(file, "film.mp4").frames == 10
