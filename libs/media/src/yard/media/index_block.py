"""The binary form of frame indexes, version 1; all numbers are little-endian.

Every block is `magic (4) | version u16 | reserved u16 | crc32 of the body u32 | size of the body u64 | body`,
and the body is zlib-compressed.

Frame block, magic YFRM, at most 10,000 images. Body: `count u32`, then one column after the other, each
`count` long: order i64, width u32, height u32, source u32, offset u64, length u64, size u64, page u32, method
u8, orientation u8, length of the name in bytes u32; then all names, UTF-8, joined without separators.

Video block, magic YVID. Body: `size of the head u32`, a JSON head (all scalar fields of VideoIndex, the
number of frames and of key frames), then the first differences of pts (i64, starting from 0) and the columns
pts, dts, position of the key frames (i64, likewise as differences, wrapping).
"""

import json
import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from fractions import Fraction
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from yard.media.errors import MediaError
from yard.media.video_index import VideoIndex

FRAMES_PER_BLOCK = 10_000

Method = Literal["stored", "deflated", "whole", "page", "stored_page", "deflated_page"]
"""How an image lies in its source: bytes as they are, raw deflate, the whole file, or a page of these."""

PAGE_METHODS: frozenset[Method] = frozenset({"page", "stored_page", "deflated_page"})
"""Those of images that share their file with others."""

METHODS: tuple[Method, ...] = get_args(Method)
"""By the numbers that stand in blocks."""
_HEADER = struct.Struct("<4sHHIQ")
_FRAMES, _VIDEO = b"YFRM", b"YVID"
_VERSION = 1
_MOST_BYTES = 1 << 30
_COLUMNS: tuple[tuple[str, str], ...] = (
    ("order", "<i8"),
    ("width", "<u4"),
    ("height", "<u4"),
    ("source", "<u4"),
    ("offset", "<u8"),
    ("length", "<u8"),
    ("size", "<u8"),
    ("page", "<u4"),
    ("method", "u1"),
    ("orientation", "u1"),
)
_ARRAYS = ("pts", "keyframes")
_FRACTIONS = ("time_base", "frame_rate")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageAddress:
    """Where one image lies; width and height are upright (EXIF orientation 1..8 applied), 0 unknown."""

    order: int = 0
    name: str
    width: int = 0
    height: int = 0
    source: int = 0
    offset: int = 0
    length: int = 0
    """Bytes in the source, packed if deflated; 0 with "whole" and "page". Pages of one file have the same."""
    size: int = 0
    """Bytes of the image file itself, unpacked; 0 unknown."""
    page: int = 0
    method: Method = "whole"
    orientation: int = 1


@dataclass(frozen=True, slots=True)
class FrameColumns:
    """The images of a frame block in columns, as they are stored; `method` is numbered as in METHODS."""

    columns: dict[str, NDArray[Any]]
    names: list[bytes]

    def __len__(self) -> int:
        return len(self.names)


def encode_frames(frames: Sequence[ImageAddress]) -> bytes:
    """One frame block of at most `FRAMES_PER_BLOCK` images."""
    columns = {
        name: np.array([_cell(frame, name) for frame in frames], dtype=form) for name, form in _COLUMNS
    }
    names = [frame.name.encode("utf-8", "surrogatepass") for frame in frames]
    return encode_columns(FrameColumns(columns, names))


def encode_columns(frames: FrameColumns) -> bytes:
    """The same of columns."""
    if len(frames) > FRAMES_PER_BLOCK:
        raise MediaError("limit", f"a frame block holds {FRAMES_PER_BLOCK} frames, got {len(frames)}")
    columns = [frames.columns[name].astype(form, copy=False).tobytes() for name, form in _COLUMNS]
    lengths = np.array([len(name) for name in frames.names], dtype="<u4").tobytes()
    return seal(_FRAMES, b"".join([struct.pack("<I", len(frames)), *columns, lengths, *frames.names]))


def filled_columns(names: list[bytes], given: Mapping[str, Sequence[int]]) -> FrameColumns:
    """Frames of which only some columns say something; the others are 0."""
    empty = np.zeros(len(names), "i8")
    return FrameColumns({name: np.asarray(given.get(name, empty)) for name, _ in _COLUMNS}, names)


def decode_columns(block: bytes) -> FrameColumns:
    """The images of a frame block in columns."""
    body = _Body(unseal(_FRAMES, block))
    count = body.number()
    columns = {name: body.column(form, count) for name, form in _COLUMNS}
    if count and int(columns["method"].max()) >= len(METHODS):
        raise MediaError("invalid_media", f"the index block has an unknown method {columns['method'].max()}")
    lengths = body.column("<u4", count).tolist()
    return FrameColumns(columns, [body.take(length) for length in lengths])


