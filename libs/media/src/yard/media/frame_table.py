"""All frames of media in columns: a million of them take some 100 MB, in any order."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from yard.media.index_block import FRAMES_PER_BLOCK, FrameColumns, decode_columns, encode_columns
from yard.media.name_column import NameColumn

Rows = NDArray[np.int64]


class FrameTable:
    """The frames of blocks, one after the other, by their row."""

    def __init__(self) -> None:
        self._parts: dict[str, list[NDArray[Any]]] = {}
        self.names = NameColumn()

    def __len__(self) -> int:
        return len(self.names)

    def add(self, block: bytes) -> None:
        """Appends the frames of a frame block."""
        part = decode_columns(block)
        for name, column in part.columns.items():
            self._parts.setdefault(name, []).append(column)
        self.names.extend(part.names)

    def column(self, name: str) -> NDArray[Any]:
        """One value a row."""
        parts = self._parts.get(name, [])
        if len(parts) != 1:
            # What is joined replaces its parts: no column is there twice.
            parts[:] = [np.concatenate(parts) if parts else np.zeros(0, "i8")]
        return parts[0]

    def blocks(self, rows: Rows, changed: Mapping[str, NDArray[Any]]) -> Iterator[bytes]:
        """Frame blocks of these rows in this order; `changed` columns, a value each, replace ours."""
        for first in range(0, len(rows), FRAMES_PER_BLOCK):
            part = slice(first, first + FRAMES_PER_BLOCK)
            some = rows[part]
            columns = {
                name: changed[name][part] if name in changed else self.column(name)[some]
                for name in self._parts
            }
            yield encode_columns(FrameColumns(columns, [self.names[row] for row in some.tolist()]))
