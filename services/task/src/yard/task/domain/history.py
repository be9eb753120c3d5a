"""What is kept of a save, going backwards: ids of the rows that are new, and the rows that went as they were.

A save of new objects thus costs a few bytes, whatever they are. Rows are kept as the columns that streams
have, some thousand a part, compressed.
"""

import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from frameyard.annotation.v1 import columnar_pb2
from numpy.typing import NDArray
from yard.annotations.batch import LARGEST_BATCH, Batch
from yard.annotations.columnar import decode, encode
from yard.annotations.model import AnnotationSet, Shape, Tag, Track
from yard.task.domain.annotation_plans import Table, Trace

TABLES: Final[tuple[Table, ...]] = ("tag", "shape", "track")

# Numbers of points after which a part ends: 2 MiB before they are compressed.
PART_NUMBERS: Final = 250_000
# Higher levels take five times as long for a tenth less: coordinates hardly repeat.
_LEVEL: Final = 1
_LENGTH: Final = struct.Struct("<I")
_RAW, _DEFLATED = b"\x01", b"\x02"
# Below this there is nothing to gain.
_SHORTEST_DEFLATED: Final = 128

Object = Tag | Shape | Track
Ids = Mapping[Table, Sequence[int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One save of one job, packed."""

    ids: bytes
    parts: Sequence[bytes] = ()

    @property
    def size_bytes(self) -> int:
        """What it takes besides the row itself."""
        return len(self.ids) + sum(map(len, self.parts))


@dataclass(frozen=True, slots=True, kw_only=True)
class Touched:
    """Ids that a save has brought, and ids that it has taken away for good, with their label."""

    created: Ids = field(default_factory=dict)
    lost: Ids = field(default_factory=dict)


def kept(trace: Trace) -> Kept:
    """What leads back from the state after a save to that before it; takes time."""
    before: dict[Table, set[int]] = {
        "tag": {tag.id for tag in trace.removed.tags},
        "shape": {shape.id for shape in trace.removed.shapes},
        "track": {track.id for track in trace.removed.tracks},
    }
    created: dict[Table, list[int]] = {
        table: [id_ for id_ in ids if id_ not in before[table]] if before[table] else list(ids)
        for table, ids in trace.written.items()
    }
    return Kept(ids=packed_ids(Touched(created=created)), parts=list(packed_parts(trace.removed)))


def packed_ids(touched: Touched) -> bytes:
    """The ids in ascending order as differences, which are all 1 where they were reserved together."""
    pieces = []
    for ids in (touched.created, touched.lost):
        for table in TABLES:
            ascending = np.sort(np.asarray(ids.get(table, ()), dtype="<i8"))
            pieces += [_LENGTH.pack(len(ascending)), np.diff(ascending, prepend=0).astype("<i8").tobytes()]
    return _deflated(b"".join(pieces))


def unpacked_ids(content: bytes) -> Touched:
    """What `packed_ids` was given, in ascending order."""
    plain = _inflated(content)
    found: list[list[int]] = []
    place = 0
    for _ in range(2 * len(TABLES)):
        (count,) = _LENGTH.unpack_from(plain, place)
        steps: NDArray[np.int64] = np.frombuffer(plain, "<i8", count, place + _LENGTH.size)
        found.append(np.cumsum(steps).tolist())
        place += _LENGTH.size + 8 * count
    created, lost = found[: len(TABLES)], found[len(TABLES) :]
    return Touched(created=dict(zip(TABLES, created, strict=True)), lost=dict(zip(TABLES, lost, strict=True)))


def packed_parts(annotations: AnnotationSet) -> Iterator[bytes]:
    """The objects in parts, each of which can be read alone."""
    for portion in _portions(annotations):
        yield packed_batches(encode(portion))


def packed_batches(batches: Iterable[Batch]) -> bytes:
    """One part of these batches, in which no track is without its keyframes."""
    messages = (columnar_pb2.ColumnarBatch(**batch.columns()).SerializeToString() for batch in batches)
    return _deflated(b"".join(_LENGTH.pack(len(message)) + message for message in messages))


def unpacked_part(content: bytes) -> AnnotationSet:
    """The objects of a part."""
    return decode(_batches(_inflated(content)))


def set_of(objects: Iterable[Object]) -> AnnotationSet:
    """The objects in the order given."""
    kinds: tuple[list[Tag], list[Shape], list[Track]] = [], [], []
    tags, shapes, tracks = kinds
    for item in objects:
        if isinstance(item, Tag):
            tags.append(item)
        elif isinstance(item, Shape):
            shapes.append(item)
        else:
            tracks.append(item)
    return AnnotationSet(tags=tuple(tags), shapes=tuple(shapes), tracks=tuple(tracks))


def _batches(plain: bytes) -> Iterator[Batch]:
    place = 0
    while place < len(plain):
        (length,) = _LENGTH.unpack_from(plain, place)
        place += _LENGTH.size
        yield Batch.of(columnar_pb2.ColumnarBatch.FromString(plain[place : place + length]))
        place += length


def _portions(annotations: AnnotationSet) -> Iterator[AnnotationSet]:
    """The objects cut where a part has enough of them or enough numbers."""
    held: list[Object] = []
    numbers = 0
    items: tuple[Object, ...] = (*annotations.tags, *annotations.shapes, *annotations.tracks)
    for item in items:
        held.append(item)
        numbers += _numbers(item)
        if len(held) == LARGEST_BATCH or numbers >= PART_NUMBERS:
            yield set_of(held)
            held, numbers = [], 0
    if held:
        yield set_of(held)


def _numbers(item: Object) -> int:
    if isinstance(item, Track):
        return sum(4 + len(keyframe.points) for keyframe in item.keyframes)
    return len(item.points) if isinstance(item, Shape) else 0


def _deflated(plain: bytes) -> bytes:
    return _RAW + plain if len(plain) < _SHORTEST_DEFLATED else _DEFLATED + zlib.compress(plain, _LEVEL)


def _inflated(content: bytes) -> bytes:
    return content[1:] if content[:1] == _RAW else zlib.decompress(memoryview(content)[1:])
