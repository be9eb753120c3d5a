"""Saves of every kind at random: each state is found as a model has kept it."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Final

import pytest
from frameyard.annotation.v1 import annotation_pb2 as annotation
from frameyard.annotation.v1 import annotation_service_pb2 as messages
from frameyard.annotation.v1 import columnar_pb2
from frameyard.annotation.v1 import history_service_pb2 as history
from yard.annotations.columnar import encode
from yard.annotations.model import AnnotationSet, Shape, ShapeKind
from yard.task.store import annotations as annotation_store
from yard.testkit.fixtures import SettingsFor

from services.task.tests import annotation_scene as stage
from services.task.tests.annotation_scene import OWNER, Scene, key, some

STEPS: Final = 14


@dataclass(slots=True, kw_only=True)
class Model:
    """The service, and every state of its first job as it was read after the save that led to it."""

    scene: Scene
    chance: random.Random
    states: list[annotation.AnnotationSet] = field(default_factory=lambda: [annotation.AnnotationSet()])
    has_person: bool = True

    def objects(self) -> annotation.AnnotationSet:
        """Some new ones."""
        scene, chance = self.scene, self.chance
        shapes = [scene.box(chance.randrange(100), 1, 1, 9, chance.uniform(5, 90)) for _ in range(3)]
        if self.has_person:
            shapes.append(scene.polygon(chance.randrange(100)))
        tag = annotation.Tag(frame=chance.randrange(100), label_id=scene.car)
        first = chance.randrange(50)
        track = scene.track(key(first), key(first + 9, 5, 5, 60, chance.uniform(20, 90)))
        wanted = chance.randrange(1, len(shapes) + 1)
        return some(*chance.sample(shapes, wanted), tags=[tag][: chance.randrange(2)], tracks=[track])

    async def put(self) -> None:
        request = messages.PutAnnotationsRequest(target=self.scene.job(0), annotations=self.objects())
        await self.scene.as_(OWNER).PutAnnotations(request)

    async def put_task(self) -> None:
        request = messages.PutAnnotationsRequest(target=self.scene.task, annotations=self.objects())
        await self.scene.as_(OWNER).PutAnnotations(request)

    async def patch(self) -> None:
        present = self.states[-1]
        update, delete = annotation.AnnotationSet(), annotation.AnnotationSet()
        for shape in present.shapes:
            chosen = self.chance.randrange(3)
            if chosen == 0:
                update.shapes.add().CopyFrom(shape)
                update.shapes[-1].occluded = not shape.occluded
            elif chosen == 1:
                delete.shapes.add().id = shape.id
        for track in present.tracks[:1]:
            update.tracks.add().CopyFrom(track)
            update.tracks[-1].group = self.chance.randrange(9)
        await self.scene.patch(self.scene.job(0), create=self.objects(), update=update, delete=delete)

    async def import_(self) -> None:
        shape = Shape(
            frame=self.chance.randrange(100),
            label_id=self.scene.car,
            kind=ShapeKind.RECTANGLE,
            points=(1.0, 1.0, 20.0, self.chance.uniform(5, 90)),
        )
        mode = self.chance.choice([messages.IMPORT_MODE_APPEND, messages.IMPORT_MODE_REPLACE])
        header = messages.ImportHeader(target=self.scene.job(0), mode=mode)

        async def parts() -> AsyncIterator[messages.ImportAnnotationsRequest]:
            yield messages.ImportAnnotationsRequest(header=header)
            for batch in encode(AnnotationSet(shapes=(shape,))):
                columns = columnar_pb2.ColumnarBatch(**batch.columns())
                yield messages.ImportAnnotationsRequest(batch=columns)

        await self.scene.as_(OWNER).ImportAnnotations(parts())

    async def restore(self) -> None:
        revision = self.chance.randrange(len(self.states))
        request = history.RestoreRevisionRequest(job_id=self.scene.jobs[0], revision=revision)
        await self.scene.history().RestoreRevision(request)
        assert await self.present() == self.states[revision]

    async def delete_label(self) -> None:
        """What has it is gone from all states."""
        if not self.has_person:
            return
        person = self.scene.person
        async with self.scene.db.transaction() as tx:
            await annotation_store.delete_of_labels(tx, [person], user_id=OWNER.user_id)
            await tx.execute("DELETE FROM label WHERE id = $1", person)
        self.has_person = False
        for state in self.states:
            kept = [shape for shape in state.shapes if shape.label_id != person]
            del state.shapes[:]
            state.shapes.extend(kept)

    async def present(self) -> annotation.AnnotationSet:
        return (await self.scene.get(self.scene.job(0))).annotations

    async def step(self) -> None:
        """One save of any kind; one that changes nothing is none."""
        saves = [self.put, self.put_task, self.patch, self.patch, self.import_, self.restore]
        saves += [self.delete_label] if len(self.states) > STEPS // 2 else []
        await self.chance.choice(saves)()
        revision = (await self.scene.revisions())[0]
        assert revision - len(self.states) in (-1, 0)
        if revision == len(self.states):
            self.states.append(await self.present())


@pytest.mark.parametrize("seed", range(4))
async def test_every_state_is_as_it_was(settings_for: SettingsFor, seed: int) -> None:
    async with stage.scene(settings_for) as scene:
        model = Model(scene=scene, chance=random.Random(seed))
        for _ in range(STEPS):
            await model.step()
        for revision, expected in enumerate(model.states):
            request = history.GetRevisionRequest(job_id=scene.jobs[0], revision=revision)
            assert (await scene.history().GetRevision(request)).annotations == expected, revision
        await check_differences(model)


async def check_differences(model: Model) -> None:
    """Between states that are chosen at random."""
    for _ in range(6):
        first, second = (model.chance.randrange(len(model.states)) for _ in range(2))
        request = history.DiffRevisionsRequest(
            job_id=model.scene.jobs[0], from_revision=first, to_revision=second
        )
        found = await model.scene.history().DiffRevisions(request)
        before, after = by_id(model.states[first]), by_id(model.states[second])
        assert by_id(found.created) == {key: after[key] for key in after.keys() - before.keys()}
        assert by_id(found.deleted) == {key: before[key] for key in before.keys() - after.keys()}
        changed = {key for key in before.keys() & after.keys() if before[key] != after[key]}
        assert by_id(found.updated_before) == {key: before[key] for key in changed}
        assert by_id(found.updated_after) == {key: after[key] for key in changed}


def by_id(annotations: annotation.AnnotationSet) -> dict[tuple[str, int], object]:
    return {
        (kind, item.id): item for kind in ("tags", "shapes", "tracks") for item in getattr(annotations, kind)
    }
