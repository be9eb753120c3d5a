"""Pushes by ssh with a key that was made here, and of files that are kept with LFS."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from frameyard.sync.v1.repository_service_pb2 import CheckResult
from yard.repo_sync.lfs import pointer
from yard.runtime import errors

from services.repo_sync.tests.peers import lfs as lfs_peer
from services.repo_sync.tests.peers import remotes
from services.repo_sync.tests.peers.shell import GitShell, listening
from services.repo_sync.tests.peers.shell import serving as serving_shell
from services.repo_sync.tests.peers.web import TOKEN, USER, GitWeb
from services.repo_sync.tests.service.callers import FAILED, NOT, SYNCHRONIZED, Client
from services.repo_sync.tests.service.neighbours import archive

PATH = "annotation/street_12.zip"


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[GitShell]:
    with serving_shell(tmp_path / "shell") as peer:
        yield peer


async def test_a_key_that_was_made_here_opens_a_host_that_is_known_from_then_on(
    shell: GitShell, ann: Client
) -> None:
    await listening(shell)
    remote = remotes.made(shell.repository("a.git"))
    await ann.connect(shell.url("a.git").replace("git.test", "localhost"))
    made = await ann.set_credential(generate_key=True)
    assert len(made.host_keys) == 0
    done = await ann.ended(await ann.push())
    assert errors.from_status(done.error).reason == "GIT_AUTHENTICATION"
    [seen] = (await ann.get()).host_keys
    shell.admit(made.credential.public_key)
    await ann.pushed()
    assert len(remotes.log(remote, "main")) == 1
    found = await ann.get()
    assert [(key.type, key.is_given) for key in found.host_keys] == [("ssh-ed25519", False)]
    assert list(found.host_keys) == [seen]
    shell.change_host_key()
    await listening(shell)
    await ann.ended(await ann.push())
    found = await ann.becomes(FAILED)
    fault = errors.from_status(found.error)
    assert fault.reason == "GIT_HOST_KEY_CHANGED"
    assert found.host_keys[0].fingerprint in fault.message
    assert (await ann.set_host_keys(shell.host_key)).status == NOT
    await ann.pushed()
    assert (await ann.get()).status == SYNCHRONIZED


async def test_a_check_knows_a_file_that_is_kept_with_lfs(web: GitWeb, ann: Client, tmp_path: Path) -> None:
    web.lfs = lfs_peer.made(tmp_path / "objects")
    remote = remotes.made(web.repository("a.git"))
    await ann.connect(web.url("a.git", "localhost"), use_lfs=True)
    await ann.set_token(TOKEN, USER)
    await ann.pushed()
    content = archive("<annotations/>")
    assert remotes.read(remote, "main", PATH) == pointer(hashlib.sha256(content).hexdigest(), len(content))
    done = await ann.ended(await ann.check())
    result = CheckResult()
    assert done.result.Unpack(result), done
    assert result.status == SYNCHRONIZED
    assert (await ann.pushed()).was_unchanged
    assert (await ann.update(use_lfs=False)).status == NOT
    await ann.pushed()
    assert remotes.read(remote, "main", PATH) == content
    assert len(remotes.log(remote, "main")) == 2
