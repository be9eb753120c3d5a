"""Files that go to an LFS server that nobody here wrote."""

from __future__ import annotations

import asyncio
import hashlib
import json
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from yard.repo_sync.lfs import Door, Reach, probe, send
from yard.runtime import errors

from libs.runtime.tests.authority import Authority
from services.repo_sync.tests.peers.lfs import MEDIA_TYPE, Lfs
from services.repo_sync.tests.peers.web import TOKEN, USER, Asked, Reply

CONTENT = b"annotations of the street" * 20_000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@dataclass(slots=True, kw_only=True)
class Sender:
    door: Door
    file: Path
    reach: Reach
    noted: list[int]

    async def send(self) -> bool:
        return await send(
            self.door, self.file, SHA256, len(CONTENT), self._note, reach=self.reach, ref="refs/heads/main"
        )

    async def _note(self, sent: int) -> None:
        self.noted.append(sent)


@pytest.fixture
def sender(tmp_path: Path, lfs: Lfs, reach: Reach) -> Sender:
    file = tmp_path / "export.zip"
    file.write_bytes(CONTENT)
    return Sender(door=Door.over_https(lfs.url("a.git"), USER, TOKEN), file=file, reach=reach, noted=[])


async def test_a_file_arrives_once(lfs: Lfs, sender: Sender) -> None:
    assert await sender.send()
    assert lfs.held(SHA256) == CONTENT
    assert [asked.path.rpartition("/")[2] for asked in lfs.asked] == ["batch", SHA256, "verify"]
    assert sender.noted[-1] == len(CONTENT)
    assert not await sender.send()
    assert len(lfs.uploads()) == 1


async def test_the_credential_is_for_the_question_and_the_grant_for_the_file(
    lfs: Lfs, sender: Sender
) -> None:
    await sender.send()
    asked = [asked.headers["authorization"].partition(" ")[0] for asked in lfs.asked]
    assert asked == ["Basic", "Bearer", "Bearer"]
    assert lfs.uploads()[0].headers["content-length"] == str(len(CONTENT))


@pytest.mark.parametrize("url", ["a", "a/", "a.git", "a.git/"])
async def test_the_server_is_where_git_lfs_looks_for_it(lfs: Lfs, sender: Sender, url: str) -> None:
    await replace(sender, door=Door.over_https(lfs.url(url), USER, TOKEN)).send()
    assert lfs.asked[0].path == "/team/a.git/info/lfs/objects/batch"


async def test_who_may_not_write_is_told_so(lfs: Lfs, sender: Sender) -> None:
    for token in ("", "wrong-token"):
        with pytest.raises(errors.PermissionDenied, match="credential") as denied:
            await replace(sender, door=Door.over_https(lfs.url("a"), USER, token)).send()
        assert denied.value.reason == "LFS_AUTHENTICATION"
    with pytest.raises(errors.PermissionDenied):
        await probe(Door.over_https(lfs.url("a"), USER, "wrong-token"), reach=sender.reach)
    await probe(sender.door, reach=sender.reach)
    assert lfs.uploads() == []


async def test_over_ssh_the_host_says_where_and_by_which_headers(lfs: Lfs, sender: Sender) -> None:
    header = dict(sender.door.headers)
    answer = {"href": f"{lfs.url('a.git')}/info/lfs", "header": header, "expires_in": 600}
    door = Door.over_ssh(json.dumps(answer).encode())
    assert await replace(sender, door=door).send()
    nameless = Door.over_ssh(json.dumps({"header": header}).encode(), lfs.url("b"))
    assert await replace(sender, door=nameless).send()
    assert lfs.asked[-1].path == "/team/b.git/info/lfs/objects/storage/verify"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"", "LFS_ANSWER"),
        (b"[]", "LFS_ANSWER"),
        (b"{}", "LFS_ANSWER"),
        (b"Welcome!\n{}", "LFS_ANSWER"),
        (b'{"href": 1}', "LFS_ANSWER"),
        (b'{"href": "ftp://lfs.test/"}', "LFS_ANSWER"),
        (b'{"href": "http://lfs.test/"}', "LFS_ADDRESS"),
        (b'{"href": "https://a:b@lfs.test/"}', "LFS_ANSWER"),
        (b'{"href": "https://lfs.test/", "header": {"A": "b\\r\\nC: d"}}', "LFS_ANSWER"),
        (b"[" * 100_000, "LFS_ANSWER"),
    ],
)
def test_strange_answers_of_ssh_are_refused(answer: bytes, reason: str) -> None:
    with pytest.raises(errors.FailedPrecondition) as refused:
        Door.over_ssh(answer)
    assert refused.value.reason == reason


def errs(status: int, words: str = "", **headers: str) -> Reply:
    body = json.dumps({"message": words}).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status=status, body=body, headers={"Content-Type": MEDIA_TYPE, **named})


