"""Projects."""

from pathlib import Path
from typing import Any

import click
from frameyard.task.v1 import project_pb2
from frameyard.task.v1 import project_service_pb2 as service
from yard.client.cli.changing import changed
from yard.client.cli.context import Call, command
from yard.client.cli.jobs import STATUS
from yard.client.cli.labels import LabelChanges, effect_lines, given_labels, given_to, label_changes, lines_of
from yard.client.cli.listing import count, day, deleted_option, name_option, order_options, pages, person_id
from yard.client.cli.parameters import ID, examples, given
from yard.client.client import request_id


def add_to(main: click.Group) -> None:
    """Adds the commands of this module."""
    main.add_command(project)


@click.group()
def project() -> None:
    """Projects group tasks and own their labels."""


@project.command(
    epilog=examples(
        "frameyard project create Streets --label car:rectangle --label 'person::pose=~select[stands,walks]'",
        "frameyard project create Streets --labels labels.json --assignee anna",
    )
)
@click.argument("name")
@given_labels
@click.option("--assignee", metavar="USER", help="User name of who answers for it.")
@click.option("--issue-tracker", default="", metavar="URL", help="Full URL of the issue tracker.")
@command
async def create(
    call: Call,
    name: str,
    labels: tuple[str, ...],
    labels_file: Path | None,
    assignee: str | None,
    issue_tracker: str,
) -> None:
    """Make a project."""
    request = service.CreateProjectRequest(
        name=name,
        labels=await given_to(call, labels, labels_file),
        assignee_id=await person_id(call.client, assignee),
        issue_tracker=issue_tracker,
        request_id=request_id(),
    )
    made = (await call.client.call(call.client.projects.CreateProject, request)).project
    call.out.message(made, f"project {made.id}: {made.name}")


@project.command(
    "list",
    epilog=examples(
        "frameyard project list --status annotation --order name", "frameyard project list --deleted"
    ),
)
@click.option("--name", "name_contains", help="Only names that contain this.")
@click.option("--owner", metavar="USER", help="Only of this owner.")
@name_option("owner", "the owner's user name")
@click.option("--assignee", metavar="USER", help="Only of this assignee.")
@name_option("assignee", "the assignee's user name")
@click.option("--status", type=STATUS, help="Only with this status.")
@deleted_option
@order_options(service.ProjectOrder, "PROJECT_ORDER_", "newest first")
@command
async def list_(
    call: Call, /, owner: str | None, assignee: str | None, only_count: bool, **filters: Any
) -> None:
    """List projects, newest first."""
    request = service.ListProjectsRequest(
        **given(filters),
        owner_id=await person_id(call.client, owner),
        assignee_id=await person_id(call.client, assignee),
    )
    if only_count:
        await count(call, call.client.projects.ListProjects, request)
        return
    gone = ("gone for good on",) if request.deleted else ()
    found = pages(call.client, call.client.projects.ListProjects, request, lambda page: page.projects)
    await call.out.table(("id", "name", "owner", "tasks", "jobs", "completed", *gone), found, _row)


@project.command()
@click.argument("project_id", type=ID)
@command
async def show(call: Call, project_id: int) -> None:
    """Show a project with its labels."""
    request = service.GetProjectRequest(id=project_id)
    found = (await call.client.call(call.client.projects.GetProject, request)).project
    call.out.message(found, *_lines(found))


@project.command(epilog=examples("frameyard project update 3 --name 'Streets, second part'"))
@click.argument("project_id", type=ID)
@click.option("--name", help="Its name.")
@click.option("--assignee", metavar="USER", help="User name of who answers for it; '' for nobody.")
@click.option("--issue-tracker", metavar="URL", help="Full URL of the issue tracker; '' for none.")
@command
async def update(
    call: Call, project_id: int, name: str | None, assignee: str | None, issue_tracker: str | None
) -> None:
    """Change a project."""
    fields = {"name": name, "issue_tracker": issue_tracker}
    blank = project_pb2.Project(id=project_id)
    changes, mask = await changed(call.client, blank, fields, {"assignee": assignee})
    request = service.UpdateProjectRequest(project=changes, update_mask=mask)
    now = (await call.client.call(call.client.projects.UpdateProject, request)).project
    call.out.message(now, *_lines(now))


@project.command(
    epilog=examples(
        "frameyard project labels 3 --label bicycle:rectangle",
        "frameyard project labels 3 --delete 17 --dry-run",
        "frameyard project labels 3 --delete 17 --force",
    )
)
@click.argument("project_id", type=ID)
@label_changes
@command
async def labels(call: Call, project_id: int, changes: LabelChanges) -> None:
    """Add, change (by id, from a file) and delete labels."""
    request = service.UpdateProjectLabelsRequest(project_id=project_id, **await changes.fields(call))
    found = await call.client.call(call.client.projects.UpdateProjectLabels, request)
    if changes.dry_run:
        call.out.message(found, *effect_lines(found.effects))
        return
    call.out.message(found.project, *_lines(found.project))


@project.command()
@click.argument("project_id", type=ID)
@click.confirmation_option(prompt="Delete the project with its tasks?")
@command
async def delete(call: Call, project_id: int) -> None:
    """Delete a project and its tasks."""
    await call.client.call(call.client.projects.DeleteProject, service.DeleteProjectRequest(id=project_id))
    call.out.note(
        f"project {project_id} is deleted; to bring it back: frameyard project undelete {project_id}"
    )


@project.command(epilog=examples("frameyard project list --deleted", "frameyard project undelete 3"))
@click.argument("project_id", type=ID)
@command
async def undelete(call: Call, project_id: int) -> None:
    """Bring a deleted project back, with the tasks that went with it."""
    request = service.UndeleteProjectRequest(id=project_id)
    now = (await call.client.call(call.client.projects.UndeleteProject, request)).project
    call.out.message(now, *_lines(now))


def _row(found: project_pb2.Project) -> tuple[object, ...]:
    gone = (day(found.purge_time),) if found.HasField("delete_time") else ()
    counts = found.task_count, found.jobs.total, found.jobs.completed
    return found.id, found.name, found.owner.username, *counts, *gone


def _lines(found: project_pb2.Project) -> list[str]:
    assignee = f", assigned to {found.assignee.username}" if found.HasField("assignee") else ""
    jobs = f"{found.jobs.total} jobs, {found.jobs.completed} completed, {found.jobs.validation} in validation"
    tracker = [f"issue tracker: {found.issue_tracker}"] if found.issue_tracker else []
    return [
        f"project {found.id}: {found.name}",
        f"owner: {found.owner.username}{assignee}",
        f"tasks: {found.task_count} with {jobs}",
        *tracker,
        *lines_of(found.labels),
    ]
