from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from typing import Any

import pytest
from frameyard.annotation.v1 import annotation_pb2 as annotation
from frameyard.annotation.v1 import annotation_service_pb2 as messages
from frameyard.annotation.v1 import columnar_pb2
from yard.annotations.columnar import encode
from yard.annotations.model import AnnotationSet, Keyframe, Shape, ShapeKind, Tag, Track
from yard.runtime import auth, errors, ids
from yard.task.handlers.annotations.messages import write
from yard.testkit import eventually
from yard.testkit.fixtures import SettingsFor
from yard.testkit.refusals import refused

from services.task.tests import annotation_scene as stage
from services.task.tests.annotation_scene import ANN, BEN, OWNER, STRANGER, Scene, faults

APPEND, REPLACE = messages.IMPORT_MODE_APPEND, messages.IMPORT_MODE_REPLACE


@pytest.fixture
async def scene(settings_for: SettingsFor) -> AsyncIterator[Scene]:
    async with stage.scene(settings_for) as scene:
        yield scene


def batches(annotations: AnnotationSet, rows: int = 8192) -> list[columnar_pb2.ColumnarBatch]:
    return [columnar_pb2.ColumnarBatch(**batch.columns()) for batch in encode(annotations, rows=rows)]


def box(scene: Scene, frame: int, *points: float, **more: Any) -> Shape:
    values = {"label_id": scene.car, "kind": ShapeKind.RECTANGLE, **more}
    return Shape(frame=frame, points=points or (10.0, 10.0, 50.0, 40.0), **values)


def moving(scene: Scene, *frames: int, **more: Any) -> Track:
    keyframes = tuple(
        Keyframe(frame=frame, kind=ShapeKind.RECTANGLE, points=(float(frame), 1.0, frame + 9.0, 9.0))
        for frame in frames
    )
    return Track(label_id=scene.car, keyframes=keyframes, **more)


def everything(scene: Scene) -> AnnotationSet:
    """Objects of all kinds with all that they can have, on frames of the first job and its overlap."""
    polygon = Shape(
        frame=95, label_id=scene.person, kind=ShapeKind.POLYGON, points=(1.5, 1.0, 9.0, 1.0, 9.0, 7.25)
    )
    mask = Shape(frame=3, label_id=scene.person, kind=ShapeKind.MASK, points=(0, 4, 1, 1, 2, 2))
    red, fast = {scene.colour: "red"}, {scene.speed: "15"}
    track = moving(scene, 4, 20, 97, group=3, attributes={scene.colour: "blue"})
    first = replace(track.keyframes[0], attributes=fast, occluded=True)
    track = replace(track, keyframes=(first, *track.keyframes[1:]))
    return AnnotationSet(
        tags=(Tag(frame=2, label_id=scene.car, group=7), Tag(frame=93, label_id=scene.person)),
        shapes=(
            box(scene, 1, attributes=red, rotation=30.0, z_order=-2),
            box(scene, 91, occluded=True, attributes={**red, **fast}),
            polygon,
            mask,
            box(scene, 1),
        ),
        tracks=(track, moving(scene, 50, 60)),
    )


async def bring(
    scene: Scene,
    target: messages.AnnotationTarget,
    given: Iterable[columnar_pb2.ColumnarBatch],
    *,
    by: auth.Principal = OWNER,
    **header: Any,
) -> messages.ImportAnnotationsResponse:
    async def requests() -> AsyncIterator[messages.ImportAnnotationsRequest]:
        yield messages.ImportAnnotationsRequest(header=messages.ImportHeader(target=target, **header))
        for batch in given:
            yield messages.ImportAnnotationsRequest(batch=batch)

    return await scene.as_(by).ImportAnnotations(requests())


def without_ids(given: annotation.AnnotationSet) -> annotation.AnnotationSet:
    """The objects without ids and jobs, in an order that does not depend on them."""
    plain = annotation.AnnotationSet()
    for name in ("tags", "shapes", "tracks"):
        for item in getattr(given, name):
            item.id = item.job_id = 0
        ordered = sorted(getattr(given, name), key=lambda item: item.SerializeToString(deterministic=True))
        getattr(plain, name).extend(ordered)
    return plain


