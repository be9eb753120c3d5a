import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import urllib3
from frameyard.task.v1.task_events_pb2 import TaskCreated
from grpc_health.v1 import health_pb2, health_pb2_grpc
from yard.embedded.servers.nats import Nats
from yard.runtime import app, errors, rpc
from yard.runtime.app import Parts, Runtime, Service
from yard.runtime.app.supervision import Supervised
from yard.runtime.auth import TokenIssuer
from yard.runtime.bus import Event, subscribe
from yard.runtime.db import Transaction
from yard.runtime.settings import RuntimeSettings
from yard.runtime.work import Work, handle
from yard.testkit import eventually
from yard.testkit.fixtures import SettingsFor

from libs.runtime.tests.rpc_probe import ANN, Probe, Stub, fault_of

ISSUER = TokenIssuer.generate()


class Parted:
    """A service with one of everything, and what it noticed."""

    def __init__(self) -> None:
        self.probe = Probe()
        self.events: list[str] = []
        self.notes: list[str] = []
        self.work_begun, self.work_may_go_on = asyncio.Event(), asyncio.Event()
        self.crashes = 1
        self.service = Service(
            name="probe",
            settings=RuntimeSettings,
            build=self.build,
            migrations="yard.testkit.no_migrations",
        )

    async def build(self, runtime: Runtime[RuntimeSettings]) -> Parts:
        return Parts(
            servicers=[self.probe.servicer()],
            subscriptions=[subscribe(TaskCreated, self.note)],
            work=[handle("probe", TaskCreated, self.work)],
            background=[("beat", self.beat)],
            on_close=[self.close],
        )

    async def note(self, tx: Transaction, event: Event[TaskCreated]) -> None:
        self.events.append(event.message.name)

    async def work(self, work: Work[TaskCreated]) -> None:
        self.work_begun.set()
        await self.work_may_go_on.wait()
        async with work.finish() as tx:
            await tx.emit(TaskCreated(name="of work"), key="1")

    async def beat(self) -> None:
        if self.crashes:
            self.crashes -= 1
            raise ZeroDivisionError
        self.notes.append("beat")

    async def close(self) -> None:
        self.notes.append("closed")


@pytest.fixture
def parted() -> Parted:
    return Parted()


@pytest.fixture
def settings(settings_for: SettingsFor, tmp_path: Path) -> RuntimeSettings:
    return settings_for(
        RuntimeSettings,
        service="probe",
        migrations="",
        jwks=ISSUER.jwks,
        port_file=str(tmp_path / "ports.json"),
        drain_timeout_s=10.0,
    )


@pytest.fixture
async def running(parted: Parted, settings: RuntimeSettings) -> AsyncIterator[app.Running[RuntimeSettings]]:
    async with app.serving(parted.service, settings) as running:
        yield running
        parted.work_may_go_on.set()


async def page(running: app.Running[Any], path: str, method: str = "GET") -> tuple[int, str]:
    def get() -> tuple[int, str]:
        with urllib3.PoolManager(retries=False, timeout=5) as http:
            answer = http.request(method, f"http://{running.metrics_address}{path}")
            return answer.status, answer.data.decode()

    return await asyncio.to_thread(get)


async def emit(running: app.Running[Any], name: str) -> None:
    async with running.runtime.db.transaction() as tx:
        await tx.emit(TaskCreated(name=name), key="1")


async def test_everything_runs(
    running: app.Running[RuntimeSettings], parted: Parted, settings: RuntimeSettings
) -> None:
    ports = json.loads(Path(settings.port_file).read_text())
    assert ports == {"rpc": running.address, "metrics": running.metrics_address}
    async with rpc.channel(running.address, token=ISSUER.issue(ANN).token) as channel:
        assert await Stub(channel).one("a") == "a"
    await emit(running, "first")
    await eventually(lambda: parted.events == ["first"])
    await eventually(lambda: "beat" in parted.notes)  # it was started again after its crash


async def test_pages_for_probes_and_scrapes(running: app.Running[RuntimeSettings], parted: Parted) -> None:
    assert await page(running, "/healthz") == (200, "live\n")
    assert await page(running, "/readyz") == (200, "ready\n")
    await emit(running, "x")
    await eventually(lambda: parted.events == ["x"])
    status, text = await page(running, "/metrics")
    assert status == 200
    assert 'frameyard_outbox_unpublished_events{service="probe"}' in text
    assert 'frameyard_consumer_pending_events{service="probe"}' in text
    assert (await page(running, "/secrets"))[0] == 404
    assert (await page(running, "/metrics", "POST"))[0] == 405


