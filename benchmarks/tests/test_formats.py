from benchmarks.formats import CASES, Sizes, install, measure_export, measure_import, measure_video
from benchmarks.formats_scene import Scene

TINY = Sizes(
    small=Scene(frames=4), large=Scene(frames=8), video=Scene(frames=90, tracks=3, length=40), repetitions=1
)


def test_every_format_is_measured_beside_its_baseline_on_the_same_boxes() -> None:
    """Figures of so little say nothing, but both sides must have read the same number of boxes."""
    install()
    exports, imports = measure_export(TINY), measure_import(TINY)
    for case in CASES:
        for title, rows in (("export", exports), ("import", imports)):
            found = [each for each in rows if f"{title} {case.name}" in each.metric]
            assert [each.unit for each in found] == ["s", "MiB"] * 2
            assert all(each.ours > 0 and each.baseline > 0 for each in found)


def test_the_video_is_the_same_on_both_sides() -> None:
    install()
    assert [each.unit for each in measure_video(TINY)] == ["s", "MiB"] * 2