@pytest.mark.parametrize("rows", [1, 2, 8192])
async def test_what_comes_into_a_job_is_what_is_read_from_it(scene: Scene, rows: int) -> None:
    given = everything(scene)
    answer = await bring(scene, scene.job(0), batches(given, rows), by=ANN)
    assert (answer.revision, answer.tags, answer.shapes, answer.tracks) == (1, 2, 5, 2)
    found = (await scene.get(scene.job(0))).annotations
    assert without_ids(found) == without_ids(await scene.filled(write(given)))
    [event] = await scene.events()
    assert (event.created, event.deleted, event.revision, event.user_id) == (9, 0, 1, ANN.user_id)


async def test_what_comes_into_a_task_is_stored_as_if_it_were_put(scene: Scene) -> None:
    given = everything(scene)
    await bring(scene, scene.task, batches(given, 2))
    targets = (scene.task, *(scene.job(number) for number in range(3)))
    imported = [await scene.get(target) for target in targets]
    await scene.put(scene.task)
    message = write(given)
    await scene.put(scene.task, *message.shapes, tags=message.tags, tracks=message.tracks)
    put = [await scene.get(target) for target in targets]
    for one, other in zip(imported, put, strict=True):
        assert without_ids(one.annotations) == without_ids(other.annotations)
    assert imported[0].merge == put[0].merge
    assert imported[0].merge.joined_origins == 5


async def test_objects_stay_or_are_replaced(scene: Scene) -> None:
    await scene.put(scene.job(0), scene.box(1), tracks=[scene.track(stage.key(3))])
    one = batches(AnnotationSet(shapes=(box(scene, 5),)))
    await bring(scene, scene.job(0), one)
    assert [shape.frame for shape in (await scene.get(scene.job(0))).annotations.shapes] == [1, 5]
    answer = await bring(scene, scene.job(0), one, mode=REPLACE, base_revision=2)
    left = (await scene.get(scene.job(0))).annotations
    assert ([shape.frame for shape in left.shapes], len(left.tracks), answer.revision) == ([5], 0, 3)
    assert await scene.db.fetchval("SELECT count(*) FROM keyframe") == 0
    *_, event = await scene.events()
    assert (event.created, event.deleted) == (1, 3)
    error = await refused(bring(scene, scene.job(0), one, mode=REPLACE, base_revision=2))
    assert (error.reason, error.metadata["revision"]) == ("REVISION_CHANGED", "3")


async def test_nothing_in_place_of_everything(scene: Scene) -> None:
    await scene.put(scene.task, scene.box(1), scene.box(95))
    assert (await bring(scene, scene.task, [], mode=REPLACE)).revision == 4
    assert await scene.db.fetchval("SELECT count(*) FROM shape") == 0
    assert (await bring(scene, scene.task, [])).revision == 4


async def test_faults_name_batch_and_row_and_nothing_is_changed(scene: Scene) -> None:
    shapes = [box(scene, number) for number in range(10)]
    shapes[3] = box(scene, 100)
    shapes[6] = box(scene, 6, 10.0, 10.0, float("nan"), 40.0)
    shapes[7] = box(scene, 7, attributes={scene.colour: "green"})
    given = batches(AnnotationSet(shapes=tuple(shapes), tracks=(moving(scene, 1), moving(scene, 2, 300))), 5)
    broken = columnar_pb2.ColumnarBatch(object_kind=columnar_pb2.OBJECT_KIND_TAG, count=1)
    found = await faults(bring(scene, scene.job(0), [broken, *given]))
    assert sorted(found) == [
        "batch[0].id",
        "batch[1].row[3].frame",
        "batch[2].row[1].points",
        "batch[2].row[2].attributes[0].value",
        "track[1].keyframes[1].frame",
    ]
    many = AnnotationSet(shapes=tuple(box(scene, 200) for _ in range(300)))
    found = await faults(bring(scene, scene.job(0), batches(many)))
    # As many as an answer holds, from the first one on.
    assert list(found)[:10] == [f"batch[0].row[{number}].frame" for number in range(10)]
    assert await scene.revisions() == [0, 0, 0]


async def test_coordinates_a_little_outside_are_moved_in(scene: Scene) -> None:
    given = AnnotationSet(shapes=(box(scene, 1, -0.4, 10.0, 50.0, 40.0), box(scene, 2)))
    await bring(scene, scene.job(0), batches(given))
    [moved, same] = (await scene.get(scene.job(0))).annotations.shapes
    assert (list(moved.points), list(same.points)) == ([0, 10, 50, 40], [10, 10, 50, 40])


