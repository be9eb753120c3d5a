"""Checks of the objects of a job in a backup, by the rules that saves are checked by."""

from collections.abc import Iterable, Iterator
from typing import BinaryIO, Final
from uuid import UUID

import numpy as np
from frameyard.annotation.v1.columnar_pb2 import ColumnarBatch
from google.protobuf.message import DecodeError
from yard.annotations.batch import Batch, ObjectKind
from yard.annotations.columnar import TrackReader
from yard.annotations.errors import AnnotationError
from yard.annotations.model import AnnotationSet, Track
from yard.annotations.screening import screened
from yard.annotations.validation import Rules, validated
from yard.export.archives.refusals import Refusals, refused
from yard.export.backups.layout import LENGTH

_LARGEST_BATCH: Final = 16_777_216


def batches_in(file: BinaryIO, name: str) -> Iterator[ColumnarBatch]:
    """RefusedError for what is no stream of batches."""
    while head := file.read(LENGTH.size):
        size = LENGTH.unpack(head)[0] if len(head) == LENGTH.size else 0
        if not 0 < size <= _LARGEST_BATCH:
            raise refused(name, f"has a batch of {size} bytes, 1 to {_LARGEST_BATCH} are read")
        content = file.read(size)
        try:
            if len(content) != size:
                raise refused(name, "ends within a batch")
            yield ColumnarBatch.FromString(content)
        except DecodeError as fault:
            raise refused(name, "has a batch that is no ColumnarBatch") from fault


def check_objects(batches: Iterable[ColumnarBatch], rules: Rules, name: str, refusals: Refusals) -> int:
    """Adds what is wrong to the refusals; returns how many objects and keyframes there are."""
    reader, count = TrackReader(), 0
    for number, message in enumerate(batches):
        place = f"{name}: batch[{number}]"
        try:
            batch = Batch.of(message)
            count += batch.count
            _check_origins(batch, place, refusals)
            if batch.object_kind in (ObjectKind.TAG, ObjectKind.SHAPE):
                _check_stills(batch, rules, place, refusals)
            else:
                _check_tracks(reader.feed(batch), rules, place, refusals)
        except AnnotationError as fault:
            _add(fault, place, refusals)
    try:
        _check_tracks(reader.close(), rules, name, refusals)
    except AnnotationError as fault:
        _add(fault, name, refusals)
    return count


def _check_stills(batch: Batch, rules: Rules, place: str, refusals: Refusals) -> None:
    for fault in screened(batch, rules, lambda row: f"row[{row}]").faults:
        refusals.add(f"{place} {fault.field}", fault.description)


def _check_tracks(tracks: Iterable[Track], rules: Rules, place: str, refusals: Refusals) -> None:
    for track in tracks:
        try:
            validated(AnnotationSet(tracks=(track,)), rules, path="")
        except AnnotationError as fault:
            _add(fault, place, refusals)


def _check_origins(batch: Batch, place: str, refusals: Refusals) -> None:
    for number in np.unique(np.frombuffer(batch.origin, "<i4")).tolist():
        text = batch.strings[number] if number >= 0 else ""
        if text and not _is_uuid(text):
            refusals.add(f"{place} origin", f"{text[:64]!r} is no UUID")


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


def _add(fault: AnnotationError, place: str, refusals: Refusals) -> None:
    for each in fault.faults:
        refusals.add(f"{place} {each.field}", each.description)
