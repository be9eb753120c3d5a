"""Pages of documents, TIFFs and GIFs by their addresses; the file of the last one stays open."""

import io
from collections.abc import Callable
from typing import BinaryIO, cast

from yard.media.byte_window import read_fully
from yard.media.encode_jpeg import Pixels
from yard.media.errors import MediaError
from yard.media.image_file import ImageFiles
from yard.media.image_pages import ImagePages
from yard.media.index_block import ImageAddress
from yard.media.part_file import PartFile
from yard.media.pdf_pages import PdfPages
from yard.media.sniff import HEAD_BYTES, sniff


class PageReader:
    """Draws pages from sources that `open_source` opens by number, cheaply in ascending order.

    For one thread at a time; PDFs in one thread of the process only.
    """

    def __init__(self, open_source: Callable[[int], BinaryIO]) -> None:
        self._open = open_source
        self._files = ImageFiles(open_source)
        self._place: tuple[int, int, str] | None = None
        self._pages: ImagePages | PdfPages | None = None

    def render(self, address: ImageAddress) -> Pixels:
        """Upright RGB (height, width, 3) or gray (height, width) pixels; MediaError names the page."""
        try:
            pages = self._opened(address)
            if isinstance(pages, PdfPages):
                return pages.render(address.page, (address.width, address.height))
            return pages.render(address.page)
        except MediaError as fault:
            if fault.name:
                raise
            raise MediaError(fault.code, fault.message, address.name) from fault

    def close(self) -> None:
        """Lets the file go."""
        if self._pages is not None:
            self._pages.close()
        self._pages = self._place = None

    def _opened(self, address: ImageAddress) -> ImagePages | PdfPages:
        place = (address.source, address.offset, address.method)
        if self._pages is None or self._place != place:
            self.close()
            self._pages, self._place = _pages_of(self._file_of(address)), place
        return self._pages

    def _file_of(self, address: ImageAddress) -> BinaryIO:
        if address.method == "deflated_page":
            return io.BytesIO(self._files.read(address))
        file = self._open(address.source)
        if address.method == "stored_page":
            return cast("BinaryIO", PartFile(file, address.offset, address.length))
        return file


def _pages_of(file: BinaryIO) -> ImagePages | PdfPages:
    file.seek(0)
    kind = sniff(read_fully(file, HEAD_BYTES))
    file.seek(0)
    if kind is not None and kind.name == "pdf":
        return PdfPages(file)
    return ImagePages(file)
