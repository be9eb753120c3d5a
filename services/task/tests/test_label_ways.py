"""Labels that changed after objects were made: every way to read, every way to save."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from frameyard.annotation.v1 import annotation_pb2 as annotation
from frameyard.annotation.v1 import annotation_service_pb2 as messages
from frameyard.annotation.v1 import columnar_pb2
from frameyard.annotation.v1 import history_service_pb2 as history
from frameyard.common.v1.common_pb2 import FrameRange
from frameyard.task.v1 import label_pb2, task_service_pb2
from frameyard.task.v1.task_service_pb2_grpc import TaskServiceStub
from yard.annotations.batch import Batch
from yard.annotations.columnar import decode, encode
from yard.annotations.labels import Attribute, AttributeInput
from yard.runtime import rpc
from yard.task.handlers.annotations.messages import read, write
from yard.testkit.fixtures import SettingsFor

from services.task.tests import annotation_scene as stage
from services.task.tests.annotation_scene import OWNER, Scene, faults, key, some, values

SELECT, TEXT = label_pb2.ATTRIBUTE_INPUT_SELECT, label_pb2.ATTRIBUTE_INPUT_TEXT
MOOD = label_pb2.Attribute(name="mood", input=SELECT, values=["calm", "wild"])
NOTE = label_pb2.Attribute(name="note", input=TEXT, mutable=True, default_value="none")
Set = annotation.AnnotationSet


@pytest.fixture
async def scene(settings_for: SettingsFor) -> AsyncIterator[Scene]:
    async with stage.scene(settings_for) as scene:
        yield scene


async def change(scene: Scene, *labels: label_pb2.Label) -> list[label_pb2.Label]:
    channel = rpc.channel(scene.running.address, token=scene.issuer.issue(OWNER).token)
    scene.channels.append(channel)
    request = task_service_pb2.UpdateTaskLabelsRequest(task_id=scene.task_id, labels=labels)
    return list((await TaskServiceStub(channel).UpdateTaskLabels(request)).task.labels)


def one_of_each(scene: Scene, frame: int, **more: Any) -> Set:
    """Of persons, who have no attributes yet."""
    of: dict[str, Any] = {"label_id": scene.person, **more}
    return some(
        scene.box(frame, **of),
        tags=[annotation.Tag(frame=frame, **of)],
        tracks=[scene.track(key(frame), key(frame + 2), **of)],
    )


async def streamed(scene: Scene, target: messages.AnnotationTarget) -> Set:
    request = messages.StreamAnnotationsRequest(target=target)
    found = [answer.batch async for answer in scene.as_(OWNER).StreamAnnotations(request)]
    return write(decode(Batch.of(batch) for batch in found))


async def revision(scene: Scene, number: int) -> Set:
    request = history.GetRevisionRequest(job_id=scene.jobs[0], revision=number)
    return (await scene.history().GetRevision(request)).annotations


async def difference(scene: Scene, *numbers: int) -> history.DiffRevisionsResponse:
    first, second = numbers
    request = history.DiffRevisionsRequest(job_id=scene.jobs[0], from_revision=first, to_revision=second)
    return await scene.history().DiffRevisions(request)


async def put_back(scene: Scene) -> Set:
    """What a save answers that changes nothing."""
    given = (await scene.get(scene.job(0))).annotations
    put = await scene.put(scene.job(0), *given.shapes, tags=given.tags, tracks=given.tracks)
    assert put.revision == 2
    return put.annotations


async def created(scene: Scene, count: int) -> Set:
    """What a save answers that makes objects: those of many shapes go a way of their own."""
    one = one_of_each(scene, 30)
    few = (await scene.patch(scene.job(0), create=one)).created
    many = await scene.patch(scene.job(0), create=some(*list(one.shapes) * count))
    few.shapes.extend(many.created.shapes)
    return few


async def of_get(scene: Scene, target: messages.AnnotationTarget, **fields: Any) -> Set:
    return (await scene.get(target, **fields)).annotations


READ_WAYS: dict[str, Callable[[Scene], Awaitable[Set]]] = {
    "job": lambda scene: of_get(scene, scene.job(0)),
    "job by frames": lambda scene: of_get(scene, scene.job(0), frames=FrameRange(first=94, last=96)),
    "job by label": lambda scene: of_get(scene, scene.job(0), label_ids=[scene.person]),
    "task, merged": lambda scene: of_get(scene, scene.task),
    "task by frames": lambda scene: of_get(scene, scene.task, frames=FrameRange(first=94, last=96)),
    "task by label": lambda scene: of_get(scene, scene.task, label_ids=[scene.person]),
    "stream of a job": lambda scene: streamed(scene, scene.job(0)),
    "stream of a task": lambda scene: streamed(scene, scene.task),
    "revision, the last": lambda scene: revision(scene, 2),
    "revision, an old one": lambda scene: revision(scene, 1),
    "put": put_back,
    "patch": lambda scene: created(scene, 1),
    "patch of many": lambda scene: created(scene, 30),
}


@pytest.mark.parametrize("way", READ_WAYS)
async def test_new_attributes_have_their_default_in_all_that_is_read(scene: Scene, way: str) -> None:
    given = one_of_each(scene, 95)
    await scene.put(scene.task, *given.shapes, tags=given.tags, tracks=given.tracks)
    await scene.patch(scene.job(0), create=some(scene.box(95, 200, 200, 240, 230, label_id=scene.person)))
    _, person = await change(scene, label_pb2.Label(id=scene.person, name="human", attributes=[MOOD, NOTE]))
    mood, note = person.attributes
    fixed, mutable = values({mood.id: "calm"}), values({note.id: "none"})
    found = await READ_WAYS[way](scene)
    assert found.tags
    assert found.shapes
    assert found.tracks
    stills: list[annotation.Tag | annotation.Shape] = [*found.tags, *found.shapes]
    for item in stills:
        assert list(item.attributes) == [*fixed, *mutable]
    for track in found.tracks:
        assert list(track.attributes) == fixed
        first, *others = track.keyframes
        assert list(first.attributes) == mutable
        assert not any(keyframe.attributes for keyframe in others)


async def test_a_difference_has_defaults_and_does_not_see_who_wrote_them_down(scene: Scene) -> None:
    await scene.put(scene.job(0), scene.box(1), scene.box(2))
    first, second = (await scene.get(scene.job(0))).annotations.shapes
    full = values({scene.colour: "red", scene.speed: "0"})
    assert [list(shape.attributes) for shape in (first, second)] == [full, full]
    second.occluded = True
    await scene.patch(scene.job(0), update=some(first, second), create=some(scene.box(3)))
    assert [event.updated for event in await scene.events()] == [0, 1]
    found = await difference(scene, 1, 2)
    assert [shape.id for shape in found.updated_after.shapes] == [second.id]
    for part in (found.updated_before, found.updated_after, found.created):
        assert [list(shape.attributes) for shape in part.shapes] == [full]


async def test_defaults_are_not_written_down_and_go_with_their_definition(scene: Scene) -> None:
    await scene.put(scene.job(0), scene.box(1), scene.box(2, attributes=values({scene.colour: "red"})))
    blue = label_pb2.Attribute(
        id=scene.colour, name="colour", input=SELECT, values=["red", "blue"], default_value="blue"
    )
    await change(scene, label_pb2.Label(id=scene.car, name="car", attributes=[blue]))
    shapes = (await scene.get(scene.job(0))).annotations.shapes
    assert [shape.attributes[0].value for shape in shapes] == ["blue", "red"]


async def test_new_labels_of_a_task_can_be_given_at_once(scene: Scene) -> None:
    await scene.put(scene.job(0), scene.box(1))
    *_, bus = await change(scene, label_pb2.Label(name="bus", attributes=[MOOD]))
    await scene.patch(scene.job(0), create=some(scene.box(2, label_id=bus.id)))
    found = (await scene.get(scene.job(0), label_ids=[bus.id])).annotations.shapes
    assert [shape.attributes[0].value for shape in found] == ["calm"]


async def test_names_change_by_reference(scene: Scene) -> None:
    red = values({scene.colour: "blue"})
    await scene.put(scene.job(0), scene.box(1, attributes=red))
    before = await scene.get(scene.job(0))
    tint = label_pb2.Attribute(id=scene.colour, name="tint", input=SELECT, values=["red", "blue"])
    renamed, _ = await change(scene, label_pb2.Label(id=scene.car, name="auto", attributes=[tint]))
    assert (renamed.id, renamed.name) == (scene.car, "auto")
    assert {item.id: item.name for item in renamed.attributes}[scene.colour] == "tint"
    assert await scene.get(scene.job(0)) == before
    schema = Attribute(name="tint", input=AttributeInput.SELECT, values=("red", "blue"))
    assert schema.fault_of(before.annotations.shapes[0].attributes[0].value) is None


async def bring(scene: Scene, target: messages.AnnotationTarget, given: Set) -> object:
    batches = [columnar_pb2.ColumnarBatch(**batch.columns()) for batch in encode(read(given, "").annotations)]

    async def requests() -> AsyncIterator[messages.ImportAnnotationsRequest]:
        yield messages.ImportAnnotationsRequest(header=messages.ImportHeader(target=target))
        for batch in batches:
            yield messages.ImportAnnotationsRequest(batch=batch)

    return await scene.as_(OWNER).ImportAnnotations(requests())


async def put_all(scene: Scene, target: messages.AnnotationTarget, given: Set) -> object:
    return await scene.put(target, *given.shapes, tags=given.tags, tracks=given.tracks)


async def create(scene: Scene, target: messages.AnnotationTarget, given: Set) -> object:
    return await scene.patch(target, create=given)


async def update(scene: Scene, target: messages.AnnotationTarget, given: Set) -> object:
    """In place of cars, which may be everything."""
    present = (await scene.get(target)).annotations
    for name in ("tags", "shapes", "tracks"):
        for item, old in zip(getattr(given, name), getattr(present, name), strict=True):
            item.id = old.id
    return await scene.patch(target, update=given)


SAVE_WAYS = {
    "put": (put_all, "annotations."),
    "patch, created": (create, "create."),
    "patch, updated": (update, "update."),
    "import": (bring, ""),
}


@pytest.mark.parametrize("is_task", [False, True])
@pytest.mark.parametrize("way", SAVE_WAYS)
@pytest.mark.parametrize(("count", "at"), [(2, [1]), (30, [1, 20, 29])])
async def test_kinds_of_labels_are_respected_by_every_save(
    scene: Scene, way: str, is_task: bool, count: int, at: list[int]
) -> None:
    """Also by those of many shapes, which are checked as columns."""
    target = scene.task if is_task else scene.job(0)
    save, path = SAVE_WAYS[way]
    good, wrong = scene.polygon(1), one_of_each(scene, 1)
    shapes = [wrong.shapes[0] if number in at else good for number in range(count)]
    cars = one_of_each(scene, 1, label_id=scene.car)
    await scene.put(target, *list(cars.shapes) * count, tags=cars.tags, tracks=cars.tracks)
    await change(scene, label_pb2.Label(id=scene.person, name="person", kind=label_pb2.LABEL_KIND_POLYGON))
    before = await scene.revisions()
    found = await faults(save(scene, target, some(*shapes, tags=wrong.tags, tracks=wrong.tracks)))
    tag, shape, track = (
        ("batch[0].row", "batch[1].row", "track")
        if way == "import"
        else (f"{path}tags", f"{path}shapes", f"{path}tracks")
    )
    assert sorted(found) == sorted(
        [
            f"{tag}[0].label_id",
            *(f"{shape}[{number}].kind" for number in at),
            *(f"{track}[0].keyframes[{number}].kind" for number in (0, 1)),
        ]
    )
    assert await scene.revisions() == before


@pytest.mark.parametrize("count", [2, 30])
async def test_many_shapes_alone_are_checked_too(scene: Scene, count: int) -> None:
    await change(scene, label_pb2.Label(id=scene.person, name="person", kind=label_pb2.LABEL_KIND_POLYGON))
    shapes = [scene.polygon(1) for _ in range(count)]
    shapes[-1] = scene.box(1, label_id=scene.person)
    for path, call in (
        ("annotations", scene.put(scene.job(0), *shapes)),
        ("create", scene.patch(scene.job(0), create=some(*shapes))),
    ):
        assert list(await faults(call)) == [f"{path}.shapes[{count - 1}].kind"]
