"""The selected images of an indexing, in blocks for the plan, and what they lie in."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from yard.media.frame_table import FrameTable
from yard.media.index_block import METHODS, PAGE_METHODS, Method
from yard.media.plan import Source
from yard.media_ingest.domain.arranged import Arranged
from yard.media_ingest.domain.files import GivenFile
from yard.media_ingest.domain.parameters import Selected

_Numbers = NDArray[np.int64]

_PARTS: Mapping[Method, Method] = {"whole": "stored", "page": "stored_page"}
"""What becomes of a method when several files of one object become one source."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picked:
    """Width and height are those of the first frame; `blocks` may be read once."""

    sources: tuple[Source, ...]
    blocks: Iterator[bytes]
    width: int
    height: int


def pick(
    frames: FrameTable, order: Sequence[int] | None, files: Sequence[GivenFile], selected: Selected
) -> Picked:
    """Takes the selected of all frames, whose sources are positions in `files`, in an order of their rows."""
    absolute = np.fromiter(map(selected.selection.absolute, range(selected.size)), "i8", selected.size)
    rows = absolute if order is None else np.asarray(order)[absolute]
    methods = frames.column("method")[rows]
    used, first_rows, inverse = _distinct(frames.column("source"), rows)
    paged = np.isin(methods, [METHODS.index(method) for method in PAGE_METHODS])
    is_paged = np.zeros(len(used), bool)
    is_paged[inverse[paged]] = True
    placing = _Placing(Arranged(files, used.tolist()), is_paged.tolist(), first_rows)
    changed: dict[str, NDArray[Any]] = {"order": absolute, "source": placing.numbers.astype("u4")[inverse]}
    if placing.is_part.any():
        changed |= _parts(frames, rows, methods, placing, inverse)
    width, height = (int(frames.column(name)[rows[0]]) for name in ("width", "height"))
    return Picked(
        sources=tuple(placing.sources), blocks=frames.blocks(rows, changed), width=width, height=height
    )


def _distinct(source: NDArray[Any], rows: NDArray[Any]) -> tuple[NDArray[Any], _Numbers, NDArray[Any]]:
    """The different sources of the rows, where each comes first, and which of them each row has."""
    if len(source) and (source == source[0]).all():  # an archive: a million rows need no sorting
        return source[:1], np.zeros(1, "i8"), np.zeros(len(rows), "u1")
    return np.unique(source[rows], return_index=True, return_inverse=True)


def _parts(
    frames: FrameTable, rows: NDArray[Any], methods: NDArray[Any], placing: "_Placing", inverse: NDArray[Any]
) -> dict[str, NDArray[Any]]:
    """Columns of frames whose file is a part of a source."""
    is_part = placing.is_part[inverse]
    parts = np.array([METHODS.index(_PARTS.get(method, method)) for method in METHODS], "u1")
    return {
        "method": np.where(is_part, parts[methods], methods),
        "offset": np.where(is_part, placing.offsets[inverse], frames.column("offset")[rows]),
        "length": np.where(is_part, placing.sizes[inverse], frames.column("length")[rows]),
    }


class _Placing:
    """Makes few sources of many files: an object that holds several is one, and so is a share.

    The arrays have a value a file: number of its source; whether it is a part of it, from where and how long.
    """

    def __init__(self, files: Sequence[GivenFile], is_paged: Sequence[bool], first_rows: _Numbers) -> None:
        self.sources: list[Source] = []
        self.numbers = np.zeros(len(files), "i8")
        self.is_part = np.zeros(len(files), bool)
        self.offsets = np.array([file.place.offset for file in files], "i8")
        self.sizes = np.array([file.place.size_bytes for file in files], "i8")
        self._trees: dict[tuple[str, str], int] = {}
        shared = _shared_objects(files)
        for position in np.argsort(first_rows, kind="stable").tolist():
            file = files[position]
            if file.place.share:
                self.numbers[position] = self._of_share(file, is_paged=is_paged[position])
            elif file.place.key in shared:
                self.numbers[position] = self._of_object(file.place.key, shared[file.place.key])
                self.is_part[position] = True
            else:
                self.numbers[position] = self._add(source_of_file(file))

    def _of_share(self, file: GivenFile, *, is_paged: bool) -> int:
        folder = file.place.key.removesuffix(file.name)
        is_named = file.place.key.endswith(file.name) and (not folder or folder.endswith("/"))
        if is_paged or not is_named:
            return self._add(source_of_file(file))
        place = (file.place.share, folder)
        if place not in self._trees:
            tree = Source(
                key=folder,
                name=file.place.share,
                size_bytes=0,
                sha256="",
                share=file.place.share,
                is_tree=True,
            )
            self._trees[place] = self._add(tree)
        return self._trees[place]

    def _of_object(self, key: str, size_bytes: int) -> int:
        place = ("", key)
        if place not in self._trees:
            pack = Source(key=key, name="pack", size_bytes=size_bytes, sha256="")
            self._trees[place] = self._add(pack)
        return self._trees[place]

    def _add(self, source: Source) -> int:
        self.sources.append(source)
        return len(self.sources) - 1


def source_of_file(file: GivenFile) -> Source:
    """A file as a source of its own."""
    place = file.place
    return Source(
        key=place.key,
        name=file.name,
        size_bytes=file.size_bytes,
        sha256=file.sha256,
        share=place.share,
        offset=place.offset,
        stamp=place.stamp,
    )


def _shared_objects(files: Sequence[GivenFile]) -> dict[str, int]:
    """Objects that hold several of the files, with where the last of them ends."""
    ends: dict[str, list[int]] = {}
    for file in files:
        if not file.place.share:
            ends.setdefault(file.place.key, []).append(file.place.offset + file.place.size_bytes)
    return {key: max(places) for key, places in ends.items() if len(places) > 1}
