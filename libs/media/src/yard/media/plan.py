"""The plan of a task's media: which frames it shows and where they lie, as one object read by ranges.

Layout: the index blocks one after the other, the head (a sealed block, magic YPLH, JSON), a trailer of fixed
size. A writer streams it out block by block; a reader asks for the trailer, the head, then single blocks.
"""

import json
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from yard.media.errors import MediaError
from yard.media.index_block import frame_count, seal, unseal

PlanKind = Literal["video", "images"]

_HEAD = b"YPLH"
_TRAILER = struct.Struct("<4sHHQ")
_MAGIC, _VERSION = b"YPLT", 1

TRAILER_BYTES = _TRAILER.size
"""Bytes at the end of a plan that say where its head lies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What frames lie in: an object of the bucket, or a file or all files of a connected share.

    `key` is the object's, or the path below the root of `share`. With `is_tree` it is a folder of the share
    ("" or ending in "/"), and each frame is the whole file `key` + its own name: a million are one source.
    `name` is the file's own for people, `sha256` hex or empty; `size_bytes` of a tree is 0. A file among
    others in one object begins at `offset` of it. `stamp` is that of a share's file when it was found, or 0.
    """

    key: str
    name: str
    size_bytes: int
    sha256: str
    share: str = ""
    is_tree: bool = False
    offset: int = 0
    stamp: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """An index block by bytes of the plan; it holds the relative frames first .. first + count - 1."""

    offset: int
    length: int
    first: int
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanHead:
    """A video has one block, which indexes all source frames; blocks of images hold selected frames only."""

    kind: PlanKind
    sources: tuple[Source, ...]
    blocks: tuple[Block, ...]
    size: int
    """Selected frames."""
    start: int
    step: int


def encode_plan(
    kind: PlanKind,
    sources: Sequence[Source],
    blocks: Iterable[bytes],
    *,
    size: int,
    start: int = 0,
    step: int = 1,
) -> Iterator[bytes]:
    """The pieces of a plan, one block in memory at a time; refuses blocks that do not hold `size` frames."""
    placed: list[Block] = []
    offset = first = 0
    for content in blocks:
        count = _frames_in(kind, content, size)
        placed.append(Block(offset=offset, length=len(content), first=first, count=count))
        yield content
        offset += len(content)
        first += count
    if first != size or (kind == "video" and len(placed) != 1):
        raise MediaError("limit", f"a plan of {size} frames got {len(placed)} blocks of {first} frames")
    head = PlanHead(
        kind=kind, sources=tuple(sources), blocks=tuple(placed), size=size, start=start, step=step
    )
    sealed = seal(_HEAD, json.dumps(asdict(head)).encode())
    yield sealed
    yield _TRAILER.pack(_MAGIC, _VERSION, 0, len(sealed))


def head_range(trailer: bytes, plan_size: int) -> tuple[int, int]:
    """Offset and length of the head of a plan of `plan_size` bytes, from its last `TRAILER_BYTES`."""
    if len(trailer) != TRAILER_BYTES:
        raise MediaError("invalid_media", f"a plan ends with {TRAILER_BYTES} bytes, got {len(trailer)}")
    magic, version, _, length = _TRAILER.unpack(trailer)
    if (magic, version) != (_MAGIC, _VERSION):
        raise MediaError("invalid_media", f"expected a plan of version 1, got {magic!r} version {version}")
    offset = plan_size - TRAILER_BYTES - length
    if offset < 0:
        raise MediaError("invalid_media", f"the head of {length} bytes does not fit a plan of {plan_size}")
    return offset, length


def decode_head(content: bytes) -> PlanHead:
    """The head from the bytes of its range."""
    try:
        fields: dict[str, Any] = json.loads(unseal(_HEAD, content))
        sources = tuple(Source(**source) for source in fields.pop("sources"))
        blocks = tuple(Block(**block) for block in fields.pop("blocks"))
        head = PlanHead(sources=sources, blocks=blocks, **fields)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise MediaError("invalid_media", f"the head of the plan is not valid: {error}") from error
    if head.kind not in get_args(PlanKind):
        raise MediaError("invalid_media", f"the plan is of an unknown kind {head.kind!r}")
    return head


def _frames_in(kind: PlanKind, content: bytes, size: int) -> int:
    """Relative frames that a block stands for."""
    count = frame_count(content)
    if kind == "images":
        return count
    if size > count:
        raise MediaError("limit", f"{size} frames are selected of a video of {count}")
    return size
