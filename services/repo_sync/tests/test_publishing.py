from __future__ import annotations

from pathlib import Path

import pytest
from yard.repo_sync.git.way import Way
from yard.repo_sync.publishing import look
from yard.runtime import errors

from services.repo_sync.tests.peers import remotes
from services.repo_sync.tests.peers.web import GitWeb
from services.repo_sync.tests.publishing_cases import CONTENT, PATH, TOKEN_ACCESS, publisher

OURS = "Ann <ann@example.org> Annotations of Street"
THEIRS = "Bob <bob@example.org> Bob was here"


@pytest.mark.parametrize("default", ["main", "master", "träger/x"])
async def test_an_empty_repository_gets_its_first_commit(
    web: GitWeb, way: Way, tmp_path: Path, default: str
) -> None:
    remote = remotes.made(web.repository("a.git"), default)
    published = await publisher(way, web.url("a.git"), tmp_path).publish()
    assert (published.branch, published.was_unchanged, published.is_merged) == (default, False, False)
    assert published.commit == remotes.tip_of(remote, default)
    assert remotes.log(remote, default) == [OURS]
    assert remotes.read(remote, default, PATH) == CONTENT
    assert list(way.folder.iterdir()) == []


async def test_a_commit_on_top_of_the_default_branch(web: GitWeb, way: Way, tmp_path: Path) -> None:
    remote = remotes.made(web.repository("a.git"))
    remotes.commit(remote, "main", {"README": b"hello", "annotation/other.zip": b"x"})
    ours = publisher(way, web.url("a.git"), tmp_path)
    first = await ours.publish()
    again = await ours.publish()
    assert (again.commit, again.was_unchanged) == (first.commit, True)
    assert remotes.log(remote, "main") == [OURS, THEIRS]
    changed = await ours.publish(b"more")
    assert (changed.was_unchanged, remotes.log(remote, "main")) == (False, [OURS, OURS, THEIRS])
    assert remotes.listing(remote, "main") == {
        "README": "100644",
        PATH: "100644",
        "annotation/other.zip": "100644",
    }


async def test_a_new_branch_starts_at_the_default(web: GitWeb, way: Way, tmp_path: Path) -> None:
    remote = remotes.made(web.repository("a.git"), "trunk")
    remotes.commit(remote, "trunk", {"README": b"hello"})
    ours = publisher(way, web.url("a.git"), tmp_path)
    published = await ours.publish(branch="frameyard/street")
    assert (published.branch, published.is_merged) == ("frameyard/street", False)
    assert remotes.log(remote, "frameyard/street") == [OURS, THEIRS]
    assert remotes.log(remote, "trunk") == [THEIRS]


@pytest.mark.parametrize("path", ["a.zip", "1/2/3/4/annotation.xml", "träger/[x] *?.zip"])
async def test_deep_and_strange_paths(web: GitWeb, way: Way, tmp_path: Path, path: str) -> None:
    remote = remotes.made(web.repository("a.git"), object_format="sha256" if path == "a.zip" else "sha1")
    remotes.commit(remote, "main", {"1/2/other": b"x", "träger/a": b"y", "run:tool": b"z"})
    before = remotes.listing(remote, "main")
    ours = publisher(way, web.url("a.git"), tmp_path)
    await ours.publish(path=path)
    assert remotes.read(remote, "main", path) == CONTENT
    assert remotes.listing(remote, "main") == {**before, path: "100644"}
    assert (await ours.publish(path=path)).was_unchanged


async def test_a_branch_is_merged_once_the_default_has_the_file(
    web: GitWeb, way: Way, tmp_path: Path
) -> None:
    remote = remotes.made(web.repository("a.git"))
    remotes.commit(remote, "main", {"README": b"hello"})
    ours = publisher(way, web.url("a.git"), tmp_path)
    assert not (await ours.publish(branch="street")).is_merged
    seen = await look(way, web.url("a.git"), TOKEN_ACCESS, "street", PATH)
    assert (seen.has_branch, seen.default_blob) == (True, "")
    remotes.git(remote, "update-ref", "refs/heads/main", "refs/heads/street")
    again = await ours.publish(branch="street")
    assert (again.was_unchanged, again.is_merged) == (True, True)
    seen = await look(way, web.url("a.git"), TOKEN_ACCESS, "street", PATH)
    assert seen.blob == seen.default_blob != ""
    fresh = await ours.publish(branch="fresh")
    assert (fresh.commit, fresh.was_unchanged, fresh.is_merged) == (again.commit, True, True)
    assert remotes.tip_of(remote, "fresh") == again.commit


async def test_a_head_that_names_nothing(web: GitWeb, way: Way, tmp_path: Path) -> None:
    remote = remotes.made(web.repository("a.git"), "master")
    remotes.commit(remote, "trunk", {"README": b"hello"})
    ours = publisher(way, web.url("a.git"), tmp_path)
    assert (await ours.publish()).branch == "trunk"
    remotes.commit(remote, "second", {"README": b"hello"})
    with pytest.raises(errors.FailedPrecondition) as refused:
        await ours.publish()
    assert refused.value.reason == "GIT_NO_DEFAULT"
    assert (await ours.publish(branch="second")).branch == "second"


async def test_a_remote_without_filters(web: GitWeb, way: Way, tmp_path: Path) -> None:
    (web.root / "gitconfig").write_text("[http]\n\treceivepack = true\n[safe]\n\tdirectory = *\n")
    remote = remotes.made(web.repository("a.git"))
    remotes.commit(remote, "main", {"README": b"hello", PATH: b"old"})
    published = await publisher(way, web.url("a.git"), tmp_path).publish()
    assert (published.was_unchanged, remotes.log(remote, "main")) == (False, [OURS, THEIRS])


async def test_a_file_that_lfs_kept_is_taken_back(web: GitWeb, way: Way, tmp_path: Path) -> None:
    remote = remotes.made(web.repository("a.git"))
    given = {"README": b"hello", ".gitattributes": b"*.zip filter=lfs diff=lfs merge=lfs -text\n"}
    remotes.commit(remote, "main", given)
    ours = publisher(way, web.url("a.git"), tmp_path)
    await ours.publish()
    assert remotes.read(remote, "main", ".gitattributes") == given[".gitattributes"]
    assert b"/Street.zip !filter" in remotes.read(remote, "main", "annotation/.gitattributes")
    assert (await ours.publish()).was_unchanged
