from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import NAMESPACE_URL, uuid5

import pytest
from frameyard.annotation.v1 import annotation_pb2 as annotation
from frameyard.annotation.v1 import annotation_service_pb2 as messages
from frameyard.common.v1.common_pb2 import FrameRange
from yard.runtime import errors
from yard.testkit.fixtures import SettingsFor
from yard.testkit.refusals import refused

from services.task.tests import annotation_scene as stage
from services.task.tests.annotation_scene import ANN, BEN, EXPORT, STRANGER, Scene, faults, key, some

REQUEST = str(uuid5(NAMESPACE_URL, "one"))


@pytest.fixture
async def scene(settings_for: SettingsFor) -> AsyncIterator[Scene]:
    async with stage.scene(settings_for) as scene:
        yield scene


def rich(scene: Scene) -> annotation.AnnotationSet:
    """Objects of every kind with every field, inside the first job."""
    colour, speed = stage.values({scene.colour: "blue"}), stage.values({scene.speed: "15"})
    geometry: dict[str, tuple[float, ...]] = {
        "RECTANGLE": (10, 20, 30, 40.5),
        "POLYGON": (1, 2, 3, 4, 5, 1),
        "POLYLINE": (1, 2, 3, 4),
        "POINTS": (7, 8),
        "ELLIPSE": (100, 100, 120, 90),
        "CUBOID": tuple(range(16)),
        "MASK": (1, 2, 1, 5, 5, 6, 6),
    }
    shapes = [
        annotation.Shape(
            frame=number,
            label_id=scene.car,
            kind=annotation.ShapeKind.Value(f"SHAPE_KIND_{name}"),
            points=points,
            rotation=30 if name in ("RECTANGLE", "ELLIPSE") else 0,
            occluded=True,
            z_order=-3,
            group=2,
            source=annotation.SOURCE_AUTO,
            attributes=colour,
        )
        for number, (name, points) in enumerate(geometry.items())
    ]
    tag = annotation.Tag(frame=5, label_id=scene.person, group=1, source=annotation.SOURCE_FILE)
    track = scene.track(
        key(3, attributes=speed, z_order=1), key(9, occluded=True, outside=True), attributes=colour, group=4
    )
    return annotation.AnnotationSet(tags=[tag], shapes=shapes, tracks=[track])


async def test_what_is_put_is_got(scene: Scene) -> None:
    given = rich(scene)
    request = messages.PutAnnotationsRequest(target=scene.job(0), annotations=given)
    put = await scene.as_(ANN).PutAnnotations(request)
    got = await scene.get(scene.job(0), by=ANN)
    assert got.annotations == put.annotations
    assert (put.revision, got.revision) == (1, 1)
    assert not got.HasField("merge")
    given = await scene.filled(given)
    for kind in ("tags", "shapes", "tracks"):
        for stored, wanted in zip(getattr(got.annotations, kind), getattr(given, kind), strict=True):
            assert (stored.id > 0, stored.job_id) == (True, scene.jobs[0])
            stored.ClearField("id")
            stored.ClearField("job_id")
            wanted.source = wanted.source or annotation.SOURCE_MANUAL
            assert stored == wanted


async def test_the_answer_is_in_the_order_given_and_reading_by_frame(scene: Scene) -> None:
    put = await scene.put(scene.job(0), scene.box(7), scene.box(2), scene.box(7, 1, 1, 5, 5))
    assert [shape.frame for shape in put.annotations.shapes] == [7, 2, 7]
    got = (await scene.get(scene.job(0))).annotations.shapes
    ids = [shape.id for shape in put.annotations.shapes]
    assert [shape.id for shape in got] == [ids[1], ids[0], ids[2]]


async def test_a_save_that_changes_nothing_is_no_revision(scene: Scene) -> None:
    first = await scene.put(scene.job(0), scene.box(1), scene.box(1), scene.polygon(2))
    again = await scene.put(scene.job(0), scene.box(1), scene.box(1), scene.polygon(2))
    assert again == first
    update = some(*first.annotations.shapes)
    assert (await scene.patch(scene.job(0), update=update)).revision == 1
    assert (await scene.patch(scene.job(0))).revision == 1
    assert len(await scene.events()) == 1


async def test_objects_that_stay_keep_their_ids(scene: Scene) -> None:
    first = (await scene.put(scene.job(0), scene.box(1), scene.box(2))).annotations.shapes
    put = await scene.put(scene.job(0), scene.box(3), scene.box(2))
    assert put.annotations.shapes[1].id == first[1].id
    assert put.annotations.shapes[0].id not in {shape.id for shape in first}
    assert put.revision == 2
    event = (await scene.events())[1]
    assert (event.created, event.updated, event.deleted) == (1, 0, 1)


