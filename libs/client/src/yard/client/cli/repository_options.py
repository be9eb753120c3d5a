"""Options that give a new task a repository."""

from typing import Any

import click
from frameyard.task.v1.task_pb2 import DatasetRepository
from yard.client.cli.parameters import given, stacked

repository_options = stacked(
    (
        click.option(
            "--repository",
            metavar="'URL [PATH]'",
            help="Git repository that keeps the annotations, and in brackets the .zip or .xml inside; "
            "frameyard repository credential opens it.",
        ),
        click.option("--lfs/--no-lfs", "use_lfs", default=None, help="Keep that file with git LFS."),
        click.option(
            "--repository-format", metavar="FORMAT", help="Format of that file; default: CVAT by mode."
        ),
    )
)
"""`--repository` and what goes with it, to be handed to `repository_of`."""


def repository_of(options: dict[str, Any]) -> DatasetRepository | None:
    """What the options say, which are taken out; None if they name no repository."""
    location, use_lfs = options.pop("repository"), options.pop("use_lfs")
    format_name = options.pop("repository_format")
    if location is not None:
        return DatasetRepository(**given({"location": location, "use_lfs": use_lfs, "format": format_name}))
    if use_lfs is not None or format_name is not None:
        raise click.UsageError("--lfs and --repository-format need --repository.")
    return None
