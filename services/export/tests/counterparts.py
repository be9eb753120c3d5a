"""Small real servers of the services that export asks: one task, its annotations, frames and pixels."""

# ruff: noqa: N802 - methods are named as in the proto
import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
import grpc.aio
from frameyard.annotation.v1 import annotation_service_pb2 as annotation
from frameyard.annotation.v1 import annotation_service_pb2_grpc
from frameyard.annotation.v1.columnar_pb2 import ColumnarBatch
from frameyard.chunk.v1 import chunk_service_pb2 as chunk
from frameyard.chunk.v1 import chunk_service_pb2_grpc
from frameyard.common.v1.common_pb2 import FrameRange, PersonRef
from frameyard.identity.v1 import identity_service_pb2 as identity
from frameyard.identity.v1 import identity_service_pb2_grpc
from frameyard.media.v1 import media_service_pb2 as media
from frameyard.media.v1 import media_service_pb2_grpc, upload_service_pb2_grpc
from frameyard.media.v1 import upload_service_pb2 as uploads
from frameyard.media.v1.media_pb2 import DataParameters, FrameInfo
from frameyard.task.v1 import job_service_pb2 as jobs
from frameyard.task.v1 import (
    job_service_pb2_grpc,
    label_pb2,
    project_service_pb2_grpc,
    task_pb2,
    task_service_pb2_grpc,
)
from frameyard.task.v1 import project_service_pb2 as projects
from frameyard.task.v1 import task_service_pb2 as tasks
from frameyard.task.v1.job_pb2 import Job
from frameyard.task.v1.project_pb2 import Project
from yard.annotations.columnar import encode
from yard.annotations.labels import Label
from yard.media.zip_chunk import zip_stored
from yard.runtime import clock
from yard.testkit import peers

from services.export.tests.sample import OBJECTS, SUBJECT

SERVICE_TOKEN = "token-of-the-service"
REVISION = 42
PROJECT, OTHER_TASK, EMPTY_TASK = 5, 13, 14
PROJECT_STAFF = 1
UPLOADED, OFFSET = "uploads/one/0", 3
UPLOAD = uploads.Upload(
    id="00000000-0000-7000-8000-000000000002",
    state=uploads.UPLOAD_STATE_FINISHED,
    files=[uploads.UploadFile(name="given.zip", size_bytes=1)],
)


