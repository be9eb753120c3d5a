"""Files from clients, in all the ways that CVAT's clients send them: data, annotations, datasets, backups.

A route that takes files calls `step` and passes on the response if it is one:

    place = Place(caller, f"/api/tasks/{task_id}/annotations", gathers=False)
    handed = await step(request, place)      # after the caller's right was checked
    if isinstance(handed, Response):
        return handed                        # one of the steps before the last: nothing else to do
    upload_id = await handed.finished()      # a finished upload for ImportService, BackupService, TaskService
    handed.fields["format"]                  # what the form or the JSON said besides

and adds `tus.add_routes(router, "/tasks/{task_id}/annotations")`, where its files are addressed.

| request | what it is | answer |
| --- | --- | --- |
| header `Upload-Start` | begin; what an earlier attempt left is dropped | 202 |
| header `Upload-Length` | announce one file by tus | 201, `Location`, `Upload-Filename` |
| header `Upload-Multiple` | a form with many files (`gathers` only) | 200 |
| header `Upload-Finish` | all is there; unless `gathers`, `?filename=` has the told name | `Handed` |
| the same again | nothing was sent since: what was finished is handed over again | `Handed` |
| none of these | everything in one form, or JSON without files | `Handed` |

The gateway keeps nothing of all this: files gather in the caller's upload of the slot that the path names, or
each is an upload by itself, whose id is in the name that `Upload-Filename` tells.
"""

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from fastapi import Request, Response
from frameyard.media.v1 import upload_service_pb2 as uploads
from yard.gateway.edge import forms, tus
from yard.gateway.edge.callers import caller_of
from yard.gateway.edge.intake import Intake, base_name, body_of
from yard.gateway.edge.multipart import parts
from yard.gateway.upstream.caller import Caller
from yard.runtime import errors, ids

NO_MEDIA: Final = "No media data found"


@dataclass(frozen=True, slots=True)
class Place:
    """Where files arrive: `path` as clients see it, /api/tasks/12/data.

    `gathers`: files come together in one upload until they are finished; else each is an upload by itself.
    """

    caller: Caller
    path: str
    gathers: bool

    @property
    def slot(self) -> str:
        """The slot in which files gather: tasks/12/data."""
        return self.path.removeprefix("/api/")


@dataclass(frozen=True, slots=True)
class Handed:
    """All that a client has handed over; `caller` is good for what follows, however long it took.

    `fields` is the JSON body, or the form, in which `name[0]`, `name[1]`... are one list. `indexed` are the
    names of the files of a form by the numbers of their fields, unless they have come in that order.
    """

    caller: Caller
    upload_id: str
    fields: dict[str, Any]
    file_count: int
    indexed: Sequence[str] = field(default=())

    async def finished(self, order: Sequence[str] = ()) -> str:
        """Id of the upload, closed, with its files in this order; InvalidArgument if there are no files."""
        if not self.file_count:
            raise errors.InvalidArgument(NO_MEDIA, reason="NO_FILES")
        request = uploads.FinishUploadRequest(id=self.upload_id, order=order or self.indexed)
        await self.caller.call(self.caller.services.uploads.FinishUpload, request)
        return self.upload_id


async def step(request: Request, place: Place) -> Response | Handed:
    """One request of those in the table above."""
    headers = request.headers
    starts, finishes = "upload-start" in headers, "upload-finish" in headers
    if "upload-length" in headers or "upload-defer-length" in headers:
        return await tus.create(request, place.caller, place.path, lambda: _gathering(place))
    if starts and not finishes:
        return await _start(place)
    if "upload-multiple" in headers:
        return await _multiple(request, place)
    if finishes and not starts:
        return await _finish(request, place)
    return await _single(request, place)


async def opened(caller: Caller, slot: str) -> uploads.Upload:
    """The caller's open upload in a slot."""
    request = uploads.CreateUploadRequest(slot=slot)
    return (await caller.call(caller.services.uploads.CreateUpload, request)).upload


async def last_in(place: Place) -> uploads.Upload | None:
    """The caller's upload of a place that gathers, with one of its files: the open one, else the last."""
    request = uploads.GetUploadRequest(slot=place.slot, page_size=1)
    try:
        return (await place.caller.call(place.caller.services.uploads.GetUpload, request)).upload
    except errors.NotFound:
        return None


