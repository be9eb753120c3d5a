"""Jobs."""

from typing import Any

import click
from frameyard.task.v1 import job_pb2
from frameyard.task.v1 import job_service_pb2 as service
from yard.client.cli.changing import changed
from yard.client.cli.context import Call, command
from yard.client.cli.listing import count, name_option, order_options, pages, person_id
from yard.client.cli.parameters import ID, Choice, examples, given, word

STAGE = Choice(job_pb2.JobStage, "JOB_STAGE_")
STATE = Choice(job_pb2.JobState, "JOB_STATE_")
STATUS = Choice(job_pb2.JobStatus, "JOB_STATUS_")


def add_to(main: click.Group) -> None:
    """Adds the commands of this module."""
    main.add_command(job)


@click.group()
def job() -> None:
    """Jobs: the work on one segment of a task."""


@job.command(
    "list",
    epilog=examples(
        "frameyard job list --task 5 --order status",
        "frameyard job list --assignee anna --stage annotation",
        "frameyard job list --project 3 --unassigned --count",
    ),
)
@click.option("--task", "task_id", type=ID, metavar="ID", help="Only of this task.")
@click.option("--project", "project_id", type=ID, metavar="ID", help="Only of this project.")
@name_option("task", "the name of the task")
@click.option("--status", type=STATUS, help="Only with this status.")
@click.option("--stage", type=STAGE, help="Only in this stage.")
@click.option("--state", type=STATE, help="Only in this state.")
@click.option("--assignee", metavar="USER", help="Only of this annotator.")
@name_option("assignee", "the annotator's user name")
@click.option("--unassigned", is_flag=True, help="Only those that nobody is to annotate.")
@click.option("--reviewer", metavar="USER", help="Only of this reviewer.")
@name_option("reviewer", "the reviewer's user name")
@click.option("--unreviewed", is_flag=True, help="Only those that nobody reviews.")
@order_options(service.JobOrder, "JOB_ORDER_", "by id")
@command
async def list_(
    call: Call, /, assignee: str | None, reviewer: str | None, only_count: bool, **filters: Any
) -> None:
    """List jobs by id."""
    request = service.ListJobsRequest(
        **given(filters),
        assignee_id=await person_id(call.client, assignee),
        reviewer_id=await person_id(call.client, reviewer),
    )
    if only_count:
        await count(call, call.client.jobs.ListJobs, request)
        return
    found = pages(call.client, call.client.jobs.ListJobs, request, lambda page: page.jobs)
    await call.out.table(("id", "task", "frames", "stage", "state", "assignee", "reviewer"), found, _row)


@job.command()
@click.argument("job_id", type=ID)
@command
async def show(call: Call, job_id: int) -> None:
    """Show a job."""
    found = (await call.client.call(call.client.jobs.GetJob, service.GetJobRequest(id=job_id))).job
    call.out.message(found, *_lines(found))


@job.command(
    epilog=examples(
        "frameyard job update 12 --assignee anna",
        "frameyard job update 12 --stage validation --reviewer boris",
        "frameyard job update 12 --state completed",
    )
)
@click.argument("job_id", type=ID)
@click.option("--stage", type=STAGE, help="Which work it is in; without a state it is new there.")
@click.option("--state", type=STATE, help="How far the work of the stage is.")
@click.option("--assignee", metavar="USER", help="User name of the annotator; '' for nobody.")
@click.option("--reviewer", metavar="USER", help="User name of the reviewer; '' for nobody.")
@command
async def update(
    call: Call,
    job_id: int,
    stage: job_pb2.JobStage.ValueType | None,
    state: job_pb2.JobState.ValueType | None,
    assignee: str | None,
    reviewer: str | None,
) -> None:
    """Change stage, state, annotator or reviewer."""
    fields, people = {"stage": stage, "state": state}, {"assignee": assignee, "reviewer": reviewer}
    changes, mask = await changed(call.client, job_pb2.Job(id=job_id), fields, people)
    request = service.UpdateJobRequest(job=changes, update_mask=mask)
    now = (await call.client.call(call.client.jobs.UpdateJob, request)).job
    call.out.message(now, *_lines(now))


def _words(found: job_pb2.Job) -> tuple[str, str]:
    stage = word(job_pb2.JobStage, "JOB_STAGE_", found.stage)
    return stage, word(job_pb2.JobState, "JOB_STATE_", found.state)


def _row(found: job_pb2.Job) -> tuple[object, ...]:
    frames = f"{found.frames.first}-{found.frames.last}"
    return found.id, found.task_id, frames, *_words(found), found.assignee.username, found.reviewer.username


def _lines(found: job_pb2.Job) -> list[str]:
    stage, state = _words(found)
    started = found.start_time.ToJsonString() if found.HasField("start_time") else "not yet"
    frames = f"frames {found.frames.first} to {found.frames.last}"
    return [
        f"job {found.id} of task {found.task_id} ({found.task_name}): {frames}",
        f"{stage}, {state}",
        f"assignee: {found.assignee.username or 'nobody'}; reviewer: {found.reviewer.username or 'nobody'}",
        f"started: {started}; worked on for {found.work_duration.ToTimedelta()}; revision {found.revision}",
    ]
