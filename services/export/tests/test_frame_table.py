"""Which frame a name in a file means."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yard.export.intakes.frame_table import FrameTable


def table(*names: str, first: int = 0) -> FrameTable:
    made = FrameTable(first)
    for number, name in enumerate(names):
        made.add(name, 10 + number, 20)
    return made


def test_sizes_may_be_of_any_length() -> None:
    sizes = [(1920, 1080), (70_000, 3), (5, 1 << 30), (0, 0)]
    made = FrameTable(7)
    for number, (width, height) in enumerate(sizes):
        made.add(f"{number}.png", width, height)
    assert [made.size(frame) for frame in range(7, 11)] == sizes
    assert made.size_if_any(11) is None


PHOTOS = ("a/one.png", "b/one.jpg", "two.v1.JPG", "dup.png", "dup.jpg", "c/d/three.png", "frame_000010")


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("a/one.png", [0]),
        ("one.png", [0]),
        ("one", [0, 1]),
        ("b/one", [1]),
        ("images/train/b/one.png", [1]),
        ("x/one.png", []),
        ("two.v1", [2]),
        ("two.v1.png", [2]),
        ("two", []),
        ("two.v2", []),
        ("dup.jpg", [4]),
        ("dup", [3, 4]),
        ("dup.gif", [3, 4]),
        ("d/three", [5]),
        ("three.png", [5]),
        ("./c\\d\\three.png", [5]),
        ("frame_000010.PNG", [6]),
        ("images/frame_000010.PNG", [6]),
        ("frame_000010.xml", []),
        ("", []),
        ("/", []),
    ],
)
def test_names_fit_with_and_without_folders_and_extensions(name: str, found: list[int]) -> None:
    photos = table(*PHOTOS, first=7)
    assert [frame - 7 for frame in photos.named(name)] == found
    assert [frame - 7 for frame in photos.named(name)] == found


def test_composed_and_decomposed_letters_are_the_same() -> None:
    assert table("u\u0308.png").named("ü.png") == [0]
    assert table("ü.png").named("x/u\u0308") == [0]


def test_frames_have_sizes_and_limits() -> None:
    photos = table(*PHOTOS, first=7)
    assert (photos.size(9), len(photos)) == ((12, 20), 7)
    assert [photos.size_if_any(frame) for frame in (6, 7, 13, 14)] == [None, (10, 20), (16, 20), None]


_NAMES = st.lists(
    st.text("ab/.", min_size=1, max_size=6)
    .map(lambda name: "/".join(part for part in name.split("/") if part.strip(".")))
    .filter(bool),
    unique=True,
    max_size=12,
)


@given(_NAMES)
def test_every_whole_name_is_its_own_frame(names: list[str]) -> None:
    frames = table(*names)
    for number, name in reversed([*enumerate(names)]):
        assert frames.named(name) == [number]
    for number, name in enumerate(names):
        assert frames.named(name) == [number]
