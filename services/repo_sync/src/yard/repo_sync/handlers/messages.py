"""Repositories and pushes as the API shows them."""

from datetime import datetime

from frameyard.common.v1.common_pb2 import PersonRef
from frameyard.sync.v1 import repository_pb2
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc import status_pb2
from yard.repo_sync.domain.rows import Counts, Push, Repository
from yard.repo_sync.handlers.context import operation_name
from yard.repo_sync.keys import fingerprint
from yard.repo_sync.store import Reader, people, repositories


async def shown(reader: Reader, repository: Repository) -> repository_pb2.Repository:
    """A repository with what else is stored of it."""
    waiting = repository.waiting + await repositories.waiting(reader, repository.task_id)
    message = _repository(repository, waiting)
    if repository.is_automatic:
        author = await people.person_of(reader, repository.automatic_author_id)
        message.automatic_author.CopyFrom(PersonRef(id=author.id, username=author.username))
    return message


def push_to_proto(push: Push) -> repository_pb2.Push:
    """A push of the past, or one that runs."""
    return repository_pb2.Push(
        operation=operation_name(push.id),
        author=PersonRef(id=push.author_id, username=push.author_name),
        is_automatic=push.is_automatic,
        revision=push.revision,
        commit=push.commit,
        branch=push.branch,
        was_unchanged=push.was_unchanged,
        changes=changes_to_proto(push.counts),
        error=_status(push.error),
        create_time=_timestamp(push.created_at),
        finish_time=_timestamp(push.finished_at),
    )


def changes_to_proto(counts: Counts) -> repository_pb2.Changes:
    """Numbers of objects."""
    return repository_pb2.Changes(created=counts.created, updated=counts.updated, deleted=counts.deleted)


def _repository(repository: Repository, waiting: Counts) -> repository_pb2.Repository:
    return repository_pb2.Repository(
        task_id=repository.task_id,
        location=repository.location,
        url=repository.url,
        path=repository.path,
        format=repository.format,
        use_lfs=repository.use_lfs,
        branch=repository.branch,
        automatic=_automatic(repository),
        status=repository.status,
        error=_status(repository.error),
        pushed_revision=repository.pushed_revision,
        pushed_commit=repository.pushed_commit,
        pushed_branch=repository.pushed_branch,
        push_time=_timestamp(repository.pushed_at),
        waiting=changes_to_proto(waiting),
        credential=_credential(repository),
        host_keys=[_host_key(repository, pair) for pair in repository.host_keys],
        operation=operation_name(repository.push_id),
        due_time=None if repository.is_task_deleted else _timestamp(repository.due_at),
        update_time=_timestamp(repository.updated_at),
    )


def _automatic(repository: Repository) -> repository_pb2.AutomaticPush | None:
    if repository.quiet_s is None or repository.period_s is None:
        return None
    return repository_pb2.AutomaticPush(
        quiet=_duration(repository.quiet_s), period=_duration(repository.period_s)
    )


def _credential(repository: Repository) -> repository_pb2.Credential | None:
    if repository.credential is None:
        return None
    return repository_pb2.Credential(
        kind=repository.credential_kind,
        username=repository.credential_username,
        public_key=repository.public_key,
        set_time=_timestamp(repository.credential_set_at),
    )


def _host_key(repository: Repository, pair: str) -> repository_pb2.HostKey:
    kind, digest = fingerprint(pair)
    return repository_pb2.HostKey(type=kind, fingerprint=digest, is_given=repository.are_host_keys_given)


def _status(error: bytes | None) -> status_pb2.Status | None:
    return None if error is None else status_pb2.Status.FromString(error)


def _timestamp(moment: datetime | None) -> Timestamp | None:
    if moment is None:
        return None
    message = Timestamp()
    message.FromDatetime(moment)
    return message


def _duration(seconds: float) -> Duration:
    message = Duration()
    message.FromMilliseconds(round(seconds * 1000))
    return message
