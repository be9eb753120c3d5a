"""A million of something: members of a zip in the bucket, and names that must be sorted."""

import struct
import zlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Final

from frameyard.media.v1 import media_pb2
from PIL import Image
from yard.media.synthetic import numbered_scene
from yard.runtime import clock

from benchmarks.media_images import UNDER_90_S, UNDER_300_MIB, read_largest
from benchmarks.media_service import Service
from benchmarks.report import Row, row

MANY: Final = 1_000_000
REPETITIONS: Final = 3
MEMBER_BYTES: Final = 700
_STRIDE: Final = 618_033
"""Has no divisor in common with MANY: names come in no order, and each once."""
_FOLDER: Final = "unsorted"
_LOCAL: Final = struct.Struct("<4s5H3I2H")
_RECORD: Final = struct.Struct("<4s6H3I5H2I")
_END_64: Final = struct.Struct("<4sQ2H2I4Q")
_LOCATOR: Final = struct.Struct("<4sIQI")
_END: Final = struct.Struct("<4s4H2IH")


async def measure_million_members(service: Service, folder: Path) -> list[Row]:
    """A zip of as many members as one may have, whose names are put in natural order."""
    path = folder / "million.zip"
    with path.open("wb") as file:
        _write_zip(file)
    upload = await service.upload(path)
    seconds, peaks, reads = [], [], []
    for _ in range(REPETITIONS):
        ready = await service.ready(upload, sorting=media_pb2.SORTING_METHOD_NATURAL)
        assert ready.media.size == MANY
        seconds.append(ready.seconds)
        peaks.append(ready.peak_mib)
        reads.append(read_largest(service, path.stat().st_size))
    size = [path.stat().st_size / (1 << 20)]
    path.unlink()
    count = f"{MANY:,} JPEGs of {MEMBER_BYTES} B in a zip, natural order"
    return [
        row(f"{count}: ready, beside reading its bytes", "s", seconds, reads, UNDER_90_S),
        row(f"{count}: memory, beside its bytes", "MiB", peaks, size, UNDER_300_MIB),
    ]


async def measure_million_names(service: Service, share: Path) -> list[Row]:
    """A manifest whose names are in no order, and are put in natural order."""
    folder = share / _FOLDER
    folder.mkdir()
    manifest = folder / "manifest.jsonl"
    with manifest.open("w") as file:
        file.write('{"version":"1.1"}\n{"type":"images"}\n')
        for number in _numbers():
            file.write(f'{{"name":"{number}","extension":".jpg","width":400,"height":300}}\n')
    # Of its images only the first and the last are there, as no other is looked at.
    for number in (0, MANY - 1):
        (folder / f"{number}.jpg").write_bytes(_jpeg())
    source = media_pb2.MediaSource(share=media_pb2.ShareSource(share="bench", paths=[_FOLDER]))
    seconds, peaks, sorts = [], [], []
    for _ in range(REPETITIONS):
        ready = await service.ready(sources=[source], sorting=media_pb2.SORTING_METHOD_NATURAL)
        assert ready.media.size == MANY
        seconds.append(ready.seconds)
        peaks.append(ready.peak_mib)
        sorts.append(_plain_sort())
    size = [manifest.stat().st_size / (1 << 20)]
    count = f"{MANY:,} images by manifest, natural order"
    return [
        row(f"{count}: ready, beside sorting as many integers", "s", seconds, sorts, UNDER_90_S),
        row(f"{count}: memory, beside its bytes", "MiB", peaks, size, UNDER_300_MIB),
    ]


def _plain_sort() -> float:
    began = clock.monotonic()
    sorted(_numbers())
    return clock.monotonic() - began


def _numbers() -> Iterator[int]:
    """All below MANY, mixed."""
    return (position * _STRIDE % MANY for position in range(MANY))


def _write_zip(file: BinaryIO) -> None:
    """Stored members and the directory of large archives; zipfile would hold a million records in memory."""
    content = _jpeg().ljust(MEMBER_BYTES, b"\0")
    crc = zlib.crc32(content)
    directory, offset = BytesIO(), 0
    for number in _numbers():
        name = f"{number % 1000}/{number}.jpg".encode()
        common = (20, 0, 0, 0, 0x21, crc, len(content), len(content), len(name), 0)
        file.write(_LOCAL.pack(b"PK\3\4", *common) + name + content)
        directory.write(_RECORD.pack(b"PK\1\2", 20, *common, 0, 0, 0, 0, offset) + name)
        offset += _LOCAL.size + len(name) + len(content)
    size = directory.tell()
    file.write(directory.getbuffer())
    file.write(_END_64.pack(b"PK\6\6", _END_64.size - 12, 45, 45, 0, 0, MANY, MANY, size, offset))
    file.write(_LOCATOR.pack(b"PK\6\7", 0, offset + size, 1))
    file.write(_END.pack(b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0))


def _jpeg() -> bytes:
    target = BytesIO()
    Image.fromarray(numbered_scene(0, (32, 24))).convert("L").save(target, "JPEG", quality=30)
    content = target.getvalue()
    assert len(content) <= MEMBER_BYTES, len(content)
    return content
