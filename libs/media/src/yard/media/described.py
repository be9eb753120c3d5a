"""What a manifest says of images, in columns: a million of them take little memory."""

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
from yard.media.batch_stream import IndexedBatch
from yard.media.claims import CLAIMED
from yard.media.index_block import (
    FRAMES_PER_BLOCK,
    METHODS,
    FrameColumns,
    ImageAddress,
    decode_columns,
    decode_frames,
    encode_columns,
)
from yard.media.manifest import line_fault
from yard.media.name_column import NameColumn
from yard.media.name_order import Order, arranged

WHOLE = -1
"""Page of an image that is a file of its own."""

LONGEST_SHOWN = 200
"""Characters of a name in a refusal."""

Place = tuple[str, int, int]
"""Name of the frame, number of the file, and page in it."""


class Described:
    """The lines of a manifest in their order; a frame that is not described has an empty name."""

    def __init__(self) -> None:
        self.names = NameColumn()
        self.undescribed = 0
        self.unsized = 0
        self._widths = array("I")
        self._heights = array("I")
        self._files = array("I")
        self._pages = array("i")

    @classmethod
    def of(cls, lines: Iterable[IndexedBatch], manifest: str, place: Callable[[str], Place]) -> "Described":
        """What `read_images` has made of the manifest of this name.

        `place` finds the file of a name, or raises ValueError with why.
        """
        described, last = cls(), 0
        for batch in lines:
            described._add(decode_columns(batch.block), manifest, place)
            last = batch.result["line"]
        if len(described) == described.undescribed:
            raise line_fault(manifest, last, "expected images, got none")
        if repeated := described._repeated():
            raise line_fault(manifest, last, f"{repeated} is described twice")
        return described

    def __len__(self) -> int:
        return len(self.names)

    def ordered(self, order: Order, seed: int) -> Sequence[int]:
        """Numbers of lines in frame order; frames that are not described keep their places."""
        if not self.undescribed:
            return arranged(self.names, order, seed)
        described = array("I", (number for number, name in enumerate(self.names) if name))
        names = NameColumn(self.names[number] for number in described)
        lines = array("I", range(len(self)))
        for number, position in zip(described, arranged(names, order, seed), strict=True):
            lines[number] = described[position]
        return lines

    def address(self, line: int) -> ImageAddress:
        """Where one image lies."""
        return decode_frames(next(self.blocks([line], range(1), lambda _: 0)))[0]

    def blocks(self, lines: Sequence[int], frames: range, size_of: Callable[[int], int]) -> Iterator[bytes]:
        """Frame blocks of some frames, one after the other; `size_of` tells the bytes of a file by number.

        What is said of the size of an image is marked as a claim.
        """
        widths, heights, files, pages = map(
            np.asarray, (self._widths, self._heights, self._files, self._pages)
        )
        for start in range(0, len(frames), FRAMES_PER_BLOCK):
            part = frames[start : start + FRAMES_PER_BLOCK]
            here = np.array([lines[frame] for frame in part])
            is_page = pages[here] != WHOLE
            sizes = [size_of(file) for file in files[here].tolist()]
            nothing = np.zeros(len(here))
            columns = {
                "order": np.array(part),
                "width": widths[here],
                "height": heights[here],
                "source": files[here],
                "offset": nothing,
                "length": nothing,
                "size": np.where(is_page, 0, sizes),
                "page": np.where(is_page, pages[here], 0),
                "method": np.where(is_page, METHODS.index("page"), METHODS.index("whole")),
                "orientation": np.full(len(here), CLAIMED),
            }
            yield encode_columns(FrameColumns(columns, [self.names[line] for line in here.tolist()]))

    def _add(self, part: FrameColumns, manifest: str, place: Callable[[str], Place]) -> None:
        """The frames of a batch, whose order is the number of their line."""
        widths, heights = part.columns["width"], part.columns["height"]
        for line, encoded in zip(part.columns["order"].tolist(), part.names, strict=True):
            name, file, page = "", 0, WHOLE
            if encoded:
                try:
                    name, file, page = place(encoded.decode("utf-8", "surrogatepass"))
                except ValueError as fault:
                    raise line_fault(manifest, line, str(fault)) from fault
            self.names.append(name.encode("utf-8", "surrogatepass"))
            self._files.append(file)
            self._pages.append(page)
        self._widths.frombytes(widths.tobytes())
        self._heights.frombytes(heights.tobytes())
        undescribed = part.names.count(b"")
        self.undescribed += undescribed
        self.unsized += int(np.count_nonzero((widths == 0) | (heights == 0))) - undescribed

    def _repeated(self) -> str:
        """A name that comes twice; hashes are compared first, as a set of names would be large."""
        hashes = np.fromiter((hash(name) for name in self.names if name), np.int64)
        if len(np.unique(hashes)) == len(hashes):
            return ""
        seen: set[bytes] = set()
        for name in filter(None, self.names):
            if name in seen:
                return repr(name.decode("utf-8", "replace")[:LONGEST_SHOWN])
            seen.add(name)
        return ""
