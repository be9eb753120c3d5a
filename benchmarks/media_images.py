"""Many images at once: in a zip in the bucket, and by a manifest."""

import io
import json
import zipfile
from pathlib import Path
from typing import Final

from frameyard.media.v1 import media_pb2, media_service_pb2
from minio import Minio
from PIL import Image
from yard.media.synthetic import numbered_scene
from yard.runtime import clock
from yard.runtime.workers import FileSource, Pool

from benchmarks.media_service import Ready, Service
from benchmarks.report import Aim, Row, row

ROOT: Final = Path(__file__).resolve().parents[1]
IMAGES: Final = 100_000
SAMPLE: Final = 5_000
IMAGE_BYTES: Final = 20 * 1024
DESCRIBED: Final = 1_000_000
REPETITIONS: Final = 3
CALLS: Final = 50
_SIZE: Final = (400, 300)
_DIFFERENT: Final = 20
_FOLDER: Final = "many"
_RANGE: Final = 4 << 20
_LIMITS: Final = {
    "members": 1_000_000,
    "member_bytes": 1 << 29,
    "total_bytes": 1 << 40,
    "expansion": 200,
    "pixels": 160_000_000,
    "pages": 10_000,
}
UNDER_90_S: Final = Aim(of="ours", relation="<", value=90)
UNDER_300_MIB: Final = Aim(of="ours", relation="<", value=300)


async def measure_zip(service: Service, folder: Path) -> list[Row]:
    """100,000 JPEGs in a zip of the bucket, beside reading its bytes and beside fewer of them."""
    small = _zip(folder / "small.zip", SAMPLE)
    large = _zip(folder / "large.zip", IMAGES)
    few = await service.ready(await service.upload(small))
    rates = await _pillow_rates(small)
    many: list[Ready] = []
    reads: list[float] = []
    upload = await service.upload(large)
    for _ in range(REPETITIONS):
        many.append(await service.ready(upload))
        reads.append(read_largest(service, large.stat().st_size))
    assert all(ready.media.size == IMAGES for ready in many)
    seconds, peaks = [each.seconds for each in many], [each.peak_mib for each in many]
    count = f"{IMAGES:,} JPEGs of 20 KiB in a zip"
    return [
        row(f"{count}: ready, beside reading its bytes", "s", seconds, reads, UNDER_90_S),
        row(f"{count}: memory, beside {SAMPLE:,}", "MiB", peaks, [few.peak_mib], UNDER_300_MIB),
        row(f"index of {SAMPLE:,} of them beside zipfile and Pillow", "1/s", rates["ours"], rates["pillow"]),
    ]


async def measure_manifest(service: Service, share: Path) -> list[Row]:
    """1,000,000 images of a share by their manifest, beside parsing its lines; addresses at both ends."""
    manifest = _described(share / _FOLDER)
    source = media_pb2.MediaSource(share=media_pb2.ShareSource(share="bench", paths=[_FOLDER]))
    made: list[Ready] = []
    parsed: list[float] = []
    for _ in range(REPETITIONS):
        made.append(await service.ready(sources=[source]))
        parsed.append(_parsed(manifest))
    assert all(ready.media.size == DESCRIBED for ready in made)
    seconds, peaks = [each.seconds for each in made], [each.peak_mib for each in made]
    last, first = await _addresses(service, made[0].media.id)
    count = f"{DESCRIBED:,} images by manifest"
    size = [manifest.stat().st_size / (1 << 20)]
    return [
        row(f"{count}: ready, beside json.loads of its lines", "s", seconds, parsed, UNDER_90_S),
        row(f"{count}: memory, beside its bytes", "MiB", peaks, size, UNDER_300_MIB),
        row(
            "address of the last of them beside the first",
            "ms",
            last,
            first,
            Aim(of="ratio", relation="<", value=1.5),
        ),
    ]


