from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from frameyard.annotation.v1 import annotation_pb2 as annotation
from frameyard.annotation.v1.annotation_events_pb2 import AnnotationsChanged
from frameyard.common.v1.common_pb2 import FrameRange
from yard.runtime import errors
from yard.testkit.fixtures import SettingsFor
from yard.testkit.refusals import refused

from services.task.tests import annotation_scene as stage
from services.task.tests.annotation_scene import ANN, OWNER, Scene, faults, key, some


@pytest.fixture
async def scene(settings_for: SettingsFor) -> AsyncIterator[Scene]:
    async with stage.scene(settings_for) as scene:
        yield scene


def frames(annotations: annotation.AnnotationSet) -> list[int]:
    return [shape.frame for shape in annotations.shapes]


async def test_a_task_level_save_reaches_each_job_that_sees_the_frame(scene: Scene) -> None:
    put = await scene.put(scene.task, scene.polygon(5), scene.polygon(95), scene.polygon(200))
    held = [frames((await scene.get(scene.job(number))).annotations) for number in range(3)]
    assert held == [[5, 95], [95], [200]]
    assert put.revision == 3
    assert [shape.job_id for shape in put.annotations.shapes] == [scene.jobs[0], scene.jobs[0], scene.jobs[2]]
    got = await scene.get(scene.task)
    assert got.annotations == put.annotations
    assert (got.revision, got.merge.joined_origins) == (3, 1)
    events = await scene.events()
    assert [(event.job_id, event.created, event.task_revision) for event in events] == [
        (scene.jobs[0], 2, 3),
        (scene.jobs[1], 1, 3),
        (scene.jobs[2], 1, 3),
    ]


async def test_a_track_is_cut_for_the_jobs_and_whole_for_the_task(scene: Scene) -> None:
    track = scene.track(key(50), key(210, 110, 110, 150, 140), key(230, outside=True))
    put = await scene.put(scene.task, tracks=[track])
    jobs = [(await scene.get(scene.job(number))).annotations.tracks[0] for number in range(3)]
    assert [[keyframe.frame for keyframe in part.keyframes] for part in jobs] == [
        [50, 99],
        [90, 189],
        [180, 210, 230],
    ]
    got = (await scene.get(scene.task)).annotations.tracks[0]
    assert got.keyframes == (await scene.filled(stage.some(tracks=[track]))).tracks[0].keyframes
    assert got.id == put.annotations.tracks[0].id == jobs[0].id


async def test_the_same_save_again_changes_nothing(scene: Scene) -> None:
    track = scene.track(key(50), key(210, 110, 110, 150, 140))
    shapes = [scene.polygon(5), scene.polygon(95), scene.polygon(95), scene.box(185)]
    tags = [annotation.Tag(frame=95, label_id=scene.car)]
    first = await scene.put(scene.task, *shapes, tags=tags, tracks=[track])
    got = (await scene.get(scene.task)).annotations
    again = await scene.put(scene.task, *got.shapes, tags=got.tags, tracks=got.tracks)
    assert again.revision == first.revision == 3
    assert await scene.revisions() == [1, 1, 1]


async def test_only_jobs_in_which_something_changes_get_a_revision(scene: Scene) -> None:
    await scene.put(scene.task, scene.polygon(5), scene.polygon(95), scene.polygon(200))
    await scene.put(scene.task, scene.polygon(6), scene.polygon(95), scene.polygon(200))
    assert await scene.revisions() == [2, 1, 1]
    assert (await scene.get(scene.task)).merge.joined_origins == 1


async def test_two_annotators_over_the_overlap_are_merged(scene: Scene) -> None:
    await scene.put(scene.job(0), scene.box(95, 10, 10, 110, 110), scene.polygon(95), by=ANN)
    await scene.put(scene.job(1), scene.box(95, 12, 12, 112, 112), scene.polygon(95), by=ANN)
    got = await scene.get(scene.task)
    assert (got.merge.merged_shapes, got.merge.joined_origins) == (1, 0)
    boxes = [shape for shape in got.annotations.shapes if shape.label_id == scene.car]
    assert [list(box.points) for box in boxes] == [[10, 10, 110, 110]]
    assert len(got.annotations.shapes) == 3


async def test_update_and_delete_act_on_all_copies(scene: Scene) -> None:
    put = await scene.put(scene.task, scene.polygon(95), scene.polygon(96))
    moved, gone = put.annotations.shapes
    moved.points[:] = [1, 1, 100, 1, 50, 80]
    await scene.patch(scene.task, update=some(moved), delete=some(gone))
    for number in (0, 1):
        (held,) = (await scene.get(scene.job(number))).annotations.shapes
        assert (held.frame, list(held.points)) == (95, list(moved.points))
    got = await scene.get(scene.task)
    assert list(got.annotations.shapes) == [moved]
    assert [(event.updated, event.deleted) for event in (await scene.events())[2:]] == [(1, 1), (1, 1)]


async def test_the_id_of_another_jobs_copy_names_the_same_object(scene: Scene) -> None:
    await scene.put(scene.task, scene.polygon(95))
    (copy,) = (await scene.get(scene.job(1))).annotations.shapes
    (head,) = (await scene.get(scene.task)).annotations.shapes
    assert copy.id != head.id
    twice = scene.patch(scene.task, update=some(copy), delete=some(head))
    assert set(await faults(twice)) == {"delete.shapes[0].id"}
    await scene.patch(scene.task, delete=some(annotation.Shape(id=copy.id)))
    assert not (await scene.get(scene.task)).annotations.shapes