@pytest.mark.parametrize(
    ("status", "kind", "reason"),
    [
        (403, errors.PermissionDenied, "LFS_AUTHENTICATION"),
        (404, errors.FailedPrecondition, "LFS_NOT_FOUND"),
        (413, errors.FailedPrecondition, "LFS_TOO_LARGE"),
        (422, errors.FailedPrecondition, "LFS_REJECTED"),
        (429, errors.Unavailable, "LFS_UNREACHABLE"),
        (500, errors.Unavailable, "LFS_UNREACHABLE"),
        (503, errors.Unavailable, "LFS_UNREACHABLE"),
        (507, errors.FailedPrecondition, "LFS_QUOTA"),
        (509, errors.FailedPrecondition, "LFS_QUOTA"),
    ],
)
@pytest.mark.parametrize("step", ["batch", SHA256, "verify"])
async def test_what_a_server_says_is_passed_on(
    lfs: Lfs, sender: Sender, status: int, kind: type[errors.YardError], reason: str, step: str
) -> None:
    def answer(asked: Asked) -> Reply | None:
        return errs(status, "Buy\n more\x1b[0m", Retry_After="7") if asked.path.endswith(step) else None

    lfs.reply = answer
    with pytest.raises(kind, match=r'\("Buy more \[0m"\)$') as raised:
        await sender.send()
    assert raised.value.reason == reason
    if kind is errors.Unavailable:
        assert raised.value.retry_after_s == 7


async def test_our_secrets_do_not_come_back(lfs: Lfs, sender: Sender) -> None:
    lfs.reply = lambda asked: errs(422, f"no {TOKEN} {asked.headers['authorization']}")
    with pytest.raises(errors.FailedPrecondition) as raised:
        await sender.send()
    assert '("no … Basic …")' in raised.value.message
    assert TOKEN not in repr(sender.door)


@pytest.mark.parametrize(
    "reply",
    [
        Reply(status=404, body=b"<html>", headers={"Content-Type": "text/html"}),
        Reply(status=405),
        Reply(status=200, body=b"<html>", headers={"Content-Type": "text/html"}),
    ],
)
async def test_a_host_without_lfs_is_named(lfs: Lfs, sender: Sender, reply: Reply) -> None:
    lfs.reply = lambda _: reply
    with pytest.raises(errors.FailedPrecondition, match=r"lfs\.test offers no LFS") as refused:
        await probe(sender.door, reach=sender.reach)
    assert refused.value.reason == "LFS_NOT_OFFERED"


async def test_a_server_that_is_down_may_come_back(sender: Sender, reach: Reach) -> None:
    door = Door.over_https("https://lfs.test:1024/team/a", USER, TOKEN)
    with pytest.raises(errors.Unavailable, match=r"lfs\.test cannot be connected to"):
        await probe(door, reach=reach)


async def test_addresses_and_certificates_are_checked(sender: Sender) -> None:
    with pytest.raises(errors.FailedPrecondition) as refused:
        await replace(sender, reach=replace(sender.reach, networks=())).send()
    assert refused.value.reason == "LFS_ADDRESS"
    with pytest.raises(errors.FailedPrecondition) as refused:
        await replace(sender, reach=replace(sender.reach, ca_file="")).send()
    assert refused.value.reason == "LFS_CERTIFICATE"


async def test_a_repository_that_has_moved_is_followed_with_its_credential(lfs: Lfs, sender: Sender) -> None:
    def moved(asked: Asked) -> Reply | None:
        there = asked.path.replace("/old.git/", "/a.git/")
        return Reply(status=308, headers={"Location": there}) if there != asked.path else None

    lfs.reply = moved
    assert await replace(sender, door=Door.over_https(lfs.url("old"), USER, TOKEN)).send()
    assert lfs.held(SHA256) == CONTENT


async def test_an_empty_file_is_a_file(lfs: Lfs, sender: Sender) -> None:
    sender.file.write_bytes(b"")
    sha256 = hashlib.sha256(b"").hexdigest()
    assert await send(sender.door, sender.file, sha256, 0, sender._note, reach=sender.reach)
    assert lfs.held(sha256) == b""


async def test_a_file_that_is_not_what_it_was_said_to_be_is_not_sent(lfs: Lfs, sender: Sender) -> None:
    sender.file.write_bytes(CONTENT + b"more")
    with pytest.raises(errors.Internal, match="instead of"):
        await sender.send()
    assert lfs.asked == []


async def test_memory_does_not_grow_with_the_file(lfs: Lfs, tmp_path: Path, authority: Authority) -> None:
    small, large = tmp_path / "small", tmp_path / "large"
    small.write_bytes(bytes(1 << 20))
    with large.open("wb") as file:
        for place in range(200):
            file.write(bytes([place]) * (1 << 20))
    words = [lfs.url("a"), USER, TOKEN, str(small), str(large), str(authority.file)]
    program = await asyncio.create_subprocess_exec(
        sys.executable, str(Path(__file__).parent / "lfs_program.py"), *words, stdout=subprocess.PIPE
    )
    written, _ = await program.communicate()
    assert program.returncode == 0
    assert int(written) < 8 * 1024
    [held] = [file for file in lfs.root.rglob("*") if file.is_file() and file.stat().st_size > 1 << 20]
    with held.open("rb") as one, large.open("rb") as other:
        assert hashlib.file_digest(one, "sha256").digest() == hashlib.file_digest(other, "sha256").digest()
