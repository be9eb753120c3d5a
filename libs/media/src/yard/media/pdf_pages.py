"""Pages of a PDF as pictures."""

import io
from dataclasses import dataclass
from math import ceil
from types import TracebackType
from typing import BinaryIO

import pypdfium2  # type: ignore[import-untyped]
from pypdfium2 import raw
from yard.media.encode_jpeg import Pixels
from yard.media.errors import MediaError

_POINTS_PER_INCH = 72
_MOST_DPI = 10_000
_NEEDS_PASSWORD = (raw.FPDF_ERR_PASSWORD, raw.FPDF_ERR_SECURITY)


@dataclass(frozen=True, slots=True, kw_only=True)
class PdfLimits:
    """What a PDF may be at most, and how finely it is drawn."""

    dpi: int = 200
    pages: int = 10_000
    pixels: int = 160_000_000
    """Of one page at this resolution."""


DEFAULT_LIMITS = PdfLimits()


class PdfPages:
    """An open PDF, for one thread; the library knows no second one at a time. A context manager."""

    def __init__(self, file: BinaryIO | io.RawIOBase, limits: PdfLimits = DEFAULT_LIMITS) -> None:
        """MediaError for what is no PDF, needs a password, or has no pages or too many."""
        self._limits = limits
        self._scale = limits.dpi / _POINTS_PER_INCH
        try:
            self._document = pypdfium2.PdfDocument(file)
        except pypdfium2.PdfiumError as error:
            if error.err_code in _NEEDS_PASSWORD:
                raise MediaError("unsupported", "is a PDF that needs a password") from error
            raise MediaError("invalid_media", "is not a PDF that can be read") from error
        self.count: int = len(self._document)
        if not 1 <= self.count <= limits.pages:
            self._document.close()
            raise MediaError("limit", f"is a PDF of {self.count} pages, 1 to {limits.pages} are allowed")
        # What was filled into a form is drawn too; scripts are never run.
        self._document.init_forms()

    def __enter__(self) -> "PdfPages":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Lets the library's memory go, not the file."""
        self._document.close()

    def size(self, page: int) -> tuple[int, int]:
        """Width and height in pixels of what `render` gives, without drawing it; pages count from 0."""
        try:
            width, height = self._document.get_page_size(page)
        except pypdfium2.PdfiumError as error:
            raise self._unreadable(page) from error
        return self._checked(page, width, height, self._scale)

    def render(self, page: int, size: tuple[int, int] | None = None) -> Pixels:
        """RGB pixels (height, width, 3) of a page on white; `size` is what another resolution made of it."""
        try:
            opened = self._document[page]
        except (pypdfium2.PdfiumError, IndexError) as error:
            raise self._unreadable(page) from error
        try:
            width, height = opened.get_size()
            scale = self._scale if size is None else self._scale_of(page, (width, height), size)
            self._checked(page, width, height, scale)
            bitmap = opened.render(scale=scale, force_bitmap_format=raw.FPDFBitmap_BGR, rev_byteorder=True)
            pixels: Pixels = bitmap.to_numpy()
        except pypdfium2.PdfiumError as error:
            raise self._unreadable(page) from error
        finally:
            opened.close()
        return pixels

    def _scale_of(self, page: int, points: tuple[float, float], size: tuple[int, int]) -> float:
        """The scale of the whole number of dots an inch that makes a page as large as it is in the index."""
        width, height = points
        if not (width > 0 and height > 0):
            raise self._unreadable(page)
        lowest, highest = ((size[0] - number) * _POINTS_PER_INCH / width for number in (1, 0))
        fitting = [
            dpi / _POINTS_PER_INCH
            for dpi in range(int(lowest), min(int(highest) + 1, _MOST_DPI) + 1)
            if (ceil(width * (dpi / _POINTS_PER_INCH)), ceil(height * (dpi / _POINTS_PER_INCH))) == size
        ]
        if not fitting:
            raise MediaError("invalid_media", f"has another size on page {page + 1} than when it was indexed")
        return fitting[len(fitting) // 2]

    def _checked(self, page: int, width: float, height: float, scale: float) -> tuple[int, int]:
        if not (0 < width < 1e6 and 0 < height < 1e6):
            raise self._unreadable(page)
        wide, high = ceil(width * scale), ceil(height * scale)
        if wide * high > self._limits.pixels:
            raise MediaError(
                "limit", f"has {wide}x{high} pixels on page {page + 1}, more than {self._limits.pixels}"
            )
        return wide, high

    def _unreadable(self, page: int) -> MediaError:
        return MediaError("invalid_media", f"is a PDF whose page {page + 1} cannot be read")
