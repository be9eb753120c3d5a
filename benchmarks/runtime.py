"""How much the runtime costs: events through outbox and inbox, and calls through the boundary."""

import asyncio
from typing import Final

from yard.runtime import bus, telemetry
from yard.runtime.db import Database

from benchmarks.report import Aim, Row, publish, row
from benchmarks.runtime_calls import calls, rate
from benchmarks.runtime_events import SERVICE, Latency, Ours, Plain, latency, prepare, throughput
from benchmarks.servers import Servers, servers

REPETITIONS: Final = 5
POOL: Final = 20


async def measure_events(servers: Servers) -> list[Row]:
    """Throughput and latency, ours and plain in turns."""
    database = await Database.connect(
        servers.databases.create(SERVICE, "yard.testkit.no_migrations"), max_size=POOL
    )
    client = await bus.connect(servers.nats.url, token=servers.nats.token)
    ours, plain = Ours(database, client), Plain(database, client)
    fast: dict[str, list[float]] = {"ours": [], "plain": []}
    late: dict[str, list[Latency]] = {"ours": [], "plain": []}
    for pipeline in (ours, plain):
        await prepare(pipeline)
    for _ in range(REPETITIONS):
        for pipeline in (ours, plain):
            fast[pipeline.name].append(await throughput(pipeline))
            late[pipeline.name].append(await latency(pipeline))
    await client.close()
    await database.close()
    p50 = {name: [each.p50 for each in runs] for name, runs in late.items()}
    p99 = {name: [each.p99 for each in runs] for name, runs in late.items()}
    aim = Aim(of="ours", relation="<", value=50)
    return [
        row("events through outbox, broker, inbox", "1/s", fast["ours"], fast["plain"]),
        row("commit to handled at 200/s, p50", "ms", p50["ours"], p50["plain"]),
        row("commit to handled at 200/s, p99", "ms", p99["ours"], p99["plain"], aim),
    ]


async def measure_calls(servers: Servers) -> list[Row]:
    """GetTask, echo and select in turns; the aim is set beside the slower of the two."""
    figures: dict[str, list[float]] = {"get": [], "echo": [], "select": []}
    async with calls(servers) as ways:
        turns = {"get": ways.get_task, "echo": ways.echo, "select": ways.select}
        for call in turns.values():
            await rate(call)  # warms up
        for _ in range(REPETITIONS):
            for name, call in turns.items():
                figures[name].append(await rate(call))
    beside = [
        row(f"GetTask beside a bare {name}", "1/s", figures["get"], figures[name])
        for name in ("echo", "select")
    ]
    slower = min(("echo", "select"), key=lambda name: sorted(figures[name])[REPETITIONS // 2])
    aim = Aim(of="ratio", relation=">=", value=0.5)
    return [*beside, row("GetTask beside the slower of both", "1/s", figures["get"], figures[slower], aim)]


async def main() -> None:
    """Prints and writes all rows."""
    telemetry.configure("bench", level="error", log_format="json")
    with servers() as started:
        publish("runtime", [*await measure_events(started), *await measure_calls(started)])


if __name__ == "__main__":
    asyncio.run(main())
