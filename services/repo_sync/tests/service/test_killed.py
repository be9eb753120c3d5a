"""A push whose process is killed, at whichever step, is made once by the next one."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from frameyard.operation.v1 import operation_pb2
from frameyard.sync.v1.sync_events_pb2 import RevisionPushed, SyncStatusChanged
from yard.repo_sync.lfs import pointer
from yard.repo_sync.settings import Settings
from yard.runtime import rpc
from yard.runtime.db import Database
from yard.testkit.eventually import eventually
from yard.testkit.service_program import ServiceProgram, end_leases_of_work

from services.repo_sync.tests.peers import lfs as lfs_peer
from services.repo_sync.tests.peers import remotes
from services.repo_sync.tests.peers.lfs import Lfs
from services.repo_sync.tests.peers.web import TOKEN, USER, Asked, GitWeb
from services.repo_sync.tests.service.callers import NOT, SYNCHRONIZED, SYNCING, Client, result_of
from services.repo_sync.tests.service.neighbours import ANN, Neighbours, archive, token

PATH = "annotation/street_12.zip"
_HOOK = """#!/bin/sh
touch {reached}
while [ ! -e {passed} ]; do sleep 0.05; done
"""


class Step:
    """A place where the push is held until it is let on."""

    def __init__(self, name: str, neighbours: Neighbours, lfs: Lfs, folder: Path) -> None:
        self._name, self._neighbours, self._lfs = name, neighbours, lfs
        self._gate = threading.Event()
        self._reached, self._passed = folder / "reached", folder / "passed"

    def close(self, remote: Path) -> None:
        if self._name == "export":
            self._neighbours.gate.clear()
        elif self._name == "upload":
            self._lfs.reply = self._hold
        else:
            hook = remote / "hooks" / self._name
            hook.parent.mkdir(exist_ok=True)
            hook.write_text(_HOOK.format(reached=self._reached, passed=self._passed))
            hook.chmod(0o755)

    @property
    def is_reached(self) -> bool:
        reached: dict[str, Callable[[], bool]] = {
            "export": lambda: bool(self._neighbours.results),
            "upload": lambda: bool(self._lfs.uploads()),
        }
        return reached.get(self._name, self._reached.exists)()

    def open(self) -> None:
        self._neighbours.gate.set()
        self._gate.set()
        self._passed.touch()

    def _hold(self, asked: Asked) -> None:
        if asked.method == "PUT":
            self._gate.wait(60)


# Before-last: the remote has not taken the commit yet; last: it has, and its answer is never heard.
@pytest.mark.parametrize("name", ["export", "upload", "pre-receive", "post-receive"])
async def test_a_killed_push_is_made_once(
    settings: Settings,
    neighbours: Neighbours,
    web: GitWeb,
    database: Database,
    tmp_path: Path,
    name: str,
) -> None:
    remote = remotes.made(web.repository("a.git"))
    web.lfs = lfs = lfs_peer.made(tmp_path / "objects")
    step = Step(name, neighbours, lfs, tmp_path)
    program = ServiceProgram(settings, log=tmp_path / "log")
    async with rpc.channel(await program.address(), token=token(ANN)) as channel:
        ann = Client(channel)
        await ann.connect(web.url("a.git", "localhost"), use_lfs=True)
        await ann.set_token(TOKEN, USER)
        step.close(remote)
        operation = await ann.push()
        await eventually(lambda: step.is_reached, timeout_s=30)
        program.kill()
    step.open()
    await end_leases_of_work(database)
    program.restart()
    async with rpc.channel(await program.address(), token=token(ANN)) as channel:
        ann = Client(channel)
        assert (await ann.get()).operation in (operation.name, "")
        done = await ann.ended(operation)
        assert done.state == operation_pb2.OPERATION_STATE_SUCCEEDED, done
        found = await ann.get()
        (push,) = (await ann.pushes()).pushes
    assert (found.status, found.operation) == (SYNCHRONIZED, "")
    assert found.pushed_commit == push.commit == result_of(done).commit == remotes.tip_of(remote, "main")
    assert (result_of(done).was_unchanged, push.was_unchanged) == (False, False)
    assert len(remotes.log(remote, "main")) == 1
    content = archive(neighbours.content)
    sha256 = hashlib.sha256(content).hexdigest()
    assert remotes.read(remote, "main", PATH) == pointer(sha256, len(content))
    assert lfs.held(sha256) == content
    assert len(neighbours.results) == 1
    assert await told(database) == ([NOT, SYNCING, SYNCHRONIZED], [push.commit])
    program.interrupt()
    assert program.wait() == 0


async def told(database: Database) -> tuple[list[int], list[str]]:
    """The statuses and the commits of the news, in order."""
    rows = await database.fetch("SELECT type, body FROM outbox ORDER BY position NULLS LAST, id")
    changed, pushed = SyncStatusChanged.DESCRIPTOR.full_name, RevisionPushed.DESCRIPTOR.full_name
    return (
        [SyncStatusChanged.FromString(row["body"]).status for row in rows if row["type"] == changed],
        [RevisionPushed.FromString(row["body"]).commit for row in rows if row["type"] == pushed],
    )
