from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yard.annotations.batch import Batch, ObjectKind
from yard.annotations.columnar import LARGEST_CONTENT, Encoder, TrackReader, decode, encode
from yard.annotations.errors import AnnotationError
from yard.annotations.model import AnnotationSet, ShapeKind

from libs.annotations.tests.examples import box, key, sets, track


@given(sets(), st.sampled_from([1, 2, 8192]))
def test_columns_and_back(drawn: AnnotationSet, rows: int) -> None:
    batches = [Batch.of(batch) for batch in encode(drawn, rows=rows)]
    assert decode(batches) == drawn
    assert all(1 <= batch.count <= rows for batch in batches)


def test_batches_are_split_and_empty_sets_have_none() -> None:
    shapes = tuple(box(frame, 0, 0, 1, 1) for frame in range(8193))
    assert [batch.count for batch in encode(AnnotationSet(shapes=shapes))] == [8192, 1]
    assert list(encode(AnnotationSet())) == []


def test_a_batch_of_large_outlines_ends_early() -> None:
    outline = (0.0, 1.0) * 50_000
    shapes = tuple(box(frame, *outline, kind=ShapeKind.POLYGON) for frame in range(12))
    keyframes = [key(frame, *outline, kind=ShapeKind.POLYGON) for frame in range(12)]
    drawn = AnnotationSet(shapes=shapes, tracks=(track(*keyframes),))
    batches = list(encode(drawn))
    assert [batch.count for batch in batches] == [6, 6, 1, 6, 6]
    assert max(len(batch.points) for batch in batches) < 2 * LARGEST_CONTENT
    assert decode(batches) == drawn


def test_portions_make_one_stream() -> None:
    tracks = tuple(track(key(frame, 0, 0, 1, 1), key(frame + 1, 0, 0, 2, 2)) for frame in range(5))
    encoder = Encoder(rows=3)
    batches = [*encoder.tracks(tracks[:2]), *encoder.tracks(tracks[2:])]
    assert decode(batches) == AnnotationSet(tracks=tracks)


def test_columns_that_a_kind_does_not_have_are_empty() -> None:
    tracks, keyframes = encode(AnnotationSet(tracks=(track(key(3, 0, 0, 1, 1, outside=True)),)))
    assert (tracks.frame, tracks.points, tracks.parent) == (b"", b"", b"")
    assert (keyframes.id, keyframes.label_id, keyframes.origin) == (b"", b"", b"")
    assert keyframes.flags == bytes([0b110])
    assert keyframes.frame == b"\x03\x00\x00\x00"


def test_a_reader_holds_one_run_of_tracks() -> None:
    reader = TrackReader()
    tracks = tuple(track(key(frame, 0, 0, 1, 1), id=frame) for frame in range(1, 6))
    batches = encode(AnnotationSet(tracks=tracks), rows=2)
    done = [[one.id for one in reader.feed(batch)] for batch in batches]
    assert done == [[], [1], [], [2, 3], [], [4]]
    assert [one.id for one in reader.close()] == [5]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("frame", b"123"),
        ("count", 0),
        ("parent", b"12345678"),
        ("points_offset", b"\xff" * 16),
        ("attribute_value", b"1234"),
        ("origin", b"\x07\x00\x00\x00"),
        ("shape_kind", b"\x63"),
        ("object_kind", 9),
    ],
)
def test_columns_that_do_not_fit_are_named(field: str, value: object) -> None:
    (batch,) = encode(AnnotationSet(shapes=(box(0, 0, 0, 1, 1),)))
    with pytest.raises(AnnotationError) as refused:
        Batch.of(replace(batch, **{field: value}))  # type: ignore[arg-type]
    assert refused.value.faults[0].field == f"batch.{field}"


def test_keyframes_without_their_track_are_refused() -> None:
    tracks, keyframes = encode(AnnotationSet(tracks=(track(key(0, 0, 0, 1, 1)),)))
    assert tracks.object_kind is ObjectKind.TRACK
    with pytest.raises(AnnotationError, match="track 0"):
        decode([keyframes])
    with pytest.raises(AnnotationError, match="no keyframes"):
        decode([tracks])
