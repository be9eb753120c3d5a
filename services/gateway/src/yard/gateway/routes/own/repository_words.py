"""Dataset repositories in JSON."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final, Literal, TypeAlias

from frameyard.sync.v1 import repository_pb2, repository_service_pb2
from frameyard.task.v1 import task_pb2
from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from google.rpc.status_pb2 import Status
from pydantic import BaseModel, ConfigDict, Field
from yard.gateway.cvat.moments import moment, moment_if_set
from yard.gateway.cvat.numbers import LARGEST_ID
from yard.gateway.cvat.people import BasicUser, person
from yard.gateway.cvat.texts import Text
from yard.gateway.routes.own.operations import Fault
from yard.runtime import errors

FIELDS: Final[Mapping[str, str]] = {"quiet": "quiet_s", "period": "period_s"}

Sync: TypeAlias = Literal["none", "not_synchronized", "syncing", "synchronized", "merged", "failed"]
STATUSES: Final[dict[int, Sync]] = {
    task_pb2.SYNC_STATUS_NOT_SYNCHRONIZED: "not_synchronized",
    task_pb2.SYNC_STATUS_SYNCING: "syncing",
    task_pb2.SYNC_STATUS_SYNCHRONIZED: "synchronized",
    task_pb2.SYNC_STATUS_MERGED: "merged",
    task_pb2.SYNC_STATUS_FAILED: "failed",
}
KINDS: Final[dict[int, Literal["token", "key"]]] = {
    repository_pb2.CREDENTIAL_KIND_TOKEN: "token",
    repository_pb2.CREDENTIAL_KIND_KEY: "key",
}

Seconds: TypeAlias = Annotated[int | None, Field(ge=0, le=315_576_000_000)]


class Automatic(BaseModel):
    """When pushes are made without being asked for; null: as the operator says."""

    model_config = ConfigDict(extra="ignore")

    quiet_s: Seconds = None
    period_s: Seconds = None


class Changes(BaseModel):
    """Objects that have changed since a push."""

    created: int
    updated: int
    deleted: int


class CredentialRead(BaseModel):
    """What may be shown of a credential."""

    kind: Literal["token", "key"]
    username: str
    public_key: str
    set_time: datetime


class HostKey(BaseModel):
    """A key by which an ssh host is known; one that nobody gave was taken over on the first connection."""

    type: str
    fingerprint: str
    is_given: bool


class RepositoryRead(BaseModel):
    """The repository of a task; `error` says why the last push failed."""

    task_id: int
    location: str
    url: str
    path: str
    format: str
    use_lfs: bool
    branch: str
    automatic: Automatic | None
    automatic_author: BasicUser | None
    status: Sync
    error: Fault | None
    pushed_revision: int
    pushed_commit: str
    pushed_branch: str
    push_time: datetime | None
    waiting: Changes
    credential: CredentialRead | None
    host_keys: list[HostKey]
    operation: str
    due_time: datetime | None
    update_time: datetime


class RepositoryWrite(BaseModel):
    """All of a repository: what is not given is as for a new one."""

    model_config = ConfigDict(extra="ignore")

    location: Text = Field(
        description="URL, and in brackets the path inside: `https://host/us/data [a/b.zip]`."
    )
    format: Text = Field("", description="Export format; empty: CVAT by the mode.")
    use_lfs: bool = False
    branch: Text = Field("", description="Empty: the remote's default.")
    automatic: Automatic | None = Field(None, description="Null: only on demand.")


class RepositoryPatch(BaseModel):
    """Changes of a repository: what is not given stays."""

    model_config = ConfigDict(extra="ignore")

    location: Text | None = None
    format: Text | None = None
    use_lfs: bool | None = None
    branch: Text | None = None
    automatic: Automatic | None = Field(None, description="Null: only on demand.")


class CredentialWrite(BaseModel):
    """One of token, private key, a key to be made, and the task whose credential is taken."""

    model_config = ConfigDict(extra="ignore")

    token: Text | None = Field(None, description="For https.")
    username: Text = Field("", description="Goes with the token; empty: the one that hosts take for tokens.")
    private_key: Annotated[str | None, Field(max_length=16_384)] = Field(None, description="For ssh.")
    generate_key: bool = Field(False, description="Make a key pair, of which the public half is shown.")
    copy_from_task_id: Annotated[int | None, Field(ge=1, le=LARGEST_ID)] = None


class HostKeysWrite(BaseModel):
    """Lines as known_hosts has them, or `type key`; none: take over what the next connection shows."""

    model_config = ConfigDict(extra="ignore")

    host_keys: Annotated[list[Text], Field(max_length=20)]


class PushRead(BaseModel):
    """One push; `error` says why it failed, `finish_time` is null until it has ended."""

    operation: str
    author: BasicUser | None
    is_automatic: bool
    revision: int
    commit: str
    branch: str
    was_unchanged: bool
    changes: Changes
    error: Fault | None
    create_time: datetime
    finish_time: datetime | None


class Pushes(BaseModel):
    """One page, newest first."""

    pushes: list[PushRead]
    next_page_token: str


def repository_read(found: repository_pb2.Repository, base_url: str) -> RepositoryRead:
    """A repository as JSON has it."""
    return RepositoryRead(
        task_id=found.task_id,
        location=found.location,
        url=found.url,
        path=found.path,
        format=found.format,
        use_lfs=found.use_lfs,
        branch=found.branch,
        automatic=_automatic_read(found.automatic) if found.HasField("automatic") else None,
        automatic_author=person(found.automatic_author, base_url),
        status=STATUSES.get(found.status, "none"),
        error=_fault(found.error) if found.HasField("error") else None,
        pushed_revision=found.pushed_revision,
        pushed_commit=found.pushed_commit,
        pushed_branch=found.pushed_branch,
        push_time=moment_if_set(found.push_time),
        waiting=_changes(found.waiting),
        credential=_credential_read(found.credential),
        host_keys=[
            HostKey(type=key.type, fingerprint=key.fingerprint, is_given=key.is_given)
            for key in found.host_keys
        ],
        operation=found.operation,
        due_time=moment_if_set(found.due_time),
        update_time=moment(found.update_time),
    )


def push_read(found: repository_pb2.Push, base_url: str) -> PushRead:
    """A push as JSON has it."""
    return PushRead(
        operation=found.operation,
        author=person(found.author, base_url),
        is_automatic=found.is_automatic,
        revision=found.revision,
        commit=found.commit,
        branch=found.branch,
        was_unchanged=found.was_unchanged,
        changes=_changes(found.changes),
        error=_fault(found.error) if found.HasField("error") else None,
        create_time=moment(found.create_time),
        finish_time=moment_if_set(found.finish_time),
    )


def new_repository(task_id: int, written: RepositoryWrite) -> repository_service_pb2.ConnectRepositoryRequest:
    """What ties a task to a repository."""
    return repository_service_pb2.ConnectRepositoryRequest(
        task_id=task_id,
        repository=task_pb2.DatasetRepository(
            location=written.location, format=written.format, use_lfs=written.use_lfs
        ),
        branch=written.branch,
        automatic=_automatic(written.automatic),
    )


def repository_changes(
    task_id: int, written: RepositoryWrite | RepositoryPatch
) -> repository_service_pb2.UpdateRepositoryRequest | None:
    """What a PATCH gives, or all that a PUT means; None if that is nothing."""
    is_whole = isinstance(written, RepositoryWrite)
    names = [name for name in type(written).model_fields if is_whole or name in written.model_fields_set]
    if not names:
        return None
    plain: dict[str, Any] = {
        name: getattr(written, name)
        for name in names
        if name != "automatic" and getattr(written, name) is not None
    }
    automatic = _automatic(written.automatic)
    return repository_service_pb2.UpdateRepositoryRequest(
        repository=repository_pb2.Repository(task_id=task_id, automatic=automatic, **plain),
        update_mask=FieldMask(paths=[name for name in names if name == "automatic" or name in plain]),
    )


def new_credential(task_id: int, written: CredentialWrite) -> repository_service_pb2.SetCredentialRequest:
    """The one way that is given; InvalidArgument if it is none or several."""
    given: dict[str, Any] = {
        name: value
        for name in ("token", "private_key", "generate_key", "copy_from_task_id")
        if (value := getattr(written, name))
    }
    if len(given) != 1:
        raise errors.invalid("token", "give one of token, private_key, generate_key and copy_from_task_id")
    if "token" in given:
        given["token"] = repository_service_pb2.Token(username=written.username, token=given["token"])
    return repository_service_pb2.SetCredentialRequest(task_id=task_id, **given)


def _automatic(written: Automatic | None) -> repository_pb2.AutomaticPush | None:
    if written is None:
        return None
    made = repository_pb2.AutomaticPush()
    if written.quiet_s is not None:
        made.quiet.CopyFrom(Duration(seconds=written.quiet_s))
    if written.period_s is not None:
        made.period.CopyFrom(Duration(seconds=written.period_s))
    return made


def _automatic_read(found: repository_pb2.AutomaticPush) -> Automatic:
    return Automatic(quiet_s=found.quiet.seconds, period_s=found.period.seconds)


def _credential_read(found: repository_pb2.Credential) -> CredentialRead | None:
    kind = KINDS.get(found.kind)
    if kind is None:
        return None
    return CredentialRead(
        kind=kind, username=found.username, public_key=found.public_key, set_time=moment(found.set_time)
    )


def _changes(found: repository_pb2.Changes) -> Changes:
    return Changes(created=found.created, updated=found.updated, deleted=found.deleted)


def _fault(status: Status) -> Fault:
    fault = errors.from_status(status)
    return Fault(reason=fault.reason, message=fault.message)
