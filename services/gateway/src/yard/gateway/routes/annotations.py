"""Annotations of tasks and jobs as JSON; frames are numbered as in the task, also those of jobs."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

import orjson
from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.responses import StreamingResponse
from frameyard.annotation.v1 import annotation_service_pb2 as service
from frameyard.annotation.v1.annotation_pb2 import AnnotationSet
from yard.annotations.batch import Batch
from yard.gateway.cvat.annotation_answers import saved_text
from yard.gateway.cvat.annotation_rows import AnnotationText
from yard.gateway.cvat.annotation_values import annotation_set, identified, named_objects, renamed
from yard.gateway.cvat.annotations import LabeledData
from yard.gateway.edge.answers import JsonAnswer
from yard.gateway.edge.archives import IN_STEPS, InSteps, JobId, TaskId
from yard.gateway.edge.callers import Calling
from yard.gateway.edge.failures import body_of
from yard.gateway.edge.forms import read_of
from yard.gateway.edge.objects import ASK_AGAIN, VARIES, is_known
from yard.gateway.edge.paging import Problem
from yard.gateway.routes import imports
from yard.gateway.routes.datasets import Wanted, in_steps
from yard.gateway.upstream.archives import Subject
from yard.gateway.upstream.caller import Caller
from yard.runtime import errors

router = APIRouter(tags=["annotations"])

JSON: Final = "application/json"
SAVE_TIMEOUT_S: Final = 300.0
# With their ids and defaults they must fit into one message.
MOST_AT_ONCE: Final = 32 * 1024 * 1024
_ETAG: Final = re.compile(r'(?:W/)?"(\d+)"')
_OBJECTS: Final[dict[int | str, dict[str, Any]]] = {200: {"model": LabeledData}}
_READ: Final = {**IN_STEPS, 200: IN_STEPS[200] | _OBJECTS[200]}
_SAVED: Final[dict[int | str, dict[str, Any]]] = {
    **_OBJECTS,
    201: {"description": "The older flow: the file has been read."},
    202: {"description": "The older flow: the file is being read."},
    412: {"model": Problem, "description": "If-Match names a revision that is not the present one."},
}
_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {JSON: {"schema": {"$ref": "#/components/schemas/LabeledData"}}},
    }
}

FormatName = Annotated[
    str, Query(alias="format", max_length=100, description="Write them into an archive of this format.")
]


@dataclass(frozen=True, slots=True)
class _OlderImport:
    """A file in place of objects; `rq_id` asks whether it has been read."""

    format: Annotated[str, Query(max_length=100, description="The body is a file of this format.")] = ""
    rq_id: Annotated[str, Query(max_length=200, description="The import to ask for.")] = ""

    async def go_on(self, request: Request, caller: Caller, subject: Subject) -> Response:
        """Tells how far the import is, or takes the file."""
        if self.rq_id:
            return await imports.how_far(caller, subject, self.rq_id)
        begun = await imports.import_file(request, caller, subject, imports.Wish(format=self.format))
        return begun if isinstance(begun, Response) else JsonAnswer(begun.model_dump(), 202)


Older = Annotated[_OlderImport, Depends()]
Action = Annotated[Literal["create", "update", "delete"], Query(description="What becomes of the objects.")]
IfMatch = Annotated[
    str | None, Header(description="ETag that the change is based on; if it is not the present one: 412.")
]


@router.get("/tasks/{task_id}/annotations", responses=_READ, response_class=Response)
async def read_of_task(
    caller: Calling, task_id: TaskId, request: Request, steps: InSteps, format_name: FormatName = ""
) -> Response:
    """All objects of a task, those that its jobs share once; with `format` the older flow of exports."""
    if format_name:
        return await in_steps(request, caller, Subject("tasks", task_id), Wanted(format_name, False), steps)
    return await _read(caller, service.AnnotationTarget(task_id=task_id), request)


@router.get("/jobs/{job_id}/annotations", responses=_READ, response_class=Response)
async def read_of_job(
    caller: Calling, job_id: JobId, request: Request, steps: InSteps, format_name: FormatName = ""
) -> Response:
    """All objects of a job, with the revision as ETag; with `format` the older flow of exports."""
    if format_name:
        return await in_steps(request, caller, Subject("jobs", job_id), Wanted(format_name, False), steps)
    return await _read(caller, service.AnnotationTarget(job_id=job_id), request)


@router.put("/tasks/{task_id}/annotations", responses=_SAVED, response_class=Response, openapi_extra=_BODY)
async def replace_of_task(
    caller: Calling, task_id: TaskId, request: Request, older: Older, if_match: IfMatch = None
) -> Response:
    """Puts these objects in place of all of a task; with `format` the older flow of imports."""
    if older.format:
        return await older.go_on(request, caller, Subject("tasks", task_id))
    return await _replace(caller, service.AnnotationTarget(task_id=task_id), request, if_match)


@router.put("/jobs/{job_id}/annotations", responses=_SAVED, response_class=Response, openapi_extra=_BODY)
async def replace_of_job(
    caller: Calling, job_id: JobId, request: Request, older: Older, if_match: IfMatch = None
) -> Response:
    """Puts these objects in place of all of a job; with `format` the older flow of imports."""
    if older.format:
        return await older.go_on(request, caller, Subject("jobs", job_id))
    return await _replace(caller, service.AnnotationTarget(job_id=job_id), request, if_match)


@router.patch("/tasks/{task_id}/annotations", responses=_SAVED, response_class=Response, openapi_extra=_BODY)
async def change_of_task(
    caller: Calling, task_id: TaskId, request: Request, action: Action, if_match: IfMatch = None
) -> Response:
    """Creates, updates or deletes these objects of a task; answers what was created and updated."""
    return await _change(caller, service.AnnotationTarget(task_id=task_id), request, action, if_match)


@router.patch("/jobs/{job_id}/annotations", responses=_SAVED, response_class=Response, openapi_extra=_BODY)
async def change_of_job(
    caller: Calling, job_id: JobId, request: Request, action: Action, if_match: IfMatch = None
) -> Response:
    """Creates, updates or deletes these objects of a job; answers what was created and updated."""
    return await _change(caller, service.AnnotationTarget(job_id=job_id), request, action, if_match)


@router.delete("/tasks/{task_id}/annotations", status_code=204, response_class=Response)
async def clear_task(caller: Calling, task_id: TaskId) -> Response:
    """Deletes all objects of a task."""
    return await _clear(caller, service.AnnotationTarget(task_id=task_id))


@router.delete("/jobs/{job_id}/annotations", status_code=204, response_class=Response)
async def clear_job(caller: Calling, job_id: JobId) -> Response:
    """Deletes all objects of a job."""
    return await _clear(caller, service.AnnotationTarget(job_id=job_id))


async def _read(caller: Caller, target: service.AnnotationTarget, request: Request) -> Response:
    asked = service.StreamAnnotationsRequest(target=target)
    answers = caller.stream(caller.services.annotations.StreamAnnotations, asked)
    # The first answer is waited for: what is wrong must be said before the answer begins.
    first = await anext(answers)
    headers = {"ETag": f'"{first.revision}"', "Cache-Control": ASK_AGAIN, "Vary": VARIES}
    if is_known(request, headers["ETag"]):
        await answers.aclose()
        return Response(status_code=304, headers=headers)
    return StreamingResponse(_texts(first, answers), media_type=JSON, headers=headers)


async def _replace(
    caller: Caller, target: service.AnnotationTarget, request: Request, if_match: str | None
) -> Response:
    found = await _body(request, annotation_set)
    asked = service.PutAnnotationsRequest(target=target, annotations=found, base_revision=_revision(if_match))
    try:
        answer = await caller.call(
            caller.services.annotations.PutAnnotations, asked, timeout_s=SAVE_TIMEOUT_S
        )
    except errors.InvalidArgument as fault:
        raise renamed(fault) from fault
    except errors.Conflict as fault:
        return _conflict(fault, if_match)
    return await _saved(answer.revision, answer.annotations)


async def _change(
    caller: Caller, target: service.AnnotationTarget, request: Request, action: str, if_match: str | None
) -> Response:
    asked = service.PatchAnnotationsRequest(target=target, base_revision=_revision(if_match))
    found = await _body(request, named_objects if action == "delete" else annotation_set)
    if action == "update":
        created, updated = identified(found)
        asked.create.MergeFrom(created)
        asked.update.MergeFrom(updated)
    else:
        getattr(asked, action).MergeFrom(found)
    try:
        answer = await caller.call(
            caller.services.annotations.PatchAnnotations, asked, timeout_s=SAVE_TIMEOUT_S
        )
    except errors.InvalidArgument as fault:
        raise renamed(fault) from fault
    except errors.Conflict as fault:
        return _conflict(fault, if_match)
    asked.update.MergeFrom(answer.created)
    return await _saved(answer.revision, asked.update)


async def _clear(caller: Caller, target: service.AnnotationTarget) -> Response:
    asked = service.PutAnnotationsRequest(target=target)
    await caller.call(caller.services.annotations.PutAnnotations, asked, timeout_s=SAVE_TIMEOUT_S)
    return Response(status_code=204)


async def _texts(first: service.StreamAnnotationsResponse, answers: Any) -> AsyncIterator[bytes]:
    text = AnnotationText(first.revision)
    async with aclosing(answers):
        if first.HasField("batch"):
            yield await asyncio.to_thread(_fed, text, first)
        async for answer in answers:
            yield await asyncio.to_thread(_fed, text, answer)
    yield text.end()


def _fed(text: AnnotationText, answer: service.StreamAnnotationsResponse) -> bytes:
    return text.feed(Batch.of(answer.batch))


async def _body(request: Request, read: Callable[[Any], AnnotationSet]) -> AnnotationSet:
    found = await read_of(request, read)
    if found.ByteSize() > MOST_AT_ONCE:
        raise errors.invalid("body", "holds too many objects: create them in portions, or import a file")
    return found


async def _saved(revision: int, found: AnnotationSet) -> Response:
    text = await asyncio.to_thread(saved_text, revision, found)
    return Response(text, media_type=JSON, headers={"ETag": f'"{revision}"'})


def _revision(if_match: str | None) -> int | None:
    if if_match is None or if_match.strip() == "*":
        return None
    match = _ETAG.fullmatch(if_match.strip())
    if match is None:
        raise errors.invalid("If-Match", "must be one ETag as answered before")
    return int(match[1])


def _conflict(fault: errors.Conflict, if_match: str | None) -> Response:
    """A revision that is not the present one fails the client's own condition."""
    if if_match is None:
        raise fault
    return Response(orjson.dumps(body_of(fault)), 412, media_type=JSON)
