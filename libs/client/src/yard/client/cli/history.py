"""What was saved when and by whom, and the way back."""

from typing import Final

import click
from frameyard.annotation.v1 import annotation_service_pb2
from frameyard.annotation.v1 import history_service_pb2 as service
from yard.client.cli.annotation_files import SavedFile, counts_of, saved_file
from yard.client.cli.annotations import base_option
from yard.client.cli.context import Call, command
from yard.client.cli.listing import moment, pages
from yard.client.cli.parameters import ID, NUMBER, Target, examples, target, word
from yard.client.client import request_id

_REVISION: Final = click.argument("revision", type=NUMBER)
_JOB: Final = click.argument("job_id", type=ID)


def add_to(main: click.Group) -> None:
    """Adds the commands of this module."""
    main.add_command(history)


@click.group()
def history() -> None:
    """The saves of a job: list, read, compare, bring back."""


@history.command(
    "list", epilog=examples("frameyard history list --job 12", "frameyard history list --task 5")
)
@target
@command
async def list_(call: Call, target: Target) -> None:
    """List saves, newest first."""
    request = service.ListRevisionsRequest(target=annotation_service_pb2.AnnotationTarget(**target.fields))
    found = pages(call.client, call.client.history.ListRevisions, request, lambda page: page.revisions)
    columns = ("job", "revision", "what", "by", "when", "created", "updated", "deleted", "readable")
    await call.out.table(columns, found, _row)


@history.command(epilog=examples("frameyard history show 12 7 -o before.json", "frameyard history show 12 0"))
@_JOB
@_REVISION
@saved_file
@command
async def show(call: Call, job_id: int, revision: int, saved: SavedFile) -> None:
    """Read the objects of a job as they were after a save; 0 is before the first one."""
    saved.check()
    request = service.GetRevisionRequest(job_id=job_id, revision=revision)
    found = await call.client.call(call.client.history.GetRevision, request)
    saved.write(call, found, found.annotations, key=f"job-{job_id}")
    call.out.note(f"{counts_of(found.annotations)}; revision {revision}")


@history.command(epilog=examples("frameyard history diff 12 7", "frameyard history diff 12 7 9 --json"))
@_JOB
@click.argument("from_revision", type=NUMBER)
@click.argument("to_revision", type=NUMBER, required=False)
@command
async def diff(call: Call, job_id: int, from_revision: int, to_revision: int | None) -> None:
    """Tell what differs between two states of a job; the second is the present one unless given."""
    request = service.DiffRevisionsRequest(
        job_id=job_id, from_revision=from_revision, to_revision=to_revision
    )
    found = await call.client.call(call.client.history.DiffRevisions, request)
    call.out.message(
        found,
        f"created: {counts_of(found.created)}",
        f"updated: {counts_of(found.updated_after)}",
        f"deleted: {counts_of(found.deleted)}",
    )


@history.command(epilog=examples("frameyard history restore 12 7"))
@_JOB
@_REVISION
@base_option
@command
async def restore(call: Call, job_id: int, revision: int, base_revision: int | None) -> None:
    """Bring the objects of a job back to what they were; what came after stays in the history."""
    request = service.RestoreRevisionRequest(
        job_id=job_id, revision=revision, base_revision=base_revision, request_id=request_id()
    )
    now = await call.client.call(call.client.history.RestoreRevision, request)
    lost = f"; {now.left_out} objects stay away, their label is gone" if now.left_out else ""
    odd = f"; {now.misfits} objects do not fit their label any more" if now.misfits else ""
    call.out.message(now, f"revision {now.revision} is as {revision} was{lost}{odd}")


def _row(found: service.Revision) -> tuple[object, ...]:
    what = word(service.RevisionKind, "REVISION_KIND_", found.kind)
    if found.kind == service.REVISION_KIND_RESTORE:
        what = f"{what} of {found.restored_revision}"
    who = found.user.username or "a service"
    numbers = found.created, found.updated, found.deleted
    readable = "yes" if found.is_readable else "no"
    return found.job_id, found.revision, what, who, moment(found.create_time), *numbers, readable
