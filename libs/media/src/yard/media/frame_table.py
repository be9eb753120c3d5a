"""All frames of media in columns: a million of them take some 50 MB, in any order."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from yard.media.index_block import FRAMES_PER_BLOCK, FrameColumns, decode_columns, encode_columns
from yard.media.name_column import NameColumn

Rows = NDArray[np.integer[Any]]


class FrameTable:
    """The frames of blocks, one after the other, by their row; their order is left to who writes them."""

    def __init__(self) -> None:
        self._columns: dict[str, _Column] = {}
        self.names = NameColumn()

    def __len__(self) -> int:
        return len(self.names)

    def add(self, block: bytes) -> None:
        """Appends the frames of a frame block."""
        part = decode_columns(block)
        for name, values in part.columns.items():
            if name != "order":
                self._columns.setdefault(name, _Column()).add(values)
        self.names.extend(part.names)

    def column(self, name: str) -> NDArray[Any]:
        """One value a row, to be read only."""
        column = self._columns.get(name)
        return np.zeros(0, "i8") if column is None else column.joined()

    def blocks(self, rows: Rows, changed: Mapping[str, NDArray[Any]]) -> Iterator[bytes]:
        """Frame blocks of these rows in this order; `changed` columns, a value each, replace ours.

        Their order is among them.
        """
        for first in range(0, len(rows), FRAMES_PER_BLOCK):
            part = slice(first, first + FRAMES_PER_BLOCK)
            some = rows[part]
            columns = {name: self.column(name)[some] for name in self._columns if name not in changed}
            columns |= {name: values[part] for name, values in changed.items()}
            yield encode_columns(FrameColumns(columns, [self.names[row] for row in some.tolist()]))


class _Column:
    """Values of one kind; where all are the same, as they often are, one stands for them."""

    def __init__(self) -> None:
        self._parts: list[NDArray[Any]] = []

    def add(self, values: NDArray[Any]) -> None:
        is_constant = len(values) > 0 and bool((values == values[0]).all())
        self._parts.append(np.broadcast_to(values[:1].copy(), len(values)) if is_constant else values)

    def joined(self) -> NDArray[Any]:
        """All of them; what is joined replaces its parts, so that nothing is there twice."""
        if len(self._parts) > 1:
            parts = [part for part in self._parts if len(part)] or self._parts[:1]
            # The values of a constant part lie in one place.
            is_constant = all(part.strides == (0,) and part[0] == parts[0][0] for part in parts)
            length = sum(map(len, parts))
            whole = np.broadcast_to(parts[0][:1], length) if is_constant else np.concatenate(parts)
            self._parts = [whole]
        return self._parts[0]
