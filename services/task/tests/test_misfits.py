"""Objects that do not fit their label any more stay, and nobody is kept from saving because of them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from frameyard.annotation.v1 import annotation_pb2 as annotation
from frameyard.annotation.v1 import annotation_service_pb2 as messages
from frameyard.annotation.v1 import history_service_pb2 as history
from frameyard.task.v1 import label_pb2
from yard.testkit.fixtures import SettingsFor

from services.task.tests import annotation_scene as stage
from services.task.tests.annotation_scene import OWNER, Scene, faults, key, some, values
from services.task.tests.test_label_ways import change, put_all

SELECT, NUMBER = label_pb2.ATTRIBUTE_INPUT_SELECT, label_pb2.ATTRIBUTE_INPUT_NUMBER
Set = annotation.AnnotationSet


@pytest.fixture
async def scene(settings_for: SettingsFor) -> AsyncIterator[Scene]:
    async with stage.scene(settings_for) as scene:
        yield scene


async def misfits(scene: Scene, target: messages.AnnotationTarget) -> Set:
    """Cars of all kinds, blue and fast; then cars are polygons, red and slow, and their speed is fixed."""
    blue, fast = values({scene.colour: "blue"}), values({scene.speed: "95"})
    await scene.put(
        target,
        scene.box(95, attributes=[*blue, *fast]),
        tags=[annotation.Tag(frame=95, label_id=scene.car, attributes=blue)],
        tracks=[scene.track(key(94, attributes=fast), key(96, attributes=fast), attributes=blue)],
    )
    await narrow(scene)
    found = (await scene.get(target)).annotations
    assert (len(found.tags), len(found.shapes), len(found.tracks)) == (1, 1, 1)
    assert list(found.shapes[0].attributes) == [*blue, *fast]
    assert [list(keyframe.attributes) for keyframe in found.tracks[0].keyframes] == [fast, fast]
    return found


async def narrow(scene: Scene) -> None:
    colour = label_pb2.Attribute(id=scene.colour, name="colour", input=SELECT, values=["red"])
    speed = label_pb2.Attribute(id=scene.speed, name="speed", input=NUMBER, values=["0", "50", "5"])
    kind = label_pb2.LABEL_KIND_POLYGON
    await change(scene, label_pb2.Label(id=scene.car, name="car", kind=kind, attributes=[colour, speed]))


def moved(given: Set) -> Set:
    """The same objects somewhere else."""
    other = Set()
    other.CopyFrom(given)
    other.tags[0].group = other.tracks[0].group = 7
    other.shapes[0].points[0] += 1
    other.tracks[0].keyframes[0].points[0] += 1
    return other


def without_ids(given: Set) -> Set:
    other = Set()
    other.CopyFrom(given)
    for item in (*other.tags, *other.shapes, *other.tracks):
        item.ClearField("id")
    return other


@pytest.mark.parametrize("is_task", [False, True])
async def test_what_is_put_back_as_it_was_read_is_no_change(scene: Scene, is_task: bool) -> None:
    target = scene.task if is_task else scene.job(0)
    found = await misfits(scene, target)
    before = await scene.revisions()
    await put_all(scene, target, found)
    await put_all(scene, target, without_ids(found))
    assert await scene.revisions() == before
    await scene.put(target, *found.shapes, scene.polygon(95), tags=found.tags, tracks=found.tracks)
    assert sum(await scene.revisions()) > sum(before)


@pytest.mark.parametrize("is_task", [False, True])
async def test_misfits_can_be_changed_in_other_ways(scene: Scene, is_task: bool) -> None:
    target = scene.task if is_task else scene.job(0)
    wanted = moved(await misfits(scene, target))
    await scene.patch(target, update=wanted)
    found = (await scene.get(target)).annotations
    assert (found.tags[0].group, found.tracks[0].group) == (7, 7)
    assert found.shapes[0].points == wanted.shapes[0].points
    again = moved(found)
    await put_all(scene, target, again)
    assert (await scene.get(target)).annotations.shapes[0].points == again.shapes[0].points


@pytest.mark.parametrize("is_task", [False, True])
async def test_nothing_new_may_be_a_misfit(scene: Scene, is_task: bool) -> None:
    target = scene.task if is_task else scene.job(0)
    found = await misfits(scene, target)
    expected = {
        "tags[0].label_id",
        "tags[0].attributes[0].value",
        "shapes[0].kind",
        "shapes[0].attributes[0].value",
        "shapes[0].attributes[1].value",
        "tracks[0].attributes[0].value",
        *(f"tracks[0].keyframes[{number}].kind" for number in (0, 1)),
        *(f"tracks[0].keyframes[{number}].attributes[0].attribute_id" for number in (0, 1)),
    }
    created = await faults(scene.patch(target, create=found))
    assert set(created) == {f"create.{path}" for path in expected}
    # Neither by ids that are no longer told nor by other ones.
    put = await faults(put_all(scene, target, without_ids(moved(found))))
    assert set(put) == {f"annotations.{path}" for path in expected}
    polygon = scene.polygon(95)
    await scene.patch(target, create=some(polygon))
    other = (await scene.get(target)).annotations.shapes[1]
    disguised = scene.box(95, id=other.id)
    assert set(await faults(scene.patch(target, update=some(disguised)))) == {"update.shapes[0].kind"}


async def test_a_misfit_that_gets_another_value_must_get_a_right_one(scene: Scene) -> None:
    found = await misfits(scene, scene.job(0))
    [box] = found.shapes
    box.attributes[0].value = "green"
    assert set(await faults(scene.patch(scene.job(0), update=some(box)))) == {
        "update.shapes[0].attributes[0].value"
    }
    box.attributes[0].value = "red"
    await scene.patch(scene.job(0), update=some(box))
    # Once it is right there is no way back.
    box.attributes[0].value = "blue"
    assert set(await faults(scene.patch(scene.job(0), update=some(box)))) == {
        "update.shapes[0].attributes[0].value"
    }


async def test_a_state_comes_back_with_its_misfits_and_says_how_many(scene: Scene) -> None:
    found = await misfits(scene, scene.job(0))
    await scene.put(scene.job(0), scene.polygon(5))
    request = history.RestoreRevisionRequest(job_id=scene.jobs[0], revision=1)
    answer = await scene.history(OWNER).RestoreRevision(request)
    assert (answer.misfits, answer.left_out) == (3, 0)
    assert (await scene.get(scene.job(0))).annotations == found
    # What stays as it is does not come back.
    await scene.patch(scene.job(0), create=some(scene.polygon(5)))
    request.revision = 3
    assert (await scene.history(OWNER).RestoreRevision(request)).misfits == 0
