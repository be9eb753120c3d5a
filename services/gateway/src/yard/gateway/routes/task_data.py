"""Media for tasks: files that clients send, and those that they name."""

from typing import Any, Final

from fastapi import APIRouter, Request, Response
from frameyard.media.v1 import media_pb2, share_service_pb2
from frameyard.operation.v1 import operation_service_pb2
from frameyard.task.v1 import task_service_pb2
from yard.gateway.cvat import data
from yard.gateway.edge import file_headers, tus
from yard.gateway.edge.callers import Calling
from yard.gateway.edge.paging import Problem
from yard.gateway.edge.seeing import TaskId
from yard.gateway.edge.uploading import NO_MEDIA, Handed, Place, finished_before, step
from yard.gateway.upstream.caller import Caller
from yard.gateway.upstream.tasks import get_task
from yard.runtime import errors

router = APIRouter(prefix="/tasks", tags=["data"])

PATH: Final = "/{task_id}/data"
WITH_MEDIA: Final = (media_pb2.MEDIA_STATE_INDEXING, media_pb2.MEDIA_STATE_READY)

_JSON: Final = {"schema": data.DataRequest.model_json_schema(ref_template="#/components/schemas/{model}")}
_FORM: Final = {
    "schema": {
        "type": "object",
        "description": "The fields of the JSON form, and files as client_files[0], client_files[1], ...",
        "additionalProperties": True,
    }
}
_BODY: Final[dict[str, Any]] = {
    "parameters": [*file_headers.OF_FILES, file_headers.MANY],
    "requestBody": {"content": {"application/json": _JSON, "multipart/form-data": _FORM}},
}


@router.post(
    PATH,
    status_code=202,
    response_model=data.RequestId,
    openapi_extra=_BODY,
    responses={
        200: {"description": "Upload-Multiple: the files are stored."},
        201: {"description": "Upload-Length: the file is announced; Location is where it goes."},
        412: {"model": Problem, "description": file_headers.OTHER_VERSION},
    },
)
async def attach_data(request: Request, caller: Calling, task_id: TaskId) -> Response | data.RequestId:
    """Takes files for a task, in one request or in steps, and makes its media of them."""
    task = await get_task(caller, task_id)
    place = Place(caller, f"/api/tasks/{task_id}/data", gathers=True)
    if task.media_state in WITH_MEDIA:
        if await finished_before(request, place):  # the answer was lost
            return data.RequestId(rq_id=task.media_operation)
        raise errors.FailedPrecondition("Adding more data is not supported", reason="TASK_HAS_DATA")
    handed = await step(request, place)
    if isinstance(handed, Response):
        return handed
    return await _attached(task_id, handed)


@router.get("/{task_id}/status")
async def read_status(caller: Calling, task_id: TaskId) -> data.TaskStatus:
    """Tells how far a task's media is, for clients that know no requests."""
    task = await get_task(caller, task_id)
    if task.media_state != media_pb2.MEDIA_STATE_INDEXING:
        return data.ended_status(task)
    request = operation_service_pb2.GetOperationRequest(name=task.media_operation)
    try:
        answer = await caller.call(caller.services.operations["task"].GetOperation, request)
    except errors.NotFound:  # it is somebody else's, who attached the media
        return data.TaskStatus(state="Started")
    return data.running_status(answer.operation)


async def _attached(task_id: int, handed: Handed) -> data.RequestId:
    caller = handed.caller
    asked = data.data_request(handed.fields)
    sources = await _named_sources(caller, asked)
    if handed.file_count:
        sources.insert(0, data.upload_source(await _finished(handed, asked)))
    if not sources:
        raise errors.InvalidArgument(NO_MEDIA, reason="NO_FILES")
    request = task_service_pb2.AttachMediaRequest(task_id=task_id, data=data.data_spec(asked, sources))
    try:
        answer = await caller.call(caller.services.tasks.AttachMedia, request)
    except errors.InvalidArgument as fault:
        raise data.in_words_of_clients(fault) from fault
    return data.RequestId(rq_id=answer.operation.name)


async def _finished(handed: Handed, asked: data.DataRequest) -> str:
    """The upload with its files in the order that the client wants."""
    order = asked.upload_file_order if asked.sorting_method == "predefined" else ()
    try:
        return await handed.finished(order)
    except errors.InvalidArgument as fault:
        raise data.in_words_of_clients(fault) from fault


async def _named_sources(caller: Caller, asked: data.DataRequest) -> list[media_pb2.MediaSource]:
    sources = []
    if asked.server_files:
        request = share_service_pb2.ListSharesRequest()
        shares = (await caller.call(caller.services.shares.ListShares, request)).shares
        sources += data.share_sources(asked, [share.name for share in shares])
    if asked.remote_files:
        sources.append(data.remote_source(asked.remote_files))
    return sources


tus.add_routes(router, PATH)
