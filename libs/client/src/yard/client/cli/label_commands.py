"""Labels as text: read and written by the platform."""

from pathlib import Path

import click
from frameyard.task.v1 import label_service_pb2 as service
from yard.client.cli.context import Call, command
from yard.client.cli.label_texts import parse, text_of
from yard.client.cli.labels import lines_of
from yard.client.cli.parameters import ID, examples, given


def add_to(main: click.Group) -> None:
    """Adds the commands of this module."""
    main.add_command(label)


@click.group()
def label() -> None:
    """Labels as the JSON text that people copy; to change them see task labels and project labels."""


@label.command("parse", epilog=examples("frameyard label parse labels.json"))
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
@command
async def parse_(call: Call, file: Path) -> None:
    """Check a text of labels, a FILE or standard input (-), without making anything."""
    name = "standard input" if str(file) == "-" else str(file)
    found = await parse(call, text_of(file), name)
    unknown = [f"{key} means nothing here" for key in found.unknown_keys]
    call.out.message(found, *lines_of(found.labels), *unknown)


@label.command(
    "format",
    epilog=examples(
        "frameyard label format --task 5 > labels.json",
        "frameyard label format --project 3 --without-ids",
    ),
)
@click.option("--task", "task_id", type=ID, metavar="ID", help="Labels of this task.")
@click.option("--project", "project_id", type=ID, metavar="ID", help="Labels of this project.")
@click.option("--without-ids", is_flag=True, help="So that the text makes new labels elsewhere.")
@command
async def format_(call: Call, task_id: int | None, project_id: int | None, without_ids: bool) -> None:
    """Write the labels of a task or a project as text."""
    if (task_id is None) == (project_id is None):
        raise click.UsageError("Give either --task ID or --project ID.")
    owner = given({"task_id": task_id, "project_id": project_id})
    request = service.FormatLabelsRequest(**owner, without_ids=without_ids)
    found = await call.client.call(call.client.labels.FormatLabels, request)
    call.out.message(found, *found.text.splitlines())
