"""Moves of tasks between projects, which people know by name."""

from frameyard.task.v1 import project_service_pb2 as projects
from frameyard.task.v1 import task_service_pb2 as tasks
from yard.client.client import Client
from yard.client.failures import ClientError

_PAGE = 1000
# All annotations of the task are rewritten: a million take some ten seconds.
_TIMEOUT_S = 3600.0
# Ids in a complaint about a name.
_MOST_NAMED = 5


async def move_task(
    client: Client, task_id: int, project: int | str | None, *, validate_only: bool = False
) -> tasks.MoveTaskResponse:
    """Moves a task into a project, named by id or name, or out of any; or only tells what that would do."""
    project_id = await project_id_of(client, project) if isinstance(project, str) else (project or 0)
    request = tasks.MoveTaskRequest(id=task_id, project_id=project_id, validate_only=validate_only)
    return await client.call(client.tasks.MoveTask, request, timeout_s=_TIMEOUT_S)


async def project_id_of(client: Client, name: str) -> int:
    """The project that is called exactly so; ClientError if none is, or several are."""
    request = projects.ListProjectsRequest(name_contains=name, page_size=_PAGE)
    found: list[int] = []
    while True:
        page = await client.call(client.projects.ListProjects, request)
        found += [project.id for project in page.projects if project.name == name]
        request.page_token = page.next_page_token
        if not page.next_page_token or len(found) > _MOST_NAMED:
            break
    if not found:
        raise ClientError(f"no project is called {name!r}", code="NOT_FOUND")
    if len(found) > 1:
        ids = ", ".join(map(str, found[:_MOST_NAMED]))
        raise ClientError(f"several projects are called {name!r}: {ids}", code="FAILED_PRECONDITION")
    return found[0]