async def readiness(running: app.Running[Any]) -> str:
    return (await page(running, "/readyz"))[1].strip()


async def health(running: app.Running[Any]) -> int:
    async with rpc.channel(running.address) as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)
        return int((await stub.Check(health_pb2.HealthCheckRequest(service="ready"))).status)


async def test_readiness_follows_the_broker(running: app.Running[RuntimeSettings], nats_server: Nats) -> None:
    assert await health(running) == health_pb2.HealthCheckResponse.SERVING
    nats_server.kill()
    await eventually(lambda: is_ready(running, "not ready: broker"))
    assert await health(running) == health_pb2.HealthCheckResponse.NOT_SERVING
    assert await page(running, "/healthz") == (200, "live\n")
    nats_server.start()
    await eventually(lambda: is_ready(running, "ready"))
    assert await health(running) == health_pb2.HealthCheckResponse.SERVING


async def is_ready(running: app.Running[Any], expected: str) -> bool:
    return await readiness(running) == expected


async def test_the_end_waits_for_what_runs_and_publishes_the_rest(
    parted: Parted, settings: RuntimeSettings
) -> None:
    call_begun, call_may_go_on = asyncio.Event(), asyncio.Event()

    async def slow(text: str) -> str:
        call_begun.set()
        await call_may_go_on.wait()
        return text

    parted.probe.answer = slow
    ending = asyncio.Event()

    async def serve() -> None:
        async with app.serving(parted.service, settings) as running:
            started.set_result(running)
            await ending.wait()

    started: asyncio.Future[app.Running[RuntimeSettings]] = asyncio.get_running_loop().create_future()
    server = asyncio.create_task(serve())
    running = await started
    async with running.runtime.db.transaction() as tx:
        await tx.enqueue(TaskCreated(), kind="probe")
    async with rpc.channel(running.address, token=ISSUER.issue(ANN).token) as channel:
        call = asyncio.create_task(Stub(channel).one("late"))
        await call_begun.wait()
        await parted.work_begun.wait()
        ending.set()
        await eventually(lambda: is_ready(running, "not ready: drain"))
        assert not server.done()
        call_may_go_on.set()
        parted.work_may_go_on.set()
        assert await call == "late"
    await asyncio.wait_for(server, 10)
    assert parted.notes[-1] == "closed"

    async with app.serving(parted.service, settings) as again:
        rows = await again.runtime.db.fetch("SELECT published_at FROM outbox")
        assert [row["published_at"] is not None for row in rows] == [True]
        assert await again.runtime.db.fetchval("SELECT state FROM work") == "done"


async def test_what_does_not_end_in_time_is_cut(parted: Parted, settings_for: SettingsFor) -> None:
    settings = settings_for(
        RuntimeSettings, service="probe", migrations="", jwks=ISSUER.jwks, drain_timeout_s=0.3
    )
    async with app.serving(parted.service, settings) as running:
        async with running.runtime.db.transaction() as tx:
            await tx.enqueue(TaskCreated(), kind="probe")
        await parted.work_begun.wait()
    async with app.serving(
        Service(name="probe", settings=RuntimeSettings, build=empty, migrations="yard.testkit.no_migrations"),
        settings,
    ) as again:
        row = await again.runtime.db.fetchrow("SELECT state, tries FROM work")
        assert row is not None
        assert tuple(row) == ("queued", 0)


async def empty(runtime: Runtime[RuntimeSettings]) -> Parts:
    return Parts(servicers=[])


async def test_without_keys_no_token_is_good(parted: Parted, settings_for: SettingsFor) -> None:
    settings = settings_for(RuntimeSettings, service="probe", migrations="")
    token = ISSUER.issue(ANN).token
    async with (
        app.serving(parted.service, settings) as running,
        rpc.channel(running.address, token=token) as channel,
    ):
        fault = await fault_of(Stub(channel).one())
    assert isinstance(rpc.errors_from_rpc(fault), errors.Unauthenticated)


async def test_a_task_that_will_not_end_is_cancelled() -> None:
    begun = asyncio.Event()

    async def hang() -> None:
        begun.set()
        await asyncio.Event().wait()

    task = Supervised("hang", hang, stop=lambda: None)
    task.start()
    await begun.wait()
    await asyncio.wait_for(task.end(0.05), 5)
    await asyncio.wait_for(Supervised("never started", hang).end(0.05), 5)
