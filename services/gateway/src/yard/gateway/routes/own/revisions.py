"""What was saved when and by whom, the way back, and what merging on overlap does."""

import asyncio
from datetime import datetime
from typing import Annotated, Final, Literal, TypeAlias

from fastapi import APIRouter, Body, Path, Query, Response
from frameyard.annotation.v1 import annotation_service_pb2, history_service_pb2
from frameyard.annotation.v1.annotation_pb2 import AnnotationSet
from pydantic import BaseModel, ConfigDict, Field
from yard.gateway.cvat.annotation_answers import saved_text
from yard.gateway.cvat.annotations import LabeledData
from yard.gateway.cvat.moments import moment
from yard.gateway.cvat.numbers import LARGEST_ID
from yard.gateway.cvat.people import BasicUser, person
from yard.gateway.edge.callers import Calling
from yard.gateway.routes.own.paths import JobId, PageSize, PageToken, TaskId
from yard.gateway.upstream.caller import Caller

router = APIRouter(tags=["revisions"])

Kind: TypeAlias = Literal["put", "patch", "import", "restore", "labels", "move", "unknown"]
KINDS: Final[dict[int, Kind]] = {
    history_service_pb2.REVISION_KIND_PUT: "put",
    history_service_pb2.REVISION_KIND_PATCH: "patch",
    history_service_pb2.REVISION_KIND_IMPORT: "import",
    history_service_pb2.REVISION_KIND_RESTORE: "restore",
    history_service_pb2.REVISION_KIND_LABELS: "labels",
    history_service_pb2.REVISION_KIND_MOVE: "move",
}
TIMEOUT_S: Final = 300.0
JSON: Final = "application/json"

Number = Annotated[
    int, Path(ge=0, le=LARGEST_ID, description="The state after this save; 0: before the first.")
]


class Revision(BaseModel):
    """One save of a job; `user` is null for a service."""

    job_id: int
    revision: int
    kind: Kind
    user: BasicUser | None
    create_time: datetime
    created: int
    updated: int
    deleted: int
    restored_revision: int | None
    is_readable: bool = Field(description="Whether the state after it can still be read.")


class Revisions(BaseModel):
    """One page, newest first."""

    revisions: list[Revision]
    next_page_token: str


class Difference(BaseModel):
    """What differs between two states; both lists of updated objects are in the same order."""

    created: LabeledData
    updated_before: LabeledData
    updated_after: LabeledData
    deleted: LabeledData


class Restore(BaseModel):
    """Which revision the change is based on; null: any."""

    model_config = ConfigDict(extra="ignore")

    base_revision: Annotated[int | None, Field(ge=0, le=LARGEST_ID)] = None


class Restored(BaseModel):
    """What has come back."""

    revision: int
    left_out: int = Field(description="Objects that could not come back, because their label is gone.")
    misfits: int = Field(description="Objects whose label is for others by now, or does not allow a value.")


class MergeReport(BaseModel):
    """What merging the jobs of a task on overlap does; `revision` is the sum of theirs."""

    revision: int
    merged_shapes: int
    merged_tracks: int
    merged_tags: int
    joined_origins: int


@router.get("/tasks/{task_id}/revisions")
async def list_revisions_of_task(
    caller: Calling, task_id: TaskId, page_size: PageSize = 50, page_token: PageToken = ""
) -> Revisions:
    """Lists the saves of all jobs of a task, newest first."""
    target = annotation_service_pb2.AnnotationTarget(task_id=task_id)
    return await _revisions(caller, target, page_size, page_token)


@router.get("/jobs/{job_id}/revisions")
async def list_revisions_of_job(
    caller: Calling, job_id: JobId, page_size: PageSize = 50, page_token: PageToken = ""
) -> Revisions:
    """Lists the saves of a job, newest first."""
    target = annotation_service_pb2.AnnotationTarget(job_id=job_id)
    return await _revisions(caller, target, page_size, page_token)


