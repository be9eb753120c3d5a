"""Remotes that refuse, break, crawl or lead elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from yard.repo_sync.git.access import Access
from yard.repo_sync.git.way import Way
from yard.repo_sync.publishing import look
from yard.runtime import errors

from libs.runtime.tests.authority import Authority
from services.repo_sync.tests.peers import remotes
from services.repo_sync.tests.peers.web import TOKEN, USER, Asked, GitWeb, Reply
from services.repo_sync.tests.publishing_cases import PATH, TOKEN_ACCESS, Publisher, publisher


@pytest.fixture
def ours(web: GitWeb, way: Way, tmp_path: Path) -> Publisher:
    remotes.made(web.repository("a.git"))
    remotes.commit(web.repository("a.git"), "main", {"README": b"hello"})
    return publisher(way, web.url("a.git"), tmp_path)


def processes() -> Iterator[str]:
    """Arguments and environments of all that run."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        except OSError:
            continue
        yield words.decode(errors="replace")


async def refused(ours: Publisher, kind: type[errors.YardError], reason: str) -> str:
    with pytest.raises(kind) as failure:
        await ours.publish()
    assert failure.value.reason == reason
    assert "/" not in failure.value.message.replace("/home", "")
    assert TOKEN not in failure.value.message
    assert list(ours.way.folder.iterdir()) == []
    return failure.value.message


@pytest.mark.parametrize(
    ("access", "words"),
    [
        (Access(), "git.test wants a token, and none is set for this repository"),
        (
            Access(username=USER, token="wrong"),
            "git.test refuses the token; it may be wrong, expired or without write access here",
        ),
    ],
)
async def test_a_token_that_does_not_open(ours: Publisher, access: Access, words: str) -> None:
    ours.publication = replace(ours.publication, access=access)
    assert await refused(ours, errors.PermissionDenied, "GIT_AUTHENTICATION") == words


async def test_a_token_that_only_reads(ours: Publisher, web: GitWeb) -> None:
    web.reply = lambda asked: Reply(status=403) if "receive-pack" in asked.path else None
    assert "write access" in await refused(ours, errors.PermissionDenied, "GIT_AUTHENTICATION")


async def test_without_a_token_a_public_repository_can_be_looked_at(ours: Publisher, web: GitWeb) -> None:
    web.reads_openly = True
    seen = await look(ours.way, web.url("a.git"), Access(), "", PATH)
    assert (seen.default_branch, seen.has_branch, seen.blob) == ("main", True, "")


@pytest.mark.parametrize(
    ("status", "kind", "reason"),
    [
        (404, errors.FailedPrecondition, "GIT_NOT_FOUND"),
        (429, errors.Unavailable, "GIT_UNREACHABLE"),
        (500, errors.Unavailable, "GIT_UNREACHABLE"),
        (503, errors.Unavailable, "GIT_UNREACHABLE"),
        (507, errors.FailedPrecondition, "GIT_REJECTED"),
    ],
)
async def test_statuses(
    ours: Publisher, web: GitWeb, status: int, kind: type[errors.YardError], reason: str
) -> None:
    web.reply = lambda _: Reply(status=status)
    await refused(ours, kind, reason)


async def test_too_much_for_the_remote(ours: Publisher, web: GitWeb) -> None:
    web.reply = lambda asked: (
        Reply(status=413) if asked.method == "POST" and "receive" in asked.path else None
    )
    words = await refused(ours, errors.FailedPrecondition, "GIT_REJECTED")
    assert words.startswith("git.test takes no file of this size")


async def test_a_dumb_host_leads_nowhere(ours: Publisher, web: GitWeb) -> None:
    """One that only serves files may name alternates, where git would look for objects."""
    tip = remotes.tip_of(web.repository("a.git"), "main")
    files = {
        "info/refs": f"{tip}\trefs/heads/main\n",
        "HEAD": "ref: refs/heads/main\n",
        "objects/info/http-alternates": f"https://169.254.169.254/objects/\n{web.url('b.git')}/objects/\n",
    }

    def reply(asked: Asked) -> Reply:
        path = asked.path.partition("?")[0].removeprefix("/team/a.git/")
        found = files.get(path)
        return Reply(status=200 if found else 404, body=(found or "").encode())

    web.reply = reply
    await refused(ours, errors.FailedPrecondition, "GIT_NOT_FOUND")
    assert {asked.path.partition("?")[0] for asked in web.asked} <= {f"/team/a.git/{name}" for name in files}


