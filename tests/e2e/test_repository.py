"""A task whose annotations are kept in git, by the installed command and a real git server."""

from __future__ import annotations

import json
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from PIL import Image
from yard.testkit.eventually import eventually
from yard.testkit.platform import Platform

from libs.runtime.tests.authority import Authority
from services.repo_sync.tests.peers import remotes
from services.repo_sync.tests.peers.shell import GitShell, listening
from services.repo_sync.tests.peers.shell import serving as serving_ssh
from services.repo_sync.tests.peers.web import TOKEN, USER, GitWeb, serving
from tests.e2e.command_line import CommandLine

HERE, NAME, FILE = "127.0.0.1", "data.git", "annotation/street.zip"
PLACES = ([10.0, 20.0, 60.0, 80.0], [5.5, 6.25, 7.0, 8.0])


@pytest.fixture
def web(tmp_path: Path, authority: Authority) -> Iterator[GitWeb]:
    """A git host with an empty repository, opened by a token."""
    with serving(tmp_path / "web", authority.tls(HERE)) as peer:
        remotes.made(peer.repository(NAME))
        yield peer


@pytest.fixture
async def shell(tmp_path: Path) -> AsyncIterator[GitShell]:
    """A host with an empty repository, opened by keys."""
    with serving_ssh(tmp_path / "ssh") as peer:
        remotes.made(peer.repository(NAME))
        await listening(peer)
        yield peer


def new_task(command: CommandLine, name: str, *options: object) -> str:
    for number in range(2):
        Image.new("RGB", (100, 100)).save(command.folder / f"{number}.png")
    made = command.json(
        "task", "create", name, "0.png", "1.png", "--label", "car:rectangle", "--wait", *options
    )
    return str(made["id"])


def draw(command: CommandLine, task: str, *places: list[float]) -> None:
    """These boxes and no others."""
    [label] = command.json("task", "show", task)["labels"]
    boxes = [
        {"frame": 0, "label_id": label["id"], "kind": "SHAPE_KIND_RECTANGLE", "points": points}
        for points in places
    ]
    command.good("annotations", "put", "--task", task, "-", text=json.dumps({"shapes": boxes}))


def drawn(command: CommandLine, task: str) -> list[list[float]]:
    shapes = command.json("annotations", "get", "--task", task)["annotations"]["shapes"]
    return sorted(shape["points"] for shape in shapes)


def tasks_with(command: CommandLine, status: str) -> dict[str, str]:
    """Ids of tasks in this status of their repositories, and what is said of it."""
    found = command.json("task", "list", "--sync-status", status)
    return {task["id"]: task["sync_message"] for task in found}


async def becomes(command: CommandLine, task: str, status: str) -> str:
    """Waits until lists show the task so; gives what is said."""

    def found() -> dict[str, str]:
        return {name: said for name, said in tasks_with(command, status).items() if name == task}

    return (await eventually(found, timeout_s=60))[task]


def clone(web: GitWeb, authority: Authority, folder: Path) -> Path:
    """As somebody else gets it, by the host's own address."""
    url = f"https://{USER}@{HERE}:{web.port}/team/{NAME}"
    ask = folder.parent / "ask"
    ask.write_text(f"#!/bin/sh\necho '{TOKEN}'\n")
    ask.chmod(0o700)
    subprocess.run(
        ["git", "-c", f"http.sslCAInfo={authority.file}", "clone", "--quiet", url, folder],
        env={"PATH": "/usr/bin:/bin", "HOME": str(folder.parent), "GIT_ASKPASS": str(ask)},
        check=True,
        timeout=60,
    )
    return folder