async def finished_before(request: Request, place: Place) -> bool:
    """Whether it asks to finish what this caller has finished there before."""
    if "upload-finish" not in request.headers or "upload-start" in request.headers:
        return False
    last = await last_in(place)
    return last is not None and last.state == uploads.UPLOAD_STATE_FINISHED


async def _gathering(place: Place) -> uploads.Upload | None:
    """Where the next file of tus goes; None: into an upload of its own."""
    return await opened(place.caller, place.slot) if place.gathers else None


async def _start(place: Place) -> Response:
    if place.gathers:
        left = await opened(place.caller, place.slot)
        if left.files:
            gone = uploads.DeleteUploadRequest(id=left.id)
            await place.caller.call(place.caller.services.uploads.DeleteUpload, gone)
    return Response(status_code=202)


async def _multiple(request: Request, place: Place) -> Response:
    if not place.gathers:
        raise errors.invalid("Upload-Multiple", "one file only comes here: send it by tus or in one request")
    upload = await opened(place.caller, place.slot)
    await _take_form(request, upload.id)
    return Response(status_code=200)


async def _finish(request: Request, place: Place) -> Handed:
    if not place.gathers:
        upload_id = upload_of_name(request.query_params.get("filename", ""))
        return Handed(place.caller, upload_id, await forms.fields_of(request), 1)
    if forms.has_parts(request):
        upload = await opened(place.caller, place.slot)
        taken = await _take_form(request, upload.id)
        count = len(upload.files) + taken.file_count
        return Handed(await caller_of(request), upload.id, taken.fields, count)
    last = await last_in(place) or uploads.Upload()
    return Handed(place.caller, last.id, await forms.fields_of(request), len(last.files))


async def _single(request: Request, place: Place) -> Handed:
    """Everything in one request: an upload of its own, so that a repeat begins anew."""
    if not forms.has_parts(request):
        return Handed(place.caller, "", await forms.fields_of(request), 0)
    upload = await opened(place.caller, f"{place.slot}/{ids.uuid7()}")
    try:
        taken = await _take_form(request, upload.id)
    except errors.YardError:
        gone = uploads.DeleteUploadRequest(id=upload.id)
        with suppress(errors.YardError):  # nobody can go on with it, and it ends by itself in a day
            await place.caller.call(place.caller.services.uploads.DeleteUpload, gone)
        raise
    return Handed(await caller_of(request), upload.id, taken.fields, taken.file_count, taken.indexed)


@dataclass(slots=True)
class _Taken:
    fields: dict[str, Any]
    file_count: int
    indexed: Sequence[str]


async def _take_form(request: Request, upload_id: str) -> _Taken:
    intake, form, order = Intake(lambda: caller_of(request), upload_id), forms.Form(), _Order()
    count = 0
    content_type = request.headers.get("content-type", "")
    async for part in parts(content_type, body_of(request)):
        if part.file_name is None:
            await form.take(part.field, part.content)
            continue
        count += 1
        name = base_name(part.file_name, part.field)
        order.note(part.field, name)
        await intake.take(name, part.content)
    await intake.flush()
    return _Taken(form.fields(), count, order.names())


class _Order:
    """The numbers in `client_files[7]`: what is asked for where no other order is told."""

    _number = re.compile(r".*\[(\d{1,9})\]", re.DOTALL)

    def __init__(self) -> None:
        self._seen: list[tuple[int, str]] = []

    def note(self, field_name: str, name: str) -> None:
        """The next file."""
        match = self._number.fullmatch(field_name)
        self._seen.append((int(match[1]) if match else len(self._seen), name))

    def names(self) -> Sequence[str]:
        """By number; empty if they have come so."""
        ordered = sorted(self._seen, key=lambda pair: pair[0])
        return [name for _, name in ordered] if ordered != self._seen else ()


def upload_of_name(name: str) -> str:
    """The upload that the told name of a file names; InvalidArgument if it was not told so."""
    try:
        return str(UUID(name[:36]))
    except ValueError as fault:
        raise errors.invalid(
            "filename", "must be the name that the header Upload-Filename told when the file was announced"
        ) from fault
