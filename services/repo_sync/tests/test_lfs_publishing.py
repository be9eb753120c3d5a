"""Publishing with LFS, and what the git and git-lfs of other people make of it."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from yard.repo_sync.git.access import Access
from yard.repo_sync.git.way import Way
from yard.repo_sync.lfs import pointer
from yard.runtime import errors

from libs.runtime.tests.authority import Authority
from services.repo_sync.tests.peers import lfs as lfs_peer
from services.repo_sync.tests.peers import remotes
from services.repo_sync.tests.peers.lfs import Lfs
from services.repo_sync.tests.peers.shell import GitShell, key_pair
from services.repo_sync.tests.peers.web import TOKEN, USER, Asked, GitWeb, Reply, serving
from services.repo_sync.tests.publishing_cases import CONTENT, PATH, Publisher, publisher

ATTRIBUTES = "annotation/.gitattributes"
LINE = b"/Street.zip filter=lfs diff=lfs merge=lfs -text\n"
POINTER = pointer(hashlib.sha256(CONTENT).hexdigest(), len(CONTENT))


@pytest.fixture
def host(tmp_path: Path, authority: Authority) -> Iterator[GitWeb]:
    """Git and LFS behind one address, whose name git-lfs can look up."""
    with serving(tmp_path / "host", authority.tls("localhost")) as peer:
        peer.lfs = lfs_peer.made(tmp_path / "objects")
        yield peer


@pytest.fixture
def lfs_of(host: GitWeb) -> Lfs:
    assert isinstance(host.lfs, Lfs)
    return host.lfs


@pytest.fixture
def remote(host: GitWeb) -> Path:
    return remotes.made(host.repository("a.git"))


@pytest.fixture
def ann(way: Way, host: GitWeb, remote: Path, tmp_path: Path) -> Publisher:
    assert remote.exists()
    made = publisher(way, host.url("a.git", "localhost"), tmp_path)
    made.publication = replace(made.publication, use_lfs=True)
    return made


class Clone:
    """Somebody's git with git-lfs installed, and nothing of the machine's settings."""

    def __init__(self, folder: Path, ca_file: Path) -> None:
        self.folder = folder
        helper = folder / "credential"
        folder.mkdir()
        helper.write_text(f"#!/bin/sh\necho username={USER}\necho 'password={TOKEN}'\n")
        helper.chmod(0o755)
        self.environment = {
            "PATH": os.defpath,
            "HOME": str(folder),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_SSL_CAINFO": str(ca_file),
        }
        self.run("lfs", "install", "--skip-repo")
        self.run("config", "--global", "credential.helper", str(helper))

    def run(self, *words: str, at: Path | None = None) -> str:
        done = subprocess.run(
            ["git", *words],
            cwd=at or self.folder,
            env=self.environment,
            capture_output=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, (done.stdout + done.stderr).decode()
        return done.stdout.decode()

    def of(self, url: str, name: str = "work") -> Path:
        self.run("clone", "--quiet", url, name)
        return self.folder / name


def clone(tmp_path: Path, authority: Authority) -> Clone:
    return Clone(tmp_path / "clone", authority.file)


async def test_a_clone_has_the_true_bytes(
    ann: Publisher, host: GitWeb, remote: Path, tmp_path: Path, authority: Authority
) -> None:
    published = await ann.publish()
    assert remotes.read(remote, "main", PATH) == POINTER
    assert remotes.read(remote, "main", ATTRIBUTES) == LINE
    bob = clone(tmp_path, authority)
    work = bob.of(host.url("a.git", "localhost"))
    assert (work / PATH).read_bytes() == CONTENT
    assert bob.run("lfs", "ls-files", "--name-only", at=work).strip() == PATH
    assert bob.run("status", "--porcelain", at=work) == ""
    await ann.publish(CONTENT * 2)
    bob.run("pull", "--quiet", at=work)
    assert (work / PATH).read_bytes() == CONTENT * 2
    assert published.commit != remotes.tip_of(remote, "main")
    bob.run("lfs", "fsck", at=work)


async def test_what_is_unchanged_is_neither_sent_nor_committed(
    ann: Publisher, lfs_of: Lfs, remote: Path
) -> None:
    first = await ann.publish()
    second = await ann.publish()
    assert (second.was_unchanged, second.commit) == (True, first.commit)
    assert len(lfs_of.uploads()) == 1
    assert len(remotes.log(remote, "main")) == 1


async def test_lfs_is_switched_off_and_on(
    ann: Publisher, lfs_of: Lfs, remote: Path, tmp_path: Path, authority: Authority, host: GitWeb
) -> None:
    await ann.publish()
    await ann.publish(use_lfs=False)
    assert remotes.listing(remote, "main") == {PATH: "100644"}
    assert remotes.read(remote, "main", PATH) == CONTENT
    bob = clone(tmp_path, authority)
    assert bob.run("status", "--porcelain", at=bob.of(host.url("a.git", "localhost"))) == ""
    await ann.publish()
    assert remotes.read(remote, "main", PATH) == POINTER
    assert len(lfs_of.uploads()) == 1
    assert len(remotes.log(remote, "main")) == 3


async def test_rules_of_folders_above_are_heeded(
    ann: Publisher, remote: Path, tmp_path: Path, authority: Authority, host: GitWeb
) -> None:
    rules = b"[attr]large filter=lfs diff=lfs merge=lfs -text\nannotation/*.zip large\n"
    remotes.commit(remote, "main", {".gitattributes": rules})
    await ann.publish()
    assert set(remotes.listing(remote, "main")) == {".gitattributes", PATH}
    await ann.publish(use_lfs=False)
    assert remotes.read(remote, "main", ATTRIBUTES) == b"/Street.zip !filter !diff !merge !text\n"
    bob = clone(tmp_path, authority)
    work = bob.of(host.url("a.git", "localhost"))
    assert (work / PATH).read_bytes() == CONTENT
    assert bob.run("status", "--porcelain", at=work) == ""


async def test_without_room_nothing_is_committed(ann: Publisher, lfs_of: Lfs, remote: Path) -> None:
    def full(asked: Asked) -> Reply | None:
        return Reply(status=507, body=b'{"message": "over its quota"}') if asked.method == "PUT" else None

    lfs_of.reply = full
    with pytest.raises(errors.FailedPrecondition, match=r"no room .*over its quota") as refused:
        await ann.publish()
    assert refused.value.reason == "LFS_QUOTA"
    assert remotes.tip_of(remote, "main") == ""
    lfs_of.reply = lambda _: None
    assert not (await ann.publish()).was_unchanged


async def test_a_host_without_lfs_is_named(ann: Publisher, host: GitWeb, remote: Path) -> None:
    host.lfs = None
    with pytest.raises(errors.FailedPrecondition, match="localhost offers no LFS") as refused:
        await ann.publish()
    assert refused.value.reason == "LFS_NOT_OFFERED"
    assert remotes.tip_of(remote, "main") == ""


async def test_where_clones_would_look_elsewhere_nothing_is_published(ann: Publisher, remote: Path) -> None:
    config = b"[lfs]\n\turl = https://other.test/a\n"
    tip = remotes.commit(remote, "main", {".lfsconfig": config})
    with pytest.raises(errors.FailedPrecondition, match=r"to other\.test") as refused:
        await ann.publish()
    assert refused.value.reason == "LFS_ELSEWHERE"
    assert remotes.tip_of(remote, "main") == tip
    assert not (await ann.publish(use_lfs=False)).was_unchanged


async def test_over_ssh_the_host_opens_the_server_of_lfs(
    way: Way, shell: GitShell, host: GitWeb, lfs_of: Lfs, tmp_path: Path, authority: Authority
) -> None:
    repository = remotes.made(shell.repository("a.git"))
    private, public = key_pair()
    shell.admit(public)
    grant = f"Basic {lfs_peer._GIVEN.partition(' ')[2]}"
    answer = {
        "href": f"{host.url('a.git', 'localhost')}/info/lfs",
        "header": {"Authorization": grant},
        "expires_in": 600,
    }
    (shell.folder / "answer").write_text(json.dumps(answer))
    ann = publisher(way, shell.url("a.git"), tmp_path, Access(private_key=private))
    await ann.publish(use_lfs=True)
    assert remotes.read(repository, "main", PATH) == POINTER
    assert lfs_of.held(hashlib.sha256(CONTENT).hexdigest()) == CONTENT
    assert [line for line in shell.asked if "lfs" in line] == [
        f"git-lfs-authenticate {shell.repository('a.git')} upload"
    ]
    bob = clone(tmp_path, authority)
    (bob.folder / "key").write_text(private)
    (bob.folder / "key").chmod(0o600)
    known = f"{bob.folder}/known"
    options = (
        f"-i {bob.folder}/key -o HostName=127.0.0.1 -o StrictHostKeyChecking=no -o UserKnownHostsFile={known}"
    )
    bob.environment["GIT_SSH_COMMAND"] = f"ssh -F /dev/null {options}"
    assert (bob.of(shell.url("a.git")) / PATH).read_bytes() == CONTENT
