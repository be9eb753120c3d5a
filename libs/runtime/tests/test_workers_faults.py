import asyncio
import signal
import textwrap
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from yard.runtime import errors
from yard.runtime.workers import Pool
from yard.testkit import eventually
from yard.testkit.process import Program

TESTS = str(Path(__file__).parent)


@pytest.fixture
async def pool() -> AsyncIterator[Pool]:
    async with Pool(processes=1, memory_mib=256, import_paths=(TESTS,)) as pool:
        yield pool


class Notes(list[bytes]):
    async def __call__(self, chunk: bytes) -> None:
        self.append(chunk)


async def test_a_crash_is_tried_once_more_and_then_names_the_function(
    pool: Pool, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(errors.WorkerCrashed, match=r"^worker_jobs:crash crashed$"):
        await pool.call("worker_jobs:crash", {"emit": False})
    logged = capsys.readouterr().out
    assert logged.count("worker_crashed") == 2
    assert "Segmentation fault" in logged
    assert await pool.call("worker_jobs:echo", {"next": True})


async def test_a_crash_after_bytes_is_not_tried_again(pool: Pool, capsys: pytest.CaptureFixture[str]) -> None:
    taken = Notes()
    with pytest.raises(errors.WorkerCrashed):
        await pool.call("worker_jobs:crash", {"emit": True}, on_bytes=taken)
    assert taken == [b"first bytes"]
    assert capsys.readouterr().out.count("worker_crashed") == 1


async def test_a_child_that_dies_once_costs_nothing(pool: Pool) -> None:
    """The first child is killed while it waits for a read; the second try answers."""
    gate = KillsItsChildOnce()
    assert await pool.call("worker_jobs:read", {"ranges": []}, sources={"media": gate})
    assert gate.reads == 2


async def test_too_much_memory_is_a_crash_that_names_the_function(pool: Pool) -> None:
    with pytest.raises(errors.WorkerCrashed, match=r"^worker_jobs:hog ran out of memory$") as caught:
        await pool.call("worker_jobs:hog", {"mib": 1024})
    assert caught.value.metadata == {"limit": "memory"}
    assert await pool.call("worker_jobs:hog", {"mib": 64}) == {"size": 64 << 20}


async def test_too_much_time_kills_the_child_and_names_the_function(pool: Pool) -> None:
    taken = Notes()
    assert await pool.call("worker_jobs:echo", {"begun": True})
    with pytest.raises(errors.WorkerCrashed, match=r"^worker_jobs:spin did not end within 1\.5 s$") as caught:
        await pool.call("worker_jobs:spin", {}, on_bytes=taken, timeout_s=1.5)
    assert caught.value.metadata == {"limit": "time"}
    pid = int.from_bytes(taken[0], "big")
    await eventually(lambda: not psutil.pid_exists(pid))
    assert await pool.call("worker_jobs:echo", {"next": True})


async def test_cancelling_the_call_stops_the_child_at_once(pool: Pool) -> None:
    taken = Notes()
    call = asyncio.create_task(pool.call("worker_jobs:spin", {}, on_bytes=taken))
    await eventually(lambda: taken)
    pid = int.from_bytes(taken[0], "big")
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    # By itself it would spin until the time of the pool is over, which is ten minutes.
    await eventually(lambda: not psutil.pid_exists(pid), timeout_s=5.0)


async def test_closing_ends_what_runs_and_what_waits_with_unavailable(pool: Pool) -> None:
    taken = Notes()
    running = asyncio.create_task(pool.call("worker_jobs:spin", {}, on_bytes=taken))
    await eventually(lambda: taken)
    waiting = asyncio.create_task(pool.call("worker_jobs:echo", {}))
    await eventually(lambda: pool.waiting == 1)
    await pool.close()
    outcomes = await asyncio.gather(running, waiting, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [errors.Unavailable] * 2
    with pytest.raises(errors.Unavailable):
        await pool.call("worker_jobs:echo", {})


@pytest.mark.parametrize(
    ("why", "frame"),
    [
        ("no msgpack", "01000000" + "00000000" + "c1"),
        ("a header of 4 GiB", "ffffffff" + "00000000"),
        ("an unknown kind", "05000000" + "00000000" + "91a3626164"),
        ("an end without a result", "06000000" + "00000000" + "91a4646f6e65"),
        ("a read of a source that is not there", "0b000000" + "00000000" + "95a47265616401a178000a"),
        ("progress of 2", "13000000" + "00000000" + "92a870726f6772657373cb4000000000000000"),
    ],
)
async def test_a_child_that_talks_nonsense_is_killed(pool: Pool, why: str, frame: str) -> None:
    with pytest.raises(errors.WorkerCrashed, match="worker_jobs:nonsense crashed"):
        await pool.call("worker_jobs:nonsense", {"frame": frame}, timeout_s=10)
    assert await pool.call("worker_jobs:echo", {"after": why})


async def test_children_die_with_a_killed_parent(tmp_path: Path) -> None:
    """SIGKILL leaves the parent no chance to tidy up, and its children are busy."""
    script = tmp_path / "parent.py"
    script.write_text(
        textwrap.dedent(
            f"""
            import asyncio
            from yard.runtime.workers import Pool

            async def tell(chunk):
                print("child", int.from_bytes(chunk, "big"), flush=True)

            async def main():
                async with Pool(processes=2, import_paths=({TESTS!r},)) as pool:
                    calls = (pool.call("worker_jobs:spin", {{}}, on_bytes=tell, lane=lane)
                             for lane in ("bulk", "interactive"))
                    await asyncio.gather(*calls)

            asyncio.run(main())
            """
        )
    )
    parent = Program([str(script)], log=tmp_path / "log")
    await eventually(lambda: parent.output().count("child") == 2, timeout_s=30)
    pids = [int(line.split()[1]) for line in parent.output().splitlines() if line.startswith("child")]
    parent.kill()
    assert parent.exit_status == -signal.SIGKILL
    await eventually(lambda: not any(psutil.pid_exists(pid) for pid in pids))


async def test_the_sandbox_holds(pool: Pool, tmp_path: Path) -> None:
    (tmp_path / "old").write_bytes(b"kept")
    outcomes: dict[str, Any] = await pool.call("worker_jobs:escape", {"folder": str(tmp_path)})
    assert {name for name, outcome in outcomes.items() if outcome == "done"} == set()
    assert (tmp_path / "old").read_bytes() == b"kept"
    assert [path.name for path in tmp_path.iterdir()] == ["old"]


async def test_the_environment_is_clean_and_the_network_is_not_even_loaded(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FRAMEYARD_S3_SECRET_KEY", "leaked")
    found = await pool.call("worker_jobs:environment", {})
    assert set(found["environment"]) == {"PATH", "LANG", "MALLOC_ARENA_MAX"}
    assert found["stdin"] == "/dev/null"
    assert {"grpc", "asyncpg", "nats", "minio", "asyncio", "google"}.isdisjoint(found["modules"])


async def test_decoders_and_encoders_run_inside_with_threads(pool: Pool) -> None:
    assert await pool.call("worker_jobs:threads", {}) == {"no_new_privs": 1}
    async with Pool(processes=1, import_paths=(TESTS,)) as roomy:
        assert await roomy.call("worker_jobs:transcode", {"frames": 30}) == {"frames": 30}


async def test_a_child_that_cannot_start_says_why(tmp_path: Path) -> None:
    (tmp_path / "broken_preload.py").write_text("raise RuntimeError('no such codec')\n")
    async with Pool(processes=1, preload=("broken_preload",), import_paths=(str(tmp_path),)) as broken:
        with pytest.raises(errors.Internal, match="no such codec"):
            await broken.start()


class KillsItsChildOnce:
    """Its first read kills the child that asked for it."""

    size = 4

    def __init__(self) -> None:
        self.reads = 0

    async def read(self, offset: int, length: int) -> bytes:
        self.reads += 1
        if self.reads == 1:
            for child in psutil.Process().children():
                if "workers.child" in " ".join(child.cmdline()):
                    child.send_signal(signal.SIGKILL)
        return b"read"
