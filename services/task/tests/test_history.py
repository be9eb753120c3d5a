from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import pytest
from frameyard.annotation.v1 import annotation_pb2 as annotation
from frameyard.annotation.v1 import history_service_pb2 as messages
from frameyard.annotation.v1.annotation_service_pb2 import AnnotationTarget
from yard.runtime import auth, errors
from yard.task.handlers.history import limits
from yard.task.store import annotations as annotation_store
from yard.testkit.fixtures import SettingsFor
from yard.testkit.refusals import refused

from services.task.tests import annotation_scene as stage
from services.task.tests.annotation_scene import ADMIN, ANN, BEN, EXPORT, OWNER, STRANGER, Scene, key, some

REQUEST = str(uuid5(NAMESPACE_URL, "restore"))


@pytest.fixture
async def scene(settings_for: SettingsFor) -> AsyncIterator[Scene]:
    async with stage.scene(settings_for) as scene:
        yield scene


async def revisions(
    scene: Scene, target: AnnotationTarget, *, by: auth.Principal = OWNER, page_size: int = 0
) -> list[messages.Revision]:
    """All of them, page by page."""
    request = messages.ListRevisionsRequest(target=target, page_size=page_size)
    found: list[messages.Revision] = []
    while True:
        answer = await scene.history(by).ListRevisions(request)
        found += answer.revisions
        if not answer.next_page_token:
            return found
        request.page_token = answer.next_page_token


async def state(
    scene: Scene, revision: int, *, job: int = 0, by: auth.Principal = OWNER
) -> annotation.AnnotationSet:
    request = messages.GetRevisionRequest(job_id=scene.jobs[job], revision=revision)
    return (await scene.history(by).GetRevision(request)).annotations


async def diff(scene: Scene, from_: int, *to: int, job: int = 0) -> messages.DiffRevisionsResponse:
    request = messages.DiffRevisionsRequest(job_id=scene.jobs[job], from_revision=from_)
    if to:
        request.to_revision = to[0]
    return await scene.history().DiffRevisions(request)


async def restore(
    scene: Scene, revision: int, *, job: int = 0, by: auth.Principal = OWNER, **fields: Any
) -> messages.RestoreRevisionResponse:
    request = messages.RestoreRevisionRequest(job_id=scene.jobs[job], revision=revision, **fields)
    return await scene.history(by).RestoreRevision(request)


async def present(scene: Scene, job: int = 0) -> annotation.AnnotationSet:
    return (await scene.get(scene.job(job))).annotations


async def three_saves(scene: Scene) -> list[annotation.AnnotationSet]:
    """The states of the first job from the empty one on."""
    states = [annotation.AnnotationSet()]
    tags = [annotation.Tag(frame=4, label_id=scene.car)]
    await scene.put(scene.job(0), scene.box(1), scene.polygon(2), tags=tags, by=ANN)
    states.append(await present(scene))
    box = states[1].shapes[0]
    moved = annotation.Shape()
    moved.CopyFrom(box)
    moved.points[:] = [100, 100, 200, 200]
    track = scene.track(key(3), key(9, 20, 20, 60, 60, outside=True))
    await scene.patch(
        scene.job(0), create=some(tracks=[track]), update=some(moved), delete=some(tags=states[1].tags)
    )
    states.append(await present(scene))
    await scene.put(scene.job(0), scene.box(7))
    states.append(await present(scene))
    return states


async def test_every_save_is_listed_with_who_and_what(scene: Scene) -> None:
    await three_saves(scene)
    await scene.put(scene.job(0), scene.box(7))  # changes nothing
    found = await revisions(scene, scene.job(0), page_size=2)
    assert [
        (one.revision, one.kind, one.user.id, one.created, one.updated, one.deleted) for one in found
    ] == [
        (3, messages.REVISION_KIND_PUT, OWNER.user_id, 1, 0, 3),
        (2, messages.REVISION_KIND_PATCH, OWNER.user_id, 1, 1, 1),
        (1, messages.REVISION_KIND_PUT, ANN.user_id, 3, 0, 0),
    ]
    assert all(one.is_readable and one.job_id == scene.jobs[0] for one in found)
    times = [one.create_time.ToDatetime() for one in found]
    assert times == sorted(times, reverse=True)


