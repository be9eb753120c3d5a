"""The task service as a process of its own, with a task that is ready to be annotated."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import asyncpg
from frameyard.annotation.v1.annotation_service_pb2_grpc import AnnotationServiceStub
from yard.runtime import rpc
from yard.runtime.auth import Principal, TokenIssuer
from yard.testkit import eventually
from yard.testkit.process import Program

from benchmarks.servers import Servers

if TYPE_CHECKING:
    from frameyard.annotation.v1.annotation_service_pb2_grpc import AnnotationServiceAsyncStub

START_S: Final = 60.0
ANN: Final = Principal(user_id=1, username="ann", role="user")
SIZE: Final = (1920, 1080)


@dataclass(frozen=True, slots=True, kw_only=True)
class Street:
    """A task whose frames are shared out among jobs, and its only label."""

    task_id: int
    job_ids: list[int]
    label_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """The running service, as its owner's client, and its schema."""

    program: Program
    address: str
    issuer: TokenIssuer
    annotations: "AnnotationServiceAsyncStub"
    url: str
    schema: "asyncpg.Connection[asyncpg.Record]"

    async def street(self, *jobs: tuple[int, int]) -> Street:
        """A new video task with jobs of these frames, both included."""
        task_id = await self.schema.fetchval(
            """
            INSERT INTO task (
                name, name_key, owner_id, mode, media_state, size, width, height, jobs_total, jobs_annotation
            )
            VALUES ('street', 'street', $1, 2, 3, $2, $3, $4, $5, $5)
            RETURNING id
            """,
            ANN.user_id,
            jobs[-1][1] + 1,
            *SIZE,
            len(jobs),
        )
        label_id = await self.schema.fetchval(
            "INSERT INTO label (task_id, position, name, color, kind) VALUES ($1, 0, 'car', '#112233', 1) "
            "RETURNING id",
            task_id,
        )
        job_ids = [
            await self.schema.fetchval(
                "INSERT INTO job (task_id, segment, first_frame, last_frame) VALUES ($1, $2, $3, $4) "
                "RETURNING id",
                task_id,
                segment,
                *frames,
            )
            for segment, frames in enumerate(jobs)
        ]
        return Street(task_id=task_id, job_ids=job_ids, label_id=label_id)


@asynccontextmanager
async def task_service(servers: Servers) -> AsyncIterator[Service]:
    """The service in a database of its own."""
    issuer = TokenIssuer.generate()
    url = servers.databases.create("task", "yard.task.migrations")
    port_file = servers.folder / "annotations.port"
    program = _start(servers, url, issuer, port_file)
    schema: Any = None
    try:
        address = json.loads(await _written(port_file, program))["rpc"]
        schema = await asyncpg.connect(url, command_timeout=600)
        async with rpc.channel(address, token=issuer.issue(ANN).token) as channel:
            yield Service(
                program=program,
                address=address,
                issuer=issuer,
                annotations=AnnotationServiceStub(channel),
                url=url,
                schema=schema,
            )
    finally:
        if schema is not None:
            await schema.close()
        program.kill()
        port_file.unlink(missing_ok=True)


def _start(servers: Servers, url: str, issuer: TokenIssuer, port_file: Path) -> Program:
    settings = {
        "DATABASE_URL": url,
        "NATS_URL": servers.nats.url,
        "NATS_TOKEN": servers.nats.token,
        # Sizes of the frames of a video are in its row: no bytes are read.
        "S3_ENDPOINT": "127.0.0.1:1",
        "S3_ACCESS_KEY": "none",
        "S3_SECRET_KEY": "none",
        "JWKS": issuer.jwks,
        "PORT_FILE": str(port_file),
    }
    environment = {f"FRAMEYARD_{name}": value for name, value in settings.items()}
    return Program(["-m", "yard.task"], log=servers.folder / "annotations.log", environment=environment)


async def _written(port_file: Path, program: Program) -> str:
    def text() -> str:
        if program.exit_status is not None:
            raise RuntimeError(program.output())
        return port_file.read_text() if port_file.exists() else ""

    return await eventually(text, timeout_s=START_S)