@router.get("/jobs/{job_id}/revisions/{revision}", response_model=LabeledData)
async def read_revision(caller: Calling, job_id: JobId, revision: Number) -> Response:
    """Reads the objects of a job as they were after a save."""
    request = history_service_pb2.GetRevisionRequest(job_id=job_id, revision=revision)
    answer = await caller.call(caller.services.history.GetRevision, request, timeout_s=TIMEOUT_S)
    text = await asyncio.to_thread(saved_text, revision, answer.annotations)
    return Response(text, media_type=JSON)


@router.get("/jobs/{job_id}/revisions/{revision}/diff", response_model=Difference)
async def diff_revisions(
    caller: Calling,
    job_id: JobId,
    revision: Number,
    to: Annotated[
        int | None, Query(ge=0, le=LARGEST_ID, description="The other state; absent: the present one.")
    ] = None,
) -> Response:
    """Tells what differs between two states of a job."""
    request = history_service_pb2.DiffRevisionsRequest(job_id=job_id, from_revision=revision, to_revision=to)
    answer = await caller.call(caller.services.history.DiffRevisions, request, timeout_s=TIMEOUT_S)
    return Response(await asyncio.to_thread(_difference, answer, revision, to or 0), media_type=JSON)


@router.post("/jobs/{job_id}/revisions/{revision}/restore")
async def restore_revision(
    caller: Calling, job_id: JobId, revision: Number, body: Annotated[Restore | None, Body()] = None
) -> Restored:
    """Brings the objects of a job back to what they were, as a save of its own."""
    request = history_service_pb2.RestoreRevisionRequest(
        job_id=job_id, revision=revision, base_revision=body.base_revision if body else None
    )
    answer = await caller.call(caller.services.history.RestoreRevision, request, timeout_s=TIMEOUT_S)
    return Restored(revision=answer.revision, left_out=answer.left_out, misfits=answer.misfits)


@router.get("/tasks/{task_id}/merge-report")
async def read_merge_report(caller: Calling, task_id: TaskId) -> MergeReport:
    """Tells what merging the jobs of a task on overlap does: how many objects become one."""
    request = annotation_service_pb2.GetAnnotationsRequest(
        target=annotation_service_pb2.AnnotationTarget(task_id=task_id)
    )
    answer = await caller.call(caller.services.annotations.GetAnnotations, request, timeout_s=TIMEOUT_S)
    return MergeReport(
        revision=answer.revision,
        merged_shapes=answer.merge.merged_shapes,
        merged_tracks=answer.merge.merged_tracks,
        merged_tags=answer.merge.merged_tags,
        joined_origins=answer.merge.joined_origins,
    )


async def _revisions(
    caller: Caller, target: annotation_service_pb2.AnnotationTarget, page_size: int, page_token: str
) -> Revisions:
    request = history_service_pb2.ListRevisionsRequest(
        target=target, page_size=page_size, page_token=page_token
    )
    answer = await caller.call(caller.services.history.ListRevisions, request)
    return Revisions(
        revisions=[_revision(one, caller.base_url) for one in answer.revisions],
        next_page_token=answer.next_page_token,
    )


def _revision(one: history_service_pb2.Revision, base_url: str) -> Revision:
    is_restore = one.kind == history_service_pb2.REVISION_KIND_RESTORE
    return Revision(
        job_id=one.job_id,
        revision=one.revision,
        kind=KINDS.get(one.kind, "unknown"),
        user=person(one.user, base_url),
        create_time=moment(one.create_time),
        created=one.created,
        updated=one.updated,
        deleted=one.deleted,
        restored_revision=one.restored_revision if is_restore else None,
        is_readable=one.is_readable,
    )


def _difference(answer: history_service_pb2.DiffRevisionsResponse, before: int, after: int) -> bytes:
    parts: tuple[tuple[str, int, AnnotationSet], ...] = (
        ("created", after, answer.created),
        ("updated_before", before, answer.updated_before),
        ("updated_after", after, answer.updated_after),
        ("deleted", before, answer.deleted),
    )
    texts = [f'"{name}":'.encode() + saved_text(number, found) for name, number, found in parts]
    return b"{" + b",".join(texts) + b"}"
