"""Bare repositories as a host keeps them, and what other people do to them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

_ENVIRONMENT = {
    "PATH": os.defpath,
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_AUTHOR_NAME": "Bob",
    "GIT_AUTHOR_EMAIL": "bob@example.org",
    "GIT_COMMITTER_NAME": "Bob",
    "GIT_COMMITTER_EMAIL": "bob@example.org",
    "LC_ALL": "C.UTF-8",
}


def git(folder: Path, *words: str, given: bytes | None = None) -> bytes:
    """Run as somebody else, with everything that git complains of in the failure."""
    done = subprocess.run(
        ["git", "-C", str(folder), *words], env=_ENVIRONMENT, input=given, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def made(folder: Path, default: str = "main", object_format: str = "sha1") -> Path:
    folder.mkdir(parents=True)
    git(
        folder, "init", "--quiet", "--bare", f"--initial-branch={default}", f"--object-format={object_format}"
    )
    return folder


def commit(repository: Path, branch: str, files: dict[str, bytes], message: str = "Bob was here") -> str:
    """On top of the branch, as another person's push would leave it; modes by prefix: `link:`, `run:`."""
    index = {"GIT_INDEX_FILE": str(repository / "bob.index")}
    environment = {**_ENVIRONMENT, **index}

    def run(*words: str, given: bytes | None = None) -> str:
        done = subprocess.run(
            ["git", "-C", str(repository), *words],
            env=environment,
            input=given,
            capture_output=True,
            check=True,
        )
        return done.stdout.decode().strip()

    tip = tip_of(repository, branch)
    run("read-tree", tip) if tip else run("read-tree", "--empty")
    for path, content in files.items():
        kind, _, name = (
            path.partition(":") if path.startswith(("link:", "run:", "module:")) else ("", "", path)
        )
        mode = {"link": "120000", "run": "100755", "module": "160000", "": "100644"}[kind]
        oid = content.decode() if kind == "module" else run("hash-object", "-w", "--stdin", given=content)
        run("update-index", "-z", "--index-info", given=f"{mode} {oid} 0\t{name}".encode() + b"\0")
    parents = ("-p", tip) if tip else ()
    made = run("commit-tree", run("write-tree"), *parents, "-m", message)
    run("update-ref", f"refs/heads/{branch}", made)
    return made


def tip_of(repository: Path, branch: str) -> str:
    listed = git(repository, "for-each-ref", "--format=%(objectname)", f"refs/heads/{branch}")
    return listed.decode().strip()


def read(repository: Path, branch: str, path: str) -> bytes:
    return git(repository, "cat-file", "blob", f"refs/heads/{branch}:{path}")


def log(repository: Path, branch: str) -> list[str]:
    listed = git(repository, "log", "--first-parent", "--format=%an <%ae> %s", f"refs/heads/{branch}")
    return listed.decode().splitlines()


def listing(repository: Path, branch: str) -> dict[str, str]:
    listed = git(repository, "ls-tree", "-r", "-z", f"refs/heads/{branch}").decode(errors="surrogateescape")
    entries = [entry.partition("\t") for entry in listed.split("\0") if entry]
    return {name: meta.split(" ")[0] for meta, _, name in entries}
