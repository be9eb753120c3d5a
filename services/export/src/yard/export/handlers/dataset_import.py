"""Data sets that people import into projects: a task of each subset, all of them or none."""

from typing import Any
from uuid import UUID

from frameyard.export.v1 import import_service_pb2 as messages
from frameyard.task.v1 import task_service_pb2
from yard.export.handlers.context import Exporting, operation_name
from yard.export.handlers.importing import importable
from yard.export.handlers.making import Making
from yard.export.handlers.project_labels import settle_labels
from yard.export.handlers.reading import limits_of, refusal, stopped
from yard.export.handlers.restoring import READING_TIME, Asked, queue
from yard.export.handlers.scratch import Scratch
from yard.export.handlers.subset_task import Brought, SubsetTask
from yard.export.sources.backed_up import project_of
from yard.export.sources.uploads import Located, located, own_file, source_of
from yard.export.store import restores
from yard.runtime import auth, errors
from yard.runtime.idempotency import once
from yard.runtime.rpc import translated
from yard.runtime.work import Work

KIND = "import_dataset"
JOB = "yard.export.formats.surveying_job"
SURVEY_SHARE = 0.1

Request = messages.CreateDatasetImportRequest


async def create_dataset_import(
    exporting: Exporting, request: Request, authorization: str
) -> messages.CreateDatasetImportResponse:
    """Queues the import of an archive of the caller into a project where the caller may make tasks."""
    _check(request)
    await _check_may_make_tasks(exporting, request.project_id, authorization)
    most = exporting.runtime.settings.import_max_file_bytes
    await own_file(exporting.channels, authorization, request.upload_id, most_bytes=most)
    asked = Asked(KIND, target=f"projects/{request.project_id}", parameters={"format": request.format})

    async with exporting.runtime.db.transaction() as tx:

        async def create() -> messages.CreateDatasetImportResponse:
            operation = await queue(exporting, tx, request, asked)
            return messages.CreateDatasetImportResponse(operation=operation)

        return await once(tx, request.request_id, request, messages.CreateDatasetImportResponse, create)


async def run_dataset_import(exporting: Exporting, work: Work[Request]) -> None:
    """Makes the tasks; an attempt after a kill goes on with those that are there."""
    assert work.operation_id is not None
    asked = await restores.restore_of(exporting.runtime.db, work.operation_id)
    if asked is None:
        raise errors.NotFound("import", operation_name(work.operation_id))
    file = await located(exporting.channels, asked.upload_id)
    with Scratch() as pictures:
        found = await _survey(exporting, work, file, pictures)
        making = Making(exporting, work, asked, file, pictures)
        project = await project_of(exporting.channels, work.message.project_id)
        await settle_labels(making, project, found["labels"])
        brought = await _make(making, work.message, file, found["subsets"], pictures)
    async with work.finish(_result(brought, found["left_out"])):
        pass


def _check(request: Request) -> None:
    """InvalidArgument with everything that is wrong with the request."""
    faults = errors.InvalidArgument()
    if request.project_id <= 0:
        faults += errors.invalid("project_id", "is required")
    try:
        UUID(request.upload_id)
    except ValueError:
        faults += errors.invalid("upload_id", "must be the id of an upload, a UUID")
    try:
        if importable(request.format).division is None:
            faults += errors.invalid("format", f"{request.format} has no images that tasks can be made of")
    except errors.InvalidArgument as fault:
        faults += fault
    if faults.violations:
        raise faults


async def _check_may_make_tasks(exporting: Exporting, project_id: int, authorization: str) -> None:
    """NotFound or PermissionDenied unless the caller may, as one of the people of the project.

    The tasks are made in the caller's name, who counts as a user then: administrators are no exception.
    """
    trial = task_service_pb2.CreateTaskRequest(name="data set", project_id=project_id, validate_only=True)
    with translated():
        await exporting.channels.tasks_for_caller.CreateTask(
            trial, metadata=(("authorization", authorization),)
        )
    project = await project_of(exporting.channels, project_id)
    if auth.current().user_id not in (project.owner.id, project.assignee.id):
        raise errors.PermissionDenied("data sets are imported by the owner or the assignee of a project")


async def _survey(
    exporting: Exporting, work: Work[Request], file: Located, pictures: Scratch
) -> dict[str, Any]:
    """Labels and subsets of the data set; the paths of its pictures go to `pictures`."""
    settings = exporting.runtime.settings

    async def tell(done: float) -> None:
        await work.progress(SURVEY_SHARE * done, f"looking through {file.name}")

    arguments = {
        "format": importable(work.message.format).full_name,
        "name": file.name,
        "limits": limits_of(settings),
    }
    try:
        found = await exporting.runtime.workers.call(
            f"{JOB}:survey_file",
            arguments,
            sources={"file": source_of(exporting.runtime.blobs, file)},
            on_bytes=pictures.append,
            on_progress=tell,
            timeout_s=settings.import_timeout_s * READING_TIME,
        )
    except errors.WorkerCrashed as crash:
        reason = f"cannot be read with the memory and time allowed: {stopped(crash, settings)}"
        raise refusal(file, [[file.name, reason]]) from crash
    if found["faults"]:
        raise refusal(file, found["faults"])
    await pictures.flush()
    return found


async def _make(
    making: Making, request: Request, file: Located, subsets: list[dict[str, Any]], pictures: Scratch
) -> list[Brought]:
    """One task after the other: media services index several of them at the same time as it is."""
    total, done = sum(subset["count"] for subset in subsets), 0
    brought = []
    for number, subset in enumerate(subsets):
        begin, done = done, done + subset["count"]
        stretch = tuple(SURVEY_SHARE + (1 - SURVEY_SHARE) * count / total for count in (begin, done))
        task = SubsetTask(making, request, file, number, subset, pictures, stretch)
        brought.append(await task.make())
    return brought


def _result(brought: list[Brought], left_out: int) -> messages.DatasetImportResult:
    ignored: dict[tuple[str, str], int] = {}
    for each in brought:
        for kind, reason, count in each.ignored:
            ignored[kind, reason] = ignored.get((kind, reason), 0) + count
    if left_out:
        ignored["image", "no subset names it"] = left_out
    return messages.DatasetImportResult(
        task_ids=[each.task_id for each in brought],
        images=sum(each.images for each in brought),
        tags=sum(each.tags for each in brought),
        shapes=sum(each.shapes for each in brought),
        tracks=sum(each.tracks for each in brought),
        ignored=[messages.Ignored(kind=kind, reason=why, count=n) for (kind, why), n in ignored.items()],
    )