async def test_a_repeat_is_answered_from_the_record(scene: Scene) -> None:
    request_id = str(ids.uuid7())
    one, other = (batches(AnnotationSet(shapes=(box(scene, frame),))) for frame in (1, 2))
    first = await bring(scene, scene.job(0), one, request_id=request_id)
    assert await bring(scene, scene.job(0), one, request_id=request_id) == first
    assert len((await scene.get(scene.job(0))).annotations.shapes) == 1
    assert "request_id" in await faults(bring(scene, scene.job(0), other, request_id=request_id))


async def test_only_those_whose_turn_it_is_may_import(scene: Scene) -> None:
    one = batches(AnnotationSet(shapes=(box(scene, 1),)))
    error = await refused(bring(scene, scene.job(0), one, by=BEN))
    assert (type(error), error.reason) == (errors.PermissionDenied, "NOT_YOUR_TURN")
    assert isinstance(await refused(bring(scene, scene.job(0), one, by=STRANGER)), errors.NotFound)
    absent = messages.AnnotationTarget(job_id=10**9)
    assert isinstance(await refused(bring(scene, absent, one)), errors.NotFound)
    assert "header" in await faults(scene.as_(OWNER).ImportAnnotations(iter(())))


async def test_a_cancelled_import_leaves_nothing(scene: Scene) -> None:
    has_come = asyncio.Event()

    async def requests() -> AsyncIterator[messages.ImportAnnotationsRequest]:
        yield messages.ImportAnnotationsRequest(header=messages.ImportHeader(target=scene.job(0)))
        for batch in batches(AnnotationSet(shapes=tuple(box(scene, 1) for _ in range(100))), 10):
            yield messages.ImportAnnotationsRequest(batch=batch)
        has_come.set()
        await asyncio.Event().wait()

    call = scene.as_(OWNER).ImportAnnotations(requests())
    await asyncio.wait_for(has_come.wait(), 10)
    call.cancel()

    async def is_free() -> bool:
        return bool((await scene.put(scene.job(1), scene.box(95))).revision)

    assert await eventually(is_free)
    assert await scene.db.fetchval("SELECT count(*) FROM shape WHERE job_id = $1", scene.jobs[0]) == 0
    assert await scene.revisions() == [0, 1, 0]


async def test_an_import_keeps_within_the_limits(settings_for: SettingsFor) -> None:
    limits = {"import_max_objects": 5, "import_max_bytes": 2_000}
    async with stage.scene(settings_for, settings=limits) as scene:
        many = batches(AnnotationSet(shapes=tuple(box(scene, 1) for _ in range(6))), 2)
        error = await refused(bring(scene, scene.job(0), many))
        assert (type(error), error.reason) == (errors.ResourceExhausted, "IMPORT_TOO_LARGE")
        outline = tuple(float(number) for number in range(300))
        large = Shape(frame=1, label_id=scene.person, kind=ShapeKind.POLYGON, points=outline)
        error = await refused(bring(scene, scene.job(0), batches(AnnotationSet(shapes=(large,)))))
        assert (type(error), error.reason) == (errors.ResourceExhausted, "IMPORT_TOO_LARGE")
        assert await scene.revisions() == [0, 0, 0]


async def test_a_service_that_has_checked_rights_names_the_author(scene: Scene) -> None:
    given = batches(AnnotationSet(shapes=(box(scene, 5),)))
    answer = await bring(scene, scene.job(0), given, by=stage.EXPORT, user_id=ANN.user_id)
    assert answer.shapes == 1
    [event] = await scene.events()
    assert event.user_id == ANN.user_id
    for by, user_id in ((ANN, BEN.user_id), (OWNER, OWNER.user_id), (stage.EXPORT, 0)):
        error = await refused(bring(scene, scene.job(0), given, by=by, user_id=user_id))
        assert isinstance(error, errors.PermissionDenied)
    wrong = await refused(bring(scene, scene.job(0), given, by=stage.EXPORT, user_id=-1))
    assert isinstance(wrong, errors.InvalidArgument)
    assert len(await scene.events()) == 1


async def test_who_may_import_is_told_without_a_change(scene: Scene) -> None:
    await scene.put(scene.job(0), scene.box(1))
    assert (await bring(scene, scene.job(0), (), by=ANN, mode=REPLACE, check_only=True)).revision == 1
    denied = await refused(bring(scene, scene.job(0), (), by=stage.EXPORT, mode=REPLACE, check_only=True))
    assert isinstance(denied, errors.PermissionDenied)
    absent = await refused(bring(scene, scene.job(0), (), by=STRANGER, check_only=True))
    assert isinstance(absent, errors.NotFound)
    assert len((await scene.get(scene.job(0))).annotations.shapes) == 1