async def test_a_patch_creates_updates_and_deletes_at_once(scene: Scene) -> None:
    tag = annotation.Tag(frame=4, label_id=scene.car)
    track = scene.track(key(1), key(5, 20, 20, 60, 60))
    first = await scene.put(scene.job(0), scene.box(1), scene.box(2), tags=[tag], tracks=[track])
    box, gone = first.annotations.shapes
    moved = first.annotations.tracks[0]
    moved.keyframes.append(key(8, outside=True))
    box.points[:] = [100, 100, 200, 200]
    answer = await scene.patch(
        scene.job(0),
        by=ANN,
        create=some(scene.polygon(9), tags=[annotation.Tag(frame=1, label_id=scene.person)]),
        update=some(box, tracks=[moved]),
        delete=some(annotation.Shape(id=gone.id), tags=[annotation.Tag(id=first.annotations.tags[0].id)]),
    )
    got = (await scene.get(scene.job(0))).annotations
    assert answer.revision == 2
    assert got.shapes == [box, answer.created.shapes[0]]
    assert got.tracks == [moved]
    assert got.tags == answer.created.tags
    event = (await scene.events())[1]
    assert event == type(event)(
        task_id=scene.task_id,
        job_id=scene.jobs[0],
        revision=2,
        task_revision=2,
        user_id=ANN.user_id,
        created=2,
        updated=2,
        deleted=2,
    )


async def test_all_faults_come_at_once_and_nothing_changes(scene: Scene) -> None:
    await scene.put(scene.job(0), scene.box(1))
    wrong = [
        scene.box(1),
        scene.box(100),
        scene.box(1, 5, 5, 1, 1),
        scene.box(1, kind=annotation.SHAPE_KIND_UNSPECIFIED),
        scene.box(1, label_id=999),
        scene.box(1, attributes=stage.values({scene.colour: "green"})),
        scene.box(1, 0, 0, 2600, 50),
    ]
    found = await faults(
        scene.put(
            scene.job(0),
            *wrong,
            tags=[annotation.Tag(frame=-1, label_id=scene.car)],
            tracks=[scene.track(), scene.track(key(1), key(1))],
        )
    )
    assert set(found) == {
        "annotations.shapes[1].frame",
        "annotations.shapes[2].points",
        "annotations.shapes[3].kind",
        "annotations.shapes[4].label_id",
        "annotations.shapes[5].attributes[0].value",
        "annotations.shapes[6].points",
        "annotations.tags[0].frame",
        "annotations.tracks[0].keyframes",
        "annotations.tracks[1].keyframes[1].frame",
    }
    assert len((await scene.get(scene.job(0))).annotations.shapes) == 1
    assert await scene.revisions() == [1, 0, 0]


async def test_faults_of_a_patch_name_the_field_that_they_are_in(scene: Scene) -> None:
    here = (await scene.put(scene.job(0), scene.box(1))).annotations.shapes[0]
    elsewhere = (await scene.put(scene.job(1), scene.box(150))).annotations.shapes[0]
    found = await faults(
        scene.patch(
            scene.job(0),
            create=some(scene.box(500)),
            update=some(here, elsewhere),
            delete=some(annotation.Shape(id=here.id), tracks=[annotation.Track(id=77)]),
        )
    )
    assert set(found) == {
        "create.shapes[0].frame",
        "update.shapes[1].frame",
        "update.shapes[1].id",
        "delete.shapes[0].id",
        "delete.tracks[0].id",
    }


async def test_coordinates_are_clamped_within_half_a_pixel(scene: Scene) -> None:
    put = await scene.put(scene.job(0), scene.box(1, -0.4, 10, 1280.5, 50))
    assert put.annotations.shapes[0].points == [0, 10, 1280, 50]


async def test_an_old_base_revision_is_refused_with_the_present_one(scene: Scene) -> None:
    await scene.put(scene.job(0), scene.box(1), base_revision=0)
    for call in (
        scene.put(scene.job(0), base_revision=0),
        scene.patch(scene.job(0), create=some(scene.box(3)), base_revision=7),
    ):
        error = await refused(call)
        assert isinstance(error, errors.Conflict)
        assert (error.reason, error.metadata["revision"]) == ("REVISION_CHANGED", "1")
    assert (await scene.put(scene.job(0), base_revision=1)).revision == 2


