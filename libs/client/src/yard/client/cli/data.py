"""The media of a task on the command line: where the files come from and how they are taken."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
from frameyard.media.v1 import media_pb2
from yard.client.cli.parameters import INT32, INT64, Choice, direct_option, given, stacked

_SORTING = Choice(media_pb2.SortingMethod, "SORTING_METHOD_")
_SOURCES = stacked(
    (
        click.argument("paths", nargs=-1, type=click.Path(path_type=Path)),
        click.option("--upload", "upload_id", default="", metavar="ID", help="An upload made before."),
        click.option(
            "--share",
            "shares",
            multiple=True,
            metavar="NAME[:PATH]",
            help="File or directory of a connected share, or all of it. Repeat it.",
        ),
        click.option("--exclude", multiple=True, metavar="PATTERN", help="Paths of a share to leave out."),
        click.option("--url", "urls", multiple=True, metavar="URL", help="File at an address. Repeat it."),
        click.option(
            "--manifest",
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            help="manifest.jsonl that describes the files, so that they need not be looked into.",
        ),
        direct_option,
    )
)
_PARAMETERS = stacked(
    (
        click.option("--quality", "image_quality", type=INT32, help="JPEG quality, 5 to 100; default 70."),
        click.option("--start", "start_frame", type=INT64, help="First frame of the source; default 0."),
        click.option("--stop", "stop_frame", type=INT64, help="Last frame, included; default the last one."),
        click.option("--step", "frame_step", type=INT64, help="Every so many frames; default 1."),
        click.option("--chunk-size", type=INT32, help="Frames a chunk; default by their size."),
        click.option(
            "--zip-chunks/--mp4-chunks", "use_zip_chunks", default=None, help="Of videos; default zip."
        ),
        click.option(
            "--cache/--no-cache",
            "use_cache",
            default=None,
            help="Make chunks when they are asked for (the default), or all at once and keep them.",
        ),
        click.option("--sorting", type=_SORTING, help="Order of images; default lexicographical."),
        click.option("--seed", "random_seed", type=INT64, help="Of the random order; default: any."),
        click.option("--copy-data/--no-copy-data", default=None, help="Copy files of a share; default not."),
        click.option("--pdf-dpi", type=INT32, help="Dots per inch of PDF pages, 36 to 600; default 150."),
    )
)
_FIELDS = (
    "image_quality",
    "start_frame",
    "stop_frame",
    "frame_step",
    "chunk_size",
    "use_zip_chunks",
    "use_cache",
    "sorting",
    "random_seed",
    "copy_data",
    "pdf_dpi",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaOptions:
    """What a command was given of a task's media."""

    paths: Sequence[Path] = ()
    upload_id: str = ""
    shares: Sequence[str] = ()
    exclude: Sequence[str] = ()
    urls: Sequence[str] = ()
    manifest: Path | None = None
    direct: bool = False
    """Whether large files of the paths go to the store itself."""
    parameters: dict[str, Any] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether no place is named where files would come from."""
        return not (self.paths or self.upload_id or self.shares or self.urls)

    def check(self) -> None:
        """Usage errors, before anything is made."""
        for share in self.shares:
            if not share.partition(":")[0]:
                raise click.BadParameter(f"{share!r} is not NAME[:PATH]", param_hint="--share")
        if self.manifest is not None and self.upload_id and not self.paths:
            raise click.UsageError("--manifest goes with files, not with an upload that is complete.")
        if self.is_empty and (self.parameters or self.manifest):
            raise click.UsageError("Parameters of the media need files: name some.")

    def spec(self, upload_id: str) -> media_pb2.DataSpec:
        """All of it, with the upload of the paths."""
        spec = media_pb2.DataSpec(**self.parameters)
        if upload_id:
            spec.sources.add(upload=media_pb2.UploadSource(upload_id=upload_id))
        for name, paths in self._paths_by_share().items():
            spec.sources.add(share=media_pb2.ShareSource(share=name, paths=paths, exclude=self.exclude))
        if self.urls:
            spec.sources.add(remote=media_pb2.RemoteSource(urls=self.urls))
        return spec

    def _paths_by_share(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for share in self.shares:
            name, _, path = share.partition(":")
            found.setdefault(name, []).append(path)
        return found


def media_options(run: Callable[..., None]) -> Callable[..., None]:
    """Adds the arguments and options of media, and hands MediaOptions on."""

    @_SOURCES
    @_PARAMETERS
    @functools.wraps(run)
    def entry(*arguments: Any, **options: Any) -> None:
        names = ("paths", "upload_id", "shares", "exclude", "urls", "manifest", "direct")
        sources = {name: options.pop(name) for name in names}
        parameters = given({name: options.pop(name) for name in _FIELDS})
        media = MediaOptions(**sources, parameters=parameters)
        media.check()
        run(*arguments, media=media, **options)

    return entry