def _zip(path: Path, count: int) -> Path:
    """Stored JPEGs of 20 KiB in folders."""
    pictures = [_jpeg(number) for number in range(_DIFFERENT)]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for number in range(count):
            archive.writestr(f"{number // 1000:03d}/{number:06d}.jpg", pictures[number % _DIFFERENT])
    return path


def _jpeg(number: int) -> bytes:
    target = io.BytesIO()
    Image.fromarray(numbered_scene(number, _SIZE)).save(target, "JPEG", quality=85)
    content = target.getvalue()
    assert len(content) <= IMAGE_BYTES, len(content)
    # Decoders do not look behind the end of a picture.
    return content.ljust(IMAGE_BYTES, b"\0")


async def _pillow_rates(path: Path) -> dict[str, list[float]]:
    """Images a second of our job and of the plain one, in the same kind of child over the same reader."""
    rates: dict[str, list[float]] = {"ours": [], "pillow": []}
    batches = {"done": 0, "packs": 0, "batch_files": 10_000, "pack_bytes": 1 << 26}
    arguments = {"name": path.name, "limits": _LIMITS, **batches}
    async with Pool(
        processes=1, preload=("yard.media.archive_jobs", "benchmarks.media_pillow"), import_paths=(str(ROOT),)
    ) as pool:
        await pool.start()
        for _ in range(REPETITIONS):
            for name, function in (
                ("ours", "yard.media.archive_jobs:index_zip"),
                ("pillow", "benchmarks.media_pillow:index_zip"),
            ):
                began = clock.monotonic()
                sources = {"file": FileSource(path)}
                await pool.call(function, arguments, sources=sources, on_bytes=_dropped)
                rates[name].append(SAMPLE / (clock.monotonic() - began))
    return rates


async def _dropped(_: bytes) -> None:
    """The block of an index is not kept."""


def read_largest(service: Service, size: int) -> float:
    """Seconds for the bytes of the largest object of the bucket, by ranges one after another."""
    s3 = service.s3
    client = Minio(
        endpoint=s3["endpoint"],
        access_key=s3["access_key"],
        secret_key=s3["secret_key"],
        secure=False,
        region=s3["region"],
    )
    items = client.list_objects(bucket_name=s3["bucket"], recursive=True)
    key = str(max(items, key=lambda item: item.size or 0).object_name)
    began = clock.monotonic()
    for offset in range(0, size, _RANGE):
        response = client.get_object(bucket_name=s3["bucket"], object_name=key, offset=offset, length=_RANGE)
        response.read()
        response.close()
        response.release_conn()
    return clock.monotonic() - began


def _described(folder: Path) -> Path:
    """A manifest; of its images only the first and the last are there, as no other is looked at."""
    folder.mkdir(parents=True)
    for number in (0, DESCRIBED - 1):
        (folder / f"{number:07d}.jpg").write_bytes(_jpeg(0))
    path = folder / "manifest.jsonl"
    width, height = _SIZE
    with path.open("w") as file:
        file.write('{"version":"1.1"}\n{"type":"images"}\n')
        for number in range(DESCRIBED):
            name = f'"name":"{number:07d}","extension":".jpg"'
            file.write(f'{{{name},"width":{width},"height":{height},"meta":{{"related_images":[]}}}}\n')
    return path


def _parsed(manifest: Path) -> float:
    began = clock.monotonic()
    with manifest.open("rb") as file:
        for line in file:
            json.loads(line)
    return clock.monotonic() - began


async def _addresses(service: Service, media_id: str) -> tuple[list[float], list[float]]:
    """Milliseconds for the addresses of the last and the first frame, in turns."""
    times: dict[int, list[float]] = {DESCRIBED - 1: [], 0: []}
    for _ in range(CALLS):
        for frame, taken in times.items():
            request = media_service_pb2.ListFramesRequest(media_id=media_id, first=frame, last=frame)
            began = clock.monotonic()
            await service.reader.media.ListFrames(request)
            taken.append(1000 * (clock.monotonic() - began))
    return times[DESCRIBED - 1], times[0]
