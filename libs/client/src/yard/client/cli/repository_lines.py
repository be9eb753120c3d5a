"""A dataset repository in words."""

from collections.abc import Iterator

from frameyard.sync.v1 import repository_pb2, repository_service_pb2
from yard.client.cli.listing import moment
from yard.client.cli.parameters import word
from yard.client.cli.task_lines import sync_word

PUSH_COLUMNS = (
    "operation",
    "by",
    "asked for",
    "ended",
    "revision",
    "commit",
    "branch",
    "created",
    "updated",
    "deleted",
    "outcome",
)
_SHORT = 12


def lines_of(found: repository_pb2.Repository) -> list[str]:
    """All that a person wants to know of it."""
    return [
        f"repository of task {found.task_id}: {sync_word(found.status) or 'not known yet'}",
        *_faults(found),
        *_place(found),
        *_pushes(found),
        *_waiting(found),
        *_access(found),
    ]


def push_row(found: repository_pb2.Push) -> tuple[object, ...]:
    """A push of the past by PUSH_COLUMNS."""
    by = f"{found.author.username} (by itself)" if found.is_automatic else found.author.username
    changes = found.changes
    return (
        found.operation,
        by,
        moment(found.create_time),
        moment(found.finish_time),
        found.revision or "",
        found.commit[:_SHORT],
        found.branch,
        changes.created,
        changes.updated,
        changes.deleted,
        _outcome(found),
    )


def pushed_line(found: repository_service_pb2.PushResult) -> str:
    """What came of a push."""
    what = "the repository has it already" if found.was_unchanged else "pushed"
    where = f"commit {found.commit} on {found.branch}" if found.commit else f"on {found.branch}"
    return f"revision {found.revision}: {what}: {where}"


def checked_line(found: repository_service_pb2.CheckResult) -> str:
    """What a look at the repository has shown."""
    branch = f"default branch {found.default_branch}" if found.default_branch else "no branch yet"
    rest = "" if found.has_branch or not found.default_branch else ", the chosen branch is not there yet"
    return f"the repository answers: {sync_word(found.status)}; {branch}{rest}"


def _faults(found: repository_pb2.Repository) -> Iterator[str]:
    if found.HasField("error"):
        yield f"  error: {found.error.message}"


def _place(found: repository_pb2.Repository) -> Iterator[str]:
    yield f"url: {found.url}"
    kept = ", kept with git LFS" if found.use_lfs else ""
    format_name = found.format or "CVAT for video or images by the mode"
    yield f"file: {found.path}, as {format_name}{kept}"
    yield f"branch: {found.branch or 'the default of the remote'}"


def _pushes(found: repository_pb2.Repository) -> Iterator[str]:
    if found.pushed_commit:
        what = f"revision {found.pushed_revision}, commit {found.pushed_commit} on {found.pushed_branch}"
        yield f"last push: {what}, {moment(found.push_time)}"
    else:
        yield "last push: none yet"
    if found.operation:
        yield f"a push is on its way: {found.operation}"
    if found.HasField("automatic"):
        quiet, period = found.automatic.quiet.seconds, found.automatic.period.seconds
        who = found.automatic_author.username
        yield f"pushes by itself: after {quiet} s of quiet, at most once in {period} s, as {who}"
    if found.HasField("due_time"):
        yield f"  the next at {moment(found.due_time)}"


def _waiting(found: repository_pb2.Repository) -> Iterator[str]:
    waiting = found.waiting
    if waiting.created or waiting.updated or waiting.deleted:
        counts = f"{waiting.created} created, {waiting.updated} updated, {waiting.deleted} deleted"
        yield f"not pushed yet: {counts}"


def _access(found: repository_pb2.Repository) -> Iterator[str]:
    credential = found.credential
    if credential.kind == repository_pb2.CREDENTIAL_KIND_UNSPECIFIED:
        yield "credential: none"
    else:
        kind = word(repository_pb2.CredentialKind, "CREDENTIAL_KIND_", credential.kind)
        name = f" of {credential.username}" if credential.username else ""
        yield f"credential: {kind}{name}, set {moment(credential.set_time)}".rstrip()
    if credential.public_key:
        yield f"  {credential.public_key}"
    for key in found.host_keys:
        yield f"host key: {key.type} {key.fingerprint} ({'given' if key.is_given else 'taken over'})"


def _outcome(found: repository_pb2.Push) -> str:
    if found.HasField("error"):
        return f"failed: {found.error.message}"
    if not found.HasField("finish_time"):
        return "on its way"
    return "unchanged" if found.was_unchanged else "pushed"
