"""What a task's media is made of and how, as CVAT's clients say it."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from frameyard.media.v1 import media_pb2
from frameyard.operation.v1 import operation_pb2
from frameyard.task.v1 import task_pb2
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from yard.runtime import errors

SORTING: Final = {
    "lexicographical": media_pb2.SORTING_METHOD_LEXICOGRAPHICAL,
    "natural": media_pb2.SORTING_METHOD_NATURAL,
    "predefined": media_pb2.SORTING_METHOD_PREDEFINED,
    "random": media_pb2.SORTING_METHOD_RANDOM,
}
# What CVAT's clients may ask for and nobody here can do; an empty value asks for nothing.
UNSUPPORTED: Final = {
    "job_file_mapping": "jobs are cut by segment size and overlap, not by lists of files",
    "validation_params": "there are no ground truth jobs and no honeypots",
    "cloud_storage_id": "there are no cloud storages: connect a share",
    "filename_pattern": "there are no patterns of names: name folders, and what is to be left out",
}
_STEP = re.compile(r"step\s*=\s*([1-9]\d{0,17})")


class DataRequest(BaseModel):
    """Parameters of a task's data; files come beside them, or are named in `server_files`, `remote_files`."""

    model_config = ConfigDict(extra="ignore")

    image_quality: int = Field(70, ge=0, le=100)
    chunk_size: int | None = Field(None, ge=1, le=2**31 - 1, description="Frames a chunk.")
    start_frame: int | None = Field(None, ge=0, le=2**53)
    stop_frame: int | None = Field(None, ge=0, le=2**53, description="The last frame, included.")
    frame_filter: str | None = Field(None, description="step=N: every N frames.")
    sorting_method: Literal["lexicographical", "natural", "predefined", "random"] = "lexicographical"
    use_zip_chunks: bool = False
    use_cache: bool = False
    copy_data: bool = False
    upload_file_order: list[str] = []
    server_files: list[str] = Field([], description="Paths in shares: <share>/<folder>/<file>.")
    server_files_exclude: list[str] = []
    remote_files: list[str] = Field([], description="http and https addresses.")

    @field_validator(
        "upload_file_order", "server_files", "server_files_exclude", "remote_files", mode="before"
    )
    @classmethod
    def _one_is_a_list(cls, value: Any) -> Any:
        """Forms name a list with one entry as if it were that entry."""
        return [value] if isinstance(value, str) else value


class RequestId(BaseModel):
    """Long work has begun: ask for it at /api/requests/<rq_id>."""

    rq_id: str


class TaskStatus(BaseModel):
    """How far a task's media is."""

    state: Literal["Queued", "Started", "Finished", "Failed"]
    message: str = ""
    progress: float = 0.0


def ended_status(task: task_pb2.Task) -> TaskStatus:
    """Of a task whose media is not being made; one without media counts as finished, as in CVAT."""
    if task.media_state == media_pb2.MEDIA_STATE_FAILED:
        return TaskStatus(state="Failed", message=errors.from_status(task.media_error).message)
    return TaskStatus(state="Finished", progress=1.0 if task.size else 0.0)


def running_status(operation: operation_pb2.Operation) -> TaskStatus:
    """Of media that is being made."""
    is_queued = operation.state == operation_pb2.OPERATION_STATE_QUEUED
    return TaskStatus(
        state="Queued" if is_queued else "Started", message=operation.message, progress=operation.progress
    )


def data_request(fields: Mapping[str, Any]) -> DataRequest:
    """The parameters in a form or JSON; InvalidArgument with all that is wrong or cannot be done."""
    given = {name: value for name, value in fields.items() if value not in (None, "")}
    faults = [errors.Violation(name, why) for name, why in UNSUPPORTED.items() if given.get(name)]
    try:
        request = DataRequest.model_validate(given)
    except ValidationError as fault:
        wrong = (
            errors.Violation(".".join(map(str, error["loc"])), str(error["msg"])) for error in fault.errors()
        )
        raise errors.InvalidArgument(violations=[*wrong, *faults]) from fault
    if request.frame_filter and not _STEP.search(request.frame_filter):
        faults.append(errors.Violation("frame_filter", f"must be step=N, got {request.frame_filter[:80]!r}"))
    if faults:
        raise errors.InvalidArgument(violations=faults)
    return request


def data_spec(request: DataRequest, sources: Sequence[media_pb2.MediaSource]) -> media_pb2.DataSpec:
    """The same in our words."""
    step = _STEP.search(request.frame_filter or "")
    return media_pb2.DataSpec(
        sources=sources,
        image_quality=request.image_quality,
        start_frame=request.start_frame,
        stop_frame=request.stop_frame,
        frame_step=int(step[1]) if step else None,
        chunk_size=request.chunk_size,
        use_zip_chunks=request.use_zip_chunks,
        use_cache=request.use_cache,
        sorting=SORTING[request.sorting_method],
        copy_data=request.copy_data,
    )


def share_sources(request: DataRequest, shares: Sequence[str]) -> list[media_pb2.MediaSource]:
    """The named paths by share: the first folder is the share's name, or left out where there is only one."""
    faults: list[errors.Violation] = []
    paths = _by_share("server_files", request.server_files, shares, faults)
    excluded = _by_share("server_files_exclude", request.server_files_exclude, shares, faults)
    if faults:
        raise errors.InvalidArgument(violations=faults)
    return [
        media_pb2.MediaSource(
            share=media_pb2.ShareSource(share=share, paths=named, exclude=excluded.get(share, ()))
        )
        for share, named in paths.items()
    ]


def _by_share(
    field: str, named: Sequence[str], shares: Sequence[str], faults: list[errors.Violation]
) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for number, given in enumerate(named):
        share, path = _in_share(given.lstrip("/"), shares)
        if not path:
            faults.append(errors.Violation(f"{field}.{number}", f"{given[:80]!r} is in no share"))
        found.setdefault(share, []).append(path)
    return found


def _in_share(path: str, shares: Sequence[str]) -> tuple[str, str]:
    share, _, rest = path.partition("/")
    if share in shares:
        return share, rest or "/"
    return (shares[0], path) if len(shares) == 1 else ("", "")


def remote_source(urls: Sequence[str]) -> media_pb2.MediaSource:
    """Files at addresses."""
    return media_pb2.MediaSource(remote=media_pb2.RemoteSource(urls=urls))


def upload_source(upload_id: str) -> media_pb2.MediaSource:
    """Files that were sent here."""
    return media_pb2.MediaSource(upload=media_pb2.UploadSource(upload_id=upload_id))


def in_words_of_clients(fault: errors.InvalidArgument) -> errors.InvalidArgument:
    """The same faults with the names that clients gave the fields."""
    return errors.InvalidArgument(
        fault.message,
        [errors.Violation(_field(violation.field), violation.description) for violation in fault.violations],
        reason=fault.reason,
    )


def _field(path: str) -> str:
    name = path.removeprefix("data.")
    if ".remote.urls" in name:
        return "remote_files" + name.partition(".urls")[2]
    if name.startswith("order"):
        return f"upload_file_{name}"
    if ".share." in name:
        return "server_files"
    return "frame_filter" if name == "frame_step" else name