async def test_all_jobs_of_a_task_are_listed_together(scene: Scene) -> None:
    await scene.put(scene.task, scene.box(95))
    await scene.put(scene.job(2), scene.box(200))
    await scene.put(scene.task)
    found = await revisions(scene, scene.task, page_size=1)
    assert found == await revisions(scene, scene.task)
    places = [(one.job_id, one.revision, one.deleted) for one in found]
    assert sorted(places[:3]) == [(scene.jobs[0], 2, 1), (scene.jobs[1], 2, 1), (scene.jobs[2], 2, 1)]
    assert places[3] == (scene.jobs[2], 1, 0)
    assert sorted(places[4:]) == [(scene.jobs[0], 1, 0), (scene.jobs[1], 1, 0)]


async def test_any_state_is_read_as_it_was(scene: Scene) -> None:
    states = await three_saves(scene)
    for number, expected in enumerate(states):
        assert await state(scene, number) == expected, number


async def test_two_states_are_compared_in_both_directions(scene: Scene) -> None:
    states = await three_saves(scene)
    found = await diff(scene, 1, 2)
    assert found.created == some(tracks=states[2].tracks)
    assert found.deleted == some(tags=states[1].tags)
    assert found.updated_before == some(states[1].shapes[0])
    assert found.updated_after == some(states[2].shapes[0])
    back = await diff(scene, 2, 1)
    assert (back.created, back.deleted) == (found.deleted, found.created)
    assert (back.updated_before, back.updated_after) == (found.updated_after, found.updated_before)
    assert (await diff(scene, 0)).created == states[3]
    same = await diff(scene, 2, 2)
    assert [same.created, same.updated_before, same.updated_after, same.deleted] == [some()] * 4


async def test_a_state_is_brought_back_as_a_save(scene: Scene) -> None:
    states = await three_saves(scene)
    answer = await restore(scene, 1, base_revision=3)
    assert answer == messages.RestoreRevisionResponse(revision=4)
    assert await present(scene) == states[1]
    newest = (await revisions(scene, scene.job(0)))[0]
    assert (newest.kind, newest.restored_revision) == (messages.REVISION_KIND_RESTORE, 1)
    assert (newest.created, newest.updated, newest.deleted) == (3, 0, 1)
    event = (await scene.events())[-1]
    assert (event.revision, event.created, event.deleted) == (4, 3, 1)
    assert (await restore(scene, 3)).revision == 5
    for number, expected in enumerate([*states, states[1], states[3]]):
        assert await state(scene, number) == expected, number
    # The present state is no change.
    assert (await restore(scene, 5)).revision == 5


async def test_a_restore_has_the_rules_of_a_save(scene: Scene) -> None:
    await three_saves(scene)
    stale = await refused(restore(scene, 1, base_revision=2))
    assert isinstance(stale, errors.Conflict)
    first = await restore(scene, 1, request_id=REQUEST)
    assert await restore(scene, 1, request_id=REQUEST) == first
    assert await scene.revisions() == [4, 0, 0]
    wrong = await refused(restore(scene, 2, request_id=REQUEST))
    assert isinstance(wrong, errors.InvalidArgument)


async def test_states_that_never_were(scene: Scene) -> None:
    await three_saves(scene)
    assert isinstance(await refused(state(scene, 4)), errors.NotFound)
    assert isinstance(await refused(state(scene, -1)), errors.InvalidArgument)
    assert isinstance(await refused(diff(scene, 1, 4)), errors.NotFound)
    assert isinstance(await refused(restore(scene, 4)), errors.NotFound)


async def test_who_may_look_back_and_go_back(scene: Scene) -> None:
    await three_saves(scene)
    for principal in (OWNER, ANN, BEN, ADMIN, EXPORT):
        assert len((await state(scene, 1, by=principal)).shapes) == 2
        assert len(await revisions(scene, scene.job(0), by=principal)) == 3
    for principal in (BEN, EXPORT):
        assert isinstance(await refused(restore(scene, 1, by=principal)), errors.PermissionDenied)
    for call in (
        state(scene, 1, by=STRANGER),
        revisions(scene, scene.job(0), by=STRANGER),
        revisions(scene, scene.task, by=STRANGER),
        restore(scene, 1, by=STRANGER),
    ):
        assert isinstance(await refused(call), errors.NotFound)
    assert (await restore(scene, 1, by=ANN)).revision == 4


