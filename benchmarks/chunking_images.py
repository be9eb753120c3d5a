"""Chunks of photos beside Pillow's, and how true the pictures of videos are."""

import io
import tempfile
import zipfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Final

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.chunking_media import FPS, SIZE, TWELVE_MP, pictures, video
from benchmarks.chunking_process import Taken, measured
from benchmarks.chunking_videos import QUALITY, alternating, block_of, pace, peaks
from benchmarks.report import Aim, Row, row

SAMPLED: Final = (20, 140, 260, 300, 480, 560)
# Chunk sizes as the platform chooses them for such images.
_AIMED: Final = {TWELVE_MP: ("12 MP", 6, 1.9), SIZE: ("1080p", 36, 2.3)}
_EVERY: Final = 8
"""Of the photos, those that are compared by pixels."""
_CHANNELS: Final = ("red", "green", "blue")
# Of HD video: luma 16..235, chroma 16..240, BT.709.
_TO_RGB: Final = np.array([[1, 0, 1.5748], [1, -0.187324, -0.468124], [1, 1.8556, 0]])

Channels = NDArray[np.floating]


def measure_images() -> list[Row]:
    """JPEG photos of 12 MP and of 1080p in zips of quality 70."""
    rows: list[Row] = []
    for size, (name, chunk, aim) in _AIMED.items():
        images = [str(path) for path in pictures(size)]
        ours, baseline = alternating(
            lambda images=images, chunk=chunk: _zipped("ours", images, chunk),  # type: ignore[misc]
            lambda images=images, chunk=chunk: _zipped("pillow", images, chunk),  # type: ignore[misc]
        )
        rows += pace(f"{name} photos", len(images), ours, baseline, cpu=aim, unit="images")
        rows.append(row(f"{name} photos: peak memory", "MiB", peaks(ours), peaks(baseline)))
        rows += _trueness(f"{name} photos", images[::_EVERY])
    return rows


def _trueness(what: str, images: list[str]) -> list[Row]:
    """How far the JPEGs of both sides are from the pixels of their sources, all pictures taken together."""
    ours, baseline = (list(_in_zips(side, images)) for side in ("ours", "pillow"))
    no_less, below_one = Aim(of="ratio", relation=">=", value=1), Aim(of="ours", relation="<", value=1)
    return [
        row(f"{what}: PSNR to the source", "dB", [_pooled_psnr(ours)], [_pooled_psnr(baseline)], no_less),
        row(f"{what}: mean shift", "levels", [_most_shifted(ours)], [_most_shifted(baseline)], below_one),
        row(f"{what}: bytes", "MB", [_megabytes(ours)], [_megabytes(baseline)]),
    ]


def _pooled_psnr(compared: list[tuple[Channels, int]]) -> float:
    return float(10 * np.log10(255**2 / np.mean([np.mean(each**2) for each, _ in compared])))


def _most_shifted(compared: list[tuple[Channels, int]]) -> float:
    return max(float(np.abs(each.mean((0, 1))).max()) for each, _ in compared)


def _megabytes(compared: list[tuple[Channels, int]]) -> float:
    return sum(length for _, length in compared) / 1e6


def _in_zips(side: str, images: list[str]) -> Iterator[tuple[Channels, int]]:
    """Differences to the sources (height, width, channels), and the lengths of the JPEGs."""
    with tempfile.TemporaryDirectory(prefix="frameyard-bench-") as folder:
        arguments = {"images": images, "quality": QUALITY, "chunk": len(images), "folder": folder}
        measured(f"benchmarks.chunking_{side}:zip_images", arguments)
        with zipfile.ZipFile(Path(folder) / "0.zip") as archive:
            for source, name in zip(images, sorted(archive.namelist()), strict=True):
                content = archive.read(name)
                picture = np.asarray(Image.open(io.BytesIO(content)), np.float32)
                yield picture - np.asarray(Image.open(source), np.float32), len(content)


def measure_fidelity() -> list[Row]:
    """PSNR and mean shift of JPEGs of quality 70 against the RGB that a video's frames mean."""
    source = video(FPS)
    truths = dict(zip(SAMPLED, _truths(source), strict=True))
    ours = _compared("ours", source, truths, block=str(block_of(source)))
    baseline = _compared("baseline", source, truths)
    aims = (Aim(of="ratio", relation=">=", value=1), Aim(of="ours", relation="<", value=1))
    rows = [row("PSNR to the RGB truth", "dB", _psnr(ours), _psnr(baseline), aims[0])]
    for channel, name in enumerate(_CHANNELS):
        shifts = _shifts(ours, channel), _shifts(baseline, channel)
        rows.append(row(f"mean shift of {name}", "levels", shifts[0], shifts[1], aims[1]))
    return rows


def _shifts(differences: list[Channels], channel: int) -> list[float]:
    return [abs(float(each[channel].mean())) for each in differences]


def _zipped(side: str, images: list[str], chunk: int) -> Taken:
    with tempfile.TemporaryDirectory(prefix="frameyard-bench-") as folder:
        arguments = {"images": images, "quality": QUALITY, "chunk": chunk, "folder": folder}
        return measured(f"benchmarks.chunking_{side}:zip_images", arguments)


def _compared(side: str, source: Path, truths: dict[int, Channels], **arguments: Any) -> list[Channels]:
    """For each frame what its JPEG differs by from the truth, by channels."""
    with tempfile.TemporaryDirectory(prefix="frameyard-bench-") as folder:
        wanted = {"video": str(source), "frames": list(truths), "quality": QUALITY, "folder": folder}
        measured(f"benchmarks.chunking_{side}:jpegs", wanted | arguments)
        return [
            np.moveaxis(np.asarray(Image.open(Path(folder) / f"{frame}.jpg"), np.float64) - truth, 2, 0)
            for frame, truth in truths.items()
        ]


def _psnr(differences: list[Channels]) -> list[float]:
    return [float(10 * np.log10(255**2 / np.mean(each**2))) for each in differences]


def _truths(source: Path) -> Iterator[Channels]:
    """RGB by the definition, in floating point; chroma samples hold for the four pixels around them."""
    with av.open(str(source)) as container:
        for number, frame in enumerate(islice(container.decode(video=0), max(SAMPLED) + 1)):
            if number in SAMPLED:
                yield _rgb(frame)


def _rgb(frame: av.VideoFrame) -> Channels:
    height = frame.height
    planes = np.asarray(frame.to_ndarray(format="yuv420p"), np.float64)
    luma = (planes[:height] - 16) / 219
    chroma = (planes[height:].reshape(2, height // 2, -1) - 128) / 224
    wide = chroma.repeat(2, axis=1).repeat(2, axis=2)
    rgb: Channels = np.stack([luma, wide[0], wide[1]], axis=2) @ _TO_RGB.T
    return np.clip(rgb * 255, 0, 255)
