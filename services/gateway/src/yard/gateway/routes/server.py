"""What this server offers: formats, files of shares, extensions."""

import mimetypes
from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Final, Literal

import orjson
from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse
from frameyard.export.v1 import export_service_pb2
from frameyard.media.v1 import share_service_pb2
from pydantic import BaseModel
from yard.gateway.cvat.formats import FormatsRead, formats_read
from yard.gateway.edge.callers import Calling
from yard.gateway.upstream.caller import Caller
from yard.runtime import errors

router = APIRouter(prefix="/server", tags=["server"])

PAGE: Final = 1_000
ARCHIVES: Final = (".zip", ".tar", ".tgz", ".gz", ".bz2", ".xz", ".rar", ".7z")


class FileInfo(BaseModel):
    """A file or folder of a share."""

    name: str
    type: Literal["REG", "DIR"]
    mime_type: str


class Plugins(BaseModel):
    """Which of CVAT's extensions there are."""

    GIT_INTEGRATION: bool
    ANALYTICS: bool
    MODELS: bool
    PREDICT: bool


@router.get("/annotation/formats")
async def list_formats(caller: Calling) -> FormatsRead:
    """Lists the formats that annotations are read from and written to."""
    request = export_service_pb2.ListFormatsRequest()
    return formats_read(await caller.call(caller.services.exports.ListFormats, request))


@router.get("/share", response_model=list[FileInfo])
async def list_share(
    caller: Calling,
    directory: Annotated[
        str, Query(max_length=4096, description="Folder; its first part is the share's name, / lists shares.")
    ] = "/",
    search: Annotated[str, Query(max_length=255, description="Beginning of the names.")] = "",
) -> Response:
    """Lists a folder of a share, folders first; not in pages, but as it is read."""
    share, _, below = directory.strip("/").partition("/")
    if not share:
        answer = await caller.call(caller.services.shares.ListShares, share_service_pb2.ListSharesRequest())
        names = [one.name for one in answer.shares if one.name.startswith(search)]
        return _answer(_once(b"[" + b",".join(_entry(name, is_directory=True) for name in names) + b"]"))
    request = share_service_pb2.ListShareEntriesRequest(
        share=share, directory=below, name_prefix=search, page_size=PAGE
    )
    first = await _page(caller, request)
    return _answer(_pages(caller, request, first))


@router.get("/plugins")
async def list_plugins(_: Calling) -> Plugins:
    """Tells which of CVAT's extensions there are: none."""
    return Plugins(GIT_INTEGRATION=False, ANALYTICS=False, MODELS=False, PREDICT=False)


async def _page(
    caller: Caller, request: share_service_pb2.ListShareEntriesRequest
) -> share_service_pb2.ListShareEntriesResponse:
    try:
        return await caller.call(caller.services.shares.ListShareEntries, request)
    except (errors.NotFound, errors.FailedPrecondition) as fault:
        # Clients of CVAT expect 400 for a folder that is none.
        raise errors.invalid("directory", fault.message) from fault


async def _pages(
    caller: Caller,
    request: share_service_pb2.ListShareEntriesRequest,
    page: share_service_pb2.ListShareEntriesResponse,
) -> AsyncIterator[bytes]:
    opening = b"["
    while True:
        if page.entries:
            yield opening + b",".join(_entries(page))
            opening = b","
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
        page = await _page(caller, request)
    yield b"]" if opening == b"," else b"[]"


def _entries(page: share_service_pb2.ListShareEntriesResponse) -> Iterator[bytes]:
    for entry in page.entries:
        is_directory = entry.kind == share_service_pb2.SHARE_ENTRY_KIND_DIRECTORY
        yield _entry(entry.path.rstrip("/").rpartition("/")[2], is_directory=is_directory)


def _entry(name: str, *, is_directory: bool) -> bytes:
    kind = "DIR" if is_directory else "REG"
    return orjson.dumps({"name": name, "type": kind, "mime_type": "DIR" if is_directory else _mime(name)})


def _mime(name: str) -> str:
    """In CVAT's words: image, video, archive, pdf, unknown."""
    if name.lower().endswith(ARCHIVES):
        return "archive"
    guessed, _ = mimetypes.guess_type(name)
    if guessed == "application/pdf":
        return "pdf"
    kind = (guessed or "").partition("/")[0]
    return kind if kind in ("image", "video") else "unknown"


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content


def _answer(content: AsyncIterator[bytes]) -> Response:
    return StreamingResponse(content, media_type="application/json")
