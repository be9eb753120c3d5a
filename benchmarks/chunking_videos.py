"""Chunks of videos built one after another: time, CPU and memory beside the straightforward way."""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks.chunking_media import FPS, FRAMES, LONG_TIMES, long_video, video
from benchmarks.chunking_process import BOTH, Taken, measured
from benchmarks.report import Aim, Row, row

REPETITIONS: Final = 3
QUALITY: Final = 70
CRF: Final = 21
"""What the mp4 of image quality 70 is encoded with."""
ORIGINAL_CRF: Final = 17
BUILT: Final = 540
"""Frames of a repetition: 15 chunks."""
_OURS, _BASELINE = "benchmarks.chunking_ours", "benchmarks.chunking_baseline"

Side = Callable[[], Taken]


def measure_zip() -> list[Row]:
    """Zip chunks of quality 70 on two cores."""
    source = video(FPS)
    ours, baseline = alternating(
        lambda: _ours("zip_video", source, frames=BUILT, quality=QUALITY),
        lambda: _baseline("zip_video", source, frames=BUILT, quality=QUALITY),
    )
    half = Aim(of="ratio", relation="<=", value=0.5)
    return [
        *pace("zip chunks, 1080p", BUILT, ours, baseline, cpu=2.2, wall=3.5),
        row("zip chunks, 1080p: peak memory", "MiB", peaks(ours), peaks(baseline), half),
        row("zip chunks, 1080p: bytes", "MB", _megabytes(ours), _megabytes(baseline)),
    ]


def measure_memory() -> list[Row]:
    """The most memory for all chunks of 60 s and of 10 minutes, beside the baseline's 60 s."""
    short = _ours("zip_video", video(FPS), frames=FRAMES, quality=QUALITY)
    long = _ours("zip_video", long_video(), frames=FRAMES * LONG_TIMES, quality=QUALITY)
    straightforward = _baseline("zip_video", video(FPS), frames=BUILT, quality=QUALITY)
    aims = (Aim(of="ratio", relation="<=", value=0.5), Aim(of="ratio", relation="<=", value=1.1))
    return [
        row("zip chunks of 60 s: peak memory", "MiB", peaks([short]), peaks([straightforward]), aims[0]),
        row(
            "zip chunks of 10 min: peak memory, beside 60 s of ours",
            "MiB",
            peaks([long]),
            peaks([short]),
            aims[1],
        ),
    ]


def measure_cores() -> list[Row]:
    """Zip chunks on two cores beside one."""
    source = video(FPS)
    two, one = alternating(
        lambda: _ours("zip_video", source, frames=BUILT, quality=QUALITY),
        lambda: _ours("zip_video", source, cores=(0,), frames=BUILT, quality=QUALITY),
    )
    aim = Aim(of="ratio", relation=">=", value=1.6)
    metric = "zip chunks, 1080p, two cores beside one"
    return [row(metric, "frames/s", _rates(BUILT, two), _rates(BUILT, one), aim)]


def measure_mp4() -> list[Row]:
    """mp4 chunks of full size beside x264's fastest preset at half size."""
    source = video(FPS)
    ours, baseline = alternating(
        lambda: _ours("mp4_video", source, frames=BUILT, crf=CRF),
        lambda: _baseline("mp4_video", source, frames=BUILT, crf=CRF, half=True),
    )
    return [
        *pace("mp4 chunks at full size beside half size", BUILT, ours, baseline, wall=0.5),
        row("mp4 chunks: peak memory", "MiB", peaks(ours), peaks(baseline)),
        row("mp4 chunks: bytes", "MB", _megabytes(ours), _megabytes(baseline)),
    ]


def measure_original() -> list[Row]:
    """Original quality as whole groups of pictures beside encoding the frames again, by frames asked for."""
    rows: list[Row] = []
    for gop in (FPS, 250):
        source = video(gop)
        ours, baseline = alternating(
            lambda source=source: _ours("original_video", source, frames=BUILT),  # type: ignore[misc]
            lambda source=source: _baseline(  # type: ignore[misc]
                "mp4_video", source, frames=BUILT, crf=ORIGINAL_CRF, half=False
            ),
        )
        rows += pace(f"original chunks, whole GOPs of {gop}", BUILT, ours, baseline, cpu=10, wall=7)
    return rows


def alternating(first: Side, second: Side, repetitions: int = REPETITIONS) -> tuple[list[Taken], list[Taken]]:
    """Both in turns."""
    pairs = [(first(), second()) for _ in range(repetitions)]
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


def pace(
    what: str,
    count: int,
    ours: Sequence[Taken],
    baseline: Sequence[Taken],
    *,
    cpu: float | None = None,
    wall: float | None = None,
    unit: str = "frames",
) -> list[Row]:
    """How many a second, and a second of CPU; `cpu` and `wall` are how many times the baseline's to reach."""
    aims = [None if value is None else Aim(of="ratio", relation=">=", value=value) for value in (wall, cpu)]
    spent = [[count / taken.cpu_s for taken in side] for side in (ours, baseline)]
    return [
        row(what, f"{unit}/s", _rates(count, ours), _rates(count, baseline), aims[0]),
        row(f"{what}: by CPU", f"{unit}/CPU-s", spent[0], spent[1], aims[1]),
    ]


def peaks(side: Sequence[Taken]) -> list[float]:
    """MiB."""
    return [taken.peak_mib for taken in side]


def _rates(count: int, side: Sequence[Taken]) -> list[float]:
    return [count / taken.wall_s for taken in side]


def _megabytes(side: Sequence[Taken]) -> list[float]:
    return [taken.result / 1e6 for taken in side]


def _ours(function: str, source: Path, cores: tuple[int, ...] = BOTH, **arguments: Any) -> Taken:
    return _into_folder(
        f"{_OURS}:{function}", cores, video=str(source), block=str(block_of(source)), **arguments
    )


def _baseline(function: str, source: Path, **arguments: Any) -> Taken:
    return _into_folder(f"{_BASELINE}:{function}", BOTH, video=str(source), **arguments)


def block_of(source: Path) -> Path:
    """The index of the video, which media_ingest has made before; measured among the media."""
    block = source.with_suffix(".index")
    measured(f"{_OURS}:index", {"video": str(source), "block": str(block)})
    return block


def _into_folder(function: str, cores: tuple[int, ...], **arguments: Any) -> Taken:
    with tempfile.TemporaryDirectory(prefix="frameyard-bench-") as folder:
        return measured(function, {**arguments, "folder": folder}, cores)
