"""Chunks, frames and previews into files."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any, TypeVar

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
T = TypeVar("T")


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
@click.option(
    "--whole-groups",
    is_flag=True,
    help="An original mp4 may hold more frames, so that nothing is encoded again.",
)
@command
async def get_chunk(
    call: Call,
    /,
    numbers: Sequence[int],
    target: Target,
    form: media_pb2.ChunkFormat.ValueType | None,
    original: bool,
    whole_groups: bool,
    **saving: Any,
) -> None:
    """Download chunks by number: a zip of JPEGs or an mp4 each."""
    pixels = _pixels(call, target)
    wanted = media_pb2.CHUNK_FORMAT_UNSPECIFIED if form is None else form

    async def fetch(number: int, partial: PartialFile) -> str:
        found = await pixels.chunk(
            number, partial, quality=_quality(original), form=wanted, exact=not whole_groups
        )
        if offset := found.header.first_frame_offset:
            call.out.note(f"chunk {number} begins at picture {offset} of the file")
        if damaged := found.trailer.corrupt_frames:
            call.out.note(f"chunk {number} has {len(damaged)} damaged frames, the first is {damaged[0]}")
        return extension_of(found.header.format)

    await Saving(stem=f"{target.name}-chunk", **saving).run(call, numbers, fetch)


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
        found = await pixels.frame(number, quality=_quality(original), form=wanted)
        if found.is_corrupt:
            call.out.note(f"frame {number} is damaged, the picture says so")
        return write_frame(found, partial)

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


@frame.command("damaged", epilog=examples("frameyard frame damaged --task 5"))
@target
@command
async def list_damaged(call: Call, target: Target) -> None:
    """List frames that do not decode, as far as they were asked for."""
    found = _grouped(_pixels(call, target).corrupt_frames())
    await call.out.table(("frame", "reason"), found, lambda each: (each.frame, each.reason))


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


def _batches(pixels: Pixels) -> AsyncIterator[Sequence[media_pb2.FrameInfo]]:
    return _grouped(pixels.frame_infos())


async def _grouped(items: AsyncGenerator[T, None]) -> AsyncIterator[Sequence[T]]:
    batch: list[T] = []
    async with aclosing(items):
        async for item in items:
            batch.append(item)
            if len(batch) == _BATCH:
                yield batch
                batch = []
    yield batch
