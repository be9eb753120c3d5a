"""GetTask through the real task service, beside a bare gRPC echo and a bare select."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import asyncpg
import grpc.aio
from frameyard.task.v1 import task_service_pb2 as messages
from yard.runtime import clock
from yard.runtime.auth import Principal, TokenIssuer
from yard.testkit.process import Program
from yard.testkit.service_program import written

from benchmarks.runtime_echo import SERVICE as ECHO
from benchmarks.servers import Servers
from benchmarks.task_program import task_program

ROOT: Final = Path(__file__).resolve().parents[1]
TASKS: Final = "/frameyard.task.v1.TaskService"
CALLERS: Final = 16
MEASURED_S: Final = 2.0
CALLER: Final = Principal(user_id=1, username="bench", role="user")

Call = Callable[[], Awaitable[object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Calls:
    """Three ways to ask for something small; each runs CALLERS times at once."""

    get_task: Call
    echo: Call
    select: Call


async def rate(call: Call) -> float:
    """Answers a second of CALLERS that ask again as soon as they have theirs."""
    began = clock.monotonic()

    async def ask() -> int:
        answers = 0
        while clock.monotonic() - began < MEASURED_S:
            await call()
            answers += 1
        return answers

    answers = sum(await asyncio.gather(*(ask() for _ in range(CALLERS))))
    return answers / (clock.monotonic() - began)


@asynccontextmanager
async def calls(servers: Servers) -> AsyncIterator[Calls]:
    """The task service and the echo as processes of their own, with one task that is asked for."""
    issuer = TokenIssuer.generate()
    url = servers.databases.create("task", "yard.task.migrations")
    service = task_program(servers, url, issuer, "task")
    echo_port = servers.folder / "echo.port"
    echo = Program(
        ["-m", "benchmarks.runtime_echo", str(echo_port)],
        log=servers.folder / "echo.log",
        environment={"PYTHONPATH": str(ROOT)},
    )
    metadata = (("authorization", f"Bearer {issuer.issue(CALLER).token}"),)
    try:
        async with (
            grpc.aio.insecure_channel(await service.address()) as to_tasks,
            grpc.aio.insecure_channel(await written(echo, echo_port)) as to_echo,
            asyncpg.create_pool(url, min_size=CALLERS, max_size=CALLERS) as pool,
        ):
            yield await _calls(to_tasks, to_echo, pool, metadata)
    finally:
        service.kill()
        echo.kill()


async def _calls(
    to_tasks: Any, to_echo: Any, pool: "asyncpg.Pool[asyncpg.Record]", metadata: tuple[tuple[str, str], ...]
) -> Calls:
    create = to_tasks.unary_unary(
        f"{TASKS}/CreateTask",
        request_serializer=messages.CreateTaskRequest.SerializeToString,
        response_deserializer=messages.CreateTaskResponse.FromString,
    )
    get = to_tasks.unary_unary(
        f"{TASKS}/GetTask",
        request_serializer=messages.GetTaskRequest.SerializeToString,
        response_deserializer=messages.GetTaskResponse.FromString,
    )
    made = await create(messages.CreateTaskRequest(name="bench"), metadata=metadata)
    request = messages.GetTaskRequest(id=made.task.id)
    echo, text = to_echo.unary_unary(f"/{ECHO}/Echo"), request.SerializeToString()
    return Calls(
        get_task=lambda: get(request, metadata=metadata),
        echo=lambda: echo(text),
        select=lambda: pool.fetchrow("SELECT * FROM task WHERE id = $1", request.id),
    )
