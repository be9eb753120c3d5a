"""The platform as a person starts it: real servers, and one small service."""

import asyncio
import io
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg
import pytest
from minio import Minio
from yard.embedded.status import read_status
from yard.testkit.eventually import eventually
from yard.testkit.process import Program

COMMAND = str(Path(__file__).with_name("few_services.py"))
NAMES = ["postgres", "nats", "s3", "probe"]
START_S = 60.0


class Up:
    """A platform that runs `up` in a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        log = folder / f"up{len(list(folder.glob('up*.log')))}.log"
        self.program = Program([COMMAND, "up", "--data", str(self.data)], log=log)

    def is_up(self) -> bool:
        assert self.program.exit_status is None or not self.output(), self.output()
        return "ready; Ctrl-C" in self.output()

    def output(self) -> str:
        return self.program.output()

    def pids(self) -> dict[str, int]:
        return {row.name: row.pid for row in read_status(self.data)}

    def family(self) -> list[psutil.Process]:
        """The supervisor and all that came from it."""
        supervisor = psutil.Process(self.program.pid)
        return [supervisor, *supervisor.children(recursive=True)]

    def secret(self, name: str) -> str:
        return str(json.loads((self.data / "secrets.json").read_text())[name])

    def ports(self) -> dict[str, int]:
        return dict(json.loads((self.data / "ports.json").read_text()))

    def bucket(self) -> Minio:
        return Minio(
            endpoint=f"127.0.0.1:{self.ports()['s3']}",
            access_key=self.secret("s3_access_key"),
            secret_key=self.secret("s3_secret_key"),
            secure=False,
            region="us-east-1",
        )

    def database(self) -> str:
        return (
            f"postgresql://probe:{self.secret('database_probe')}@127.0.0.1:{self.ports()['postgres']}"
            "/frameyard"
        )


def run(command: str, data: Path, *more: str, answer: str = "") -> tuple[int, str]:
    ran = subprocess.run(
        [sys.executable, COMMAND, command, "--data", str(data), *more],
        check=False,
        capture_output=True,
        text=True,
        input=answer,
        timeout=120,
    )
    assert ran.stderr == ""
    return ran.returncode, ran.stdout


def are_gone(family: list[psutil.Process]) -> bool:
    return all(not one.is_running() or one.status() == psutil.STATUS_ZOMBIE for one in family)


@contextmanager
def started(folder: Path) -> Iterator[Up]:
    up = Up(folder)
    try:
        asyncio.run(eventually(up.is_up, timeout_s=START_S))
        yield up
    finally:
        up.program.interrupt()
        up.program.wait()


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """One platform for the tests that leave it running."""
    with started(tmp_path_factory.mktemp("platform")) as running:
        yield running


def test_it_says_where_everything_is(up: Up) -> None:
    ports = up.ports()
    for name in NAMES:
        assert f"{name} is ready on 127.0.0.1:{ports[name]}" in up.output()
    assert f"administrator: admin   password: {up.secret('admin_password')}" in up.output()
    endpoints = json.loads((up.data / "endpoints.json").read_text())
    assert endpoints == {"probe": f"127.0.0.1:{ports['probe']}"}


def test_status_shows_processes_with_their_memory(up: Up) -> None:
    status, text = run("status", up.data)
    assert status == 0
    rows = [line.split() for line in text.splitlines()]
    assert [row[0] for row in rows] == ["service", "supervisor", *NAMES, "total"]
    assert {row[0]: int(row[1]) for row in rows[2:-1]} == up.pids()
    assert all(row[2] == "ready" for row in rows[1:-1])
    memory = [int(row[row.index("MiB") - 1]) for row in rows[1:]]
    assert all(memory)
    assert memory[-1] == pytest.approx(sum(memory[:-1]), abs=len(memory))


def test_each_has_a_log(up: Up) -> None:
    assert run("logs", up.data, "probe") == (0, "probe probe serves, level info\n")
    for name in ("postgres", "nats", "s3"):
        status, text = run("logs", up.data, name)
        assert (status, bool(text)) == (0, True)
    status, text = run("logs", up.data, "../secrets")
    assert status == 1
    assert text == "no log of '../secrets'; there are: nats, postgres, probe, s3\n"


def test_what_is_secret_is_private(up: Up) -> None:
    private = [up.data / "secrets.json", up.data / "services" / "probe" / "environment.json"]
    assert [path.stat().st_mode & 0o777 for path in (up.data, *private)] == [0o700, 0o600, 0o600]
    secrets = json.loads((up.data / "secrets.json").read_text())
    seen = [argument for one in up.family() for argument in one.cmdline()]
    assert [name for name, value in secrets.items() if any(value in text for text in seen)] == []
    logs = "".join(log.read_text(errors="replace") for log in (up.data / "logs").glob("*.log"))
    assert [name for name, value in secrets.items() if value in logs] == []


def test_a_service_gets_its_settings_and_nothing_else(up: Up) -> None:
    given = psutil.Process(up.pids()["probe"]).environ()
    assert {name for name in given if not name.startswith("FRAMEYARD_")} == {"PATH", "HOME", "LANG"}
    assert given["FRAMEYARD_DATABASE_URL"] == up.database()
    assert json.loads((up.data / "services" / "probe" / "environment.json").read_text()) == given


def test_a_second_supervisor_is_refused(up: Up) -> None:
    status, text = run("up", up.data)
    assert status == 1
    assert text == f"the platform already runs in {up.data} as process {up.program.pid}\n"


def test_data_is_not_removed_below_a_running_platform(up: Up) -> None:
    status, text = run("clean-data", up.data, answer="y\n")
    assert status == 1
    assert "stop it first" in text
    assert (up.data / "secrets.json").exists()


def test_a_service_has_its_own_schema_only(up: Up) -> None:
    with psycopg.connect(up.database()) as connection:
        connection.execute("CREATE TABLE probe.kept (n int)")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("CREATE TABLE public.kept (n int)")


@pytest.mark.parametrize("name", ["nats", "probe"])
async def test_what_crashes_is_started_again(up: Up, name: str) -> None:
    killed = up.pids()[name]
    psutil.Process(killed).send_signal(signal.SIGKILL)

    def is_back() -> bool:
        row = next(row for row in read_status(up.data) if row.name == name)
        return row.state == "ready" and row.pid not in {0, killed}

    await eventually(is_back, timeout_s=30)
    assert f"{name} was ended by SIGKILL: starting it again" in up.output()
    assert next(row.restarts for row in read_status(up.data) if row.name == name) == 1


def test_dead_letters_of_an_unknown_service(up: Up) -> None:
    ran = subprocess.run(
        [sys.executable, COMMAND, "admin", "dead-letters", "list", "../..", "--data", str(up.data)],
        check=False,
        capture_output=True,
        text=True,
    )
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr == f"no service '../..' in {up.data}; there are: probe\n"


def test_nothing_outlives_a_killed_supervisor_and_all_is_there_afterwards(tmp_path: Path) -> None:
    with started(tmp_path) as first:
        family, ports = first.family(), first.ports()
        assert len(family) > len(NAMES)
        with psycopg.connect(first.database()) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 1 AS n")
        put(first.bucket(), b"here")
        first.program.interrupt(signal.SIGKILL)
        first.program.wait()
        asyncio.run(eventually(lambda: are_gone(family)))
        assert run("status", first.data) == (1, f"nothing runs in {first.data}\n")
    with started(tmp_path) as second:
        assert second.ports() == ports
        with psycopg.connect(second.database()) as connection:
            assert connection.execute("SELECT n FROM kept").fetchall() == [(1,)]
        assert second.bucket().get_object(bucket_name="frameyard", object_name="kept").data == b"here"
        family = second.family()
        second.program.interrupt(signal.SIGINT)
        assert second.program.wait() == 0
        assert are_gone(family)


def put(bucket: Minio, content: bytes) -> None:
    bucket.put_object(
        bucket_name="frameyard", object_name="kept", data=io.BytesIO(content), length=len(content)
    )


def test_down_stops_it_and_clean_data_asks_first(tmp_path: Path) -> None:
    with started(tmp_path) as up:
        family, data = up.family(), up.data
        assert run("down", data) == (0, "stopped\n")
        assert up.program.wait() == 0
        assert are_gone(family)
    assert run("down", data) == (0, f"nothing runs in {data}\n")
    question = f"remove everything in {data}? [y/N] "
    assert run("clean-data", data, answer="n\n") == (1, f"{question}nothing removed\n")
    assert run("clean-data", data)[0] == 1
    assert (data / "secrets.json").exists()
    assert run("clean-data", data, answer="yes\n") == (0, f"{question}removed {data}\n")
    assert not data.exists()


async def test_ctrl_c_while_it_starts_leaves_nothing(tmp_path: Path) -> None:
    up = Up(tmp_path)
    await eventually(lambda: "postgres" in up.pids(), timeout_s=START_S)
    family = up.family()
    up.program.interrupt(signal.SIGINT)
    assert up.program.wait() == 0
    await eventually(lambda: are_gone(family))
