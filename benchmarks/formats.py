"""How fast exchange formats are written and read, beside Datumaro on the same annotations in the same run.

Names of measurements as arguments run these alone: export, video, import, memory, platform, tensorflow;
`small` leaves out the data sets of a million boxes. Datumaro's time includes building its items, ours reading
the messages that other services send; archives are stored on both sides. Where the baseline takes minutes it
has 10,000 images only; both sizes are measured of ours. `platform` goes through all services, beside their
stream alone. TFRecord is measured beside the package tfrecord; `tensorflow`, which runs only if it is named,
measures it beside Datumaro's own in an environment of 1.9 GB.
"""

import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

from yard.runtime import telemetry

from benchmarks.formats_platform import measure_platform
from benchmarks.formats_process import ORACLES, OURS, ROOT, TENSORFLOW, Took, took
from benchmarks.formats_scene import Scene
from benchmarks.report import Aim, Row, publish, row

_LIMIT_MIB: Final = 200.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A format, what the baseline calls it, and how many times faster it should be."""

    name: str
    kind: str
    export: float
    read: float
    is_slow: bool = False
    """Whether the baseline takes minutes for a million boxes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """Of the data sets; `large` has ten times as much."""

    small: Scene
    large: Scene | None
    video: Scene
    repetitions: int


CASES: Final = (
    Case(name="COCO 1.0", kind="coco_instances", export=8, read=2.5),
    Case(name="CVAT for images 1.1", kind="cvat", export=8, read=4),
    Case(name="Datumaro 1.0", kind="datumaro", export=8, read=5),
    Case(name="MOT 1.1", kind="mot_seq_gt", export=8, read=5),
    Case(name="LabelMe 3.0", kind="label_me", export=8, read=2.5, is_slow=True),
    Case(name="PASCAL VOC 1.1", kind="voc", export=8, read=2.5, is_slow=True),
    Case(name="YOLO 1.1", kind="yolo", export=4, read=5),
    Case(name="TFRecord 1.0", kind="tfrecord", export=4, read=5),
)
SMALL: Final = Sizes(
    small=Scene(frames=10_000), large=None, video=Scene(frames=50_000, tracks=500), repetitions=3
)
FULL: Final = replace(SMALL, large=Scene(frames=100_000))
_MOT, _CVAT_VIDEO = CASES[3], "CVAT for video 1.1"
_RECORDS: Final = CASES[7]
_TENSORFLOW: Final = "tensorflow"
_WITH_TENSORFLOW: Final = replace(_RECORDS, kind="tf_detection_api")
# Where and by what a baseline is run, unless by Datumaro among the other oracles.
_RUNS: Final[Mapping[str, tuple[Path, str]]] = {
    _RECORDS.kind: (ORACLES, "benchmarks.formats_records"),
    _WITH_TENSORFLOW.kind: (TENSORFLOW, "benchmarks.formats_datumaro"),
}


def measure_export(sizes: Sizes, cases: Sequence[Case] = CASES) -> list[Row]:
    """Each format, from messages to the archive."""
    return [found for case in cases for found in _both(case, sizes, _exports, "export", case.export)]


def measure_import(sizes: Sizes, cases: Sequence[Case] = CASES) -> list[Row]:
    """Each format, from the archive that its own side has written to objects."""
    return [found for case in cases for found in _both(case, sizes, _imports, "import", case.read)]


def measure_tensorflow(sizes: Sizes) -> list[Row]:
    """TFRecord beside Datumaro's own; that reads images one by one, some hundreds a second."""
    case, slow = _WITH_TENSORFLOW, replace(_WITH_TENSORFLOW, is_slow=True)
    exports = _both(case, sizes, _exports, "export (beside TensorFlow)", case.export)
    return exports + _both(slow, sizes, _imports, "import (beside TensorFlow)", case.read)


def measure_video(sizes: Sizes) -> list[Row]:
    """A long video: MOT beside MOT, CVAT for video beside CVAT for images of the same frames."""
    rows = []
    title = f"{sizes.video.frames:,} frames, {sizes.video.tracks:,} tracks"
    for name, kind, times in ((_MOT.name, _MOT.kind, 6), (_CVAT_VIDEO, "cvat", 8)):
        with tempfile.TemporaryDirectory(prefix="frameyard-bench-") as folder:
            ours, plain = _exports(name, kind, sizes.video, Path(folder), 1)
        rows += _rows(f"export {name}, {title}", ours, plain, times)
    return rows


def measure_memory(sizes: Sizes) -> list[Row]:
    """The most memory for ten times the data, beside that for the data."""
    if sizes.large is None:
        return []
    rows = []
    for case in CASES:
        with tempfile.TemporaryDirectory(prefix="frameyard-bench-") as name:
            out = Path(name) / "ours.zip"
            for title, work in (("export", _export), ("import", _import)):
                peaks = []
                for scene in (sizes.small, sizes.large):
                    if work is _import:
                        _export(case.name, scene, out)
                    peaks.append(work(case.name, scene, out).peak_mib)
                metric = f"memory of {title} {case.name}, ten times the data (baseline: the data)"
                rows.append(
                    row(metric, "MiB", peaks[1:], peaks[:1], Aim(of="ratio", relation="<", value=1.15))
                )
    return rows


Work = Callable[[str, str, Scene, Path, int], tuple[list[Took], list[Took]]]


