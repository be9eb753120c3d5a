import pytest
from yard.media import parameters

LEAST = {
    "image_quality": 5,
    "start_frame": 0,
    "stop_frame": 0,
    "frame_step": 1,
    "chunk_size": 1,
    "pdf_dpi": 36,
}
MOST = {
    "image_quality": 100,
    "start_frame": 2**31,
    "stop_frame": 2**31,
    "frame_step": 2**31,
    "chunk_size": 10_000,
    "pdf_dpi": 600,
}


def test_nothing_has_to_be_given_and_bounds_belong_to_what_can_be() -> None:
    assert tuple(LEAST) == parameters.NAMES
    for given in ({}, LEAST, MOST):
        assert list(parameters.out_of_bounds(given)) == []


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ({name: least - 1 for name, least in LEAST.items()}, list(LEAST)),
        (
            {name: most + 1 for name, most in MOST.items()},
            ["image_quality", "chunk_size", "pdf_dpi"],
        ),
    ],
)
def test_all_that_is_out_of_bounds_is_named(given: dict[str, int], wrong: list[str]) -> None:
    assert [name for name, _ in parameters.out_of_bounds(given)] == wrong


def test_the_bounds_are_told() -> None:
    given = {"start_frame": -1, "pdf_dpi": 10}
    assert list(parameters.out_of_bounds(given)) == [
        ("start_frame", "must be 0 or more, got -1"),
        ("pdf_dpi", "must be 36 to 600, got 10"),
    ]
