"""Whose new tasks and projects are, and who gives them away."""

from collections.abc import Sequence

from frameyard.identity.v1 import user_pb2
from yard.runtime import auth, errors
from yard.runtime.db import Database, Transaction
from yard.runtime.errors import Violation
from yard.task.domain import rights
from yard.task.domain.rows import Project, Task
from yard.task.handlers import people
from yard.task.handlers.access import changeable_project, readable_project
from yard.task.store import people as store


def check_may_create(what: str, owner_id: int) -> None:
    """PermissionDenied for who makes no tasks or projects, or none for others."""
    principal = auth.current()
    if owner_id and owner_id != principal.user_id:
        if not rights.may_create_for_others(principal):
            raise errors.PermissionDenied(f"{what} are made for others by administrators and services")
    elif not rights.may_create(principal):
        raise errors.PermissionDenied(f"{what} are made by users and administrators")


def check_may_give_away(thing: Task | Project, paths: Sequence[str], *, may: bool) -> None:
    """PermissionDenied for who answers for something that is not theirs to give away."""
    if "owner" in paths and not may:
        kind = type(thing).__name__.lower()
        raise errors.PermissionDenied(f"{kind} {thing.id} is given away by its owner")


def owner_of(owner_id: int) -> int:
    """Whose something new is: the caller's, unless somebody is named."""
    return owner_id or auth.current().user_id


async def violations(db: Database, field: str, owner_id: int) -> list[Violation]:
    """Only active users and administrators own something."""
    found = await people.violations(db, {field: owner_id})
    if found or not owner_id:
        return found
    person = (await store.people_of(db, {owner_id}))[owner_id]
    if person.role == user_pb2.ROLE_WORKER:
        return [Violation(field, f"user {owner_id} is a worker, to whom nothing belongs")]
    return []


async def new_owner_violations(db: Database, field: str, owner_id: int) -> list[Violation]:
    """The same of who is to own something from now on; nobody is nobody's choice."""
    if not owner_id:
        return [Violation(field, "must be somebody")]
    return await violations(db, field, owner_id)


async def check_may_bring(tx: Transaction, project_id: int, owner_id: int) -> None:
    """Whether a new task may go into a project, which stays as it is until the end.

    Services have asked before who wants it: the owner counts, not they.
    """
    lock = "NO KEY UPDATE"
    if not auth.current().is_service:
        await changeable_project(tx, project_id, lock=lock)
        return
    project = await readable_project(tx, project_id, lock=lock)
    owner = (await store.people_of(tx, {owner_id})).get(owner_id)
    is_admin = owner is not None and owner.role == user_pb2.ROLE_ADMIN
    if owner_id not in project.staff and not is_admin:
        raise errors.PermissionDenied(f"user {owner_id} makes no tasks in project {project_id}")
