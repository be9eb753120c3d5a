import io
import zlib

import grpc
import grpc.aio
import pytest
from frameyard.chunk.v1 import chunk_service_pb2 as messages
from frameyard.media.v1 import media_pb2
from PIL import Image
from yard.media.claims import CLAIMED
from yard.media.index_block import ImageAddress
from yard.media.synthetic import numbered_scene
from yard.runtime import errors, rpc

from services.chunking.tests.media_side import (
    MediaSide,
    Picture,
    Viewer,
    files_of,
    number_in,
    numbers_in_zip,
    opened,
)

SIZE = (320, 240)
ORIGINAL = messages.QUALITY_ORIGINAL
# Orientation 6 and 8: how a camera stores what it saw standing on its side.
SIDEWAYS = {6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270, 3: Image.Transpose.ROTATE_180}


def picture(number: int, form: str = "JPEG", orientation: int = 1) -> Picture:
    image = Image.fromarray(numbered_scene(number, SIZE))
    exif = Image.Exif()
    if orientation != 1:
        image = image.transpose(SIDEWAYS[orientation])
        exif[0x0112] = orientation
    file = io.BytesIO()
    image.save(file, form, exif=exif)
    name = f"folder/{number}.{form.lower()}"
    return Picture(name=name, content=file.getvalue(), size=SIZE, orientation=orientation)


PICTURES = [
    picture(0),
    picture(1, orientation=6),
    picture(2, "PNG"),
    picture(3, orientation=8),
    picture(4, "WEBP"),
    picture(5, "TIFF"),
    picture(6, "BMP"),
    picture(7, "GIF"),
    picture(8, orientation=3),
]


async def test_image_n_shows_number_n_upright(side: MediaSide, ann: Viewer) -> None:
    media = await side.images(PICTURES, chunk_size=5)
    shown = []
    for number in range(2):
        header, content = await ann.chunk(media, number)
        assert (header.format, header.width, header.height) == (media_pb2.CHUNK_FORMAT_ZIP, *SIZE)
        shown += numbers_in_zip(content)
        assert {opened(file).format for file in files_of(content).values()} == {"JPEG"}
    assert shown == list(range(9))
    assert numbers_in_zip((await ann.frames(media, 2, 7))[1]) == list(range(2, 8))
    for frame in range(9):
        header_of_frame, content = await ann.frame(media, frame)
        assert (header_of_frame.content_type, number_in(content)) == ("image/jpeg", frame)
        assert opened(content).size == SIZE == (header_of_frame.width, header_of_frame.height)
        preview = await ann.preview(media, frame)
        assert number_in(preview.content) == frame
        assert (preview.width, preview.height) == opened(preview.content).size == (256, 192)


async def test_originals_are_the_own_bytes(side: MediaSide, ann: Viewer) -> None:
    media = await side.images(PICTURES)
    _, content = await ann.chunk(media, 0, quality=ORIGINAL)
    assert list(files_of(content).values()) == [picture.content for picture in PICTURES]
    assert list(files_of(content))[:3] == ["000000.jpeg", "000001.jpeg", "000002.png"]
    types = ["jpeg", "jpeg", "png", "jpeg", "webp", "tiff", "bmp", "gif", "jpeg"]
    for frame, (given, kind) in enumerate(zip(PICTURES, types, strict=True)):
        header, content = await ann.frame(media, frame, quality=ORIGINAL)
        assert content == given.content
        assert (header.content_type, header.width, header.height) == (f"image/{kind}", *SIZE)
    png, content = await ann.frame(media, 1, quality=ORIGINAL, format=messages.FRAME_FORMAT_PNG)
    assert (png.content_type, opened(content).size, number_in(content)) == ("image/png", SIZE, 1)
    assert [blob.key async for blob in side.blobs.list("chunks/")] == []


async def test_quality_100_leaves_upright_jpegs_alone(side: MediaSide, ann: Viewer) -> None:
    media = await side.images(PICTURES, image_quality=100)
    files = list(files_of((await ann.chunk(media, 0))[1]).values())
    assert files[0] == PICTURES[0].content
    assert files[1] != PICTURES[1].content
    assert [number_in(file) for file in files] == list(range(9))
    assert (await ann.frame(media, 0))[1] == PICTURES[0].content


async def test_images_in_a_pack_and_in_an_archive(side: MediaSide, ann: Viewer) -> None:
    stored, packed = PICTURES[0].content, PICTURES[2].content
    deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    deflated = deflater.compress(packed) + deflater.flush()
    tail = b"behind"
    addresses = [
        ImageAddress(name="a", offset=3, length=len(stored), method="stored", width=320, height=240),
        ImageAddress(
            name="b",
            offset=3 + len(stored),
            length=len(deflated),
            size=len(packed),
            method="deflated",
            width=320,
            height=240,
        ),
    ]
    media = await side.addressed(b"pre" + stored + deflated + tail, addresses)
    assert numbers_in_zip((await ann.chunk(media, 0))[1]) == [0, 2]
    assert (await ann.frame(media, 1, quality=ORIGINAL))[1] == packed


async def test_pages_of_one_file(side: MediaSide, ann: Viewer) -> None:
    pages = [Image.fromarray(numbered_scene(number, SIZE)) for number in range(3)]
    file = io.BytesIO()
    pages[0].save(file, "TIFF", save_all=True, append_images=pages[1:])
    addresses = [
        ImageAddress(name=f"p{page}", page=page, method="page", width=320, height=240) for page in range(3)
    ]
    media = await side.addressed(file.getvalue(), addresses)
    assert numbers_in_zip((await ann.chunk(media, 0))[1]) == [0, 1, 2]
    header, content = await ann.frame(media, 2, quality=ORIGINAL)
    assert (header.content_type, number_in(content)) == ("image/png", 2)


async def test_a_file_that_is_not_as_claimed_is_named(side: MediaSide, ann: Viewer) -> None:
    lie = ImageAddress(name="folder/bad.png", width=99, height=240, orientation=CLAIMED)
    media = await side.addressed(PICTURES[0].content, [lie])
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await ann.chunk(media, 0)
    fault = rpc.errors_from_rpc(refused.value)
    assert isinstance(fault, errors.FailedPrecondition)
    assert fault.metadata["file"] == "folder/bad.png"
    assert [blob.key async for blob in side.blobs.list("chunks/")] == []


async def test_images_come_as_zip_only(side: MediaSide, ann: Viewer) -> None:
    media = await side.images(PICTURES)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await ann.chunk(media, 0, format=media_pb2.CHUNK_FORMAT_MP4)
    fault = rpc.errors_from_rpc(refused.value)
    assert isinstance(fault, errors.InvalidArgument)
    assert [violation.field for violation in fault.violations] == ["format"]
