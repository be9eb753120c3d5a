"""Lists of tasks and jobs among 100,000 tasks, for an administrator and for somebody who sees a part of them.

The baseline is the plain query that answers the same: all conditions, one order, the rows left out by OFFSET.
"""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from frameyard.media.v1.media_pb2 import DataParameters
from frameyard.task.v1 import job_pb2, job_service_pb2, task_pb2, task_service_pb2
from frameyard.task.v1.job_service_pb2_grpc import JobServiceStub
from frameyard.task.v1.task_service_pb2_grpc import TaskServiceStub
from yard.runtime import rpc
from yard.runtime.auth import Principal

from benchmarks.annotations_service import Service, task_service
from benchmarks.report import Aim, Row, row
from benchmarks.servers import servers

if TYPE_CHECKING:
    from frameyard.task.v1.job_service_pb2_grpc import JobServiceAsyncStub
    from frameyard.task.v1.task_service_pb2_grpc import TaskServiceAsyncStub

TASKS: Final = 100_000
CALLS: Final = 200
BASELINE_CALLS: Final = 20
PAGE: Final = 2_000
LIMIT: Final = Aim(of="ours", relation="<", value=50)
ADMIN: Final = Principal(user_id=1, username="person37", role="admin")
PART: Final = Principal(user_id=7, username="person09", role="user")

_DATA: Final = DataParameters(
    image_quality=70, stop_frame=999, frame_step=1, chunk_size=36
).SerializeToString()

# 50 people, 20 projects, 100,000 tasks of five jobs each, and one task of 10,000 jobs.
FILL: Final = f"""
INSERT INTO person (id, username, username_key)
SELECT n, 'person' || n * 37 % 50, 'person' || n * 37 % 50 FROM generate_series(1, 50) AS n
ON CONFLICT DO NOTHING;
INSERT INTO project (name, name_key, owner_id, assignee_id)
SELECT 'Project ' || n, 'project ' || n, 1 + n % 50, nullif(n * 7 % 51, 0) FROM generate_series(1, 20) AS n;
INSERT INTO task (
    name, name_key, project_id, owner_id, assignee_id, issue_tracker, subset, mode, media_state, size,
    sync_status, jobs_total, jobs_annotation, jobs_validation, jobs_completed, data
)
SELECT 'Street ' || h || ' part ' || n, 'street ' || h || ' part ' || n, nullif(n % 21, 0), 1 + h % 50,
    nullif(h / 50 % 51, 0), 'https://tracker.example.org/issues/' || n, 'part ' || n % 3, 1 + h % 2, 3, 1000,
    h % 6, 5, n % 3 / 2 * 5, (n + 1) % 3 / 2 * 5, (n + 2) % 3 / 2 * 5, decode('{_DATA.hex()}', 'hex')
FROM (SELECT n, abs(hashint4(n)) % 1000000 AS h FROM generate_series(1, {TASKS}) AS n) AS numbers;
INSERT INTO task (name, name_key, owner_id, mode, size, jobs_total, jobs_annotation)
VALUES ('long', 'long', {PART.user_id}, 2, 1000000, 10000, 10000);
INSERT INTO job (task_id, segment, first_frame, last_frame, assignee_id, reviewer_id, stage, state)
SELECT task.id, s, s * 100, s * 100 + 99, nullif(abs(hashint8(task.id * 5 + s)) % 51, 0),
    nullif(abs(hashint8(task.id * 7 + s)) % 51, 0), 1 + abs(hashint8(task.id * 3 + s)) % 3, 2
FROM task, generate_series(0, task.jobs_total - 1) AS s
ON CONFLICT DO NOTHING;
"""  # noqa: S608 - numbers of this file