async def test_a_repeated_request_is_answered_from_the_record(scene: Scene) -> None:
    first = await scene.put(scene.job(0), scene.box(1), request_id=REQUEST, base_revision=0)
    await scene.put(scene.job(0), scene.box(2))
    again = await scene.put(scene.job(0), scene.box(1), request_id=REQUEST, base_revision=0)
    assert again == first
    patch = await scene.patch(scene.job(0), create=some(scene.box(5)), request_id=REQUEST)
    assert await scene.patch(scene.job(0), create=some(scene.box(5)), request_id=REQUEST) == patch
    assert [shape.frame for shape in (await scene.get(scene.job(0))).annotations.shapes] == [2, 5]
    assert await faults(scene.put(scene.job(0), scene.box(9), request_id=REQUEST)) == {
        "request_id": "was used with another request"
    }


async def test_who_may_read_and_write_what(scene: Scene) -> None:
    for caller in (ANN, BEN, EXPORT):
        await scene.get(scene.job(0), by=caller)
    await scene.put(scene.job(0), scene.box(1), by=ANN)
    for caller in (BEN, EXPORT):
        assert isinstance(await refused(scene.put(scene.job(0), by=caller)), errors.PermissionDenied)
    for call in (
        scene.get(scene.job(0), by=STRANGER),
        scene.put(scene.job(0), by=STRANGER),
        scene.patch(scene.job(0), by=STRANGER),
        scene.get(messages.AnnotationTarget(job_id=12345)),
        scene.get(messages.AnnotationTarget(task_id=12345)),
        scene.get(scene.task, by=STRANGER),
    ):
        assert isinstance(await refused(call), errors.NotFound)
    await scene.db.execute("UPDATE job SET stage = 2 WHERE id = $1", scene.jobs[0])
    assert isinstance(await refused(scene.put(scene.job(0), by=ANN)), errors.PermissionDenied)
    assert (await scene.put(scene.job(0), by=BEN)).revision == 2
    assert await faults(scene.get(messages.AnnotationTarget())) == {"target": "must name a job or a task"}


async def test_frames_and_labels_select(scene: Scene) -> None:
    ends = scene.track(key(1), key(5, outside=True))
    stays = scene.track(key(2), key(6), label_id=scene.person)
    gap = scene.track(key(1), key(4, outside=True), key(60))
    tags = [annotation.Tag(frame=9, label_id=scene.car), annotation.Tag(frame=20, label_id=scene.car)]
    await scene.put(
        scene.job(0), scene.box(8), scene.polygon(9), scene.box(31), tags=tags, tracks=[ends, stays, gap]
    )
    got = (await scene.get(scene.job(0), frames=FrameRange(first=8, last=30))).annotations
    assert [shape.frame for shape in got.shapes] == [8, 9]
    assert [tag.frame for tag in got.tags] == [9, 20]
    assert [track.keyframes[0].frame for track in got.tracks] == [2]
    got = (await scene.get(scene.job(0), frames=FrameRange(first=5, last=5))).annotations
    assert [len(track.keyframes) for track in got.tracks] == [2, 2]
    got = (await scene.get(scene.job(0), label_ids=[scene.person])).annotations
    assert [len(kind) for kind in (got.tags, got.shapes, got.tracks)] == [0, 1, 1]
    huge = FrameRange(first=2**40, last=2**41)
    assert not (await scene.get(scene.job(0), frames=huge)).annotations.shapes
    assert set(await faults(scene.get(scene.job(0), frames=FrameRange(first=-1)))) == {"frames.first"}
    assert set(await faults(scene.get(scene.job(0), frames=FrameRange(first=3, last=2)))) == {"frames.last"}


async def test_a_save_starts_the_job_and_tells_the_revision_of_the_task(scene: Scene) -> None:
    await scene.put(scene.job(0), scene.box(1), by=ANN)
    await scene.put(scene.job(1), scene.box(150), by=ANN)
    started = await scene.db.fetchval("SELECT started_at FROM job WHERE id = $1", scene.jobs[0])
    assert started is not None
    events = await scene.events()
    assert [(event.job_id, event.revision, event.task_revision) for event in events] == [
        (scene.jobs[0], 1, 1),
        (scene.jobs[1], 1, 2),
    ]


async def test_a_deleted_task_takes_no_saves(scene: Scene) -> None:
    await scene.db.execute("UPDATE task SET deleted_at = now()")
    assert isinstance(await refused(scene.put(scene.job(0), scene.box(1))), errors.NotFound)
