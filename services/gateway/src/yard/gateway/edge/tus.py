"""The tus protocol, version 1.0: files in pieces, and on from where they were cut (https://tus.io).

The address of a file is all there is to know of it: its upload, its number there and its length. A file that
was taken back, or announced again with another length, is not found any more.
"""

import base64
import binascii
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any, Final
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request, Response
from frameyard.media.v1 import upload_service_pb2 as uploads
from starlette.convertors import Convertor, register_url_convertor
from yard.gateway.edge import failures, file_headers
from yard.gateway.edge.answers import JsonAnswer
from yard.gateway.edge.callers import Calling
from yard.gateway.edge.intake import add_file, base_name, body_of, send_bytes
from yard.gateway.edge.paging import Problem
from yard.gateway.upstream.caller import Caller
from yard.runtime import errors, ids

VERSION: Final = failures.TUS_VERSION
EXTENSIONS: Final = "creation,termination"
BYTES: Final = "application/offset+octet-stream"

_SHOWN: Final = " !#$&'()+,-.;=@[]^_`{}~"
_WHOLE = re.compile(r"\d{1,18}")
_SUFFIX = re.compile(r"(\.[A-Za-z0-9]{1,8}){1,2}\Z")


class _InPath(Convertor[str]):
    """Tells addresses of files from other things below the same path."""

    regex = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.\d{1,7}\.\d{1,18}"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("uploaded", _InPath())


@dataclass(frozen=True, slots=True)
class Address:
    """Where a file is: `<upload>.<number>.<length>`."""

    upload_id: str
    number: int
    size_bytes: int

    def __str__(self) -> str:
        return f"{self.upload_id}.{self.number}.{self.size_bytes}"


async def _address_of(file: str) -> Address:
    """The file that the path names."""
    upload_id, number, size = file.split(".")
    return Address(upload_id, int(number), int(size))


Addressed = Annotated[Address, Depends(_address_of)]

_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    409: {"model": Problem, "description": "Not the offset that has come; Upload-Offset tells it."},
    412: {"model": Problem, "description": file_headers.OTHER_VERSION},
    413: {"model": Problem, "description": "More than was announced, or than a file may have."},
    415: {"model": Problem, "description": f"The body is not {BYTES}."},
}


def add_routes(router: APIRouter, path: str) -> None:
    """Serves the files that are announced at `path`, below it; who announced a file may send it."""
    options: dict[str, Any] = {"status_code": 204, "response_class": Response, "responses": _ANSWERS}
    name = (router.prefix + path).replace("{", "").replace("}", "").strip("/").replace("/", "_")
    file = path + "/{file:uploaded}"
    router.add_api_route(
        file, _append, methods=["PATCH"], operation_id=f"tus_append_{name}", openapi_extra=_BODY, **options
    )
    router.add_api_route(
        file, _tell, methods=["HEAD"], operation_id=f"tus_tell_{name}", **options | {"status_code": 200}
    )
    router.add_api_route(
        file, _take_back, methods=["DELETE"], operation_id=f"tus_take_back_{name}", **options
    )
    router.add_api_route(path, _able, methods=["OPTIONS"], operation_id=f"tus_able_{name}", **options)


_BODY: Final[dict[str, Any]] = {
    "parameters": [file_headers.OFFSET, file_headers.VERSION],
    "requestBody": {
        "required": True,
        "content": {BYTES: {"schema": {"type": "string", "format": "binary"}}},
    },
}


async def create(
    request: Request,
    caller: Caller,
    path: str,
    gathering: Callable[[], Awaitable[uploads.Upload | None]],
) -> Response:
    """Announces a file: 201 with its address and the name by which it is known here."""
    if (refused := _other_version(request)) is not None:
        return refused
    length = _number(request, "Upload-Length")
    name = _file_name(request)
    upload = await gathering()
    try:
        if upload is None:
            upload_id, file = await _alone(caller, name, length)
            told = upload_id + _suffix(name)
        else:
            upload_id, file, told = upload.id, await _among_others(caller, upload, name, length), name
    except errors.InvalidArgument as fault:
        if any(violation.description.startswith("size_bytes") for violation in fault.violations):
            return _refusal(413, str(fault), "TOO_LARGE")
        raise
    address = Address(upload_id, file.number, length)
    return Response(
        status_code=201,
        headers=_headers()
        | {"Location": f"{caller.base_url}{path}/{address}", "Upload-Filename": quote(told, safe=_SHOWN)},
    )


async def _alone(caller: Caller, name: str, length: int) -> tuple[str, uploads.UploadFile]:
    """A file that is an upload by itself."""
    new = uploads.NewUploadFile(name=name, size_bytes=length)
    request = uploads.CreateUploadRequest(files=[new])
    try:
        upload = (await caller.call(caller.services.uploads.CreateUpload, request)).upload
    except errors.InvalidArgument as fault:
        violations = [
            errors.Violation(name, f"{violation.field.rpartition('.')[2]} {violation.description}")
            for violation in fault.violations
        ]
        raise errors.InvalidArgument(violations=violations) from fault
    return upload.id, upload.files[0]


