"""Projects."""

from pathlib import Path

import click
from frameyard.task.v1 import project_pb2
from frameyard.task.v1 import project_service_pb2 as service

from yard.client.cli.context import Call, command
from yard.client.cli.labels import FORM, parse_label, read_labels
from yard.client.client import request_id


def add_to(main: click.Group) -> None:
    """Adds the commands of this module."""
    main.add_command(project)


@click.group()
def project() -> None:
    """Projects group tasks and own their labels."""


@project.command()
@click.argument("name")
@click.option("--label", "labels", multiple=True, metavar="LABEL", help=FORM)
@click.option("--labels", "labels_file", type=click.Path(path_type=Path), help="JSON file with labels.")
@click.option("--issue-tracker", default="", help="URL of the issue tracker.")
@command
async def create(
    call: Call, name: str, labels: tuple[str, ...], labels_file: Path | None, issue_tracker: str
) -> None:
    """Make a project."""
    given = [parse_label(text) for text in labels] + (read_labels(labels_file) if labels_file else [])
    request = service.CreateProjectRequest(
        name=name, labels=given, issue_tracker=issue_tracker, request_id=request_id()
    )
    made = (await call.client.call(call.client.projects.CreateProject, request)).project
    call.out.message(made, f"project {made.id}: {made.name}")


@project.command("list")
@click.option("--name", default="", help="Only names that contain this.")
@command
async def list_(call: Call, name: str) -> None:
    """List projects, newest first."""
    found: list[project_pb2.Project] = []
    request = service.ListProjectsRequest(name_contains=name, page_size=1000)
    while True:
        page = await call.client.call(call.client.projects.ListProjects, request)
        found += page.projects
        request.page_token = page.next_page_token
        if not page.next_page_token:
            break
    call.out.table(
        ("id", "name", "owner", "tasks"), found, lambda p: (p.id, p.name, p.owner.username, p.task_count)
    )


@project.command()
@click.argument("project_id", type=int)
@command
async def show(call: Call, project_id: int) -> None:
    """Show a project with its labels."""
    request = service.GetProjectRequest(id=project_id)
    found = (await call.client.call(call.client.projects.GetProject, request)).project
    labels = ", ".join(label.name for label in found.labels)
    call.out.message(found, f"project {found.id}: {found.name}\nlabels: {labels}\ntasks: {found.task_count}")


@project.command()
@click.argument("project_id", type=int)
@click.confirmation_option(prompt="Delete the project with its tasks?")
@command
async def delete(call: Call, project_id: int) -> None:
    """Delete a project and its tasks."""
    await call.client.call(call.client.projects.DeleteProject, service.DeleteProjectRequest(id=project_id))
    call.out.note(f"project {project_id} is deleted")
