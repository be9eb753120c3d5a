"""The selected images of an indexing, in blocks for the plan."""

from collections.abc import Sequence
from dataclasses import replace

from yard.media.index_block import FRAMES_PER_BLOCK, ImageAddress, decode_frames, encode_frames
from yard.media_ingest.domain.files import GivenFile
from yard.media_ingest.domain.parameters import Selected


class Picking:
    """Takes the index blocks of all images in order, whose sources are positions in `files`.

    Gives blocks of the selected ones, whose sources are positions in `sources`: the files that are needed.
    """

    def __init__(self, files: Sequence[GivenFile], selected: Selected) -> None:
        self._files = files
        self._selected = selected
        self._absolute = 0
        self._relative = 0
        self._picked: list[ImageAddress] = []
        self._numbers: dict[int, int] = {}
        self.sources: list[GivenFile] = []
        self.blocks: list[bytes] = []
        self.first: ImageAddress | None = None

    def add(self, block: bytes) -> None:
        """The next index block."""
        for address in decode_frames(block):
            if self._is_next():
                self._pick(address)
            self._absolute += 1

    def seal(self) -> None:
        """No more blocks come."""
        if self._picked:
            self.blocks.append(encode_frames(self._picked))
            self._picked = []

    def _is_next(self) -> bool:
        is_left = self._relative < self._selected.size
        return is_left and self._selected.selection.absolute(self._relative) == self._absolute

    def _pick(self, address: ImageAddress) -> None:
        picked = replace(address, order=self._absolute, source=self._number(address.source))
        self.first = self.first or picked
        self._picked.append(picked)
        self._relative += 1
        if len(self._picked) == FRAMES_PER_BLOCK:
            self.seal()

    def _number(self, position: int) -> int:
        if position not in self._numbers:
            self._numbers[position] = len(self.sources)
            self.sources.append(self._files[position])
        return self._numbers[position]
