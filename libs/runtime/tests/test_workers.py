import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import psutil
import pytest
from yard.runtime import errors
from yard.runtime.workers import BytesSource, FileSource, Pool, Upkeep
from yard.testkit import eventually

TESTS = str(Path(__file__).parent)
Pools = Callable[..., Coroutine[Any, Any, Pool]]


@pytest.fixture
async def pools() -> AsyncIterator[Pools]:
    """Pools that find the jobs beside this file, closed after the test."""
    async with AsyncExitStack() as stack:

        async def make(**arguments: Any) -> Pool:
            settings: dict[str, Any] = {"processes": 1, "import_paths": (TESTS,)} | arguments
            return await stack.enter_async_context(Pool(**settings))

        yield make


def children() -> list[int]:
    """Ids of the worker processes that live; one that has ended may not have been waited for yet."""
    return [child.pid for child in psutil.Process().children() if "workers.child" in _command(child)]


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""


class Taken(list[bytes]):
    async def __call__(self, chunk: bytes) -> None:
        self.append(chunk)


async def test_arguments_and_results_travel_and_the_child_stays_warm(pools: Pools) -> None:
    pool = await pools()
    arguments = {"number": 1 << 60, "ratio": 0.5, "bytes": b"\x00\xff", "list": ["é", {"deep": None}]}
    first = await pool.call("worker_jobs:echo", arguments)
    second = await pool.call("worker_jobs:echo", {})
    assert first == {"pid": first["pid"], **arguments}
    assert second == {"pid": first["pid"]}


async def test_children_start_with_the_first_call_and_end_when_idle(pools: Pools) -> None:
    pool = await pools(processes=2, upkeep=Upkeep(idle_s=0.2))
    assert children() == []
    pid = (await pool.call("worker_jobs:echo", {}))["pid"]
    assert children() == [pid]
    await eventually(lambda: children() == [])
    again = (await pool.call("worker_jobs:echo", {}))["pid"]
    assert children() == [again]


async def test_one_child_is_warm_before_the_first_call_and_stays_when_the_others_end(pools: Pools) -> None:
    pool = await pools(processes=2, upkeep=Upkeep(idle_s=0.2, warm=1))
    await pool.keep_warm()
    [warm] = children()
    gate = Gate()
    held = asyncio.create_task(
        pool.call("worker_jobs:hold", {}, sources={"gate": gate}, on_bytes=gate.on_bytes)
    )
    await gate.reached.wait()
    assert children() == [warm]
    other = (await pool.call("worker_jobs:echo", {}, lane="interactive"))["pid"]
    assert set(children()) == {warm, other}
    gate.opened.set()
    await held
    await eventually(lambda: len(children()) == 1 and not {warm, other} & set(children()))
    [fresh] = children()
    assert await pool.call("worker_jobs:echo", {}) == {"pid": fresh}


async def test_a_child_that_works_is_not_idle(pools: Pools) -> None:
    pool = await pools(upkeep=Upkeep(idle_s=0.05))
    gate = Gate()
    call = asyncio.create_task(
        pool.call("worker_jobs:hold", {}, sources={"gate": gate}, on_bytes=gate.on_bytes)
    )
    await gate.reached.wait()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(call), 0.2)
    gate.opened.set()
    assert await call == {"read": b"open"}


async def test_a_replaced_child_that_nobody_uses_ends_too(pools: Pools) -> None:
    pool = await pools(upkeep=Upkeep(idle_s=0.3))
    with pytest.raises(errors.WorkerCrashed):
        await pool.call("worker_jobs:crash", {"emit": False})
    await eventually(lambda: children() == [])
    assert await pool.call("worker_jobs:echo", {"a": 1})


async def test_a_child_is_replaced_after_its_share_of_calls(pools: Pools) -> None:
    pool = await pools(upkeep=Upkeep(calls_per_child=2))
    pids = [(await pool.call("worker_jobs:echo", {}))["pid"] for _ in range(4)]
    assert pids[0] == pids[1] != pids[2] == pids[3]


async def test_bytes_arrive_in_order_and_whole(pools: Pools) -> None:
    taken = Taken()
    result = await (await pools()).call("worker_jobs:emit", {"pieces": 12, "size": 1 << 20}, on_bytes=taken)
    assert hashlib.sha256(b"".join(taken)).hexdigest() == result["sha256"]
    assert sum(map(len, taken)) == 12 << 20


async def test_a_slow_consumer_holds_the_child_back(pools: Pools) -> None:
    """Of 64 MiB at most the window is on its way while nobody takes it."""
    pool = await pools()
    async with pool.stream("worker_jobs:emit", {"pieces": 64, "size": 1 << 20}) as stream:
        pid = (await eventually(children))[0]
        await eventually(lambda: psutil.Process(pid).status() == psutil.STATUS_SLEEPING)
        assert psutil.Process(pid).memory_info().rss < 64 << 20
        assert sum([len(chunk) async for chunk in stream]) == 64 << 20


async def test_a_stream_that_is_left_ends_its_job(pools: Pools) -> None:
    pool = await pools()
    async with pool.stream("worker_jobs:spin", {}) as stream:
        pid = int.from_bytes(await anext(aiter(stream)), "big")
    await eventually(lambda: not psutil.pid_exists(pid))


