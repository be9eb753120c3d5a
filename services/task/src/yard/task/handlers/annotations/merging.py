"""The objects of a task's jobs, from which those of the task are made."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from yard.annotations.labels import Label, LabelSchema
from yard.annotations.merge import JobAnnotations, Merged, merge
from yard.annotations.model import AnnotationSet
from yard.runtime.db import Transaction
from yard.task.domain.annotation_plans import by_job
from yard.task.handlers.annotations.scopes import Scope
from yard.task.store import labels as label_store
from yard.task.store.annotations import reading
from yard.task.store.annotations.reading import Selection


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskObjects:
    """Objects of all jobs before they are merged."""

    scope: Scope
    labels: Sequence[Label]
    annotations: AnnotationSet

    @classmethod
    async def read(cls, tx: Transaction, scope: Scope) -> Self:
        """All of them: what is one object in the end is known only when all jobs are seen."""
        labels = await label_store.labels_of(tx, scope.task)
        annotations = await reading.annotations_of(tx, Selection(task_id=scope.task.id))
        return cls(scope=scope, labels=labels, annotations=annotations)

    def merged(self) -> Merged:
        """The objects of the task; takes time."""
        tags, shapes = by_job(self.annotations.tags), by_job(self.annotations.shapes)
        tracks = by_job(self.annotations.tracks)
        jobs = [
            JobAnnotations(
                job_id=job.id,
                first=job.first_frame,
                last=job.last_frame,
                annotations=AnnotationSet(
                    tags=tuple(tags[job.id]), shapes=tuple(shapes[job.id]), tracks=tuple(tracks[job.id])
                ),
            )
            for job in self.scope.jobs
        ]
        return merge(jobs, LabelSchema(self.labels))
