"""What calls are about: one project with one task, as often as they are asked for."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

from frameyard.media.v1.media_pb2 import DataParameters
from yard.runtime.db import Transaction
from yard.task.domain.rows import Person
from yard.task.store import people as person_store

from tests.rights import people
from tests.rights.people import PEOPLE, ROLES, Who
from tests.rights.platform import Platform

# Ids of what is there and of what is not have as many digits, so that answers can be compared by their bytes.
FIRST_ID = 5_000_000
_SHIFT = 1_000_000
_TABLES = ("project", "task", "label", "job", "issue", "comment")
_IDS = (*_TABLES, "other_project", "own_token", "others_token", "webhook")
_NAMES = ("operation", "media", "upload", "export", "delivery")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What calls are about. The job shows frames 0 to 9 of its task, the neighbour's job the ten behind."""

    project: int
    task: int
    job: int
    label: int
    issue: int
    comment: int
    operation: str = ""
    own_token: int = 0
    media: str = ""
    grant: str = ""
    upload: str = ""
    export: str = ""
    webhook: int = 0
    delivery: str = ""
    others_token: int = 0
    other_project: int = 0
    caller: int = 0

    def absent(self, targets: Collection[str] = ()) -> Scene:
        """The same with names of nothing in place of these, or of all."""
        changes: dict[str, Any] = {name: getattr(self, name) - _SHIFT for name in _IDS if getattr(self, name)}
        changes |= {name: _other(getattr(self, name)) for name in _NAMES}
        return replace(self, **{name: changes[name] for name in targets or changes})

    def otherwise_written(self) -> Scene:
        """The same with names as nobody but an attacker would write them."""
        changes: dict[str, Any] = {name: _in_capitals(getattr(self, name)) for name in _NAMES}
        return replace(self, **changes)

    def names(self) -> dict[str, str]:
        """All names in it, by what they are of."""
        return {name: str(getattr(self, name)) for name in (*_IDS, *_NAMES)}


def _other(name: str) -> str:
    """Another name of the same length."""
    return name[:-12] + "0" * 12 if name else ""


def _in_capitals(name: str) -> str:
    service, slash, uuid = name.rpartition("/")
    return f"{service}{slash}{uuid.upper()}"


async def prepare(platform: Platform) -> None:
    """Makes everybody known to task and identity, and ids long enough."""
    for table in _TABLES:
        await platform.db("task").execute(f"ALTER TABLE {table} ALTER COLUMN id RESTART WITH {FIRST_ID}")
    identity = platform.db("identity")
    await identity.execute(f"ALTER TABLE access_token ALTER COLUMN id RESTART WITH {FIRST_ID}")
    await platform.db("webhook").execute(f"ALTER TABLE hook ALTER COLUMN id RESTART WITH {FIRST_ID}")
    for who in {who.user_id: who for who in PEOPLE.values() if who.user_id}.values():
        is_active = who.user_id != people.LEFT
        person = Person(
            id=who.user_id, username=who.principal.username, is_active=is_active, role=ROLES[who.role]
        )
        async with platform.db("task").transaction() as tx:
            await person_store.put(tx, person)
        await identity.execute(
            """
            INSERT INTO app_user
                (id, username, username_key, first_name, last_name, email, role, is_active, password_hash)
            OVERRIDING SYSTEM VALUE VALUES ($1, $2, $2, '', '', '', $3, $4, '')
            """,
            person.id,
            person.username,
            who.role,
            is_active,
        )


async def make(platform: Platform, who: Who, *, in_project: bool) -> Scene:
    """Fresh rows in task, with the caller in their place."""
    async with platform.db("task").transaction() as tx:
        scene = await _insert(tx, who, in_project=in_project, media=platform.media)
    return replace(scene, caller=who.user_id)


