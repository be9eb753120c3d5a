"""Tasks that go from one project to another."""

from collections.abc import Iterator

import click
from frameyard.task.v1 import task_pb2
from frameyard.task.v1 import task_service_pb2 as service
from yard.client.cli.context import Call, command
from yard.client.cli.parameters import ID, examples
from yard.client.moves import move_task


@click.command(
    epilog=examples(
        "frameyard task move 5 --project Streets --dry-run",
        "frameyard task move 5 --project 3",
        "frameyard task move 5 --out",
    )
)
@click.argument("task_id", type=ID)
@click.option("--project", metavar="NAME_OR_ID", help="Where it is to go; digits alone are an id.")
@click.option("--out", "is_out", is_flag=True, help="Out of its project; it takes copies of the labels.")
@click.option("--dry-run", is_flag=True, help="Move nothing; show which labels match, and what does not.")
@command
async def move(call: Call, task_id: int, project: str | None, is_out: bool, dry_run: bool) -> None:
    """Move a task into a project or out of it, with its annotations; labels are matched by name."""
    if (project is None) != is_out:
        raise click.UsageError("Give either --project or --out.")
    place = ID.convert(project, None, None) if project and project.isdecimal() else project
    answer = await move_task(call.client, task_id, place, validate_only=dry_run)
    call.out.message(answer, *(_plan(answer) if dry_run else _result(answer)))


def _plan(answer: service.MoveTaskResponse) -> Iterator[str]:
    yield f"task {answer.task.id} {'cannot' if answer.misfits else 'can'} be moved"
    for misfit in answer.misfits:
        attribute = f"attribute {misfit.attribute} of " if misfit.attribute else ""
        yield f"  {attribute}label {misfit.label} {misfit.description}"
    yield from _labels(answer)


def _result(answer: service.MoveTaskResponse) -> Iterator[str]:
    yield f"task {answer.task.id} is in {_place(answer.task)}"
    yield from _labels(answer)


def _place(task: task_pb2.Task) -> str:
    return f"project {task.project_id} {task.project_name}".rstrip() if task.project_id else "no project"


def _labels(answer: service.MoveTaskResponse) -> Iterator[str]:
    for match in answer.matches:
        new = f"label {match.to_label_id}" if match.to_label_id else "a copy"
        yield f"  {match.name}: label {match.from_label_id} becomes {new}"
    for name in answer.left_behind:
        yield f"  {name}: not used, left behind"