def _both(case: Case, sizes: Sizes, work: Work, title: str, times: float) -> list[Row]:
    """Rows of both data sets; where it takes minutes the large baseline is the small one, scaled."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="frameyard-bench-") as folder:
        repetitions = 1 if case.is_slow else sizes.repetitions
        ours, plain = work(case.name, case.kind, sizes.small, Path(folder), repetitions)
        rows += _rows(f"{title} {case.name}, {_title(sizes.small)}", ours, plain, times)
    if sizes.large is None:
        return rows
    with tempfile.TemporaryDirectory(prefix="frameyard-bench-") as folder:
        metric = f"{title} {case.name}, {_title(sizes.large)}"
        if not case.is_slow:
            ours, plain = work(case.name, case.kind, sizes.large, Path(folder), 1)
            return rows + _rows(metric, ours, plain, times)
        ours, _ = work(case.name, "", sizes.large, Path(folder), 1)
        scale = sizes.large.frames / sizes.small.frames
        seconds = [one.seconds * scale for one in plain]
        aim = Aim(of="ratio", relation="<=", value=1 / times)
        scaled = f"{metric} (baseline: {_title(sizes.small)}, scaled)"
        rows.append(row(scaled, "s", [one.seconds for one in ours], seconds, aim))
        rows.append(_peak_row(metric, ours, plain))
    return rows


def _rows(metric: str, ours: Sequence[Took], plain: Sequence[Took], times: float) -> list[Row]:
    aim = Aim(of="ratio", relation="<=", value=1 / times)
    seconds = row(metric, "s", [one.seconds for one in ours], [one.seconds for one in plain], aim)
    return [seconds, _peak_row(metric, ours, plain)]


def _peak_row(metric: str, ours: Sequence[Took], plain: Sequence[Took]) -> Row:
    limit = Aim(of="ours", relation="<", value=_LIMIT_MIB)
    peaks = [one.peak_mib for one in ours], [one.peak_mib for one in plain]
    return row(f"peak memory of {metric}", "MiB", *peaks, limit)


def _exports(
    name: str, kind: str, scene: Scene, folder: Path, repetitions: int
) -> tuple[list[Took], list[Took]]:
    """Both sides in turn; without a kind ours alone."""
    ours, plain = [], []
    for _ in range(repetitions):
        ours.append(_export(name, scene, folder / "ours.zip"))
        if kind:
            plain.append(_plain_export(kind, scene, folder))
    return ours, plain


def _imports(
    name: str, kind: str, scene: Scene, folder: Path, repetitions: int
) -> tuple[list[Took], list[Took]]:
    _export(name, scene, folder / "ours.zip")
    if kind:
        _plain_export(kind, scene, folder)
    ours, plain = [], []
    for _ in range(repetitions):
        ours.append(_import(name, scene, folder / "ours.zip"))
        if kind:
            plain.append(_plain("read", kind, scene, folder))
            if plain[-1].boxes != ours[-1].boxes:
                raise RuntimeError(
                    f"{name}: {ours[-1].boxes} boxes were read, {plain[-1].boxes} by the baseline"
                )
    return ours, plain


def _export(name: str, scene: Scene, out: Path) -> Took:
    return took(OURS, "benchmarks.formats_ours:export", format_name=name, scene=asdict(scene), out=str(out))


def _import(name: str, scene: Scene, path: Path) -> Took:
    return took(OURS, "benchmarks.formats_ours:read", format_name=name, scene=asdict(scene), path=str(path))


def _plain_export(kind: str, scene: Scene, folder: Path) -> Took:
    return _plain("export", kind, scene, folder, out=str(folder / "plain.zip"))


def _plain(function: str, kind: str, scene: Scene, folder: Path, **more: str) -> Took:
    python, module = _RUNS.get(kind, (ORACLES, "benchmarks.formats_datumaro"))
    arguments = {"kind": kind, "scene": asdict(scene), "folder": str(folder / "plain"), **more}
    return took(python, f"{module}:{function}", **arguments)


def _title(scene: Scene) -> str:
    return f"{scene.frames:,} images, {scene.frames * scene.boxes:,} boxes"


MEASUREMENTS: Final[Mapping[str, Callable[[Sizes], list[Row]]]] = {
    "export": measure_export,
    "video": measure_video,
    "import": measure_import,
    "memory": measure_memory,
    "platform": lambda sizes: measure_platform(sizes.large or sizes.small),
    _TENSORFLOW: measure_tensorflow,
}


def chosen(names: Sequence[str]) -> list[str]:
    """The measurements that are named; if none is, all but that which fetches TensorFlow."""
    named = [name for name in names if name != "small"]
    if unknown := set(named) - MEASUREMENTS.keys():
        raise SystemExit(f"expected names out of {', '.join(MEASUREMENTS)}, got {', '.join(sorted(unknown))}")
    return named or [name for name in MEASUREMENTS if name != _TENSORFLOW]


def install(group: str = "oracles") -> None:
    """Makes the environment of a baseline unless it is there."""
    installed = f".venv-{group}/.installed"
    if not (ROOT / installed).exists():
        subprocess.run(["make", "--no-print-directory", installed], check=True, cwd=ROOT, capture_output=True)


def main(names: Sequence[str]) -> None:
    """Prints and writes the rows of all measurements, or of those that are named."""
    sizes = SMALL if "small" in names else FULL
    named = chosen(names)
    telemetry.configure("bench", level="error", log_format="json")
    install()
    if _TENSORFLOW in named:
        install(_TENSORFLOW)
    rows = [found for name in named for found in MEASUREMENTS[name](sizes)]
    publish("-".join(["formats", *names]), rows)


if __name__ == "__main__":
    main(sys.argv[1:])
