"""Saves of many new shapes, which are worked out as columns, answer as those of few do."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from frameyard.annotation.v1 import annotation_pb2 as annotation
from yard.runtime import errors
from yard.testkit.fixtures import SettingsFor
from yard.testkit.refusals import refused

from services.task.tests import annotation_scene as stage
from services.task.tests.annotation_scene import ANN, BEN, STRANGER, Scene, faults, some

MANY = 50


@pytest.fixture
async def scene(settings_for: SettingsFor) -> AsyncIterator[Scene]:
    async with stage.scene(settings_for) as scene:
        yield scene


def mixed(scene: Scene) -> list[annotation.Shape]:
    """Shapes of several kinds, of which some are moved into the picture."""
    red = stage.values({scene.colour: "red"})
    boxes = [scene.box(number, attributes=red if number % 3 else []) for number in range(MANY)]
    outlines = [scene.polygon(number, -0.25, 0, 9, 0, 9, 7.5, 1, number) for number in range(MANY)]
    turned = [scene.box(number, rotation=30, z_order=-number, occluded=True) for number in range(MANY)]
    return [*outlines, *boxes, *turned]


async def test_many_new_shapes_are_answered_and_stored_as_few_are(scene: Scene) -> None:
    given = mixed(scene)
    many = await scene.put(scene.job(0), *given, by=ANN)
    ids = [shape.id for shape in many.annotations.shapes]
    assert ids == sorted(set(ids))
    found = {shape.id: shape for shape in (await scene.get(scene.job(0))).annotations.shapes}
    assert [found[shape.id] for shape in many.annotations.shapes] == list(many.annotations.shapes)
    few = [await scene.patch(scene.job(0), create=some(*given[n : n + 15])) for n in range(0, len(given), 15)]
    single = [shape for answer in few for shape in answer.created.shapes]
    for shape in (*many.annotations.shapes, *single):
        shape.id = 0
    assert list(many.annotations.shapes) == single
    assert (await scene.events())[0].created == len(given)


async def test_the_same_put_again_changes_nothing(scene: Scene) -> None:
    first = await scene.put(scene.job(0), *mixed(scene))
    second = await scene.put(scene.job(0), *mixed(scene))
    assert (first.annotations, first.revision) == (second.annotations, second.revision)


async def test_faults_of_many_are_named_by_their_place(scene: Scene) -> None:
    shapes = [scene.box(number) for number in range(MANY)]
    shapes[7] = scene.box(100)
    shapes[9].ClearField("kind")
    shapes[11] = scene.box(11, 50, 10, 10, 40)
    for field, call in (
        ("annotations", scene.put(scene.job(0), *shapes)),
        ("create", scene.patch(scene.job(0), create=some(*shapes))),
    ):
        assert set(await faults(call)) == {
            f"{field}.shapes[7].frame",
            f"{field}.shapes[9].kind",
            f"{field}.shapes[11].points",
        }


async def test_what_was_seen_of_a_job_is_not_trusted(scene: Scene) -> None:
    """Labels that go, and rights, count as they are when the save is written."""
    for count in (1, MANY):
        shapes = [scene.polygon(number) for number in range(count)]
        await scene.patch(scene.job(0), create=some(*shapes), by=ANN)
        assert isinstance(
            await refused(scene.patch(scene.job(0), create=some(*shapes), by=STRANGER)), errors.NotFound
        )
        error = await refused(scene.patch(scene.job(0), create=some(*shapes), by=BEN))
        assert isinstance(error, errors.PermissionDenied)
    await scene.db.execute("DELETE FROM label WHERE id = $1", scene.person)
    for count in (1, MANY):
        shapes = [scene.polygon(number) for number in range(count)]
        assert "create.shapes[0].label_id" in await faults(scene.patch(scene.job(0), create=some(*shapes)))
    await scene.db.execute("UPDATE task SET width = 20 WHERE id = $1", scene.task_id)
    assert "create.shapes[0].points" in await faults(scene.patch(scene.job(0), create=some(scene.box(1))))
