"""The objects of a task's jobs, from which those of the task are made."""

from collections.abc import Sequence
from dataclasses import dataclass

from yard.annotations.labels import Label, LabelSchema
from yard.annotations.merge import JobAnnotations, Merged, merge
from yard.annotations.model import AnnotationSet
from yard.task.domain.annotation_plans import by_job
from yard.task.handlers.annotations.scopes import Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskObjects:
    """Objects of all jobs before they are merged: what is one in the end is known only when all are seen."""

    scope: Scope
    labels: Sequence[Label]
    annotations: AnnotationSet

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
