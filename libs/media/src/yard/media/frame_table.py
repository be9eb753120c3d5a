"""All frames of media in columns: a million of them take some 100 MB, in any order."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from yard.media.index_block import FRAMES_PER_BLOCK, FrameColumns, decode_columns, encode_columns

Rows = NDArray[np.int64]


class FrameTable:
    """The frames of blocks, one after the other, by their row."""

    def __init__(self) -> None:
        self._parts: list[FrameColumns] = []
        self._columns: dict[str, NDArray[Any]] = {}
        self.names: list[bytes] = []

    def __len__(self) -> int:
        return len(self.names)

    def add(self, block: bytes) -> None:
        """Appends the frames of a frame block."""
        part = decode_columns(block)
        self._parts.append(FrameColumns(part.columns, []))
        self._columns = {}
        self.names += part.names

    def column(self, name: str) -> NDArray[Any]:
        """One value a row."""
        if name not in self._columns:
            parts = [part.columns[name] for part in self._parts]
            self._columns[name] = np.concatenate(parts) if parts else np.zeros(0, "i8")
        return self._columns[name]

    def blocks(self, rows: Rows, changed: Mapping[str, NDArray[Any]]) -> Iterator[bytes]:
        """Frame blocks of these rows in this order; `changed` columns, a value each, replace ours."""
        names = self._parts[0].columns if self._parts else {}
        for first in range(0, len(rows), FRAMES_PER_BLOCK):
            part = slice(first, first + FRAMES_PER_BLOCK)
            some = rows[part]
            columns = {
                name: changed[name][part] if name in changed else self.column(name)[some] for name in names
            }
            yield encode_columns(FrameColumns(columns, [self.names[row] for row in some.tolist()]))
