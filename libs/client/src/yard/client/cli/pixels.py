"""Chunks, frames and previews into files."""

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from pathlib import Path

import click
from frameyard.chunk.v1 import chunk_service_pb2 as service
from frameyard.media.v1 import media_pb2
from yard.client.cli.context import Call, command
from yard.client.cli.parameters import NUMBER, Choice, Target, examples, target
from yard.client.cli.saving import Saving, extension_of, where, write_frame
from yard.client.files import PartialFile
from yard.client.pixels import Pixels

_NUMBERS = click.argument("numbers", nargs=-1, required=True, type=NUMBER)
_ORIGINAL = click.option("--original", is_flag=True, help="Not compressed by the task's image quality.")
_BATCH = 1000


def add_to(main: click.Group) -> None:
    """Adds the commands of this module."""
    for group in (chunk, frame, preview):
        main.add_command(group)


@click.group()
def chunk() -> None:
    """Chunks: consecutive frames in one file."""


@click.group()
def frame() -> None:
    """Single frames, by their number in the task."""


@click.group()
def preview() -> None:
    """Small pictures of frames."""


@chunk.command(
    "get",
    epilog=examples(
        "frameyard chunk get --task 5 0 -o first.zip",
        "frameyard chunk get --job 12 3 4 --format mp4 -o chunks/",
    ),
)
@_NUMBERS
@target
@where
@_ORIGINAL
@click.option("--format", "form", type=Choice(media_pb2.ChunkFormat, "CHUNK_FORMAT_"), help="Of the file.")
@command
async def get_chunk(
    call: Call,
    numbers: Sequence[int],
    target: Target,
    form: media_pb2.ChunkFormat.ValueType | None,
    original: bool,
    output: Path | None,
    force: bool,
) -> None:
    """Download chunks by number: a zip of JPEGs or an mp4 each."""
    pixels = _pixels(call, target)
    wanted = media_pb2.CHUNK_FORMAT_UNSPECIFIED if form is None else form

    async def fetch(number: int, partial: PartialFile) -> str:
        return extension_of(
            (await pixels.chunk(number, partial, quality=_quality(original), form=wanted)).format
        )

    await Saving(stem=f"{target.name}-chunk", output=output, force=force).run(call, numbers, fetch)


@chunk.command("status", epilog=examples("frameyard chunk status --task 5"))
@target
@command
async def status(call: Call, target: Target) -> None:
    """Show how many chunks there are and how many are built."""
    grant = await _pixels(call, target).grant()
    request = service.GetBuildStatusRequest(media_id=grant.media_id, grant=grant.grant)
    found = await call.client.call(call.client.chunks.GetBuildStatus, request)
    built = f"{found.built_count} of {found.chunk_count} chunks of {found.chunk_size} frames are built"
    call.out.message(
        found, built, "others are built when asked for" if found.use_cache else f"built by {found.operation}"
    )


@frame.command(
    "get",
    epilog=examples(
        "frameyard frame get --task 5 123", "frameyard frame get --job 12 123 --original -o frame.png"
    ),
)
@_NUMBERS
@target
@where
@_ORIGINAL
@click.option("--format", "form", type=Choice(service.FrameFormat, "FRAME_FORMAT_"), help="Of the file.")
@command
async def get_frame(
    call: Call,
    numbers: Sequence[int],
    target: Target,
    form: service.FrameFormat.ValueType | None,
    original: bool,
    output: Path | None,
    force: bool,
) -> None:
    """Download frames by number."""
    pixels = _pixels(call, target)
    wanted = service.FRAME_FORMAT_UNSPECIFIED if form is None else form

    async def fetch(number: int, partial: PartialFile) -> str:
        return write_frame(await pixels.frame(number, quality=_quality(original), form=wanted), partial)

    await Saving(stem=f"{target.name}-frame", output=output, force=force).run(call, numbers, fetch)


@frame.command("list", epilog=examples("frameyard frame list --job 12"))
@target
@command
async def list_frames(call: Call, target: Target) -> None:
    """List names and sizes of frames."""
    columns = ("frame", "name", "size", "source frame")
    await call.out.table(
        columns,
        _batches(_pixels(call, target)),
        lambda info: (info.frame, info.name, f"{info.width}x{info.height}", info.source_frame),
    )


@preview.command("get", epilog=examples("frameyard preview get --task 5 0"))
@_NUMBERS
@target
@where
@command
async def get_preview(
    call: Call, numbers: Sequence[int], target: Target, output: Path | None, force: bool
) -> None:
    """Download JPEGs that fit into 256 x 256 pixels."""
    pixels = _pixels(call, target)

    async def fetch(number: int, partial: PartialFile) -> str:
        return write_frame(await pixels.preview(number), partial)

    await Saving(stem=f"{target.name}-preview", output=output, force=force).run(call, numbers, fetch)


def _pixels(call: Call, target: Target) -> Pixels:
    return Pixels(call.client, task_id=target.task_id, job_id=target.job_id)


def _quality(original: bool) -> service.Quality.ValueType:
    return service.QUALITY_ORIGINAL if original else service.QUALITY_COMPRESSED


async def _batches(pixels: Pixels) -> AsyncIterator[Sequence[media_pb2.FrameInfo]]:
    batch: list[media_pb2.FrameInfo] = []
    async with aclosing(pixels.frame_infos()) as infos:
        async for info in infos:
            batch.append(info)
            if len(batch) == _BATCH:
                yield batch
                batch = []
    yield batch
