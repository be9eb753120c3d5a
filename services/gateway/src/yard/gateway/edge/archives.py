"""Archives as answers: the download of a finished request, and the flow in which one address does all."""

from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from fastapi import Depends, Path, Query, Request, Response
from frameyard.operation.v1 import operation_pb2
from pydantic import BaseModel
from yard.gateway.cvat.numbers import LARGEST_ID
from yard.gateway.edge.objects import Stored, stored_answer
from yard.gateway.edge.paging import Problem
from yard.gateway.upstream.archives import (
    Archive,
    Begin,
    Kind,
    Subject,
    archive_of,
    begun_before,
    update_time,
)
from yard.gateway.upstream.caller import Caller
from yard.runtime import errors

RqId = Annotated[str, Query(max_length=200, description="What the export was answered with.")]
FileName = Annotated[
    str, Query(max_length=255, alias="filename", description="Name to download as; empty: ours.")
]
Location = Annotated[
    Literal["", "local", "cloud_storage"], Query(description="local; there are no cloud storages.")
]
CloudStorage = Annotated[int | None, Query(description="Not supported.")]
TaskId = Annotated[int, Path(ge=1, le=LARGEST_ID, description="Id of the task.")]
JobId = Annotated[int, Path(ge=1, le=LARGEST_ID, description="Id of the job.")]
ProjectId = Annotated[int, Path(ge=1, le=LARGEST_ID, description="Id of the project.")]

OF_EXPORTS: Final = {"file_name": "filename"}
"""Fields of exports and backups as clients name them."""

_BYTES: Final[dict[str, Any]] = {
    "application/octet-stream": {"schema": {"type": "string", "format": "binary"}}
}
DOWNLOAD: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "The archive.", "content": _BYTES},
    206: {"description": "The range that was asked for.", "content": _BYTES},
    304: {"description": "The client has it."},
    307: {"description": "The archive lies at this address for some minutes."},
    416: {"model": Problem, "description": "The range is not in the archive."},
}
IN_STEPS: Final[dict[int | str, dict[str, Any]]] = {
    **DOWNLOAD,
    201: {"description": "The archive is ready: ask with action=download."},
    202: {"description": "The archive is being made: ask again."},
}


class Begun(BaseModel):
    """Long work has begun: ask for it at /api/requests/<rq_id>."""

    rq_id: str


@dataclass(frozen=True, slots=True)
class Steps:
    """What is asked in the older flow, where one address does all."""

    action: Annotated[Literal["", "download"], Query(description="download: send the archive.")] = ""
    file_name: FileName = ""


InSteps = Annotated[Steps, Depends()]


async def only_local(location: Location = "", cloud_storage_id: CloudStorage = None) -> None:
    """Refuses what would go to cloud storages or come from there."""
    if location == "cloud_storage" or cloud_storage_id is not None:
        raise errors.invalid(
            "location", "this installation has no cloud storages; leave it out, or say local"
        )


ONLY_LOCAL: Final = [Depends(only_local)]


async def download(
    request: Request, caller: Caller, subject: Subject, kind: Kind, rq_id: str, file_name: str = ""
) -> Response:
    """The archive of a finished request."""
    archive = await archive_of(caller, subject, kind, rq_id)
    return await stored_answer(request, _stored(archive, file_name))


async def in_steps(
    request: Request, caller: Caller, subject: Subject, kind: Kind, what: str, begin: Begin, steps: Steps
) -> Response:
    """202 while the archive is being made, then 201, and for action=download the archive.

    What was asked for is known by who asks, by `what`, and by when the subject was changed last.
    """
    changed = await update_time(caller, subject)
    wish = f"{kind}\0{subject.name}\0{changed.ToNanoseconds()}\0{what}"
    operation = await begun_before(caller, wish, begin)
    if operation.state == operation_pb2.OPERATION_STATE_CANCELLED:
        raise errors.FailedPrecondition("it was cancelled", reason="CANCELLED")
    if operation.HasField("error"):
        raise errors.from_status(operation.error)
    if operation.state != operation_pb2.OPERATION_STATE_SUCCEEDED:
        return Response(status_code=202)
    if not steps.action:
        return Response(status_code=201)
    return await download(request, caller, subject, kind, operation.name, steps.file_name)


def _stored(archive: Archive, file_name: str) -> Stored:
    return Stored(
        key=archive.key,
        size_bytes=archive.size_bytes,
        sha256=archive.sha256,
        media_type=archive.media_type,
        file_name=file_name or archive.file_name,
    )
