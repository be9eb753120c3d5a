"""Pages of documents as frames of chunks."""

import io
import zipfile
import zlib
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
from PIL import Image
from yard.media import image_chunks
from yard.media.errors import MediaError
from yard.media.image_index import index_image
from yard.media.index_block import ImageAddress, Method
from yard.media.page_reader import PageReader
from yard.media.pdf_pages import PdfLimits, PdfPages
from yard.media.synthetic import numbered_scene, read

from libs.media.tests.hosts import MemoryHost

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's, about damaged files

SIZE = (320, 240)
COUNT = 4


def pages_as(form: str, **options: Any) -> bytes:
    """Page n shows number n."""
    target = io.BytesIO()
    images = [Image.fromarray(numbered_scene(number, SIZE)) for number in range(COUNT)]
    images[0].save(target, form, save_all=True, append_images=images[1:], **options)
    return target.getvalue()


def addresses_of(content: bytes, dpi: int = 100) -> list[ImageAddress]:
    if not content.startswith(b"%PDF"):
        return index_image(io.BytesIO(content), "pages")
    with PdfPages(io.BytesIO(content), PdfLimits(dpi=dpi)) as pdf:
        sizes = [pdf.size(page) for page in range(pdf.count)]
    return [
        ImageAddress(name=f"pages/{page}", width=width, height=height, page=page, method="page")
        for page, (width, height) in enumerate(sizes)
    ]


def placed(address: ImageAddress, method: Method, offset: int, length: int, size: int) -> dict[str, Any]:
    return {**asdict(address), "method": method, "offset": offset, "length": length, "size": size}


FORMS: list[tuple[str, dict[str, Any]]] = [
    ("TIFF", {}),
    ("TIFF", {"compression": "tiff_lzw"}),
    ("GIF", {}),
    ("PDF", {"resolution": 72}),
]


@pytest.mark.parametrize(("form", "options"), FORMS)
@pytest.mark.parametrize("method", ["page", "stored_page", "deflated_page"])
def test_page_n_shows_number_n(form: str, options: dict[str, Any], method: Method) -> None:
    content = pages_as(form, **options)
    addresses = addresses_of(content)
    assert len(addresses) == COUNT
    deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    packed = deflater.compress(content) + deflater.flush() if method == "deflated_page" else content
    offset = 0 if method == "page" else 7
    length = 0 if method == "page" else len(packed)
    source = bytes(offset) + packed + (b"" if method == "page" else b"behind")
    images = [placed(address, method, offset, length, len(content)) for address in addresses]
    host = MemoryHost({"0": source})
    result = image_chunks.image_zip({"images": images, "look": "jpeg", "quality": 80}, host)
    with zipfile.ZipFile(io.BytesIO(host.emitted)) as archive:
        shown = [np.asarray(Image.open(archive.open(name)).convert("RGB")) for name in archive.namelist()]
    assert [read(picture) for picture in shown] == list(range(COUNT))
    assert (result["width"], result["height"]) == (addresses[0].width, addresses[0].height)
    assert shown[0].shape[:2] == (addresses[0].height, addresses[0].width)


@pytest.mark.parametrize("look", ["jpeg", "png", "original", "preview"])
def test_a_single_page(look: str) -> None:
    content = pages_as("PDF", resolution=72)
    address = addresses_of(content)[2]
    host = MemoryHost({"0": content})
    result = image_chunks.image_frame({"images": [asdict(address)], "look": look, "quality": 80}, host)
    picture = Image.open(io.BytesIO(host.emitted))
    assert read(np.asarray(picture.convert("RGB"))) == 2
    assert picture.size == (result["width"], result["height"])
    assert result["content_type"] == ("image/png" if look in {"png", "original"} else "image/jpeg")


@pytest.mark.parametrize("dpi", [36, 72, 96, 150, 199, 300, 600])
def test_a_page_is_drawn_as_finely_as_it_was_indexed(dpi: int) -> None:
    content = pages_as("PDF", resolution=133)
    reader = PageReader(lambda _: io.BytesIO(content))
    for address in reversed(addresses_of(content, dpi)):
        assert reader.render(address).shape == (address.height, address.width, 3)
    reader.close()


def test_a_page_that_has_changed_is_named() -> None:
    content = pages_as("PDF", resolution=72)
    other = ImageAddress(name="a.pdf/000001.png", width=99, height=301, page=1, method="page")
    with pytest.raises(MediaError, match=r"^a\.pdf/000001\.png: has another size on page 2") as caught:
        PageReader(lambda _: io.BytesIO(content)).render(other)
    assert caught.value.name == "a.pdf/000001.png"


@pytest.mark.parametrize(
    "content", [b"", b"%PDF-1.7 nothing", b"GIF89a" + bytes(20), pages_as("TIFF")[:2000]]
)
def test_pages_that_do_not_decode_are_named(content: bytes) -> None:
    address = ImageAddress(name="scan/000003.png", width=10, height=10, page=3, method="page")
    with pytest.raises(MediaError) as caught:
        PageReader(lambda _: io.BytesIO(content)).render(address)
    assert caught.value.name == "scan/000003.png"
    assert caught.value.message.startswith("scan/000003.png: ")


def test_the_file_of_the_last_page_stays_open() -> None:
    opened: list[int] = []
    contents = [pages_as("TIFF"), pages_as("GIF")]

    def open_source(number: int) -> io.BytesIO:
        opened.append(number)
        return io.BytesIO(contents[number])

    reader = PageReader(open_source)
    for source in (0, 1):
        for page in range(COUNT):
            address = ImageAddress(name="a", source=source, page=page, method="page")
            assert read(reader.render(address)) == page
    assert opened == [0, 1]
