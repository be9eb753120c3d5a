"""The task service as a process of its own, with a task that is ready to be annotated."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import asyncpg
from frameyard.annotation.v1.annotation_service_pb2_grpc import AnnotationServiceStub
from yard.runtime import rpc
from yard.runtime.auth import Principal, TokenIssuer
from yard.testkit.process import Program

from benchmarks.servers import Servers
from benchmarks.task_program import task_program

if TYPE_CHECKING:
    from frameyard.annotation.v1.annotation_service_pb2_grpc import AnnotationServiceAsyncStub

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
    program = task_program(servers, url, issuer, "annotations")
    schema: Any = None
    try:
        address = await program.address()
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
        program.forget_address()
