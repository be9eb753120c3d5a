from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest
from frameyard.annotation.v1 import annotation_service_pb2_grpc
from frameyard.operation.v1 import operation_service_pb2_grpc
from frameyard.task.v1 import (
    issue_service_pb2_grpc,
    job_service_pb2_grpc,
    project_service_pb2_grpc,
    task_service_pb2_grpc,
)
from yard.embedded.servers.nats import Nats
from yard.runtime import app, auth, rpc
from yard.task.service import SERVICE
from yard.task.settings import Settings
from yard.testkit.fixtures import SettingsFor

from services.task.tests.neighbours import (
    ADMIN,
    ANN,
    BEN,
    CLEO,
    DORA,
    EXPORT,
    PEOPLE,
    STRANGER,
    Client,
    Connect,
    Neighbours,
    Running,
)

if TYPE_CHECKING:
    from grpc.aio import Channel


@pytest.fixture(scope="session")
def issuer() -> auth.TokenIssuer:
    return auth.TokenIssuer.generate()


@pytest.fixture
def settings(settings_for: SettingsFor, issuer: auth.TokenIssuer) -> Settings:
    return settings_for(Settings, jwks=issuer.jwks)


@pytest.fixture
async def neighbours(nats_server: Nats) -> AsyncIterator[Neighbours]:
    """Identity has told of everybody, perhaps not long enough ago to be known already."""
    async with Neighbours.connected(nats_server.url, nats_server.token) as neighbours:
        await neighbours.introduce(*PEOPLE)
        yield neighbours


@pytest.fixture
async def running(settings: Settings, neighbours: Neighbours) -> AsyncIterator[Running]:
    async with app.serving(SERVICE, settings) as running:
        yield running


@pytest.fixture
async def connect(running: Running, issuer: auth.TokenIssuer) -> AsyncIterator[Connect]:
    """`connect(ANN)`: the services as that caller."""
    channels: list[Channel] = []

    def connected(principal: auth.Principal) -> Client:
        channel = rpc.channel(running.address, token=issuer.issue(principal).token)
        channels.append(channel)
        return Client(
            projects=project_service_pb2_grpc.ProjectServiceStub(channel),
            tasks=task_service_pb2_grpc.TaskServiceStub(channel),
            jobs=job_service_pb2_grpc.JobServiceStub(channel),
            issues=issue_service_pb2_grpc.IssueServiceStub(channel),
            annotations=annotation_service_pb2_grpc.AnnotationServiceStub(channel),
            operations=operation_service_pb2_grpc.OperationServiceStub(channel),
        )

    yield connected
    for channel in channels:
        await channel.close()


@pytest.fixture
def ann(connect: Connect) -> Client:
    """A user."""
    return connect(ANN)


@pytest.fixture
def ben(connect: Connect) -> Client:
    """Another user."""
    return connect(BEN)


@pytest.fixture
def cleo(connect: Connect) -> Client:
    """A worker."""
    return connect(CLEO)


@pytest.fixture
def dora(connect: Connect) -> Client:
    """Another worker."""
    return connect(DORA)


@pytest.fixture
def stranger(connect: Connect) -> Client:
    """A user who has to do with nothing."""
    return connect(STRANGER)


@pytest.fixture
def admin(connect: Connect) -> Client:
    """An administrator."""
    return connect(ADMIN)


@pytest.fixture
def export(connect: Connect) -> Client:
    """A service account."""
    return connect(EXPORT)
