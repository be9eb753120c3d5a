"""Postgres refuses root; everybody who may start the platform must get one all the same."""

import os
import sys
from pathlib import Path

import psycopg
import pytest
from yard.embedded.child import Child, Command, last_lines, user_namespaces_work
from yard.embedded.ports import free_port
from yard.embedded.privileges import NOBODY, Dress
from yard.embedded.servers import postgres
from yard.embedded.servers.postgres import Postgres

ROOTS: list[Dress] = ["namespace", "nobody"] if user_namespaces_work() else ["nobody"]
DRESSES: list[Dress] = ROOTS if os.geteuid() == 0 else ["self"]
AS_NORMAL_USER = """
import os, sys
from pathlib import Path
import psycopg
from yard.embedded.servers.postgres import Postgres, dress
server = Postgres(Path(sys.argv[1]), port=int(sys.argv[2]), password="test", durable=False)
server.start()
with psycopg.connect(server.url()) as connection:
    print(os.geteuid(), dress(), connection.execute("SELECT 'here'").fetchone())
server.stop()
"""


def cluster(folder: Path) -> Postgres:
    return Postgres(folder / "postgres", port=free_port(), password="p@ss'/word", durable=False)


def keep(server: Postgres, statement: str) -> None:
    with psycopg.connect(server.url()) as connection:
        connection.execute(statement)


def kept(server: Postgres) -> list[tuple[int, ...]]:
    with psycopg.connect(server.url()) as connection:
        return connection.execute("SELECT n FROM kept").fetchall()


@pytest.mark.parametrize("dress", DRESSES)
def test_it_runs_below_a_closed_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dress: Dress) -> None:
    monkeypatch.setattr(postgres, "dress", lambda: dress)
    (tmp_path / "closed").mkdir(mode=0o700)
    server = cluster(tmp_path / "closed")
    server.start()
    keep(server, "CREATE TABLE kept AS SELECT 1 AS n")
    server.kill()
    server.start()
    assert kept(server) == [(1,)]
    server.stop()
    assert server.child.exit_status == 0


@pytest.mark.parametrize("later", DRESSES)
def test_its_data_changes_hands_when_root_runs_it_in_another_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, later: Dress
) -> None:
    server = cluster(tmp_path)
    monkeypatch.setattr(postgres, "dress", lambda: DRESSES[0])
    server.start()
    keep(server, "CREATE TABLE kept AS SELECT 2 AS n")
    server.stop()
    monkeypatch.setattr(postgres, "dress", lambda: later)
    server.start()
    assert kept(server) == [(2,)]
    server.stop()


def test_it_runs_for_a_normal_user(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    is_root = os.geteuid() == 0
    if is_root:
        os.chown(home, NOBODY, NOBODY)
    log = tmp_path / "told.log"
    command = Command(
        argv=[sys.executable, "-c", AS_NORMAL_USER, str(home / "postgres"), str(free_port())],
        environment={"LC_ALL": "C.UTF-8"},
        dress="nobody" if is_root else "self",
    )
    child = Child.spawn(command, log)
    assert child.wait(60)
    assert child.exit_status == 0, last_lines(log)
    user = NOBODY if is_root else os.geteuid()
    assert log.read_text() == f"{user} self ('here',)\n"


def test_wrong_passwords_are_refused(tmp_path: Path) -> None:
    server = cluster(tmp_path)
    server.start()
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(server.url(password="guessed"))
    server.stop()


def test_a_broken_first_start_leaves_nothing_behind(tmp_path: Path) -> None:
    server = cluster(tmp_path)
    steps = server.starting()
    next(steps)
    del steps  # what a cancelled start does
    assert not server.directory.exists()
    server.start()
    server.stop()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["postgres", "postgres.log"]
