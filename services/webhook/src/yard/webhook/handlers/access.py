"""Who may see and change which webhook."""

from frameyard.task.v1.project_pb2 import Project
from yard.runtime import auth, errors
from yard.webhook.domain import Hook
from yard.webhook.handlers.context import Webhooks
from yard.webhook.sources import objects
from yard.webhook.store import hooks as store


async def project_to_watch(webhooks: Webhooks, authorization: str, project_id: int) -> Project:
    """The project, if the caller may change it; NotFound if the caller does not see it."""
    caller = auth.current()
    if caller.is_service:
        raise errors.PermissionDenied("webhooks are made by people")
    project = await objects.project_for_caller(webhooks.channels, authorization, project_id)
    if not _may_change(caller, project):
        raise errors.PermissionDenied(f"webhooks of project {project_id} are made by its owner and assignee")
    return project


async def own_hook(webhooks: Webhooks, authorization: str, hook_id: int) -> Hook:
    """The webhook, if the caller answers for it or its project; NotFound otherwise."""
    hook = await store.hook_of(webhooks.db, hook_id)
    if hook is None or not await _is_for_caller(webhooks, authorization, hook):
        raise absent(hook_id)
    return hook


def absent(hook_id: int) -> errors.NotFound:
    """For webhooks that are not there, or not for the caller."""
    return errors.NotFound("webhook", hook_id)


async def _is_for_caller(webhooks: Webhooks, authorization: str, hook: Hook) -> bool:
    caller = auth.current()
    if caller.is_service:
        return False
    if caller.is_admin or caller.user_id == hook.owner.id:
        return True
    try:
        project = await objects.project_for_caller(webhooks.channels, authorization, hook.project_id)
    except errors.NotFound:
        return False
    return _may_change(caller, project)


def _may_change(caller: auth.Principal, project: Project) -> bool:
    return caller.is_admin or caller.user_id in (project.owner.id, project.assignee.id)