async def test_what_is_no_git(ours: Publisher, web: GitWeb) -> None:
    web.reply = lambda _: Reply(status=200, headers={"Content-Type": "text/html"}, body=b"<html>hello</html>")
    await refused(ours, errors.FailedPrecondition, "GIT_NOT_FOUND")


@pytest.mark.parametrize(
    "location",
    ["https://169.254.169.254/latest", "http://git.test/", "file:///etc/passwd", "https://other.test/x"],
)
async def test_redirects_lead_nowhere(ours: Publisher, web: GitWeb, location: str) -> None:
    web.reply = lambda _: Reply(status=302, headers={"Location": location})
    await refused(ours, errors.FailedPrecondition, "GIT_REDIRECT")
    assert {asked.path.partition("?")[0] for asked in web.asked} == {"/team/a.git/info/refs"}


async def test_the_name_with_git_is_tried_if_the_remote_wants_it(ours: Publisher, web: GitWeb) -> None:
    def only_with_git(asked: Asked) -> Reply | None:
        return (
            None if asked.path.startswith("/team/a.git/") else Reply(status=301, headers={"Location": "/x"})
        )

    web.reply = only_with_git
    published = await ours.publish(url=web.url("a"))
    assert published.commit == remotes.tip_of(web.repository("a.git"), "main")


async def test_a_hook_says_why(ours: Publisher, web: GitWeb) -> None:
    hook = web.repository("a.git") / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(
        "#!/bin/sh\nprintf 'GL-HOOK-ERR: \\033[31mbranch is protected\\033[0m\\a\\n' >&2\nexit 1\n"
    )
    hook.chmod(0o755)
    words = await refused(ours, errors.FailedPrecondition, "GIT_REJECTED")
    assert words.startswith("git.test rejects the commit: [remote rejected] (pre-receive hook declined)")
    assert "branch is protected" in words
    assert words.isprintable()


@pytest.mark.parametrize("place", [1, 50, 100, 200, 300])
async def test_a_cut_connection(ours: Publisher, web: GitWeb, place: int) -> None:
    web.cut_after = place
    await refused(ours, errors.Unavailable, "GIT_UNREACHABLE")


async def test_a_remote_that_is_down(ours: Publisher) -> None:
    ours.publication = replace(ours.publication, url="https://git.test:1025/a/b")
    await refused(ours, errors.Unavailable, "GIT_UNREACHABLE")


async def test_a_remote_that_does_not_answer(ours: Publisher, web: GitWeb) -> None:
    web.gate.clear()
    ours.way = replace(ours.way, timeout_s=1.5)
    await refused(ours, errors.Unavailable, "GIT_SLOW")
    assert not [words for words in processes() if str(web.port) in words]


@pytest.mark.parametrize("address", ["10.0.0.1", "169.254.169.254", "::1", "::ffff:10.0.0.1"])
async def test_addresses_that_are_not_open(ours: Publisher, web: GitWeb, address: str) -> None:
    async def elsewhere(_host: str, _port: int) -> Sequence[str]:
        return ["127.0.0.1", address]

    ours.way = replace(ours.way, resolve=elsewhere)
    await refused(ours, errors.FailedPrecondition, "GIT_ADDRESS")
    assert web.asked == []


async def test_a_certificate_of_a_stranger(ours: Publisher, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    ours.way = replace(ours.way, ca_file=str(Authority(tmp_path / "other").file))
    await refused(ours, errors.FailedPrecondition, "GIT_CERTIFICATE")


async def test_nothing_of_ours_knows_the_secret(ours: Publisher, web: GitWeb) -> None:
    seen: list[str] = []

    def watched(_: Asked) -> None:
        seen.extend(processes())

    web.reply = watched
    await ours.publish()
    assert any("remote-https" in words for words in seen)
    assert not any(TOKEN in words for words in seen)
    assert TOKEN not in repr(TOKEN_ACCESS)
    assert TOKEN not in repr(ours.publication)
