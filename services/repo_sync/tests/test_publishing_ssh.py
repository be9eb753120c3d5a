from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from yard.repo_sync.git import connection
from yard.repo_sync.git.access import Access
from yard.repo_sync.git.refusals import fingerprint
from yard.repo_sync.git.repository import opened
from yard.repo_sync.git.ssh import ssh_command
from yard.repo_sync.git.way import Way
from yard.repo_sync.publishing import look
from yard.runtime import errors

from services.repo_sync.tests.peers import remotes
from services.repo_sync.tests.peers.shell import GitShell, key_pair, listening
from services.repo_sync.tests.publishing_cases import CONTENT, PATH, publisher


async def test_the_host_is_pinned_on_the_first_connection(shell: GitShell, way: Way, tmp_path: Path) -> None:
    remote = remotes.made(shell.repository("a.git"))
    private, public = key_pair()
    shell.admit(public)
    access = Access(private_key=private)
    noted: list[tuple[str, ...]] = []

    async def note(keys: tuple[str, ...]) -> None:
        noted.append(keys)

    way = replace(way, note_keys=note)
    ours = publisher(way, shell.url("a.git"), tmp_path, access)
    published = await ours.publish()
    assert remotes.read(remote, "main", PATH) == CONTENT
    known = replace(access, known_hosts=(shell.host_key,))
    seen = await look(way, shell.url("a.git"), known, "", PATH)
    assert seen.tip == published.commit
    assert noted == [(shell.host_key,)]
    assert [line.split()[0] for line in shell.asked if "receive" in line] == ["git-receive-pack"]


async def test_another_host_key_than_before_is_refused(shell: GitShell, way: Way, tmp_path: Path) -> None:
    remotes.made(shell.repository("a.git"))
    private, public = key_pair()
    shell.admit(public)
    before = shell.host_key
    shell.change_host_key()
    await listening(shell)
    ours = publisher(way, shell.url("a.git"), tmp_path, Access(private_key=private, known_hosts=(before,)))
    with pytest.raises(errors.FailedPrecondition) as refused:
        await ours.publish()
    assert refused.value.reason == "GIT_HOST_KEY_CHANGED"
    assert fingerprint(before) in refused.value.message
    assert fingerprint(shell.host_key) in refused.value.message


@pytest.mark.parametrize("case", ["stranger", "none", "broken", "read only"])
async def test_a_key_that_does_not_open(shell: GitShell, way: Way, tmp_path: Path, case: str) -> None:
    remote = remotes.made(shell.repository("a.git"))
    private, public = key_pair()
    if case == "read only":
        shell.admit(public)
        shell.read_only()
    key = {"none": "", "broken": "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n"}.get(case, private)
    with pytest.raises(errors.PermissionDenied) as refused:
        await publisher(way, shell.url("a.git"), tmp_path, Access(private_key=key)).publish()
    assert refused.value.reason == "GIT_AUTHENTICATION"
    words = {"none": "none is set", "broken": "cannot be read"}.get(case, "deploy key with write access")
    assert words in refused.value.message
    assert remotes.tip_of(remote, "main") == ""


async def test_no_such_repository(shell: GitShell, way: Way, tmp_path: Path) -> None:
    private, public = key_pair()
    shell.admit(public)
    with pytest.raises(errors.FailedPrecondition) as refused:
        await publisher(way, shell.url("b.git"), tmp_path, Access(private_key=private)).publish()
    assert refused.value.reason == "GIT_NOT_FOUND"


async def test_a_server_without_ssh_says_so(
    shell: GitShell, way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = way.folder.with_name("programs")
    programs.mkdir()
    for name in ("git", "python3"):
        (programs / name).symlink_to(f"/usr/bin/{name}")
    monkeypatch.setattr(connection, "_PATH", str(programs))
    with pytest.raises(errors.FailedPrecondition) as refused:
        await look(way, shell.url("a.git"), Access(), "", PATH)
    assert refused.value.reason == "GIT_NO_SSH"
    (programs / "git").unlink()
    with pytest.raises(errors.Internal, match="there is no git"):
        await look(way, shell.url("a.git"), Access(), "", PATH)


async def test_a_command_of_the_host(shell: GitShell, way: Way) -> None:
    remotes.made(shell.repository("a.git"))
    private, public = key_pair()
    shell.admit(public)
    async with opened(way, shell.url("a.git"), Access(private_key=private), "") as (repository, _):
        (shell.folder / "answer").write_text('{"href": "https://lfs.test/"}')
        said = await ssh_command(repository.connection, ("git-lfs-authenticate", "a b'; x", "upload"))
    assert said == b'{"href": "https://lfs.test/"}'
    assert shell.asked[-1] == """git-lfs-authenticate 'a b'"'"'; x' upload"""