class Counterparts(
    task_service_pb2_grpc.TaskServiceServicer,
    project_service_pb2_grpc.ProjectServiceServicer,
    job_service_pb2_grpc.JobServiceServicer,
    annotation_service_pb2_grpc.AnnotationServiceServicer,
    media_service_pb2_grpc.MediaServiceServicer,
    chunk_service_pb2_grpc.ChunkServiceServicer,
    upload_service_pb2_grpc.UploadServiceServicer,
    identity_service_pb2_grpc.IdentityServiceServicer,
):
    """Task 12 and its project are visible to the tokens in `allowed`; `gate` holds annotations back."""

    def __init__(self, allowed: set[str]) -> None:
        self.allowed = allowed
        self.gate = asyncio.Event()
        self.gate.set()
        self.files_gate = asyncio.Event()
        self.files_gate.set()
        self.streams = 0
        self.size = SUBJECT.size
        self.labels = list(SUBJECT.labels.labels)
        self.broken_frame = False
        self.is_video = True
        self.pixels: Callable[[int], bytes] = pixels
        self.ranges: list[tuple[int, int]] = []
        self.sees_jobs_only = False
        self.deleted: list[FrameRange] = []
        self.revision = REVISION
        self.objects = OBJECTS
        self.may_save = True
        self.upload = UPLOAD
        self.headers: list[annotation.ImportHeader] = []
        self.saved: list[ColumnarBatch] = []
        self.saving = asyncio.Event()
        self.saving.set()
        self.listed = 0
        self.listing = asyncio.Event()
        self.listing.set()

    async def GetTask(self, request: tasks.GetTaskRequest, context: Any) -> tasks.GetTaskResponse:
        await self._admit(context, request.id == SUBJECT.task_id, {SERVICE_TOKEN, *self.allowed})
        return tasks.GetTaskResponse(task=self._task())

    async def GetMediaGrant(
        self, request: tasks.GetMediaGrantRequest, context: Any
    ) -> tasks.GetMediaGrantResponse:
        await self._admit(context, request.task_id == SUBJECT.task_id, self.allowed)
        if self.sees_jobs_only:
            await context.abort(grpc.StatusCode.PERMISSION_DENIED, "single jobs only")
        return tasks.GetMediaGrantResponse(media_id=SUBJECT.media_id)

    async def GetProject(
        self, request: projects.GetProjectRequest, context: Any
    ) -> projects.GetProjectResponse:
        await self._admit(context, request.id == PROJECT, {SERVICE_TOKEN, *self.allowed})
        task = self._task()
        project = Project(
            id=PROJECT,
            name="All: of it",
            owner=PersonRef(id=PROJECT_STAFF, username="ann"),
            labels=task.labels,
            create_time=task.create_time,
            update_time=task.update_time,
        )
        return projects.GetProjectResponse(project=project)

    async def ListTasks(self, request: tasks.ListTasksRequest, context: Any) -> tasks.ListTasksResponse:
        await self._admit(context, request.project_id == PROJECT, {SERVICE_TOKEN})
        pages = [self._task(), self._task(OTHER_TASK, subset="val"), self._task(EMPTY_TASK)]
        pages[2].size = 0
        place = int(request.page_token or "0")
        del pages[place].labels[:]
        following = str(place + 1) if place + 1 < len(pages) else ""
        return tasks.ListTasksResponse(tasks=[pages[place]], next_page_token=following)

    async def GetDeletedFrames(
        self, request: annotation.GetDeletedFramesRequest, context: Any
    ) -> annotation.GetDeletedFramesResponse:
        await self._admit(context, is_known=True, tokens={SERVICE_TOKEN})
        is_other = request.target.task_id == OTHER_TASK
        return annotation.GetDeletedFramesResponse(deleted=[] if is_other else self.deleted)

    async def GetJob(self, request: jobs.GetJobRequest, context: Any) -> jobs.GetJobResponse:
        found = [job for job in _jobs() if job.id == request.id]
        await self._admit(context, bool(found), {SERVICE_TOKEN, *self.allowed})
        return jobs.GetJobResponse(job=found[0])

    async def ListJobs(self, request: jobs.ListJobsRequest, context: Any) -> jobs.ListJobsResponse:
        is_known = request.task_id == SUBJECT.task_id or request.project_id == PROJECT
        await self._admit(context, is_known, {SERVICE_TOKEN})
        found = _jobs()
        if request.project_id:
            found += [Job(id=41, task_id=OTHER_TASK, frames=FrameRange(first=0, last=SUBJECT.last))]
        place = int(request.page_token or "0")
        following = str(place + 1) if place + 1 < len(found) else ""
        return jobs.ListJobsResponse(jobs=[found[place]], next_page_token=following)

    async def StreamAnnotations(
        self, request: annotation.StreamAnnotationsRequest, context: Any
    ) -> AsyncIterator[annotation.StreamAnnotationsResponse]:
        await self._admit(context, is_known=True, tokens={SERVICE_TOKEN})
        self.streams += 1
        await self.gate.wait()
        for batch in encode(self.objects, rows=2):
            columns = ColumnarBatch(**batch.columns())
            yield annotation.StreamAnnotationsResponse(revision=self.revision, batch=columns)

    async def ImportAnnotations(
        self, request_iterator: AsyncIterator[annotation.ImportAnnotationsRequest], context: Any
    ) -> annotation.ImportAnnotationsResponse:
        header = (await anext(aiter(request_iterator))).header
        target = header.target
        is_known = target.task_id == SUBJECT.task_id or target.job_id in {job.id for job in _jobs()}
        if header.check_only:
            await self._admit(context, is_known, self.allowed)
            await self._check(context, self.may_save, grpc.StatusCode.PERMISSION_DENIED)
            return annotation.ImportAnnotationsResponse(revision=REVISION)
        await self._admit(context, is_known, {SERVICE_TOKEN})
        batches = [request.batch async for request in request_iterator]
        if header.request_id not in {known.request_id for known in self.headers}:
            self.saved += batches
        self.headers.append(header)
        await self.saving.wait()
        counts = Counter[int]()
        for batch in batches:
            counts[batch.object_kind] += batch.count
        return annotation.ImportAnnotationsResponse(
            revision=REVISION + 1, tags=counts[1], shapes=counts[2], tracks=counts[3]
        )

    async def GetUpload(self, request: uploads.GetUploadRequest, context: Any) -> uploads.GetUploadResponse:
        await self._admit(context, request.id == UPLOAD.id, self.allowed)
        return uploads.GetUploadResponse(upload=self.upload)

    async def LocateUploadFile(
        self, request: uploads.LocateUploadFileRequest, context: Any
    ) -> uploads.LocateUploadFileResponse:
        await self._admit(context, request.upload_id == UPLOAD.id, {SERVICE_TOKEN})
        file = self.upload.files[0]
        return uploads.LocateUploadFileResponse(
            name=file.name, key=UPLOADED, offset=OFFSET, size_bytes=file.size_bytes
        )

    async def ListFrames(self, request: media.ListFramesRequest, context: Any) -> media.ListFramesResponse:
        await self._admit(context, request.media_id == SUBJECT.media_id, {SERVICE_TOKEN})
        self.listed += 1
        await self.listing.wait()
        number = int(request.page_token or request.first)
        source = SUBJECT.start_frame + number * SUBJECT.frame_step
        info = FrameInfo(frame=number, source_frame=source, name=f"frame_{source:06}", width=20, height=10)
        following = str(number + 1) if number < request.last else ""
        return media.ListFramesResponse(frames=[info], next_page_token=following)

    async def GetChunk(
        self, request: chunk.GetChunkRequest, context: Any
    ) -> AsyncIterator[chunk.GetChunkResponse]:
        await self._admit(context, request.media_id == SUBJECT.media_id, {SERVICE_TOKEN})
        is_png = request.picture_format == chunk.FRAME_FORMAT_PNG
        await self._check(context, is_png is self.is_video, grpc.StatusCode.INVALID_ARGUMENT)
        yield chunk.GetChunkResponse(header=chunk.ChunkHeader(frames=request.frames))
        self.ranges.append((request.frames.first, request.frames.last))
        await self.files_gate.wait()
        frames = range(request.frames.first, request.frames.last + 1)
        for piece in zip_stored((f"{place:06}", self.pixels(frame)) for place, frame in enumerate(frames)):
            if self.broken_frame:
                yield chunk.GetChunkResponse(content=piece[:-2])
                return
            yield chunk.GetChunkResponse(content=piece[:5])
            yield chunk.GetChunkResponse(content=piece[5:])
        yield chunk.GetChunkResponse(trailer=chunk.ChunkTrailer(size_bytes=1))

    async def IssueServiceToken(
        self, request: identity.IssueServiceTokenRequest, context: Any
    ) -> identity.IssueServiceTokenResponse:
        await self._check(context, request.service == "export", grpc.StatusCode.UNAUTHENTICATED)
        response = identity.IssueServiceTokenResponse(access_token=SERVICE_TOKEN)
        response.expire_time.FromSeconds(int(clock.now().timestamp()) + 900)
        return response

    async def _admit(self, context: Any, is_known: bool, tokens: set[str]) -> None:
        header = dict(context.invocation_metadata()).get("authorization", "")
        await self._check(
            context, is_known and header.removeprefix("Bearer ") in tokens, grpc.StatusCode.NOT_FOUND
        )

    async def _check(self, context: Any, holds: bool, code: grpc.StatusCode) -> None:
        if not holds:
            await context.abort(code, "no")

    def _task(self, id_: int = SUBJECT.task_id, subset: str = "") -> task_pb2.Task:
        task = task_pb2.Task(
            id=id_,
            subset=subset,
            revision=self.revision,
            name=SUBJECT.name,
            owner=PersonRef(id=1, username=SUBJECT.owner),
            labels=map(_label, self.labels),
            overlap=SUBJECT.overlap,
            mode=task_pb2.TASK_MODE_INTERPOLATION if self.is_video else task_pb2.TASK_MODE_ANNOTATION,
            media_id=SUBJECT.media_id,
            size=self.size,
            width=SUBJECT.width,
            height=SUBJECT.height,
            data=DataParameters(start_frame=SUBJECT.start_frame, frame_step=SUBJECT.frame_step),
        )
        task.create_time.FromDatetime(SUBJECT.created)
        task.update_time.FromDatetime(SUBJECT.updated)
        return task


