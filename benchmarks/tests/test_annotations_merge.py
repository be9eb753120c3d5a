from dataclasses import replace

import pytest
from yard.annotations.merge import merge
from yard.annotations.model import Track

from benchmarks.annotations_cases import Scene, as_shapes, as_tracks
from benchmarks.annotations_merge import SCHEMA
from benchmarks.annotations_plain import merge_shapes, merge_tracks

SCENE = Scene(frames=100, segment=30, overlap=5, objects=24, spacing=7)


@pytest.mark.parametrize("turned", [False, True])
def test_shapes_merge_to_what_the_straightforward_way_gives(turned: bool) -> None:
    jobs = as_shapes(replace(SCENE, turned=turned))
    merged = merge(jobs, SCHEMA)
    plain = merge_shapes(jobs)
    assert merged.report.merged_shapes > 0
    assert sorted(shape.id for shape in merged.annotations.shapes) == sorted(shape.id for shape in plain)


@pytest.mark.parametrize("turned", [False, True])
def test_tracks_merge_to_what_the_straightforward_way_gives(turned: bool) -> None:
    jobs = as_tracks(replace(SCENE, turned=turned))
    assert sorted(merge(jobs, SCHEMA).annotations.tracks, key=_id) == sorted(merge_tracks(jobs), key=_id)


def test_copies_of_one_origin_merge_to_the_tracks_that_were_cut() -> None:
    tracks = merge(as_tracks(SCENE, origins=True), SCHEMA).annotations.tracks
    assert len(tracks) == SCENE.objects
    for track in tracks:
        assert [keyframe.frame for keyframe in track.keyframes] == [*range(0, SCENE.frames, 7), 99]


def _id(track: Track) -> int:
    return track.id
