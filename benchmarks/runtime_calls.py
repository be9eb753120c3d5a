"""GetTask through the real task service, beside a bare gRPC echo and a bare select."""

import asyncio
import json
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
from yard.testkit import eventually
from yard.testkit.process import Program

from benchmarks.runtime_echo import SERVICE as ECHO
from benchmarks.servers import Servers

ROOT: Final = Path(__file__).resolve().parents[1]
TASKS: Final = "/frameyard.task.v1.TaskService"
CALLERS: Final = 16
MEASURED_S: Final = 2.0
START_S: Final = 60.0
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
    service = _task_service(servers, url, issuer)
    echo = _program(servers, "echo", ["-m", "benchmarks.runtime_echo", str(servers.folder / "echo.port")])
    metadata = (("authorization", f"Bearer {issuer.issue(CALLER).token}"),)
    try:
        ports = json.loads(await _written(servers.folder / "task.port", service))
        async with (
            grpc.aio.insecure_channel(ports["rpc"]) as to_tasks,
            grpc.aio.insecure_channel(await _written(servers.folder / "echo.port", echo)) as to_echo,
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


def _task_service(servers: Servers, url: str, issuer: TokenIssuer) -> Program:
    settings = {
        "DATABASE_URL": url,
        "NATS_URL": servers.nats.url,
        "NATS_TOKEN": servers.nats.token,
        # GetTask needs no bytes.
        "S3_ENDPOINT": "127.0.0.1:1",
        "S3_ACCESS_KEY": "none",
        "S3_SECRET_KEY": "none",
        "JWKS": issuer.jwks,
        "PORT_FILE": str(servers.folder / "task.port"),
    }
    environment = {f"FRAMEYARD_{name}": value for name, value in settings.items()}
    return _program(servers, "task", ["-m", "yard.task"], environment)


def _program(
    servers: Servers, name: str, arguments: list[str], environment: dict[str, str] | None = None
) -> Program:
    log = servers.folder / f"{name}.log"
    return Program(arguments, log=log, environment={"PYTHONPATH": str(ROOT), **(environment or {})})


async def _written(port_file: Path, program: Program) -> str:
    def text() -> str:
        if program.exit_status is not None:
            raise RuntimeError(program.output())
        return port_file.read_text() if port_file.exists() else ""

    return await eventually(text, timeout_s=START_S)
