"""Images that are made to harm, in a child with little memory: each fails by its name or does no harm."""

import io
import struct
import zlib
from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import Any

import pytest
from PIL import Image
from yard.media.index_block import ImageAddress, Method
from yard.media.synthetic import numbered_scene
from yard.runtime import errors
from yard.runtime.workers import BytesSource, Pool

from libs.media.tests.raw_images import tiff

MEMORY_MIB = 512
SIZE = (64, 48)


@pytest.fixture
async def pool() -> AsyncIterator[Pool]:
    async with Pool(
        processes=1, memory_mib=MEMORY_MIB, timeout_s=20.0, preload=("yard.media.image_chunks",)
    ) as pool:
        yield pool


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png(size: tuple[int, int], *extra: bytes, pixels: bytes = b"") -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", *size, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(extra) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def saved(form: str, **options: Any) -> bytes:
    target = io.BytesIO()
    Image.fromarray(numbered_scene(0, SIZE)).save(target, form, **options)
    return target.getvalue()


def deflated_zeros(mib: int) -> bytes:
    """What zlib makes of that many zeros, made by repeating what it makes of one MiB."""
    packer = zlib.compressobj(9)
    first, *_, again = [packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH) for _ in range(3)]
    adler32 = (mib << 20) % 65_521 << 16 | 1
    return first + again * (mib - 1) + b"\3\0" + adler32.to_bytes(4)


ZEROS = deflated_zeros(300)
RGB: dict[str, Any] = {"BitsPerSample": [8] * 3, "Photometric": 2, "SamplesPerPixel": 3}

BOMBS: dict[str, bytes] = {
    "pixels.png": png((30_000, 30_000), pixels=zlib.compress(bytes(1000))),
    "more pixels than it says.png": png((8, 8), pixels=ZEROS),
    "text.png": png((8, 8), chunk(b"zTXt", b"a\0\0" + ZEROS), pixels=zlib.compress(bytes(200))),
    "profile.png": png((8, 8), chunk(b"iCCP", b"a\0\0" + ZEROS), pixels=zlib.compress(bytes(200))),
    "strip.tif": tiff([ZEROS], (8, 8), Compression=8, **RGB),
    "rows.tif": tiff([ZEROS], (20_000, 20_000), Compression=8, **RGB),
    "tile.tif": tiff([ZEROS[:5000]], (8, 8), Compression=8, TileWidth=65_520, TileLength=65_520, **RGB),
    "samples.tif": tiff(
        [bytes(64)], (8, 8), BitsPerSample=8, Compression=1, Photometric=2, SamplesPerPixel=60_000
    ),
    "canvas.gif": b"GIF89a"
    + struct.pack("<HHBBB", 65_535, 65_535, 0, 0, 0)
    + b",\0\0\0\0\1\0\1\0\0\2\2L\1\0;",
    "wide.jpg": saved("JPEG").replace(
        b"\xff\xc0\x00\x11\x08" + struct.pack(">HH", 48, 64),
        b"\xff\xc0\x00\x11\x08" + struct.pack(">HH", 65_500, 65_500),
    ),
    "huge.bmp": b"BM" + bytes(12) + b"\x28\0\0\0\xff\xff\xff\x7f\xff\xff\xff\x7f\1\0\x18\0" + bytes(30),
    "big.webp": b"RIFF\x20\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\xff\xff\xff\xff\xff\xff" + bytes(10),
    "postscript.png": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(/etc/passwd) (r) file\n",
}
DAMAGED = {"tile.tif", "samples.tif", "big.webp", "postscript.png"}
HARMLESS = {"more pixels than it says.png", "text.png", "profile.png", "strip.tif"}


def described(name: str, content: bytes, method: Method = "whole", size: int = 0) -> dict[str, Any]:
    length = len(content) if method != "whole" else 0
    address = ImageAddress(name=name, width=8, height=8, method=method, length=length, size=size)
    return {"images": [asdict(address)], "look": "jpeg", "quality": 70}


@pytest.mark.parametrize("name", BOMBS)
async def test_bombs_fail_by_their_name_in_little_memory(name: str, pool: Pool) -> None:
    call = pool.call(
        "yard.media.image_chunks:image_frame",
        described(name, BOMBS[name]),
        sources={"0": BytesSource(BOMBS[name])},
        on_bytes=dropped,
    )
    if name in HARMLESS | DAMAGED:
        result = await call
        assert result["content_type"] == "image/jpeg"
        assert [reason.startswith(name) for _, reason in result["corrupt"]] == [True] * (name in DAMAGED)
        return
    with pytest.raises((errors.InvalidArgument, errors.FailedPrecondition)) as caught:
        await call
    assert caught.value.metadata["file"] == name


async def test_a_member_that_unpacks_to_more_than_it_says_fails_by_its_name(pool: Pool) -> None:
    content = ZEROS[2:-4]  # without the header and the sum of zlib
    with pytest.raises((errors.InvalidArgument, errors.FailedPrecondition)) as caught:
        await pool.call(
            "yard.media.image_chunks:image_frame",
            described("bomb.png", content, "deflated", size=1000),
            sources={"0": BytesSource(content)},
            on_bytes=dropped,
        )
    assert caught.value.metadata["file"] == "bomb.png"


async def dropped(_: bytes) -> None:
    pass
