"""The publisher is killed at any step: nothing of it goes on, and the next one makes the one commit."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import pytest
from yard.repo_sync.git.way import Way
from yard.testkit.eventually import eventually

from services.repo_sync.tests.peers import remotes
from services.repo_sync.tests.peers.web import Asked, GitWeb
from services.repo_sync.tests.publishing_cases import CONTENT, PATH, publisher

_PROGRAM = """
import asyncio, sys
from pathlib import Path
from yard.repo_sync.git.way import Way
from yard.runtime.egress import parse_networks
from services.repo_sync.tests.publishing_cases import publisher
async def here(host, port):
    return ["127.0.0.1"]
url, folder, ca_file = sys.argv[1:]
networks = parse_networks(["127.0.0.0/8"])
way = Way(folder=Path(folder) / "killed", networks=networks, ca_file=ca_file, resolve=here)
asyncio.run(publisher(way, url, Path(folder)).publish())
"""


def alive(folder: Path) -> list[str]:
    """What still runs for the killed one: its folder is in the arguments or the environment of all of it."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        except OSError:
            continue
        if f"{folder}/killed/".encode() in words:
            found.append(process.name)
    return found


@pytest.mark.parametrize(
    "step",
    [
        "/info/refs?service=git-upload-pack",
        "/git-upload-pack",
        "/info/refs?service=git-receive-pack",
        "/git-receive-pack",
    ],
)
async def test_killed_at(web: GitWeb, way: Way, tmp_path: Path, step: str) -> None:
    remote = remotes.made(web.repository("a.git"))
    remotes.commit(remote, "main", {"README": b"hello"})

    def hold(asked: Asked) -> None:
        if asked.path.endswith(step):
            web.gate.clear()
            web.gate.wait(60)

    web.reply = hold
    words = (web.url("a.git"), str(tmp_path), str(way.ca_file))
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", _PROGRAM, *words)
    await eventually(lambda: not web.gate.is_set(), timeout_s=60)
    assert alive(tmp_path)
    process.send_signal(signal.SIGKILL)
    await process.wait()
    await eventually(lambda: not alive(tmp_path), timeout_s=10)
    web.reply = lambda _: None
    web.gate.set()
    published = await publisher(way, web.url("a.git"), tmp_path).publish()
    assert published.commit == remotes.tip_of(remote, "main")
    assert len(remotes.log(remote, "main")) == 2
    assert remotes.read(remote, "main", PATH) == CONTENT
