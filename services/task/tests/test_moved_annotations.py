"""What moves do to objects and their past."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from frameyard.annotation.v1 import annotation_pb2 as annotation
from frameyard.annotation.v1 import annotation_service_pb2 as messages
from frameyard.annotation.v1 import history_service_pb2 as history
from yard.runtime import errors
from yard.testkit.fixtures import SettingsFor
from yard.testkit.refusals import refused

from services.task.tests import annotation_scene as stage
from services.task.tests.annotation_scene import OWNER, Scene, key, some, values
from services.task.tests.moving import insert_project, move


@pytest.fixture
async def scene(settings_for: SettingsFor) -> AsyncIterator[Scene]:
    async with stage.scene(settings_for) as scene:
        yield scene


def objects(scene: Scene) -> annotation.AnnotationSet:
    """All kinds of objects with values of attributes, in the terms of where the task is."""
    car = values({scene.colour: "blue"})
    track = scene.track(
        key(3, attributes=values({scene.speed: "5"})),
        key(9, 20, 20, 60, 60, attributes=values({scene.speed: "10"})),
        attributes=car,
    )
    return some(
        scene.box(1, attributes=[*values({scene.speed: "15"}), *car]),
        scene.polygon(2),
        tags=[annotation.Tag(frame=4, label_id=scene.car, attributes=car)],
        tracks=[track],
    )


async def put(scene: Scene) -> None:
    request = messages.PutAnnotationsRequest(target=scene.job(0), annotations=objects(scene))
    await scene.as_(OWNER).PutAnnotations(request)


async def present(scene: Scene) -> annotation.AnnotationSet:
    return (await scene.get(scene.job(0))).annotations


async def state(scene: Scene, revision: int) -> annotation.AnnotationSet:
    request = history.GetRevisionRequest(job_id=scene.jobs[0], revision=revision)
    return (await scene.history().GetRevision(request)).annotations


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Ids of labels and of attributes, always in the same order."""

    labels: tuple[int, ...]
    attributes: tuple[int, ...]

    @classmethod
    def of(cls, scene: Scene) -> Terms:
        """Those where the task is now."""
        return cls(labels=(scene.car, scene.person), attributes=(scene.colour, scene.speed))

    def said(self, found: annotation.AnnotationSet, now: Terms) -> annotation.AnnotationSet:
        """The objects, which are in these terms, in others."""
        labels = dict(zip(self.labels, now.labels, strict=True))
        attributes = dict(zip(self.attributes, now.attributes, strict=True))
        copy = annotation.AnnotationSet()
        copy.CopyFrom(found)
        items: list[Any] = [*copy.tags, *copy.shapes, *copy.tracks]
        for item in items:
            item.label_id = labels[item.label_id]
            keyframes = getattr(item, "keyframes", ())
            for value in (*item.attributes, *(value for each in keyframes for value in each.attributes)):
                value.attribute_id = attributes[value.attribute_id]
        return copy


def plain(found: annotation.AnnotationSet) -> list[bytes]:
    """Comparable, whatever the order of attributes."""
    copy = annotation.AnnotationSet()
    copy.CopyFrom(found)
    items: list[Any] = [*copy.tags, *copy.shapes, *copy.tracks]
    for item in items:
        for owner in (item, *getattr(item, "keyframes", ())):
            given = sorted(owner.attributes, key=lambda value: value.attribute_id)
            del owner.attributes[:]
            owner.attributes.extend(given)
    return [item.SerializeToString(deterministic=True) for item in items]


async def test_all_kinds_of_objects_get_the_new_ids(scene: Scene) -> None:
    await put(scene)
    before, old = await present(scene), Terms.of(scene)
    await move(scene, await insert_project(scene))
    after, new = await present(scene), Terms.of(scene)
    assert not set(old.labels) & set(new.labels)
    assert not set(old.attributes) & set(new.attributes)
    assert plain(after) == plain(old.said(before, new))
    assert await scene.revisions() == [2, 0, 0]
    rows = await scene.history().ListRevisions(history.ListRevisionsRequest(target=scene.job(0)))
    assert [(each.kind, each.user.id, each.updated) for each in rows.revisions] == [
        (history.REVISION_KIND_MOVE, OWNER.user_id, 4),
        (history.REVISION_KIND_PUT, OWNER.user_id, 0),
    ]
    # What was drawn before is the same as what is drawn now.
    await put(scene)
    assert plain(await present(scene)) == plain(after)
    assert await scene.revisions() == [2, 0, 0]


async def test_the_past_is_told_in_the_terms_of_the_present(scene: Scene) -> None:
    await put(scene)
    first = await present(scene)
    await scene.patch(scene.job(0), delete=some(*first.shapes[:1], tags=first.tags))
    second, old = await present(scene), Terms.of(scene)
    project_id = await insert_project(scene)
    await move(scene, project_id)
    await scene.put(scene.job(0), scene.box(7))
    fourth, middle = await present(scene), Terms.of(scene)
    await move(scene, 0)

    now = Terms.of(scene)
    assert plain(await state(scene, 1)) == plain(old.said(first, now))
    for revision in (2, 3):
        assert plain(await state(scene, revision)) == plain(old.said(second, now))
    for revision in (4, 5):
        assert plain(await state(scene, revision)) == plain(middle.said(fourth, now))

    # A move itself changes no object, and what differs over it is told in the same terms.
    same = await diff(scene, 2, 3)
    assert not any(part.ByteSize() for part in (same.created, same.updated_before, same.deleted))
    found = await diff(scene, 1, 5)
    assert plain(found.deleted) == plain(old.said(first, now))
    assert [shape.frame for shape in found.created.shapes] == [7]

    restored = history.RestoreRevisionRequest(job_id=scene.jobs[0], revision=1)
    assert (await scene.history().RestoreRevision(restored)).left_out == 0
    assert plain(await present(scene)) == plain(old.said(first, now))
    # And back into a place where it was before, in which the ids are those of then.
    await move(scene, project_id)
    assert Terms.of(scene) == middle
    assert plain(await state(scene, 1)) == plain(await present(scene))


async def diff(scene: Scene, from_: int, to: int) -> history.DiffRevisionsResponse:
    request = history.DiffRevisionsRequest(job_id=scene.jobs[0], from_revision=from_, to_revision=to)
    return await scene.history().DiffRevisions(request)


async def test_labels_that_only_the_past_has_are_not_left_behind(scene: Scene) -> None:
    await scene.put(scene.job(0), scene.polygon(2))
    await scene.put(scene.job(0))
    project_id = await insert_project(scene)
    await scene.db.execute("DELETE FROM label WHERE name = 'person' AND project_id = $1", project_id)
    error = await refused(move(scene, project_id))
    assert isinstance(error, errors.FailedPrecondition)
    assert "label person is not there" in error.message


async def test_objects_of_before_are_not_saved_after(scene: Scene) -> None:
    old = scene.box(1)
    await move(scene, await insert_project(scene))
    error = await refused(scene.put(scene.job(0), old))
    assert isinstance(error, errors.InvalidArgument)
    await scene.put(scene.job(0), scene.box(1))


async def test_all_values_of_one_move_have_one_time(scene: Scene) -> None:
    """A chain of moves is followed by time: steps of one must not be told apart."""
    await put(scene)
    await move(scene, await insert_project(scene))
    rows = await scene.db.fetch("SELECT moved_at, count(*) AS steps FROM label_succession GROUP BY moved_at")
    assert [row["steps"] for row in rows] == [4]
