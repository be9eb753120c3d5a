"""Others push while we do."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from yard.repo_sync.git.way import Way
from yard.runtime import errors

from services.repo_sync.tests.peers import remotes
from services.repo_sync.tests.peers.web import Asked, GitWeb
from services.repo_sync.tests.publishing_cases import CONTENT, PATH, Publisher, publisher


@pytest.fixture
def remote(web: GitWeb) -> Path:
    made = remotes.made(web.repository("a.git"))
    remotes.commit(made, "main", {"README": b"hello"})
    return made


@pytest.fixture
def ours(web: GitWeb, way: Way, tmp_path: Path, remote: Path) -> Publisher:
    return publisher(way, web.url("a.git"), tmp_path)


def is_push(asked: Asked) -> bool:
    return asked.method == "GET" and "git-receive-pack" in asked.path and "authorization" in asked.headers


async def test_a_branch_that_moves_is_built_upon(ours: Publisher, web: GitWeb, remote: Path) -> None:
    def interfere(asked: Asked) -> None:
        if is_push(asked) and len(remotes.log(remote, "main")) < 3:
            remotes.commit(remote, "main", {f"file{len(remotes.log(remote, 'main'))}": b"x"})

    web.reply = interfere
    published = await ours.publish()
    assert not published.was_unchanged
    assert published.commit == remotes.tip_of(remote, "main")
    assert [line.split()[0] for line in remotes.log(remote, "main")] == ["Ann", "Bob", "Bob", "Bob"]
    assert sorted(remotes.listing(remote, "main")) == ["README", PATH, "file1", "file2"]


async def test_a_branch_that_always_moves(ours: Publisher, web: GitWeb, remote: Path) -> None:
    def interfere(asked: Asked) -> None:
        if is_push(asked):
            remotes.commit(remote, "main", {"README": str(len(web.asked)).encode()})

    web.reply = interfere
    with pytest.raises(errors.Conflict) as moved:
        await ours.publish()
    assert moved.value.reason == "GIT_MOVED"
    assert PATH not in remotes.listing(remote, "main")


async def test_a_branch_that_is_forced_elsewhere(ours: Publisher, web: GitWeb, remote: Path) -> None:
    first = remotes.tip_of(remote, "main")
    await ours.publish()
    remotes.git(remote, "update-ref", "refs/heads/main", first)
    forced: list[str] = []

    def interfere(asked: Asked) -> None:
        if is_push(asked) and not forced:
            forced.append(remotes.commit(remote, "other", {"new": b"beginning"}))
            remotes.git(remote, "update-ref", "refs/heads/main", forced[0])

    web.reply = interfere
    published = await ours.publish(b"newer")
    assert published.commit == remotes.tip_of(remote, "main")
    assert sorted(remotes.listing(remote, "main")) == [PATH, "new"]


async def test_two_pushers_lose_nothing(web: GitWeb, way: Way, tmp_path: Path, remote: Path) -> None:
    async def one(name: str) -> None:
        folder = tmp_path / name
        folder.mkdir()
        await publisher(way, web.url("a.git"), folder).publish(name.encode(), path=f"annotation/{name}.zip")

    await asyncio.gather(one("a"), one("b"))
    assert sorted(remotes.listing(remote, "main")) == ["README", "annotation/a.zip", "annotation/b.zip"]
    assert len(remotes.log(remote, "main")) == 3


async def test_the_same_publication_twice_at_once_is_one_commit(
    ours: Publisher, remote: Path, way: Way, web: GitWeb, tmp_path: Path
) -> None:
    (tmp_path / "b").mkdir()
    other = publisher(way, web.url("a.git"), tmp_path / "b")
    first, second = await asyncio.gather(ours.publish(), other.publish())
    assert first.commit == second.commit == remotes.tip_of(remote, "main")
    assert len(remotes.log(remote, "main")) == 2


async def test_a_push_whose_answer_is_lost_is_found_by_the_next(
    ours: Publisher, web: GitWeb, remote: Path
) -> None:
    def cut(asked: Asked) -> None:
        web.cut_after = 10 if asked.method == "POST" and "git-receive-pack" in asked.path else None

    web.reply = cut
    with pytest.raises(errors.Unavailable):
        await ours.publish()
    web.reply, web.cut_after = lambda _: None, None
    again = await ours.attempt()
    assert not again.was_unchanged
    assert again.commit == remotes.tip_of(remote, "main")
    assert len(remotes.log(remote, "main")) == 2
    assert remotes.read(remote, "main", PATH) == CONTENT
    assert (await ours.publish()).was_unchanged
