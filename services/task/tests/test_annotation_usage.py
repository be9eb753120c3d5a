from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from frameyard.annotation.v1 import annotation_pb2 as annotation
from yard.task.store import annotations as store
from yard.testkit import eventually
from yard.testkit.fixtures import SettingsFor

from services.task.tests import annotation_scene as stage
from services.task.tests.annotation_scene import Scene, faults, key


@pytest.fixture
async def scene(settings_for: SettingsFor) -> AsyncIterator[Scene]:
    async with stage.scene(settings_for) as scene:
        yield scene


async def fill(scene: Scene) -> None:
    """Cars and persons in two jobs; a shape and two tracks give values."""
    colour, speed = stage.values({scene.colour: "blue"}), stage.values({scene.speed: "15"})
    moving = scene.track(key(1, attributes=speed), key(2), key(3, attributes=speed))
    tags = [annotation.Tag(frame=1, label_id=scene.car)]
    await scene.put(
        scene.job(0),
        scene.box(1, attributes=[*colour, *speed]),
        scene.polygon(1),
        tags=tags,
        tracks=[moving],
    )
    await scene.put(scene.job(1), scene.box(100), scene.polygon(100))


async def test_objects_are_counted_by_label_and_by_attribute(scene: Scene) -> None:
    await fill(scene)
    assert await store.count_by_label(scene.db, [scene.car, scene.person, 999]) == {
        scene.car: 4,
        scene.person: 2,
    }
    assert await store.count_by_attribute(scene.db, [scene.colour, scene.speed]) == {
        scene.colour: 1,
        scene.speed: 2,
    }
    assert await store.count_by_label(scene.db, []) == {}


async def test_objects_go_with_their_labels(scene: Scene) -> None:
    await fill(scene)
    async with scene.db.transaction() as tx:
        deleted = await store.delete_of_labels(tx, [scene.car], user_id=7)
    assert [(one.job_id, one.deleted) for one in deleted] == [(scene.jobs[0], 3), (scene.jobs[1], 1)]
    for number in (0, 1):
        got = await scene.get(scene.job(number))
        assert [shape.label_id for shape in got.annotations.shapes] == [scene.person]
        assert (got.revision, len(got.annotations.tracks)) == (2, 0)
    assert await scene.db.fetchval("SELECT count(*) FROM keyframe") == 0
    told = (await scene.events())[2:]
    assert [(event.deleted, event.revision, event.task_revision, event.user_id) for event in told] == [
        (3, 2, 4, 7),
        (1, 2, 4, 7),
    ]


async def test_values_go_with_their_attributes(scene: Scene) -> None:
    await fill(scene)
    async with scene.db.transaction() as tx:
        changed = await store.delete_of_attributes(tx, [scene.speed])
    assert [(one.job_id, one.updated) for one in changed] == [(scene.jobs[0], 2)]
    got = (await scene.get(scene.job(0))).annotations
    default = stage.values({scene.speed: "0"})
    assert list(got.shapes[0].attributes) == [*stage.values({scene.colour: "blue"}), *default]
    assert [list(keyframe.attributes) for keyframe in got.tracks[0].keyframes] == [default, [], []]
    assert await scene.revisions() == [2, 1, 0]


async def test_a_save_waits_for_a_change_of_its_labels_and_is_checked_again(scene: Scene) -> None:
    async with scene.db.transaction() as tx:
        await store.count_by_label(tx, [scene.car])
        save = asyncio.create_task(faults(scene.put(scene.job(0), scene.box(1))))
        await eventually(lambda: _is_waiting(scene))
        await store.delete_of_labels(tx, [scene.car])
        await tx.execute("DELETE FROM label WHERE id = $1", scene.car)
    assert await save == {"annotations.shapes[0].label_id": f"there is no label {scene.car}"}
    assert await scene.db.fetchval("SELECT count(*) FROM shape") == 0


async def _is_waiting(scene: Scene) -> bool:
    return bool(await scene.db.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"))
