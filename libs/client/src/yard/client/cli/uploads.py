"""Uploads by themselves: to begin, to go on after a cut, to attach later."""

import asyncio
import shlex
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import click
from frameyard.media.v1 import upload_service_pb2 as service
from yard.client import uploads
from yard.client.cli.context import Call, command
from yard.client.cli.parameters import direct_option, examples
from yard.client.failures import ClientError

CAN_GO_ON = frozenset({"UNAVAILABLE", "DEADLINE_EXCEEDED", "UNAUTHENTICATED", "CANCELLED", "ABORTED"})
"""Faults after which what has arrived is still of use."""


def add_to(main: click.Group) -> None:
    """Adds the commands of this module."""
    main.add_command(upload)


@click.group()
def upload() -> None:
    """Files of this machine, before a task takes them: see frameyard task attach."""


@upload.command(epilog=examples("frameyard upload create street.mp4", "frameyard upload create photos/"))
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@direct_option
@command
async def create(call: Call, paths: tuple[Path, ...], direct: bool) -> None:
    """Upload files and directories; prints the id."""
    files = await asyncio.to_thread(uploads.local_files, paths)
    upload_id = await uploads.create(call.client, files)
    await send(call, upload_id, files, _again(upload_id, paths), direct=direct)
    await _print(call, upload_id)


@upload.command(epilog=examples("frameyard upload resume 0197f2f0-7c3e-7d8b-9a45-2f0c0d9b6c11 street.mp4"))
@click.argument("upload_id")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@direct_option
@command
async def resume(call: Call, upload_id: str, paths: tuple[Path, ...], direct: bool) -> None:
    """Send what an upload of the same files still lacks."""
    files = await asyncio.to_thread(uploads.local_files, paths)
    await send(call, upload_id, files, _again(upload_id, paths), direct=direct)
    await _print(call, upload_id)


@upload.command()
@click.argument("upload_id")
@command
async def show(call: Call, upload_id: str) -> None:
    """List the files of an upload and how much of them has arrived."""
    columns = ("file", "bytes", "received")
    await call.out.table(columns, _files(call, upload_id), lambda f: (f.name, f.size_bytes, f.received_bytes))


@upload.command()
@click.argument("upload_id")
@command
async def delete(call: Call, upload_id: str) -> None:
    """Drop an upload and its bytes."""
    await call.client.call(call.client.uploads.DeleteUpload, service.DeleteUploadRequest(id=upload_id))
    call.out.note(f"upload {upload_id} is deleted")


async def send(
    call: Call, upload_id: str, files: Sequence[uploads.LocalFile], go_on: str, *, direct: bool
) -> None:
    """Sends what is missing, with a bar; says how to go on if it is cut or interrupted."""
    if direct:
        go_on += " (with --direct or without it)"
    try:
        with call.out.bytes("uploading", sum(file.size_bytes for file in files)) as on_bytes:
            await uploads.resume(call.client, upload_id, files, on_bytes, direct=direct)
    except asyncio.CancelledError:
        call.out.note(f"to go on: {go_on}")
        raise
    except ClientError as fault:
        if fault.code not in CAN_GO_ON:
            raise
        hint = f"to go on: {go_on}"
        raise ClientError(fault.message, code=fault.code, violations=fault.violations, hint=hint) from fault


def _again(upload_id: str, paths: Sequence[Path]) -> str:
    return f"frameyard upload resume {upload_id} {shlex.join(map(str, paths))}"


async def _print(call: Call, upload_id: str) -> None:
    request = service.GetUploadRequest(id=upload_id)
    found = (await call.client.call(call.client.uploads.GetUpload, request)).upload
    call.out.message(found, f"upload {found.id}")


async def _files(call: Call, upload_id: str) -> AsyncIterator[Sequence[service.UploadFile]]:
    request = service.GetUploadRequest(id=upload_id)
    while True:
        page = await call.client.call(call.client.uploads.GetUpload, request)
        yield page.upload.files
        request.page_token = page.next_page_token
        if not page.next_page_token:
            return
