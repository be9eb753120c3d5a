"""Repositories made to harm whoever reads them."""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from yard.repo_sync.git.running import Command, run
from yard.repo_sync.git.way import Way
from yard.runtime import errors

from services.repo_sync.tests.peers import remotes
from services.repo_sync.tests.peers.web import GitWeb
from services.repo_sync.tests.publishing_cases import CONTENT, PATH, Publisher, publisher


@pytest.fixture
def remote(web: GitWeb) -> Path:
    return remotes.made(web.repository("a.git"))


@pytest.fixture
def ours(web: GitWeb, way: Way, tmp_path: Path, remote: Path) -> Publisher:
    return publisher(way, web.url("a.git"), tmp_path)


@pytest.mark.parametrize(
    "files",
    [
        {"link:annotation": b"/etc"},
        {f"link:{PATH}": b"/etc/passwd"},
        {"annotation": b"a file"},
        {f"{PATH}/x": b"a folder"},
        {"module:annotation": b"0123456789012345678901234567890123456789"},
    ],
)
async def test_what_lies_in_the_way_is_not_replaced(
    ours: Publisher, remote: Path, files: dict[str, bytes]
) -> None:
    tip = remotes.commit(remote, "main", files)
    with pytest.raises(errors.FailedPrecondition) as refused:
        await ours.publish()
    assert refused.value.reason == "GIT_PATH"
    assert remotes.tip_of(remote, "main") == tip


async def test_what_is_elsewhere_stays_as_it_is(ours: Publisher, remote: Path) -> None:
    """Names and modes that no index would take: the tree is written byte by byte."""
    oid = remotes.git(remote, "hash-object", "-w", "--stdin", given=b"evil")
    blob = bytes.fromhex(oid.decode())
    names = [b"..", b".git", b"a\nb\x1b[2J", b"a\\b", b"\xff\xfe", b"git~1"]
    entries = [(b"100644", name, blob) for name in names]
    entries += [(b"160000", b"module", blob), (b"120000", b"link", blob), (b"100755", b"tool", blob)]
    tree = b"".join(b"%s %s\0%s" % entry for entry in sorted(entries, key=lambda entry: entry[1]))
    root = remotes.git(
        remote, "hash-object", "-w", "-t", "tree", "--literally", "--stdin", given=tree
    ).decode()
    commit = remotes.git(remote, "commit-tree", root.strip(), "-m", "evil").decode().strip()
    remotes.git(remote, "update-ref", "refs/heads/main", commit)
    await ours.publish()
    after = remotes.git(remote, "cat-file", "tree", "main^{tree}")
    added = remotes.git(remote, "rev-parse", "main:annotation").decode().strip()
    assert after.replace(b"40000 annotation\0" + bytes.fromhex(added), b"") == tree
    assert remotes.read(remote, "main", PATH) == CONTENT


async def test_nothing_of_the_repository_is_run_or_followed(
    ours: Publisher, remote: Path, tmp_path: Path
) -> None:
    mark = tmp_path / "ran"
    touch = f"touch {mark}".encode()
    modules = b'[submodule "x"]\n\tpath = x\n\turl = ext::sh -c "' + touch + b'"\n'
    files = {
        ".gitmodules": modules,
        ".gitattributes": b"* filter=evil export-subst working-tree-encoding=UTF-16\n",
        ".gitconfig": b'[filter "evil"]\n\tclean = ' + touch + b"\n",
        ".lfsconfig": b"[lfs]\n\turl = https://169.254.169.254/\n",
        "hooks/pre-push": b"#!/bin/sh\n" + touch,
        "annotation/other.zip": b"$Format:%H$",
    }
    remotes.commit(remote, "main", files)
    await ours.publish()
    assert not mark.exists()
    assert remotes.read(remote, "main", PATH) == CONTENT
    assert {name: remotes.read(remote, "main", name) for name in files} == files


async def test_large_files_elsewhere_are_not_fetched(ours: Publisher, remote: Path) -> None:
    remotes.commit(remote, "main", {"large": os.urandom(3_000_000)})
    ours.way = replace(ours.way, fetch_limit_bytes=1_000_000)
    await ours.publish()
    assert remotes.read(remote, "main", PATH) == CONTENT


async def test_more_than_the_limit_is_not_taken(ours: Publisher, remote: Path, web: GitWeb) -> None:
    remotes.commit(remote, "main", {"large": os.urandom(3_000_000)})
    (web.root / "gitconfig").write_text("[http]\n\treceivepack = true\n[safe]\n\tdirectory = *\n")
    ours.way = replace(ours.way, fetch_limit_bytes=1_000_000)
    with pytest.raises(errors.FailedPrecondition) as refused:
        await ours.publish()
    assert refused.value.reason == "GIT_TOO_LARGE"
    assert list(ours.way.folder.iterdir()) == []


async def test_a_tree_that_unpacks_to_too_much(ours: Publisher, remote: Path) -> None:
    """Small in transit, a hundred MB as a tree."""
    entry = b"100644 " + b"a" * 1000 + b"\0" + bytes(20)
    tree = entry * 100_000
    root = remotes.git(
        remote, "hash-object", "-w", "-t", "tree", "--literally", "--stdin", given=tree
    ).decode()
    commit = remotes.git(remote, "commit-tree", root.strip(), "-m", "evil").decode().strip()
    remotes.git(remote, "update-ref", "refs/heads/main", commit)
    with pytest.raises(errors.FailedPrecondition) as refused:
        await ours.publish()
    assert refused.value.reason == "GIT_TOO_LARGE"


async def test_git_uses_its_folder_and_one_port_only(tmp_path: Path, web: GitWeb) -> None:
    """Where the kernel knows Landlock; without it this test fails, as the service is less safe there."""
    folder = tmp_path / "own"
    folder.mkdir()
    (tmp_path / "secret").write_text("secret")
    attempts = f"""
import socket
def tried(name, do):
    try:
        do()
    except OSError:
        print(name, "no")
    else:
        print(name, "yes")
tried("own", lambda: open("{folder}/x", "w").close())
tried("read", lambda: open("{tmp_path}/secret").close())
tried("write", lambda: open("{tmp_path}/other", "w").close())
tried("home", lambda: open("/etc/shadow").close())
tried("port", lambda: socket.create_connection(("127.0.0.1", {web.port})).close())
"""

    async def answers(port: int) -> list[str]:
        finished = await run(
            Command(
                words=(sys.executable, "-c", attempts),
                environment={},
                folder=folder,
                file_bytes=1000,
                port=port,
            )
        )
        return finished.output.decode().splitlines()

    closed = ["own yes", "read no", "write no", "home no"]
    assert await answers(0) == [*closed, "port no"]
    assert await answers(web.port) == [*closed, "port yes"]


async def test_what_outlives_its_program_is_ended_with_it(tmp_path: Path) -> None:
    """It holds the pipes, and has left the group of processes."""
    start = "import subprocess as s; print(s.Popen(['sleep', '600'], start_new_session=True).pid)"
    command = Command(
        words=(sys.executable, "-c", start),
        environment={"PATH": os.defpath},
        folder=tmp_path,
        file_bytes=1000,
    )
    async with asyncio.timeout(30):
        finished = await run(command)
    assert (finished.code, finished.complaint) == (0, "")
    assert not Path(f"/proc/{int(finished.output)}").exists()
