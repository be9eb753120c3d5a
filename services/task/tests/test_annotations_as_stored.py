"""What a backup has of a job comes back into one as it was: origins stay, and so does what does not fit."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from frameyard.annotation.v1 import annotation_pb2 as annotation
from frameyard.annotation.v1 import annotation_service_pb2 as messages
from frameyard.annotation.v1.columnar_pb2 import ColumnarBatch
from yard.annotations.batch import Batch
from yard.annotations.columnar import decode
from yard.runtime import errors
from yard.testkit.fixtures import SettingsFor
from yard.testkit.refusals import refused

from services.task.tests import annotation_scene as stage
from services.task.tests.annotation_scene import ANN, EXPORT, OWNER, Scene, faults, key, values
from services.task.tests.test_annotation_imports import REPLACE, bring
from services.task.tests.test_misfits import narrow


@pytest.fixture
async def scene(settings_for: SettingsFor) -> AsyncIterator[Scene]:
    async with stage.scene(settings_for) as scene:
        yield scene


async def stored(scene: Scene, target: messages.AnnotationTarget) -> list[ColumnarBatch]:
    """The objects of a job as they are streamed, without their ids."""
    request = messages.StreamAnnotationsRequest(target=target)
    found = [part.batch async for part in scene.as_(EXPORT).StreamAnnotations(request)]
    for batch in found:
        batch.id = bytes(len(batch.id))
        batch.job_id = bytes(len(batch.job_id))
    return found


def objects_in(batches: list[ColumnarBatch]) -> object:
    """For people who read what differs."""
    return decode(map(Batch.of, batches))


async def drawn(scene: Scene) -> None:
    """Two jobs see the objects on the frames 90 to 99."""
    fast = values({scene.speed: "95"})
    await scene.put(
        scene.task,
        scene.box(95, attributes=values({scene.colour: "blue"}), z_order=-1, group=4),
        tags=[annotation.Tag(frame=92, label_id=scene.person)],
        tracks=[scene.track(key(80, attributes=fast), key(120, attributes=fast))],
    )


async def test_jobs_come_back_as_they_were_and_their_objects_still_belong_together(scene: Scene) -> None:
    await drawn(scene)
    await narrow(scene)
    jobs = [scene.job(number) for number in range(3)]
    before = [await stored(scene, job) for job in jobs]
    whole = await scene.get(scene.task)
    assert whole.merge.joined_origins
    for job, batches in zip(jobs, before, strict=True):
        answer = await bring(
            scene, job, batches, by=EXPORT, mode=REPLACE, user_id=OWNER.user_id, as_stored=True
        )
        assert answer.revision
    after = [await stored(scene, job) for job in jobs]
    for old, new in zip(before, after, strict=True):
        assert objects_in(old) == objects_in(new)
    again = await scene.get(scene.task)
    assert again.merge == whole.merge
    assert len(again.annotations.tracks) == len(whole.annotations.tracks) == 1


async def test_otherwise_what_does_not_fit_is_refused(scene: Scene) -> None:
    await drawn(scene)
    await narrow(scene)
    batches = await stored(scene, scene.job(0))
    assert await faults(bring(scene, scene.job(0), batches, by=OWNER, mode=REPLACE))


async def test_it_is_for_services_and_for_one_job(scene: Scene) -> None:
    await drawn(scene)
    batches = await stored(scene, scene.job(0))
    for caller in (OWNER, ANN):
        fault = await refused(bring(scene, scene.job(0), batches, by=caller, as_stored=True))
        assert isinstance(fault, errors.PermissionDenied)
    call = bring(scene, scene.task, batches, by=EXPORT, user_id=OWNER.user_id, as_stored=True)
    assert list(await faults(call)) == ["header.as_stored"]