async def test_what_is_gone_with_its_label_is_left_out_and_counted(scene: Scene) -> None:
    states = await three_saves(scene)
    await restore(scene, 1)
    async with scene.db.transaction() as tx:
        await annotation_store.delete_of_labels(tx, [scene.person], user_id=OWNER.user_id)
        await tx.execute("DELETE FROM label WHERE id = $1", scene.person)
    newest = (await revisions(scene, scene.job(0)))[0]
    assert (newest.revision, newest.kind, newest.deleted) == (5, messages.REVISION_KIND_LABELS, 1)
    assert await state(scene, 1) == some(states[1].shapes[0], tags=states[1].tags)
    # The person of state 1 went with its label, the one of state 2 before that.
    assert (await restore(scene, 4)).left_out == 1
    assert (await restore(scene, 2)).left_out == 1
    assert await present(scene) == some(states[2].shapes[0], tracks=states[2].tracks)


async def test_values_of_attributes_that_are_gone_are_left_out(scene: Scene) -> None:
    colour, speed = stage.values({scene.colour: "blue"}), stage.values({scene.speed: "15"})
    track = scene.track(key(1, attributes=speed), attributes=colour)
    await scene.put(scene.job(0), scene.box(1, attributes=[*colour, *speed]), tracks=[track])
    await scene.put(scene.job(0))
    async with scene.db.transaction() as tx:
        await annotation_store.delete_of_attributes(tx, [scene.speed])
        await tx.execute("DELETE FROM attribute WHERE id = $1", scene.speed)
    assert (await restore(scene, 1)).left_out == 0
    got = await present(scene)
    assert list(got.shapes[0].attributes) == colour
    assert list(got.tracks[0].attributes) == colour
    assert not got.tracks[0].keyframes[0].attributes


async def test_labels_of_a_task_that_was_moved_are_followed(scene: Scene) -> None:
    await scene.put(scene.job(0), scene.box(1, attributes=stage.values({scene.colour: "blue"})))
    await scene.put(scene.job(0))
    label = "INSERT INTO label (task_id, position, name, color, kind) VALUES ($1, 9, $2, '#112233', 1)"
    for name in ("second", "third"):
        label_id = await scene.db.fetchval(f"{label} RETURNING id", scene.task_id, name)
        attribute_id = await stage.insert_attribute(scene.db, label_id, "colour", 1, ["red", "blue"])
        await scene.db.execute(
            """
            INSERT INTO label_succession (task_id, is_attribute, old_id, new_id)
            VALUES ($1, false, $2, $3), ($1, true, $4, $5)
            """,
            scene.task_id,
            scene.car,
            label_id,
            scene.colour,
            attribute_id,
        )
        await scene.db.execute("DELETE FROM label WHERE id = $1", scene.car)
        scene.car, scene.colour = label_id, attribute_id
    await restore(scene, 1)
    [box] = (await present(scene)).shapes
    assert box.label_id == scene.car
    assert list(box.attributes) == stage.values({scene.colour: "blue"})


async def test_an_object_that_another_job_has_by_now_comes_back_beside_it(scene: Scene) -> None:
    put = await scene.put(scene.task, scene.box(50))
    [box] = put.annotations.shapes
    box.frame = 120
    await scene.patch(scene.task, update=some(box))
    assert [len((await present(scene, number)).shapes) for number in (0, 1)] == [0, 1]
    await restore(scene, 1)
    [back] = (await present(scene)).shapes
    assert (back.frame, back.id != box.id) == (50, True)
    assert (await present(scene, 1)).shapes[0].id == box.id
    # Both jobs bring the same object back at once: neither fails.
    await scene.put(scene.task)
    await asyncio.gather(restore(scene, 1), restore(scene, 1, job=1))
    ids = [(await present(scene, number)).shapes[0].id for number in (0, 1)]
    assert len(set(ids)) == 2


