"""The `frameyard` command: one module for each group of commands."""

import click

from yard.client.cli import (
    admin,
    annotations,
    completion,
    exports,
    jobs,
    operations,
    pixels,
    projects,
    sessions,
    shares,
    tasks,
)
from yard.client.cli.context import Context

__all__ = ["main"]


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option(
    "--endpoints",
    metavar="FILE",
    envvar="FRAMEYARD_ENDPOINTS",
    type=click.Path(dir_okay=False),
    help="JSON file with the addresses of the services; default: those of the last login, or .data/endpoints.json.",
)
@click.option(
    "--profile", default="default", show_default=True, envvar="FRAMEYARD_PROFILE", help="Which session to use."
)
@click.version_option(package_name="frameyard-client")
@click.pass_context
def main(context: click.Context, endpoints: str | None, profile: str) -> None:
    """Turns media into annotation tasks. Log in first: frameyard login admin."""
    context.obj = Context(endpoints, profile)


sessions.add_to(main)
projects.add_to(main)
tasks.add_to(main)
jobs.add_to(main)
pixels.add_to(main)
annotations.add_to(main)
exports.add_to(main)
operations.add_to(main)
shares.add_to(main)
admin.add_to(main)
completion.add_to(main)