_TASKS: Final = """
SELECT task.*, owner.username, assignee.username, project.name
FROM task
LEFT JOIN person AS owner ON owner.id = task.owner_id
LEFT JOIN person AS assignee ON assignee.id = task.assignee_id
LEFT JOIN project ON project.id = task.project_id
WHERE task.deleted_at IS NULL AND project.deleted_at IS NULL
"""
_OF_PART: Final = f"""
    AND (
        {PART.user_id} IN (task.owner_id, task.assignee_id, project.owner_id, project.assignee_id)
        OR EXISTS (
            SELECT FROM job WHERE task_id = task.id AND {PART.user_id} IN (job.assignee_id, job.reviewer_id)
        )
    )
"""
_JOBS: Final = f"""
SELECT job.*, task.name, task.project_id, assignee.username, reviewer.username
FROM job
JOIN task ON task.id = job.task_id
LEFT JOIN person AS assignee ON assignee.id = job.assignee_id
LEFT JOIN person AS reviewer ON reviewer.id = job.reviewer_id
WHERE job.task_id = {TASKS + 1} AND job.status = 2
"""  # noqa: S608 - numbers of this file


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """The lists, as one caller."""

    tasks: "TaskServiceAsyncStub"
    jobs: "JobServiceAsyncStub"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A list, as a request to its method and as a plain query without its page."""

    name: str
    request: Any
    plain: str
    size: int
    """Rows a page: so many that there are 2,000 pages and more."""
    is_part: bool


def measure_lists() -> list[Row]:
    """The rows of the table."""
    return asyncio.run(_measure())


async def _measure() -> list[Row]:
    with servers() as running:
        async with task_service(running) as service:
            await service.schema.execute(FILL)
            await service.schema.execute("VACUUM ANALYZE task")
            await service.schema.execute("VACUUM ANALYZE job")
            async with _clients(service) as (admin, part):
                rows = []
                for case in _cases():
                    rows += await _rows(service, part if case.is_part else admin, case)
                return rows


@asynccontextmanager
async def _clients(service: Service) -> AsyncIterator[tuple[Client, Client]]:
    async with AsyncExitStack() as stack:
        clients = []
        for principal in (ADMIN, PART):
            token = service.issuer.issue(principal).token
            channel = await stack.enter_async_context(rpc.channel(service.address, token=token))
            clients.append(Client(tasks=TaskServiceStub(channel), jobs=JobServiceStub(channel)))
        yield clients[0], clients[1]


def _cases() -> list[Case]:
    found = []
    for who, size, whose in (("all", 20, ""), ("a part", 5, _OF_PART)):
        by_name = task_service_pb2.ListTasksRequest(
            order=task_service_pb2.TASK_ORDER_NAME,
            name_contains="street",
            mode=task_pb2.TASK_MODE_INTERPOLATION,
        )
        by_assignee = task_service_pb2.ListTasksRequest(
            order=task_service_pb2.TASK_ORDER_ASSIGNEE, mode=task_pb2.TASK_MODE_ANNOTATION
        )
        jobs = job_service_pb2.ListJobsRequest(
            task_id=TASKS + 1,
            status=job_pb2.JOB_STATUS_VALIDATION,
            order=job_service_pb2.JOB_ORDER_ASSIGNEE,
        )
        named = "AND task.mode = 2 AND strpos(task.name_key, 'street') > 0"
        plain = (
            f"{_TASKS}{whose} {named} ORDER BY task.name_key, task.id",
            f"{_TASKS}{whose} AND task.mode = 1 ORDER BY assignee.username, task.id",
            f"{_JOBS} ORDER BY assignee.username, job.id",
        )
        names = ("tasks by name", "tasks by assignee", "10,000 jobs by assignee")
        sizes = (size, size, 1)
        for name, request, query, rows in zip(names, (by_name, by_assignee, jobs), plain, sizes, strict=True):
            case = Case(name=f"{name}, {who}", request=request, plain=query, size=rows, is_part=bool(whose))
            found.append(case)
    return found


async def _rows(service: Service, client: Client, case: Case) -> list[Row]:
    """Page 1, and page 2,000 by its number and by the token of the page before."""
    is_jobs = isinstance(case.request, job_service_pb2.ListJobsRequest)
    method: Any = client.jobs.ListJobs if is_jobs else client.tasks.ListTasks
    first = _with(case.request, page_size=50)
    before = _with(case.request, page_size=case.size, skip=(PAGE - 2) * case.size)
    token = (await method(before)).next_page_token
    numbered = _with(case.request, page_size=case.size, skip=(PAGE - 1) * case.size)
    following = _with(case.request, page_size=case.size, page_token=token)
    assert await method(numbered) == await method(following)

    async def plain(limit: int, offset: int) -> list[float]:
        query = f"{case.plain} OFFSET {offset} LIMIT {limit}"
        return await _timed(BASELINE_CALLS, lambda: service.schema.fetch(query))

    page_1, page_2000 = await plain(50, 0), await plain(case.size, (PAGE - 1) * case.size)
    rows = []
    for name, request, baseline in (
        ("page 1", first, page_1),
        (f"page {PAGE:,} by skip", numbered, page_2000),
        (f"page {PAGE:,} by token", following, page_2000),
    ):
        taken = await _timed(CALLS, partial(method, request))
        rows.append(_row(f"{case.name}, {name}, p99", taken, baseline))
    counted = await _timed(CALLS // 4, partial(method, _with(first, with_total_size=True)))
    return [*rows, _row(f"{case.name}, page 1 and total, p99", counted, page_1)]


def _row(name: str, taken: Sequence[float], baseline: Sequence[float]) -> Row:
    return row(name, "ms", [_p99(taken)], [_p99(baseline)], LIMIT)


async def _timed(calls: int, call: Callable[[], Awaitable[object]]) -> list[float]:
    """Milliseconds of each call, behind some that are not counted."""
    for _ in range(5):
        await call()
    taken = []
    for _ in range(calls):
        begin = time.perf_counter()
        await call()
        taken.append((time.perf_counter() - begin) * 1_000)
    return taken


def _with(request: Any, **fields: Any) -> Any:
    changed = type(request)(**fields)
    changed.MergeFrom(request)
    return changed


def _p99(taken: Sequence[float]) -> float:
    return sorted(taken)[math.ceil(len(taken) * 0.99) - 1]
