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
            return cast("BinaryIO", _Part(file, address.offset, address.length))
        return file


def _pages_of(file: BinaryIO) -> ImagePages | PdfPages:
    file.seek(0)
    kind = sniff(read_fully(file, HEAD_BYTES))
    file.seek(0)
    if kind is not None and kind.name == "pdf":
        return PdfPages(file)
    return ImagePages(file)


class _Part(io.RawIOBase):
    """A range of a file as if it were one of its own."""

    def __init__(self, file: BinaryIO, offset: int, length: int) -> None:
        super().__init__()
        self._file, self._offset, self._length = file, offset, length
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._length}[whence]
        if base + offset < 0:
            raise ValueError(f"seek to {base + offset}")
        self._position = base + offset
        return self._position

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Fills the whole buffer unless the part ends."""
        view = memoryview(buffer).cast("B")
        self._file.seek(self._offset + self._position)
        content = read_fully(self._file, max(0, min(view.nbytes, self._length - self._position)))
        view[: len(content)] = content
        self._position += len(content)
        return len(content)