async def test_annotations_are_in_git_and_everybody_sees_whether_they_are(
    command: CommandLine, web: GitWeb, authority: Authority, tmp_path: Path
) -> None:
    location = f"{web.url(NAME, HERE)} [{FILE}]"
    task = new_task(command, "street", "--repository", location)
    draw(command, task, *PLACES)
    await becomes(command, task, "not-synchronized")
    (tmp_path / "token").write_text(TOKEN + "\n")
    opened = ("repository", "credential", "token", task, "--username", USER, "--file", "token")
    assert TOKEN not in command.good(*opened).out
    command.good("repository", "check", task)
    pushed = command.json("repository", "push", task)
    assert (pushed["branch"], pushed["was_unchanged"]) == ("main", False)
    assert pushed["commit"] == remotes.tip_of(web.repository(NAME), "main")
    await becomes(command, task, "synchronized")
    assert task not in tasks_with(command, "not-synchronized")

    cloned = clone(web, authority, tmp_path / "cloned")
    assert [path.name for path in cloned.iterdir() if path.name != ".git"] == ["annotation"]
    other = new_task(command, "another street")
    command.good("task", "import", other, cloned / FILE, "--format", "CVAT for images 1.1")
    assert drawn(command, other) == drawn(command, task) == sorted(PLACES)
    said = remotes.git(web.repository(NAME), "log", "-1", "--format=%an%n%B", "main").decode()
    assert said.splitlines()[0] == "admin"
    assert "street" in said
    assert command.json("repository", "push", task)["was_unchanged"]

    draw(command, task, PLACES[0])
    await becomes(command, task, "not-synchronized")
    waiting = command.json("repository", "show", task)["waiting"]
    assert int(waiting["created"]) + int(waiting["updated"]) + int(waiting["deleted"]) > 0
    command.good("repository", "update", task, "--automatic", "--quiet", 1, "--period", 1)
    await becomes(command, task, "synchronized")
    pushes = command.json("repository", "pushes", task)
    assert [push["is_automatic"] for push in pushes] == [True, False, False]
    assert len(remotes.log(web.repository(NAME), "main")) == 2
    command.good("repository", "disconnect", task, "--yes")
    await eventually(lambda: not command.json("task", "show", task).get("repository"), timeout_s=30)
    assert "has no dataset repository" in command.fails("repository", "show", task)
    assert TOKEN not in "".join(path.read_text() for path in (command.platform.data / "logs").iterdir())


async def test_why_a_push_failed_is_told_where_people_look(
    command: CommandLine, web: GitWeb, platform: Platform
) -> None:
    task = new_task(command, "closed")
    draw(command, task, *PLACES)
    command.good("repository", "connect", task, f"{web.url(NAME, HERE)} [{FILE}]")
    wrong = ("repository", "credential", "token", task, "--username", USER)
    command.good(*wrong, text="not the token\n")
    complaint = command.fails("repository", "push", task)
    assert "refuses the token" in complaint
    assert "refuses the token" in await becomes(command, task, "failed")
    [failed] = command.json("repository", "pushes", task)
    assert "refuses the token" in failed["error"]["message"]
    assert "refuses the token" in command.good("repository", "show", task).out
    command.good(*wrong, text=TOKEN)
    command.good("repository", "push", task)
    assert await becomes(command, task, "synchronized") == ""


async def test_a_key_opens_a_repository_and_its_host_is_known_from_then_on(
    command: CommandLine, shell: GitShell
) -> None:
    location = f"{shell.url(NAME).replace('git.test', HERE)} [{FILE}]"
    task = new_task(command, "keyed", "--repository", location)
    draw(command, task, *PLACES)
    public = command.good("repository", "credential", "generate", task).out.strip()
    assert public.startswith("ssh-ed25519 ")
    assert "add its public half as a deploy key" in command.fails("repository", "push", task)
    shell.admit(public)
    command.good("repository", "push", task)
    shown = command.json("repository", "show", task)
    assert shown["credential"]["public_key"] == public
    assert "PRIVATE" not in json.dumps(shown)
    assert [(key["type"], key["is_given"]) for key in shown["host_keys"]] == [("ssh-ed25519", False)]
    await becomes(command, task, "synchronized")

    before = shown["host_keys"][0]["fingerprint"]
    shell.change_host_key()
    await listening(shell)
    draw(command, task, PLACES[0])
    assert before in command.fails("repository", "push", task)
    assert before in await becomes(command, task, "failed")
    known = command.json("repository", "host-keys", task, shell.host_key)["host_keys"]
    assert [key["is_given"] for key in known] == [True]
    command.good("repository", "push", task)
    assert len(remotes.log(shell.repository(NAME), "main")) == 2

    again = new_task(command, "keyed too", "--repository", location)
    copied = command.json("repository", "credential", "copy", again, task)
    assert copied["credential"]["public_key"] == public
    forgotten = command.json("repository", "credential", "forget", task)
    assert not (forgotten.get("credential") or {}).get("public_key")
