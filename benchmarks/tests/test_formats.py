from dataclasses import replace

import pytest

from benchmarks.formats import (
    CASES,
    MEASUREMENTS,
    Sizes,
    chosen,
    install,
    measure_export,
    measure_import,
    measure_video,
)
from benchmarks.formats_scene import Scene
from benchmarks.report import Row

TINY = Sizes(small=Scene(frames=4), large=None, video=Scene(frames=90, tracks=3, length=40), repetitions=1)


def test_every_format_is_measured_beside_its_baseline_on_the_same_boxes() -> None:
    """Figures of so little say nothing, but both sides must have read the same number of boxes."""
    install()
    rows = measure_import(TINY)
    for case in CASES:
        check(rows, f"import {case.name}", ["s", "MiB"])


def test_ten_times_the_data_are_measured_too() -> None:
    install()
    cases = [next(case for case in CASES if case.is_slow is is_slow) for is_slow in (False, True)]
    larger = replace(TINY, large=Scene(frames=8))
    for title, rows in (("export", measure_export(larger, cases)), ("import", measure_import(larger, cases))):
        for case in cases:
            check(rows, f"{title} {case.name}", ["s", "MiB"] * 2)


def check(rows: list[Row], title: str, units: list[str]) -> None:
    found = [each for each in rows if title in each.metric]
    assert [each.unit for each in found] == units
    assert all(each.ours > 0 and each.baseline > 0 for each in found)


def test_the_video_is_the_same_on_both_sides() -> None:
    install()
    assert [each.unit for each in measure_video(TINY)] == ["s", "MiB"] * 2


def test_tensorflow_is_fetched_only_if_its_rows_are_named() -> None:
    assert chosen([]) == chosen(["small"]) == [name for name in MEASUREMENTS if name != "tensorflow"]
    assert chosen(["small", "tensorflow"]) == ["tensorflow"]
    with pytest.raises(SystemExit, match="tensor-flow"):
        chosen(["tensor-flow"])