async def test_only_so_many_saves_are_kept(settings_for: SettingsFor) -> None:
    async with stage.scene(settings_for, settings={"history_max_revisions": 2}) as scene:
        for number in range(5):
            await scene.put(scene.job(0), scene.box(number))
        found = await revisions(scene, scene.job(0))
        assert [(one.revision, one.is_readable) for one in found] == [(5, True), (4, True)]
        assert (await state(scene, 3)).shapes[0].frame == 2
        gone = await refused(state(scene, 2))
        assert isinstance(gone, errors.FailedPrecondition)
        assert (gone.reason, gone.metadata["oldest"]) == ("REVISION_NOT_KEPT", "3")
        assert await is_accounted(scene)


async def test_only_so_many_bytes_are_kept(settings_for: SettingsFor) -> None:
    async with stage.scene(settings_for, settings={"history_max_bytes": 8_000}) as scene:
        for number in range(8):
            boxes = [scene.box(frame, 10, 10, 50 + number, 40 + frame / 7) for frame in range(100)]
            await scene.put(scene.job(0), *boxes)
        found = await revisions(scene, scene.job(0))
        readable = [one.revision for one in found if one.is_readable]
        assert len(found) == 8
        assert 1 < len(readable) < 8
        assert readable == list(range(8, 8 - len(readable), -1))
        assert len((await state(scene, readable[-1])).shapes) == 100
        assert isinstance(await refused(state(scene, readable[-1] - 1)), errors.FailedPrecondition)
        assert await is_accounted(scene)
        assert await stored_bytes(scene) <= 8_000


async def test_old_saves_are_forgotten(scene: Scene) -> None:
    states = await three_saves(scene)
    await scene.db.execute("UPDATE revision SET saved_at = saved_at - interval '400 days' WHERE number < 3")
    assert await limits.prune(scene.db, scene.running.runtime.settings) == 1
    assert [one.revision for one in await revisions(scene, scene.job(0))] == [3]
    assert await state(scene, 2) == states[2]
    assert isinstance(await refused(state(scene, 1)), errors.FailedPrecondition)
    assert await is_accounted(scene)
    assert await limits.prune(scene.db, scene.running.runtime.settings) == 0


async def test_lowered_limits_hold_for_jobs_that_nobody_saves(
    scene: Scene, settings_for: SettingsFor
) -> None:
    await three_saves(scene)
    settings = settings_for(type(scene.running.runtime.settings), history_max_revisions=1)
    assert await limits.prune(scene.db, settings) == 1
    assert [one.revision for one in await revisions(scene, scene.job(0))] == [3]
    assert await is_accounted(scene)


async def test_many_objects_are_kept_in_parts(scene: Scene) -> None:
    boxes = [scene.box(number % 100, 10, 10, 50 + number / 100, 40) for number in range(9_000)]
    before = (await scene.put(scene.job(0), *boxes)).annotations
    size = await stored_bytes(scene)
    await scene.put(scene.job(0))
    assert size < 1_000
    assert await scene.db.fetchval("SELECT count(*) FROM revision_part") == 2
    got = await state(scene, 1)
    assert sorted(got.shapes, key=lambda shape: shape.id) == list(before.shapes)
    assert (await restore(scene, 1)).revision == 3
    assert len((await present(scene)).shapes) == 9_000


async def stored_bytes(scene: Scene) -> int:
    """What parts and ids take."""
    total: int = await scene.db.fetchval(
        """
        SELECT (SELECT coalesce(sum(octet_length(content)), 0) FROM revision_part)
            + (SELECT coalesce(sum(octet_length(ids)), 0) FROM revision)
        """
    )
    return total


async def is_accounted(scene: Scene) -> bool:
    """Whether the numbers of jobs and saves are those of what is there."""
    sums = await scene.db.fetchrow(
        """
        SELECT (SELECT sum(history_bytes) FROM job)::bigint AS jobs,
            (SELECT coalesce(sum(size_bytes), 0) FROM revision)::bigint AS saves
        """
    )
    assert sums is not None
    return bool(sums["jobs"] == sums["saves"] == await stored_bytes(scene))