def pixels(frame: int) -> bytes:
    """The file of a frame."""
    return b"png of frame %d" % frame


def _jobs() -> list[Job]:
    return [
        Job(
            id=segment.job_id,
            task_id=SUBJECT.task_id,
            segment=number,
            frames=FrameRange(first=segment.first, last=segment.last),
            assignee=PersonRef(id=2, username="bob"),
            revision=REVISION,
        )
        for number, segment in enumerate(SUBJECT.segments)
    ]


def _label(label: Label) -> label_pb2.Label:
    attributes = [
        label_pb2.Attribute(
            id=attribute.id,
            name=attribute.name,
            mutable=attribute.mutable,
            input=attribute.input,  # type: ignore[arg-type]
            values=attribute.values,
            default_value=attribute.default_value,
        )
        for attribute in label.attributes
    ]
    return label_pb2.Label(id=label.id, name=label.name, color=label.color, attributes=attributes)


@asynccontextmanager
async def serving(counterparts: Counterparts) -> AsyncIterator[str]:
    """All of them at one address."""
    adds = (
        task_service_pb2_grpc.add_TaskServiceServicer_to_server,
        project_service_pb2_grpc.add_ProjectServiceServicer_to_server,
        job_service_pb2_grpc.add_JobServiceServicer_to_server,
        annotation_service_pb2_grpc.add_AnnotationServiceServicer_to_server,
        media_service_pb2_grpc.add_MediaServiceServicer_to_server,
        chunk_service_pb2_grpc.add_ChunkServiceServicer_to_server,
        upload_service_pb2_grpc.add_UploadServiceServicer_to_server,
        identity_service_pb2_grpc.add_IdentityServiceServicer_to_server,
    )
    async with peers.serving(counterparts, adds) as address:
        try:
            yield address
        finally:
            counterparts.gate.set()
            counterparts.files_gate.set()
            counterparts.saving.set()
            counterparts.listing.set()
