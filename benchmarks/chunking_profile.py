"""Flame graphs of making chunks: bench-out/profile-NAME.svg, with the stacks of the libraries in C."""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from benchmarks.chunking_media import FPS, TWELVE_MP, pictures, video
from benchmarks.chunking_process import ROOT, command
from benchmarks.chunking_videos import BUILT, CRF, ORIGINAL_CRF, QUALITY, block_of
from benchmarks.report import OUT

_SAMPLES_A_SECOND: Final = 200


def _video(ours: bool, gop: int = FPS) -> dict[str, Any]:
    source = video(gop)
    return {"video": str(source), "frames": BUILT} | ({"block": str(block_of(source))} if ours else {})


def _zip(ours: bool) -> tuple[str, dict[str, Any]]:
    return "zip_video", {**_video(ours), "quality": QUALITY}


def _mp4(ours: bool) -> tuple[str, dict[str, Any]]:
    return "mp4_video", {**_video(ours), "crf": CRF, **({} if ours else {"half": True})}


def _original(ours: bool) -> tuple[str, dict[str, Any]]:
    if ours:
        return "original_video", _video(ours)
    return "mp4_video", {**_video(ours), "crf": ORIGINAL_CRF, "half": False}


def _images(_: bool) -> tuple[str, dict[str, Any]]:
    return "zip_images", {
        "images": [str(path) for path in pictures(TWELVE_MP)],
        "quality": QUALITY,
        "chunk": 6,
    }


WORK: Final[Mapping[str, Callable[[bool], tuple[str, dict[str, Any]]]]] = {
    "zip": _zip,
    "mp4": _mp4,
    "original": _original,
    "images": _images,
}


def main() -> None:
    """Writes a graph of each, or of those that are named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(WORK))
    parser.add_argument("--baseline", action="store_true", help="of the straightforward way")
    given = parser.parse_args()
    if unknown := set(given.names) - WORK.keys():
        parser.error(f"expected names out of {', '.join(WORK)}, got {', '.join(sorted(unknown))}")
    for name in given.names or WORK:
        _draw(name, ours=not given.baseline)


def _draw(name: str, *, ours: bool) -> None:
    function, arguments = WORK[name](ours)
    side = "ours" if ours else "baseline"
    path = OUT / f"profile-{name}-{side}.svg"
    with tempfile.TemporaryDirectory(prefix="frameyard-bench-") as folder:
        work = {
            "function": f"benchmarks.chunking_{side}:{function}",
            "arguments": {**arguments, "folder": folder},
            "cores": (0, 1),
        }
        file = Path(folder) / "work.json"
        file.write_text(json.dumps(work))
        recorder = ["py-spy", "record", "--native", "--threads", "--rate", str(_SAMPLES_A_SECOND)]
        recorder += ["--output", str(path), "--", *command()]
        with file.open() as given:
            done = subprocess.run(
                recorder, stdin=given, capture_output=True, text=True, cwd=ROOT, check=False
            )
    if done.returncode:
        raise SystemExit(f"{' '.join(recorder)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main()
