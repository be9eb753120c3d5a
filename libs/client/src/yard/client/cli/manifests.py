"""manifest.jsonl: made of local files without the platform, and of tasks by it."""

import importlib.util
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

import click
from yard.client import media
from yard.client.cli.context import Call, command
from yard.client.cli.output import Output
from yard.client.cli.parameters import ID, examples
from yard.client.cli.plain import plain
from yard.client.files import PartialFile, check_target, folder_of, place_of

FILE_NAME = "manifest.jsonl"
_TOOL = "yard.media.manifest_tool"
_SORTINGS = ("lexicographical", "natural", "predefined")
_OUTPUT = click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="File or folder; default: manifest.jsonl here."
)
_FORCE = click.option("--force", is_flag=True, help="Replace a file that is there.")


def add_to(main: click.Group) -> None:
    """Adds the commands of this module."""
    main.add_command(manifest)


@click.group()
def manifest() -> None:
    """Manifests: what media hold, so that nobody needs to look into them first."""


@manifest.command(
    epilog=examples(
        "frameyard manifest create photos/ -o photos/manifest.jsonl",
        "frameyard manifest create street.mp4",
    )
)
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--sorting", type=click.Choice(_SORTINGS), default=_SORTINGS[0], help="Order of images.")
@_OUTPUT
@_FORCE
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
def create(paths: Sequence[Path], sorting: str, output: Path | None, force: bool, as_json: bool) -> None:
    """Make one of images and folders, or of a video, on this machine alone.

    Put it beside the files of one folder, or give it to frameyard task create by --manifest.
    """
    if not _has_tool():
        raise click.ClickException("reading media needs the package frameyard-media")
    place = place_of(output or Path(), FILE_NAME)
    if place.exists() and not force:
        raise click.ClickException(f"{place} is there already; --force replaces it")
    files = [str(path.absolute()) for path in paths]
    made = subprocess.run(
        [sys.executable, "-m", _TOOL, "--sorting", sorting, "-o", str(place), "--", *files], check=False
    )
    if made.returncode:
        sys.exit(made.returncode)
    _tell(Output(as_json=as_json), place)


@manifest.command(epilog=examples("frameyard manifest export --task 5 -o photos/"))
@click.option("--task", "task_id", type=ID, required=True, metavar="ID", help="Task that it is of.")
@_OUTPUT
@_FORCE
@command
async def export(call: Call, task_id: int, output: Path | None, force: bool) -> None:
    """Download that of a task, from which with the same files a task like it can be made."""
    target = output or Path()
    check_target(target, replace=force)
    with PartialFile(folder_of(target), uuid4().hex) as partial:
        await media.export_manifest(call.client, task_id, partial)
        place = partial.place(place_of(target, FILE_NAME), replace=force)
    _tell(call.out, place)


def _tell(out: Output, place: Path) -> None:
    if out.as_json:
        out.json({"file": str(place), "size_bytes": place.stat().st_size})
    else:
        click.echo(plain(str(place)))


def _has_tool() -> bool:
    """The command stands alone; what reads media is installed beside it or not."""
    try:
        return importlib.util.find_spec(_TOOL) is not None
    except ModuleNotFoundError:
        return False
