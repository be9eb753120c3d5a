"""The `frameyard` command: one module for each group of commands."""

import click
from yard.client.cli import admin as admin_commands
from yard.client.cli import annotations as annotation_commands
from yard.client.cli import backups as backup_commands
from yard.client.cli import bulk as bulk_commands
from yard.client.cli import completion as completion_commands
from yard.client.cli import deleted_frames as deleted_frame_commands
from yard.client.cli import exports as export_commands
from yard.client.cli import file_imports as file_import_commands
from yard.client.cli import history as history_commands
from yard.client.cli import issues as issue_commands
from yard.client.cli import jobs as job_commands
from yard.client.cli import label_commands
from yard.client.cli import manifests as manifest_commands
from yard.client.cli import operations as operation_commands
from yard.client.cli import pixels as pixel_commands
from yard.client.cli import projects as project_commands
from yard.client.cli import repositories as repository_commands
from yard.client.cli import repository_credentials as credential_commands
from yard.client.cli import sessions as session_commands
from yard.client.cli import shares as share_commands
from yard.client.cli import tasks as task_commands
from yard.client.cli import tokens as token_commands
from yard.client.cli import uploads as upload_commands
from yard.client.cli import users as user_commands
from yard.client.cli import webhooks as webhook_commands
from yard.client.cli.context import Context
from yard.client.cli.parameters import examples
from yard.client.failures import ClientError

__all__ = ["main"]


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog=examples(
        "frameyard login admin",
        "frameyard task create street street.mp4 --label car:rectangle --wait",
        "frameyard export create 'COCO 1.0' --task 1",
    ),
)
@click.option(
    "--endpoints",
    metavar="FILE",
    envvar="FRAMEYARD_ENDPOINTS",
    type=click.Path(dir_okay=False),
    help="JSON file with the addresses of the services; default: that of the last login, or "
    ".data/endpoints.json.",
)
@click.option(
    "--profile",
    default="default",
    show_default=True,
    envvar="FRAMEYARD_PROFILE",
    help="Which session to use.",
)
@click.version_option(package_name="frameyard-client")
@click.pass_context
def main(context: click.Context, endpoints: str | None, profile: str) -> None:
    """Turns media into annotation tasks."""
    try:
        context.obj = Context(endpoints, profile)
    except ClientError as fault:
        raise click.BadParameter(fault.message, param_hint="--profile") from fault


for commands in (
    session_commands,
    project_commands,
    task_commands,
    job_commands,
    label_commands,
    pixel_commands,
    deleted_frame_commands,
    annotation_commands,
    bulk_commands,
    history_commands,
    issue_commands,
    export_commands,
    file_import_commands,
    backup_commands,
    operation_commands,
    repository_commands,
    credential_commands,
    webhook_commands,
    upload_commands,
    share_commands,
    manifest_commands,
    user_commands,
    token_commands,
    admin_commands,
    completion_commands,
):
    commands.add_to(main)