async def test_an_object_that_moves_to_other_jobs_keeps_its_id(scene: Scene) -> None:
    (shape,) = (await scene.put(scene.task, scene.polygon(5))).annotations.shapes
    shape.frame = 95
    await scene.patch(scene.task, update=some(shape))
    (moved,) = (await scene.get(scene.task)).annotations.shapes
    assert moved == shape
    shape.frame = 220
    await scene.patch(scene.task, update=some(shape))
    (moved,) = (await scene.get(scene.task)).annotations.shapes
    assert (moved.id, moved.job_id, moved.frame) == (shape.id, scene.jobs[2], 220)
    assert await scene.revisions() == [3, 2, 1]


async def test_objects_that_were_merged_are_changed_together(scene: Scene) -> None:
    for number, points in ((0, (10, 10, 110, 110)), (1, (12, 12, 112, 112))):
        await scene.put(scene.job(number), scene.box(95, *points), scene.box(96, *points))
    moved, gone = (await scene.get(scene.task)).annotations.shapes
    moved.points[:] = [300, 300, 400, 400]
    await scene.patch(scene.task, update=some(moved), delete=some(gone))
    got = await scene.get(scene.task)
    assert list(got.annotations.shapes) == [moved]
    assert [len((await scene.get(scene.job(number))).annotations.shapes) for number in range(3)] == [1, 1, 0]


async def test_an_edit_in_one_job_keeps_what_belongs_together(scene: Scene) -> None:
    await scene.put(scene.task, scene.polygon(95), scene.polygon(96))
    (first, second) = (await scene.get(scene.job(1))).annotations.shapes
    await scene.put(scene.job(1), first, second, scene.polygon(150))
    got = await scene.get(scene.task)
    assert (frames(got.annotations), got.merge.joined_origins) == ([95, 96, 150], 2)


async def test_the_sum_of_revisions_is_checked(scene: Scene) -> None:
    await scene.put(scene.task, scene.polygon(95))
    error = await refused(scene.put(scene.task, base_revision=1))
    assert isinstance(error, errors.Conflict)
    assert error.metadata["revision"] == "2"
    assert (await scene.put(scene.task, base_revision=2)).revision == 4


async def test_saves_at_the_same_time_are_all_kept_and_told_in_order(scene: Scene) -> None:
    targets = [scene.job(0), scene.job(1), scene.task, scene.job(0)] * 4
    patches = [scene.patch(target, create=some(scene.polygon(95))) for target in targets]
    await asyncio.gather(
        *patches, scene.put(scene.job(2), scene.box(200)), scene.put(scene.job(2), scene.box(201))
    )
    got = await scene.get(scene.task)
    assert (len(got.annotations.shapes), got.revision) == (17, 22)
    told = [(event.job_id, event.revision) for event in await scene.events()]
    assert len(set(told)) == len(told) == 22
    sums = await scene.db.fetch(
        """
        SELECT body
        FROM outbox
        WHERE type = 'frameyard.annotation.v1.AnnotationsChanged'
        ORDER BY key_version
        """
    )
    revisions = [AnnotationsChanged.FromString(row["body"]).task_revision for row in sums]
    assert revisions == sorted(revisions)
    assert revisions[-1] == 22


async def test_who_may_not_write_to_all_jobs_may_not_replace_the_task(scene: Scene) -> None:
    await scene.db.execute("UPDATE job SET stage = 2 WHERE id = $1", scene.jobs[2])
    assert isinstance(await refused(scene.put(scene.task, by=ANN)), errors.PermissionDenied)
    assert (await scene.patch(scene.task, create=some(scene.polygon(95)), by=ANN)).revision == 2
    denied = scene.patch(scene.task, create=some(scene.polygon(200)), by=ANN)
    assert isinstance(await refused(denied), errors.PermissionDenied)
    assert (await scene.put(scene.task, by=OWNER)).revision == 4


async def test_frames_past_the_task_are_refused(scene: Scene) -> None:
    found = await faults(scene.put(scene.task, scene.box(239), scene.box(240)))
    assert found == {"annotations.shapes[1].frame": "frame 240 is not one of 0 to 239"}


async def test_a_selection_of_a_task_is_made_after_the_merge(scene: Scene) -> None:
    await scene.put(scene.task, scene.polygon(5), scene.polygon(95), scene.box(95))
    got = await scene.get(scene.task, frames=FrameRange(first=90, last=99), label_ids=[scene.person])
    assert (frames(got.annotations), got.merge.joined_origins) == ([95], 2)


async def test_a_task_without_media_has_nothing_and_takes_nothing(settings_for: SettingsFor) -> None:
    async with stage.scene(settings_for, windows=()) as scene:
        got = await scene.get(scene.task)
        assert (got.revision, len(got.annotations.shapes)) == (0, 0)
        error = await refused(scene.put(scene.task, scene.box(0)))
        assert isinstance(error, errors.FailedPrecondition)
        assert error.reason == "MEDIA_NOT_READY"
