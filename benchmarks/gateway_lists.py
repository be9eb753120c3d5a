"""Lists of tasks as clients ask for them, among 100,000, beside the call behind them."""

import asyncio
import json
import math
import time
from collections.abc import Callable, Sequence
from typing import Final

import psycopg
from frameyard.identity.v1 import identity_service_pb2, user_pb2
from frameyard.task.v1 import task_service_pb2
from yard.client import Client
from yard.testkit.platform import Platform

from benchmarks.annotations_lists import FILL, PART, TASKS
from benchmarks.gateway_transfers import Ways, ways_of
from benchmarks.report import Aim, Row, row

SIZE: Final = 25
CALLS: Final = 300
WARM: Final = 20
PASSWORD: Final = "a long enough password"  # noqa: S105 - of accounts that live as long as the benchmark
LIMIT: Final = Aim(of="ours", relation="<", value=60)


def measure_lists(platform: Platform) -> list[Row]:
    """The first pages of an administrator, and of somebody who sees a part of the tasks."""
    part = asyncio.run(_people(platform))
    _fill(platform)
    rows = []
    with ways_of(platform) as ways:
        for who, username, password in (
            ("all", "admin", platform.admin_password),
            ("a part", part, PASSWORD),
        ):
            login = {"username": username, "password": password}
            key = ways.call("POST", "/api/auth/login", json=login).json()["key"]
            behind = asyncio.run(_behind(platform, username, password))
            for name, query in (
                ("newest first", ""),
                ("by name", "&sort=name"),
                ("found by a word", "&search=street"),
            ):
                taken = _taken(lambda query=query, key=key: _page(ways, key, query))  # type: ignore[misc]
                title = f"{SIZE} of {TASKS:,} tasks, {who}, {name}, p99 (baseline: ListTasks)"
                rows.append(row(title, "ms", [_p99(taken)], [behind], LIMIT))
    return rows


def _page(ways: Ways, key: str, query: str) -> None:
    path = f"/api/tasks?page_size={SIZE}{query}"
    found = ways.call("GET", path, headers={"Authorization": f"Token {key}"}).json()
    if len(found["results"]) != SIZE:
        raise RuntimeError(f"{path}: {len(found['results'])} tasks came")


async def _people(platform: Platform) -> str:
    """Accounts up to the one that sees a part; its name."""
    async with Client(platform.endpoints) as client:
        await client.login("admin", platform.admin_password)
        while True:
            user = user_pb2.User(username=f"bench{time.time_ns()}", role=user_pb2.ROLE_USER)
            asked = identity_service_pb2.CreateUserRequest(user=user, password=PASSWORD)
            made = (await client.call(client.identity.CreateUser, asked)).user
            if made.id == PART.user_id:
                return made.username
            if made.id > PART.user_id:
                raise RuntimeError(f"expected an account with the id {PART.user_id}, got {made.id}")


def _fill(platform: Platform) -> None:
    environment = json.loads((platform.data / "services" / "task" / "environment.json").read_text())
    with psycopg.connect(environment["FRAMEYARD_DATABASE_URL"], autocommit=True) as connection:
        connection.execute(FILL)
        connection.execute("VACUUM ANALYZE task")
        connection.execute("VACUUM ANALYZE job")


async def _behind(platform: Platform, username: str, password: str) -> float:
    """The p99 of the call that finds the page and counts the list."""
    async with Client(platform.endpoints) as client:
        await client.login(username, password)
        request = task_service_pb2.ListTasksRequest(page_size=SIZE, with_total_size=True)
        taken = []
        for _ in range(CALLS):
            began = time.perf_counter()
            await client.call(client.tasks.ListTasks, request)
            taken.append((time.perf_counter() - began) * 1_000)
    return _p99(taken[WARM:])


def _taken(call: Callable[[], None]) -> list[float]:
    """Milliseconds of each call, behind some that are not counted."""
    taken = []
    for _ in range(CALLS):
        began = time.perf_counter()
        call()
        taken.append((time.perf_counter() - began) * 1_000)
    return taken[WARM:]


def _p99(taken: Sequence[float]) -> float:
    return sorted(taken)[math.ceil(len(taken) * 0.99) - 1]
