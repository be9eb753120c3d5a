"""What is pure of git: trees, names of branches, references, commits, complaints."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from yard.repo_sync.git.access import Access
from yard.repo_sync.git.connection import username
from yard.repo_sync.git.refs import Refs, branch_fault, parse_refs
from yard.repo_sync.git.refusals import Complaint, clean, refusal
from yard.repo_sync.git.trees import DamagedTreeError, Entry, entries, find, with_entry, without
from yard.repo_sync.publishing.publication import Author
from yard.repo_sync.publishing.pushing import commit_bytes
from yard.runtime.egress import GitRemote

NAMES = st.binary(min_size=1, max_size=8).filter(lambda name: b"\0" not in name and b"/" not in name)
ENTRIES = st.builds(
    Entry,
    mode=st.sampled_from([b"100644", b"100755", b"40000", b"120000", b"160000"]),
    name=NAMES,
    oid=st.binary(min_size=20, max_size=20),
)
TREES = st.lists(ENTRIES, max_size=8, unique_by=lambda entry: entry.name).map(
    lambda found: sorted(found, key=lambda entry: entry.key)
)


@given(TREES, ENTRIES)
def test_one_entry_is_placed_and_the_others_stay(tree: list[Entry], new: Entry) -> None:
    packed = b"".join(entry.packed for entry in tree)
    others = [entry for entry in tree if entry.name != new.name]
    changed = with_entry(packed, new)
    assert list(entries(changed, 20)) == sorted([*others, new], key=lambda entry: entry.key)
    assert find(changed, new.name, 20) == new
    assert list(entries(without(changed, new.name, 20), 20)) == others


@given(st.binary(max_size=80))
def test_damaged_trees_are_refused(content: bytes) -> None:
    try:
        found = list(entries(content, 20))
    except DamagedTreeError:
        return
    assert b"".join(entry.packed for entry in found) == content


@settings(max_examples=60, deadline=None)
@given(
    st.text(
        st.sampled_from("ab/.@{}~^:?*[\\ \t-é\x7f") | st.characters(codec="utf-8"), min_size=1, max_size=12
    )
)
def test_branches_are_what_git_takes(name: str) -> None:
    """All that we take is good for git; we take no more than that."""
    if "\0" in name or branch_fault(name) is not None:
        return
    done = subprocess.run(["git", "check-ref-format", "--branch", name], capture_output=True, check=False)
    assert done.returncode == 0


@pytest.mark.parametrize("name", ["main", "frameyard/street-1", "träger", "a.b", "v1@home", "x{y}"])
def test_good_branches(name: str) -> None:
    assert branch_fault(name) is None


@pytest.mark.parametrize(
    "name",
    [
        *(
            "",
            "-x",
            "@",
            "HEAD",
            "a..b",
            "a b",
            "a.lock",
            "a/.b",
            "/a",
            "a/",
            "a//b",
            "a.",
            "a@{b",
            "a~1",
            "a^",
        ),
        *("a:b", "a?", "a*", "a[b", "a\\b", "a\nb", "a\x7f", "é" * 101, "a.lock/b"),
    ],
)
def test_bad_branches(name: str) -> None:
    assert branch_fault(name) is not None


def test_references_that_cannot_be_named_are_left_out() -> None:
    oid = "0123456789" * 4
    output = f"ref: refs/heads/main\tHEAD\n{oid}\tHEAD\n{oid}\trefs/heads/x\nevil\trefs/heads/y\n"
    output += f"{oid}\trefs/heads/--upload-pack=x\n{oid}\trefs/tags/v1\n"
    assert parse_refs(output.encode()) == Refs(default="main", heads={"main": oid, "x": oid})
    assert parse_refs(f"ref: refs/heads/-x\tHEAD\n{oid}\tHEAD\n".encode()) == Refs(default="", heads={})
    assert parse_refs(b"\xff\n\n") == Refs(default="", heads={})


def test_a_commit_is_the_same_in_every_attempt() -> None:
    author = Author(name="Ann <x>\nB", email="a n@x>\n", when=datetime(2026, 3, 1, tzinfo=UTC))
    assert commit_bytes("t" * 40, "p" * 40, author, "\nHello\0\n\n") == (
        b"tree " + b"t" * 40 + b"\nparent " + b"p" * 40 + b"\n"
        b"author Ann x B <an@x> 1772323200 +0000\ncommitter Ann x B <an@x> 1772323200 +0000\n\nHello\n"
    )
    nobody = Author(name="<>", email="", when=author.when)
    assert b"\nauthor Frameyard <> 1772323200 +0000\n" in commit_bytes("t" * 40, "", nobody, "x")


HTTPS, SSH = GitRemote.parse("https://git.test/a/b"), GitRemote.parse("git@git.test:a/b")


@pytest.mark.parametrize(
    ("remote", "text", "reason"),
    [
        (HTTPS, "fatal: Authentication failed for 'https://git.test/a/b/'", "GIT_AUTHENTICATION"),
        (HTTPS, "remote: Repository not found.\nfatal: repository 'https://x/' not found", "GIT_NOT_FOUND"),
        (HTTPS, "fatal: unable to access 'x': Could not resolve host: x", "GIT_UNREACHABLE"),
        (HTTPS, "error: RPC failed; curl 56 recv failure\nfatal: early EOF", "GIT_UNREACHABLE"),
        (HTTPS, "error: RPC failed; curl 28 Operation too slow. Less than 1000 bytes/sec", "GIT_SLOW"),
        (HTTPS, "error: RPC failed; HTTP 413 curl 22 The requested URL returned error: 413", "GIT_REJECTED"),
        (SSH, "ERROR: Permission to a/b.git denied to deploy key", "GIT_AUTHENTICATION"),
        (SSH, "ssh: connect to host 1.2.3.4 port 22: Connection timed out", "GIT_UNREACHABLE"),
        (SSH, "error: cannot run /x/frameyard-git-ssh: No such file or directory", "GIT_NO_SSH"),
        (HTTPS, "remote: No space left on device\nsomething new", "GIT_FAILED"),
        (HTTPS, "fatal: write error: No space left on device\nfatal: fetch-pack", "NO_ROOM"),
        (SSH, "something new", "GIT_FAILED"),
    ],
)
def test_complaints(remote: GitRemote, text: str, reason: str) -> None:
    assert refusal(Complaint(remote, Access(token="t"), text)).reason == reason


@pytest.mark.parametrize(
    ("host", "given", "used"),
    [("git.test", "", "oauth2"), ("github.com", "", "x-access-token"), ("github.com", "ann", "ann")],
)
def test_tokens_go_with_the_name_that_hosts_take(host: str, given: str, used: str) -> None:
    assert username(GitRemote.parse(f"https://{host}/a/b"), Access(username=given)) == used


def test_words_are_cleaned() -> None:
    access = Access(token="tok-123", private_key="-----BEGIN\nAAAABBBB\n-----END")
    assert clean("a\x1b[31mred\x1b[0m\r\n tok-123 \x00AAAABBBB\u009bz", access) == "a red … … z"
    assert len(clean("x" * 5_000, access)) == 500
