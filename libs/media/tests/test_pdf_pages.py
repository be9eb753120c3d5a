import io
import tracemalloc
from typing import Any

import numpy as np
import pypdfium2  # type: ignore[import-untyped]
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from yard.media.errors import MediaError
from yard.media.pdf_pages import PdfLimits, PdfPages


def made(*pages: str, boxes: list[str] | None = None, extra: str = "", trailer: str = "") -> bytes:
    """A PDF written by hand: one stream of drawing commands a page."""
    boxes = boxes or ["[0 0 72 36]"] * len(pages)
    objects = ["<< /Type /Catalog /Pages 2 0 R >>"]
    kids = " ".join(f"{3 + 2 * number} 0 R" for number in range(len(pages)))
    objects.append(f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>")
    for number, (commands, box) in enumerate(zip(pages, boxes, strict=True)):
        content = f"/Contents {4 + 2 * number} 0 R"
        objects.append(f"<< /Type /Page /Parent 2 0 R /MediaBox {box} {content} {extra} >>")
        objects.append(f"<< /Length {len(commands)} >>\nstream\n{commands}\nendstream")
    target = io.BytesIO()
    target.write(b"%PDF-1.7\n")
    places = []
    for number, text in enumerate(objects, 1):
        places.append(target.tell())
        target.write(f"{number} 0 obj\n{text}\nendobj\n".encode())
    start = target.tell()
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    target.write(f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}".encode())
    target.write(
        f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R {trailer}>>\nstartxref\n{start}\n%%EOF\n".encode()
    )
    return target.getvalue()


RED = "1 0 0 rg 0 0 36 36 re f"
BLUE = "0 0 1 rg 0 0 72 36 re f"
TWO = made(RED, BLUE, boxes=["[0 0 72 36]", "[0 0 36 72]"])


def test_pages_have_sizes_without_being_drawn() -> None:
    with PdfPages(io.BytesIO(TWO), PdfLimits(dpi=144)) as pdf:
        assert pdf.count == 2
        assert [pdf.size(page) for page in range(2)] == [(144, 72), (72, 144)]


@pytest.mark.parametrize("dpi", [36, 72, 100, 200])
def test_pages_are_drawn_as_large_as_told_on_white_in_rgb(dpi: int) -> None:
    with PdfPages(io.BytesIO(TWO), PdfLimits(dpi=dpi)) as pdf:
        for page in (1, 0):
            pixels = pdf.render(page)
            assert (pixels.shape[1], pixels.shape[0], pixels.shape[2]) == (*pdf.size(page), 3)
            assert pixels.dtype == np.uint8
        pixels = pdf.render(0)
    middle = pixels.shape[0] // 2
    assert pixels[middle, 2].tolist() == [255, 0, 0]
    assert pixels[middle, -2].tolist() == [255, 255, 255]


@pytest.mark.parametrize("rotation", [0, 90, 180, 270, 450])
def test_a_turned_page_is_upright(rotation: int) -> None:
    with PdfPages(io.BytesIO(made(RED, extra=f"/Rotate {rotation}")), PdfLimits(dpi=72)) as pdf:
        assert pdf.size(0) == ((36, 72) if rotation in {90, 270, 450} else (72, 36))
        pixels = pdf.render(0)
    assert pixels.shape[:2] == ((72, 36) if rotation in {90, 270, 450} else (36, 72))
    corner = (0, 0) if rotation in {0, 90, 450} else (-1, -1)
    assert pixels[corner].tolist() == [255, 0, 0]


def test_a_page_of_odd_size_rounds_up_as_it_is_drawn() -> None:
    with PdfPages(io.BytesIO(made(RED, boxes=["[10 10 71.3 99.99]"])), PdfLimits(dpi=200)) as pdf:
        assert pdf.size(0) == pdf.render(0).shape[1::-1]


def test_what_another_program_made() -> None:
    target = io.BytesIO()
    images = [Image.new("RGB", (200, 100), colour) for colour in ("red", "blue", "lime")]
    images[0].save(target, "PDF", save_all=True, append_images=images[1:], resolution=100)
    with PdfPages(target, PdfLimits(dpi=100)) as pdf:
        assert [pdf.size(page) for page in range(pdf.count)] == [(200, 100)] * 3
        assert np.abs(pdf.render(2)[50, 100].astype(int) - [0, 255, 0]).max() < 5


class Counting(io.BytesIO):
    """Bytes that say how many were read."""

    taken = 0

    def readinto(self, buffer: Any, /) -> int:
        count = super().readinto(buffer)
        self.taken += count
        return count

    def read(self, size: int | None = -1, /) -> bytes:
        content = super().read(size)
        self.taken += len(content)
        return content


def test_a_large_file_is_read_in_part_only() -> None:
    target = io.BytesIO()
    noise = np.random.default_rng(1).integers(0, 255, (500, 500, 3), dtype=np.uint8)
    images = [Image.fromarray(noise) for _ in range(20)]
    images[0].save(target, "PDF", save_all=True, append_images=images[1:])
    file = Counting(target.getvalue())
    tracemalloc.start()
    try:
        with PdfPages(file) as pdf:
            assert pdf.count == 20
            assert pdf.size(19) == (1389, 1389)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()
    assert file.taken < len(target.getvalue()) / 4


def test_a_password_is_needed() -> None:
    encryption = (
        "/Encrypt << /Filter /Standard /V 1 /R 2 /Length 40 /P -4 /O <"
        + "ab" * 32
        + "> /U <"
        + "cd" * 32
        + "> >> "
    )
    content = made(RED, trailer=encryption + "/ID [<01> <01>] ")
    with pytest.raises(MediaError, match="needs a password") as caught:
        PdfPages(io.BytesIO(content))
    assert caught.value.code == "unsupported"


@pytest.mark.parametrize("content", [b"", b"%PDF-1.7", b"text" * 500, TWO[:40]])
def test_what_is_no_pdf_is_refused(content: bytes) -> None:
    with pytest.raises(MediaError, match="not a PDF that can be read") as caught:
        PdfPages(io.BytesIO(content))
    assert caught.value.code == "invalid_media"


def test_limits() -> None:
    with pytest.raises(MediaError, match="2 pages, 1 to 1 are allowed") as caught:
        PdfPages(io.BytesIO(TWO), PdfLimits(pages=1))
    assert caught.value.code == "limit"
    with PdfPages(io.BytesIO(made(RED, boxes=["[0 0 14000 14000]"])), PdfLimits(dpi=72)) as pdf:
        with pytest.raises(MediaError, match="14000x14000 pixels on page 1, more than 160000000"):
            pdf.size(0)
        with pytest.raises(MediaError, match="14000x14000 pixels on page 1"):
            pdf.render(0)


def test_a_page_that_is_not_there() -> None:
    with PdfPages(io.BytesIO(TWO)) as pdf:
        with pytest.raises(MediaError, match="page 3 cannot be read"):
            pdf.size(2)
        with pytest.raises(MediaError, match="page 3 cannot be read"):
            pdf.render(2)


def test_a_page_without_end_or_that_calls_itself_is_drawn() -> None:
    recursive = made(RED + " /X Do", extra="/Resources << /XObject << /X 4 0 R >> >>")
    for content in (recursive, made("q " * 5000 + RED), made("[" * 5000)):
        with PdfPages(io.BytesIO(content), PdfLimits(dpi=72)) as pdf:
            assert pdf.render(0).shape == (36, 72, 3)


@given(
    cut=st.integers(0, 900), flips=st.lists(st.tuples(st.integers(0, 899), st.integers(0, 255)), max_size=6)
)
@settings(max_examples=200, deadline=None)
def test_damaged_files_are_drawn_or_refused(cut: int, flips: list[tuple[int, int]]) -> None:
    hostile = bytearray(TWO[:cut] if cut > 600 else TWO)
    for position, byte in flips:
        if position < len(hostile):
            hostile[position] = byte
    try:
        with PdfPages(io.BytesIO(hostile), PdfLimits(dpi=36, pixels=1_000_000)) as pdf:
            for page in range(min(2, pdf.count)):
                pdf.render(page)
    except MediaError:
        return


def test_the_library_is_built_without_scripts() -> None:
    assert pypdfium2.PDFIUM_INFO.flags == ()
