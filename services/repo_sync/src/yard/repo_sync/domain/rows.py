"""Repositories, pushes and people as they are stored."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

from frameyard.identity.v1.user_pb2 import ROLE_UNSPECIFIED, ROLE_USER
from frameyard.sync.v1.repository_pb2 import CREDENTIAL_KIND_UNSPECIFIED
from frameyard.task.v1.task_pb2 import SYNC_STATUS_NOT_SYNCHRONIZED

if TYPE_CHECKING:
    from frameyard.identity.v1.user_pb2 import Role
    from frameyard.sync.v1.repository_pb2 import CredentialKind
    from frameyard.task.v1.task_pb2 import SyncStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody as identity told last; `role` is unspecified if it has not told yet."""

    id: int
    username: str
    name: str = ""
    role: Role.ValueType = ROLE_UNSPECIFIED
    is_active: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Objects that changed."""

    created: int = 0
    updated: int = 0
    deleted: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            created=self.created + other.created,
            updated=self.updated + other.updated,
            deleted=self.deleted + other.deleted,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """The repository of a task; one that is not connected is only remembered not to be taken over again.

    `version` counts the changes of the place and form of the file. `url` and `path` are empty if the location
    that the task was made with is none. `known_revision` is the greatest that was heard of,
    `connected_revision` the one that the task had when it was tied, or when the file was last put elsewhere;
    `change_number` counts what else changes the file. `blobs` are the ids that git may have for what was
    pushed last.
    """

    task_id: int
    project_id: int = 0
    version: int = 1
    is_connected: bool = True
    is_task_deleted: bool = False
    location: str
    url: str
    path: str
    format: str = ""
    use_lfs: bool = False
    branch: str = ""
    quiet_s: float | None = None
    period_s: float | None = None
    automatic_author_id: int = 0
    status: SyncStatus.ValueType = SYNC_STATUS_NOT_SYNCHRONIZED
    error: bytes | None = None
    pushed_revision: int = 0
    pushed_commit: str = ""
    pushed_branch: str = ""
    pushed_at: datetime | None = None
    blobs: tuple[str, ...] = ()
    pushed_change_number: int = 0
    attempted_at: datetime | None = None
    known_revision: int = 0
    connected_revision: int = 0
    change_number: int = 0
    changed_at: datetime
    created: int = 0
    updated: int = 0
    deleted: int = 0
    due_at: datetime | None = None
    host_keys: tuple[str, ...] = ()
    are_host_keys_given: bool = False
    credential_kind: CredentialKind.ValueType = CREDENTIAL_KIND_UNSPECIFIED
    credential: bytes | None = field(default=None, repr=False)
    credential_username: str = ""
    public_key: str = ""
    credential_set_at: datetime | None = None
    push_id: UUID | None = None
    updated_at: datetime

    @property
    def waiting(self) -> Counts:
        """What had changed since the last push when the present one was asked for."""
        return Counts(created=self.created, updated=self.updated, deleted=self.deleted)

    @property
    def is_automatic(self) -> bool:
        """Whether pushes are made without being asked for."""
        return self.quiet_s is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """A push that waits, runs or has ended; `change_number` is None until it runs."""

    id: UUID
    task_id: int
    version: int
    change_number: int | None = None
    author_id: int
    author_name: str
    is_automatic: bool = False
    revision: int = 0
    commit: str = ""
    branch: str = ""
    was_unchanged: bool = False
    created: int = 0
    updated: int = 0
    deleted: int = 0
    error: bytes | None = None
    created_at: datetime
    finished_at: datetime | None = None

    @property
    def counts(self) -> Counts:
        """What it has brought."""
        return Counts(created=self.created, updated=self.updated, deleted=self.deleted)


KEPT: Final = timedelta(days=365)
"""How long what is told of a push is kept."""

MAKERS: Final = frozenset({ROLE_UNSPECIFIED, ROLE_USER})
"""Roles of people to whom tasks can belong, besides administrators."""
