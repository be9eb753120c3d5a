from __future__ import annotations

import tracemalloc
from collections.abc import AsyncIterator

import pytest
from frameyard.annotation.v1 import annotation_pb2 as annotation
from frameyard.annotation.v1 import annotation_service_pb2 as messages
from yard.annotations.batch import Batch, ObjectKind
from yard.annotations.columnar import decode
from yard.annotations.model import AnnotationSet
from yard.runtime import errors
from yard.task.handlers.annotations.messages import write
from yard.testkit.fixtures import SettingsFor
from yard.testkit.refusals import refused

from services.task.tests import annotation_scene as stage
from services.task.tests.annotation_scene import ANN, STRANGER, Scene, key


@pytest.fixture
async def scene(settings_for: SettingsFor) -> AsyncIterator[Scene]:
    async with stage.scene(settings_for) as scene:
        yield scene


async def streamed(
    scene: Scene, target: messages.AnnotationTarget
) -> tuple[list[messages.StreamAnnotationsResponse], AnnotationSet]:
    call = scene.as_(ANN).StreamAnnotations(messages.StreamAnnotationsRequest(target=target))
    responses = [response async for response in call]
    return responses, decode(Batch.of(response.batch) for response in responses if response.HasField("batch"))


async def test_a_job_streams_what_is_got_from_it(scene: Scene) -> None:
    speed = stage.values({scene.speed: "15"})
    tracks = [
        scene.track(key(number, attributes=speed), key(number + 9, 9, 9, 20, 20)) for number in range(50)
    ]
    tags = [annotation.Tag(frame=number, label_id=scene.car, group=number) for number in range(99, 0, -1)]
    shapes = [scene.box(number % 100) for number in range(3000)]
    put = await scene.put(scene.job(0), *shapes, tags=tags, tracks=tracks)
    responses, found = await streamed(scene, scene.job(0))
    assert write(found) == (await scene.get(scene.job(0))).annotations
    assert {response.revision for response in responses} == {put.revision}
    kinds = [int(response.batch.object_kind) for response in responses]
    assert kinds == sorted(kinds)
    assert sum(kind == ObjectKind.SHAPE for kind in kinds) > 1


async def test_large_outlines_come_in_batches_that_messages_can_hold(scene: Scene) -> None:
    outline = [float(number % 700) for number in range(50_000)]
    await scene.put(scene.job(0), *(scene.polygon(frame, *outline) for frame in range(40)))
    responses, found = await streamed(scene, scene.job(0))
    assert len(found.shapes) == 40
    assert max(response.ByteSize() for response in responses) < 5_000_000


async def test_a_task_streams_its_merged_objects_with_origins(scene: Scene) -> None:
    await scene.put(scene.task, scene.polygon(95), tracks=[scene.track(key(50), key(200))])
    responses, found = await streamed(scene, scene.task)
    got = await scene.get(scene.task)
    assert write(found) == got.annotations
    assert {response.revision for response in responses} == {got.revision}
    assert all(shape.origin for shape in found.shapes)
    assert all(track.origin for track in found.tracks)


async def test_nothing_is_one_message_without_a_batch(scene: Scene) -> None:
    for target in (scene.job(0), scene.task):
        responses, _ = await streamed(scene, target)
        assert responses == [messages.StreamAnnotationsResponse(revision=0)]


async def test_a_stream_is_of_one_revision_whatever_is_saved_meanwhile(scene: Scene) -> None:
    outline = [float(number % 700) for number in range(50_000)]
    await scene.put(scene.job(0), *(scene.polygon(frame, *outline) for frame in range(60)))
    call = scene.as_(ANN).StreamAnnotations(messages.StreamAnnotationsRequest(target=scene.job(0)))
    stream = aiter(call)
    responses = [await anext(stream)]
    await scene.put(scene.job(0))
    responses += [response async for response in stream]
    assert sum(response.batch.count for response in responses) == 60
    assert {response.revision for response in responses} == {1}


async def test_memory_does_not_grow_with_a_job(scene: Scene) -> None:
    await scene.db.execute(
        """
        INSERT INTO shape
        SELECT
            $1, nextval('shape_id'), $2, i % 100, $3, 0, 1, 1, 0, false, 0, ARRAY[1, 2, 3, i + 4], '{}', '{}'
        FROM generate_series(1, 40000) AS i
        """,
        scene.task_id,
        scene.jobs[0],
        scene.car,
    )
    request = messages.StreamAnnotationsRequest(target=scene.job(0))
    stub = scene.as_(ANN)
    tracemalloc.start()
    count = 0
    async for response in stub.StreamAnnotations(request):
        count += response.batch.count
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 40_000
    assert peak < 20_000_000


async def test_strangers_stream_nothing(scene: Scene) -> None:
    call = scene.as_(STRANGER).StreamAnnotations(messages.StreamAnnotationsRequest(target=scene.job(0)))
    assert isinstance(await refused(anext(aiter(call))), errors.NotFound)
