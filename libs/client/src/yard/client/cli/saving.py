"""Pictures into files: under our own names, and only when they are complete."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import click
from frameyard.media.v1 import media_pb2
from yard.client.cli.context import Call
from yard.client.cli.parameters import stacked
from yard.client.cli.plain import plain
from yard.client.files import PartialFile, check_target, folder_of, place_of
from yard.client.pixels import Frame

Fetch = Callable[[int, PartialFile], Awaitable[str]]

EXTENSIONS = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "image/bmp": "bmp",
    "image/tiff": "tiff",
    "image/gif": "gif",
}

where: Callable[[Callable[..., None]], Callable[..., None]] = stacked(
    (
        click.option(
            "-o",
            "--output",
            type=click.Path(path_type=Path),
            help="File, or a folder for files named by task or job and number; default: this folder.",
        ),
        click.option("--force", is_flag=True, help="Replace files that are there."),
    )
)
"""`--output` and `--force`, to be handed to Saving."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Saving:
    """Where the files of one command go."""

    stem: str
    output: Path | None
    force: bool

    async def run(self, call: Call, numbers: Sequence[int], fetch: Fetch) -> None:
        """Fetches one after the other; `fetch` writes a file and returns its extension."""
        target = self.output or Path()
        if len(numbers) > 1 and not target.is_dir():
            raise click.UsageError("Several files need a folder: -o must name one that exists.")
        check_target(target, replace=self.force)
        saved: list[dict[str, Any]] = []
        for number in numbers:
            path = await self._save(number, target, fetch)
            saved.append({"number": number, "file": str(path), "size_bytes": path.stat().st_size})
            if not call.out.as_json:
                click.echo(plain(str(path)))
        if call.out.as_json:
            call.out.json(saved)

    async def _save(self, number: int, target: Path, fetch: Fetch) -> Path:
        with PartialFile(folder_of(target), uuid4().hex) as partial:
            extension = await fetch(number, partial)
            place = place_of(target, f"{self.stem}-{number}.{extension}")
            return partial.place(place, replace=self.force)


def write_frame(frame: Frame, partial: PartialFile) -> str:
    """Writes a frame; the extension follows from its content type, never from a name."""
    partial.write(frame.content)
    return EXTENSIONS.get(frame.content_type, "bin")


def extension_of(form: media_pb2.ChunkFormat.ValueType) -> str:
    """Of a chunk."""
    return "mp4" if form == media_pb2.CHUNK_FORMAT_MP4 else "zip"