async def test_a_stream_raises_what_the_job_raises_after_its_bytes(pools: Pools) -> None:
    pool = await pools()
    async with pool.stream("worker_jobs:crash", {"emit": True}) as stream:
        chunks = aiter(stream)
        assert await anext(chunks) == b"first bytes"
        with pytest.raises(errors.WorkerCrashed, match="worker_jobs:crash crashed"):
            await anext(chunks)


async def test_sources_are_files_with_ranges(pools: Pools, tmp_path: Path) -> None:
    content = bytes(range(256)) * 8192  # 2 MiB
    path = tmp_path / "media"
    path.write_bytes(content)
    ranges = [(0, 10), (1_000_000, 300_000), (len(content) - 5, 100), (len(content) + 5, 1), (262_143, 2)]
    expected = {
        "parts": [content[offset : offset + length] for offset, length in ranges],
        "size": len(content),
        "rest": hashlib.sha256(content[262_145:]).hexdigest(),
    }
    pool = await pools()
    for source in (BytesSource(content), FileSource(path)):
        assert await pool.call("worker_jobs:read", {"ranges": ranges}, sources={"media": source}) == expected


async def test_threads_of_a_job_read_and_emit_at_the_same_time(pools: Pools) -> None:
    sources = {name: BytesSource(name.encode() * 2_000_000) for name in "abcd"}
    taken = Taken()
    await (await pools()).call("worker_jobs:copy", {"names": list("abcd")}, sources=sources, on_bytes=taken)
    found = b"".join(taken)
    assert [found.count(name) for name in (b"a", b"b", b"c", b"d")] == [2_000_000] * 4


async def test_progress_is_thinned_and_its_end_is_told(pools: Pools) -> None:
    told: list[float] = []

    async def on_progress(fraction: float) -> None:
        told.append(fraction)

    await (await pools()).call("worker_jobs:progress", {"steps": 2000}, on_progress=on_progress)
    assert told[-1] == 1.0
    assert told == sorted(told)
    assert len(told) < 200


async def test_an_unknown_source_is_a_bug_of_the_job(pools: Pools) -> None:
    with pytest.raises(errors.Internal, match="worker_jobs:unknown_source failed with KeyError"):
        await (await pools()).call("worker_jobs:unknown_source", {})


async def test_errors_of_sources_and_consumers_come_back_as_they_are(pools: Pools) -> None:
    class Broken(BytesSource):
        async def read(self, offset: int, length: int) -> bytes:
            raise errors.Unavailable("the store is away")

    async def refuse(chunk: bytes) -> None:
        raise errors.Cancelled("nobody wants it")

    pool = await pools()
    with pytest.raises(errors.Unavailable, match="the store is away"):
        await pool.call("worker_jobs:read", {"ranges": [(0, 1)]}, sources={"media": Broken(b"x")})
    with pytest.raises(errors.Cancelled, match="nobody wants it"):
        await pool.call("worker_jobs:emit", {"pieces": 100, "size": 1 << 20}, on_bytes=refuse)
    assert await pool.call("worker_jobs:echo", {"still": "works"})


async def test_media_errors_become_errors_of_the_tree_that_name_the_file(pools: Pools) -> None:
    pool = await pools()
    wrong = {"code": "truncated", "name": "é/cut.mp4"}
    with pytest.raises(errors.InvalidArgument) as caught:
        await pool.call("worker_jobs:refuse", wrong)
    assert caught.value.violations == (errors.Violation("é/cut.mp4", "the moov atom is missing"),)
    assert (caught.value.reason, caught.value.message) == ("TRUNCATED", "the moov atom is missing")
    assert caught.value.metadata == {"file": "é/cut.mp4"}

    with pytest.raises(errors.FailedPrecondition) as unsupported:
        await pool.call("worker_jobs:refuse", {"code": "unsupported", "name": "new.codec"})
    assert (unsupported.value.reason, unsupported.value.metadata) == ("UNSUPPORTED", {"file": "new.codec"})


async def test_a_refusal_keeps_the_child(pools: Pools) -> None:
    pool = await pools()
    pid = (await pool.call("worker_jobs:echo", {}))["pid"]
    with pytest.raises(errors.InvalidArgument):
        await pool.call("worker_jobs:refuse", {"code": "truncated", "name": ""})
    assert (await pool.call("worker_jobs:echo", {}))["pid"] == pid


@pytest.mark.parametrize("function", ["worker_jobs:fail", "worker_jobs:unpackable"])
async def test_bugs_of_a_job_are_internal_and_show_no_details(pools: Pools, function: str) -> None:
    with pytest.raises(errors.Internal, match=f"^{function} failed with ") as caught:
        await (await pools()).call(function, {})
    assert "secret" not in caught.value.message
    assert not isinstance(caught.value, errors.WorkerCrashed)


async def test_a_function_must_have_a_module_and_a_name(pools: Pools) -> None:
    with pytest.raises(ValueError, match="expected module:function"):
        await (await pools()).call("os.system", {})


class Gate:
    """A source whose only read waits until it is opened."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.opened = asyncio.Event()

    @property
    def size(self) -> int:
        return 4

    async def read(self, offset: int, length: int) -> bytes:
        self.reached.set()
        await self.opened.wait()
        return b"open"

    async def on_bytes(self, chunk: bytes) -> None:
        assert chunk == b"held"
