from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

import pytest
from yard.repo_sync.git.way import Way
from yard.repo_sync.lfs import Reach
from yard.runtime.egress import parse_networks

from libs.runtime.tests.authority import Authority
from services.repo_sync.tests.peers import shell as shells
from services.repo_sync.tests.peers.lfs import Lfs
from services.repo_sync.tests.peers.lfs import serving as serving_lfs
from services.repo_sync.tests.peers.shell import GitShell
from services.repo_sync.tests.peers.web import GitWeb, serving


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def web(tmp_path: Path, authority: Authority) -> Iterator[GitWeb]:
    with serving(tmp_path / "web", authority.tls("git.test")) as peer:
        yield peer


@pytest.fixture
async def shell(tmp_path: Path) -> AsyncIterator[GitShell]:
    with shells.serving(tmp_path / "shell") as peer:
        await shells.listening(peer)
        yield peer


async def to_this_machine(_host: str, _port: int) -> Sequence[str]:
    return ["127.0.0.1"]


@pytest.fixture
def way(tmp_path: Path, authority: Authority) -> Way:
    return Way(
        folder=tmp_path / "scratch",
        networks=parse_networks(["127.0.0.0/8"]),
        ca_file=str(authority.file),
        resolve=to_this_machine,
        timeout_s=60,
    )


@pytest.fixture
def lfs(tmp_path: Path, authority: Authority) -> Iterator[Lfs]:
    with serving_lfs(tmp_path / "lfs", authority.tls("lfs.test"), tmp_path / "server.pem") as peer:
        yield peer


@pytest.fixture
def reach(authority: Authority) -> Reach:
    networks = parse_networks(["127.0.0.0/8"])
    return Reach(networks=networks, ca_file=str(authority.file), resolve=to_this_machine, timeout_s=60)