def decode_frames(block: bytes) -> list[ImageAddress]:
    """The images of a frame block."""
    frames = decode_columns(block)
    columns: dict[str, list[Any]] = {name: column.tolist() for name, column in frames.columns.items()}
    columns["name"] = [name.decode("utf-8", "surrogatepass") for name in frames.names]
    columns["method"] = [METHODS[number] for number in columns["method"]]
    keys = tuple(columns)
    return [ImageAddress(**dict(zip(keys, row, strict=True))) for row in zip(*columns.values(), strict=True)]


def encode_video(index: VideoIndex) -> bytes:
    """The block of a video index."""
    head: dict[str, Any] = {
        field.name: getattr(index, field.name) for field in fields(index) if field.name not in _ARRAYS
    }
    for name in _FRACTIONS:
        head[name] = [head[name].numerator, head[name].denominator]
    head["frames"], head["keyframes"] = index.frames, len(index.keyframes)
    text = json.dumps(head).encode()
    columns = [_delta(index.pts), *(_delta(index.keyframes[:, column]) for column in range(3))]
    return seal(_VIDEO, b"".join([struct.pack("<I", len(text)), text, *columns]))


def decode_video(block: bytes) -> VideoIndex:
    """The video index of a block."""
    body = _Body(unseal(_VIDEO, block))
    try:
        head: dict[str, Any] = json.loads(body.take(body.number()))
        frames, keyframes = int(head.pop("frames")), int(head.pop("keyframes"))
        pts = _sum(body.column("<i8", frames))
        columns = [_sum(body.column("<i8", keyframes)) for _ in range(3)]
        for name in _FRACTIONS:
            head[name] = Fraction(*head[name])
        head["warnings"] = tuple(head["warnings"])
        return VideoIndex(pts=pts, keyframes=np.column_stack(columns), **head)
    except (ValueError, TypeError, KeyError) as error:
        raise MediaError("invalid_media", f"the video index block is not valid: {error}") from error


class _Body:
    """Reads an unpacked body from its start, and refuses to read past its end."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._position = 0

    def take(self, size: int) -> bytes:
        end = self._position + size
        if end > len(self._content):
            raise MediaError("invalid_media", "the index block is shorter than it says")
        piece = self._content[self._position : end]
        self._position = end
        return piece

    def number(self) -> int:
        return int.from_bytes(self.take(4), "little")

    def column(self, form: str, count: int) -> NDArray[Any]:
        return np.frombuffer(self.take(np.dtype(form).itemsize * count), form)


def frame_count(block: bytes) -> int:
    """Number of images of a frame block, or of source frames of a video block."""
    if block[:4] == _VIDEO:
        return decode_video(block).frames
    return _Body(unseal(_FRAMES, block)).number()


def seal(magic: bytes, body: bytes) -> bytes:
    """A body behind the header that all blocks share; `magic` is four bytes."""
    packed = zlib.compress(body, 6)
    return _HEADER.pack(magic, _VERSION, 0, zlib.crc32(packed), len(packed)) + packed


def unseal(magic: bytes, block: bytes) -> bytes:
    """The body of a block; refuses another magic or version, damage, and bodies of more than 1 GiB."""
    if len(block) < _HEADER.size:
        raise MediaError("invalid_media", "the index block is shorter than its header")
    found, version, reserved, crc, size = _HEADER.unpack_from(block)
    if (found, version, reserved) != (magic, _VERSION, 0):
        raise MediaError(
            "invalid_media", f"expected index block {magic!r} version 1, got {found!r} version {version}"
        )
    packed = block[_HEADER.size :]
    if size != len(packed) or crc != zlib.crc32(packed):
        raise MediaError("invalid_media", "the index block is damaged: its checksum does not fit")
    try:
        return zlib.decompressobj().decompress(packed, _MOST_BYTES)
    except zlib.error as error:
        raise MediaError("invalid_media", f"the index block does not unpack: {error}") from error


def _cell(frame: ImageAddress, column: str) -> int:
    return METHODS.index(frame.method) if column == "method" else int(getattr(frame, column))


def _delta(column: NDArray[np.int64]) -> bytes:
    return np.diff(column, prepend=np.int64(0)).astype("<i8").tobytes()


def _sum(differences: NDArray[Any]) -> NDArray[np.int64]:
    return np.cumsum(differences, dtype=np.int64)