async def _among_others(caller: Caller, upload: uploads.Upload, name: str, length: int) -> uploads.UploadFile:
    """A file of the open upload."""
    return await add_file(caller, upload.id, uploads.NewUploadFile(name=name, size_bytes=length))


async def _append(request: Request, caller: Calling, address: Addressed) -> Response:
    """Takes bytes of a file from Upload-Offset on; what has come when a connection breaks is kept."""
    refused = _other_version(request)
    if refused is not None:
        return refused
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != BYTES:
        return _refusal(415, f"the body must be {BYTES}", "CONTENT_TYPE")
    offset = _number(request, "Upload-Offset")
    file = await _found(caller, address)
    refused = _misplaced(request, file, offset)
    if refused is not None:
        return refused
    if offset < file.size_bytes:
        header = uploads.UploadFileHeader(
            upload_id=address.upload_id, file_number=address.number, offset=offset
        )
        try:
            file = await send_bytes(caller, header, body_of(request))
        except (errors.OutOfRange, errors.Conflict) as fault:
            now = await _found(caller, address)
            return _refusal(409, fault.message, fault.reason, {"Upload-Offset": str(now.received_bytes)})
    return Response(status_code=204, headers=_headers() | {"Upload-Offset": str(file.received_bytes)})


def _misplaced(request: Request, file: uploads.UploadFile, offset: int) -> Response | None:
    """What is wrong with the place of the bytes; they are not read then."""
    if offset != file.received_bytes:
        return _refusal(
            409,
            f"{file.name}: expected offset {file.received_bytes}, got {offset}",
            "UPLOAD_OFFSET",
            {"Upload-Offset": str(file.received_bytes)},
        )
    length = request.headers.get("content-length", "0")
    if offset + int(length if _WHOLE.fullmatch(length) else 0) > file.size_bytes:
        return _refusal(413, f"{file.name} was announced with {file.size_bytes} bytes", "TOO_LARGE")
    return None


async def _tell(request: Request, caller: Calling, address: Addressed) -> Response:
    """Tells how much of a file has come."""
    if (refused := _other_version(request)) is not None:
        return refused
    file = await _found(caller, address)
    offsets = {"Upload-Offset": str(file.received_bytes), "Upload-Length": str(file.size_bytes)}
    return Response(status_code=200, headers=_headers() | offsets)


async def _take_back(request: Request, caller: Calling, address: Addressed) -> Response:
    """Takes a file back; other files of its upload stay."""
    if (refused := _other_version(request)) is not None:
        return refused
    await _found(caller, address)
    asked = uploads.GetUploadRequest(id=address.upload_id, page_size=1)
    upload = (await caller.call(caller.services.uploads.GetUpload, asked)).upload
    if upload.slot:
        one = uploads.RemoveUploadFileRequest(upload_id=address.upload_id, file_number=address.number)
        await caller.call(caller.services.uploads.RemoveUploadFile, one)
    else:
        gone = uploads.DeleteUploadRequest(id=address.upload_id)
        await caller.call(caller.services.uploads.DeleteUpload, gone)
    return Response(status_code=204, headers=_headers())


async def _able() -> Response:
    """Tells what of tus is spoken here."""
    return Response(
        status_code=204, headers=_headers() | {"Tus-Version": VERSION, "Tus-Extension": EXTENSIONS}
    )


async def _found(caller: Caller, address: Address) -> uploads.UploadFile:
    asked = uploads.GetUploadFileRequest(upload_id=address.upload_id, file_number=address.number)
    file = (await caller.call(caller.services.uploads.GetUploadFile, asked)).file
    if file.size_bytes != address.size_bytes:
        raise errors.NotFound("upload", address)
    return file


def _other_version(request: Request) -> Response | None:
    """The refusal of another version of tus; some clients of CVAT do not tell theirs."""
    if request.headers.get("tus-resumable", VERSION) == VERSION:
        return None
    return _refusal(412, f"this server speaks tus {VERSION}", "TUS_VERSION", {"Tus-Version": VERSION})


def _number(request: Request, header: str) -> int:
    text = request.headers.get(header, "")
    if not _WHOLE.fullmatch(text):
        raise errors.invalid(header, f"must be a whole number, got {text[:40]!r}")
    return int(text)


def _file_name(request: Request) -> str:
    """The name in Upload-Metadata; one that is made up if there is none."""
    for pair in request.headers.get("upload-metadata", "").split(","):
        key, _, value = pair.strip().partition(" ")
        if key == "filename":
            try:
                return base_name(base64.b64decode(value.strip(), validate=True).decode(), "filename")
            except (binascii.Error, UnicodeDecodeError) as fault:
                raise errors.invalid("Upload-Metadata", "must have values in base64 of UTF-8") from fault
    return f"file-{ids.uuid7()}"


def _suffix(name: str) -> str:
    """The end of a name as far as it may be shown in headers and queries: .tar.gz."""
    match = _SUFFIX.search(name)
    return match[0] if match else ""


def _refusal(status: int, message: str, code: str, headers: dict[str, str] | None = None) -> Response:
    return JsonAnswer({"detail": message, "code": code}, status, _headers() | (headers or {}))


def _headers() -> dict[str, str]:
    return {"Tus-Resumable": VERSION, "Cache-Control": "no-store"}