async def _insert(tx: Transaction, who: Who, *, in_project: bool, media: str) -> Scene:
    project = await _project(tx, who.stage)
    other_project = await _project(tx, 0, owner=people.ADMIN)
    task = await _task(tx, project if in_project else None, who, media)
    owner = ("project_id", project) if in_project else ("task_id", task)
    label = await _label(tx, *owner)
    if not in_project:
        await _label(tx, "project_id", project)
    await _label(tx, "project_id", other_project)
    job = await _job(tx, task, 0, people.ANNOTATOR, people.REVIEWER, who.stage)
    await _job(tx, task, 1, people.NEIGHBOUR, None, 1)
    await tx.execute("UPDATE job SET revision = 1 WHERE id = $1", job)
    issue, comment = await _issue(tx, task, job)
    return Scene(
        project=project,
        task=task,
        job=job,
        label=label,
        issue=issue,
        comment=comment,
        other_project=other_project,
        media=media,
    )


async def _project(tx: Transaction, stage: int, owner: int = people.PROJECT_OWNER) -> int:
    assignee = people.PROJECT_ASSIGNEE if owner == people.PROJECT_OWNER else None
    counts = _counts(stage) if stage else (0, 0, 0)
    found: int = await tx.fetchval(
        """
        INSERT INTO project
            (name, name_key, owner_id, assignee_id, task_count, jobs_total, jobs_annotation, jobs_validation)
        VALUES ('p', 'p', $1, $2, $3, $4, $5, $6)
        RETURNING id
        """,
        owner,
        assignee,
        1 if stage else 0,
        *counts,
    )
    return found


async def _task(tx: Transaction, project: int | None, who: Who, media: str) -> int:
    assignee = people.LEFT if who.user_id == people.LEFT else people.TASK_ASSIGNEE
    found: int = await tx.fetchval(
        """
        INSERT INTO task
            (name, name_key, project_id, owner_id, assignee_id, mode, media_state, media_id, data, size,
             width, height, segment_size, jobs_total, jobs_annotation, jobs_validation)
        VALUES ('t', 't', $1, $2, $3, 2, 2, $4, $5, 20, 100, 100, 10, $6, $7, $8)
        RETURNING id
        """,
        project,
        people.TASK_OWNER,
        assignee,
        media,
        DataParameters(image_quality=70).SerializeToString(),
        *_counts(who.stage),
    )
    return found


def _counts(stage: int) -> tuple[int, int, int]:
    """Jobs in all, in annotation, in validation, when one of two is in this stage and the other is new."""
    return (2, 2, 0) if stage == 1 else (2, 1, 1)


async def _label(tx: Transaction, owner: str, owner_id: int) -> int:
    found: int = await tx.fetchval(
        f"INSERT INTO label ({owner}, position, name, color, kind)"
        " VALUES ($1, 0, 'car', '#112233', 1) RETURNING id",
        owner_id,
    )
    return found


async def _job(
    tx: Transaction, task: int, segment: int, assignee: int, reviewer: int | None, stage: int
) -> int:
    found: int = await tx.fetchval(
        """
        INSERT INTO job (task_id, segment, first_frame, last_frame, assignee_id, reviewer_id, stage)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        RETURNING id
        """,
        task,
        segment,
        segment * 10,
        segment * 10 + 9,
        assignee,
        reviewer,
        stage,
    )
    return found


async def _issue(tx: Transaction, task: int, job: int) -> tuple[int, int]:
    """An issue that the reviewer has opened, and a second comment of theirs."""
    issue: int = await tx.fetchval(
        """
        INSERT INTO issue (task_id, job_id, frame, position, owner_id, comment_count)
        VALUES ($1, $2, 0, '{1, 1}', $3, 2)
        RETURNING id
        """,
        task,
        job,
        people.REVIEWER,
    )
    comment = 0
    for text in ("this", "and that"):
        comment = await tx.fetchval(
            "INSERT INTO comment (issue_id, owner_id, message) VALUES ($1, $2, $3) RETURNING id",
            issue,
            people.REVIEWER,
            text,
        )
    return issue, comment
