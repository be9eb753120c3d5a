"""Frames that nobody is to annotate: they stay where they are, and can be brought back."""

from collections.abc import Sequence
from typing import Any

import click
from frameyard.annotation.v1 import annotation_service_pb2 as service
from frameyard.common.v1.common_pb2 import FrameRange
from yard.client.cli.context import Call, command
from yard.client.cli.parameters import FRAMES, Target, examples, target
from yard.client.cli.pixels import frame

_RUNS = click.argument("runs", nargs=-1, required=True, type=FRAMES, metavar="FRAMES...")


def add_to(main: click.Group) -> None:
    """Adds the commands of this module to those of frames."""
    for each in (deleted, delete, restore):
        frame.add_command(each)


@click.command(epilog=examples("frameyard frame deleted --task 5"))
@target
@command
async def deleted(call: Call, target: Target) -> None:
    """Show which frames are deleted."""
    request = service.GetDeletedFramesRequest(target=service.AnnotationTarget(**target.fields))
    found = await call.client.call(call.client.annotations.GetDeletedFrames, request)
    call.out.message(found, *_lines(found.deleted))


@click.command(epilog=examples("frameyard frame delete 12 30-39 --job 7"))
@_RUNS
@target
@command
async def delete(call: Call, runs: Sequence[FrameRange], target: Target) -> None:
    """Delete frames, such as 12 or 30-39: nobody is to annotate them, objects on them stay."""
    await _update(call, target, delete=runs)


@click.command(epilog=examples("frameyard frame restore 30-39 --job 7"))
@_RUNS
@target
@command
async def restore(call: Call, runs: Sequence[FrameRange], target: Target) -> None:
    """Bring deleted frames back."""
    await _update(call, target, restore=runs)


async def _update(call: Call, target: Target, **runs: Any) -> None:
    request = service.UpdateDeletedFramesRequest(target=service.AnnotationTarget(**target.fields), **runs)
    now = await call.client.call(call.client.annotations.UpdateDeletedFrames, request)
    call.out.message(now, *_lines(now.deleted))


def _lines(runs: Sequence[FrameRange]) -> list[str]:
    texts = (f"{run.first}" if run.first == run.last else f"{run.first}-{run.last}" for run in runs)
    return [f"deleted: {text}" for text in texts] or ["no frames are deleted"]
