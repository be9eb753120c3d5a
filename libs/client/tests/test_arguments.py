"""What the command line says before it asks anybody: usage ends with 2, other faults with 1."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from yard.client.cli import main

from libs.client.tests.command import Run


@pytest.fixture
def nowhere(home: Path) -> Path:
    """Endpoints at which nobody answers."""
    file = home / "endpoints.json"
    names = ("identity", "task", "media_ingest", "chunking", "export")
    file.write_text(json.dumps(dict.fromkeys(names, "127.0.0.1:1")))
    return file


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["task", "create"], "Missing argument 'NAME'"),
        (["task", "create", "x", "--overlap", "many"], "'many' is not a whole number"),
        (["task", "create", "x", "--start", str(2**63)], "is not -9223372036854775808 to"),
        (["task", "create", "x", "--sorting", "by-size"], "is not one of 'lexicographical'"),
        (["task", "create", "x", "--share", ":photos"], "':photos' is not NAME[:PATH]"),
        (["task", "create", "x", "--quality", "5"], "need files"),
        (["task", "create", "x", "--lfs"], "--repository"),
        (["task", "create", "x", "--frames", "9"], "need --dry-run"),
        (["task", "create", "x", "--dry-run", "--url", "https://example.org/x.mp4"], "takes no media"),
        (["task", "list", "--sync-status", "lost"], "is not one of 'not-synchronized'"),
        (["job", "list", "--order", "age"], "is not one of 'status'"),
        (["job", "list", "--where", "stage"], "'stage' is not FIELD=VALUE"),
        (["task", "list", "--where", "a-b=1"], "'a-b=1' is not FIELD=VALUE"),
        (["project", "list", "--sort", "--name"], "'--name' is not FIELD or -FIELD"),
        (["task", "attach", "5"], "Name files"),
        (["task", "update", "5"], "Nothing to change"),
        (["task", "show", "0"], "0 is not 1 to"),
        (["job", "update", "5"], "Nothing to change"),
        (["job", "update", "5", "--stage", "drawing"], "is not one of 'annotation'"),
        (["user", "create", "anna", "--role", "boss"], "is not one of 'admin'"),
        (["chunk", "get", "0"], "Give either --task ID or --job ID"),
        (["chunk", "get", "0", "--task", "1", "--job", "2"], "Give either --task ID or --job ID"),
        (["chunk", "get", "--task", "1"], "Missing argument 'NUMBERS...'"),
        (["frame", "get", "0", "1", "--task", "1", "-o", "x.jpg"], "need a folder"),
        (["annotations", "put", "--job", "1"], "Missing argument 'FILE'"),
        (["annotations", "get", "--job", "1", "--frames", "9-2"], "'9-2' ends before it begins"),
        (["frame", "delete", "1-x", "--job", "1"], "'1-x' is not a frame or FIRST-LAST"),
        (["frame", "delete", str(2**63), "--job", "1"], "is not 0 to"),
        (["issue", "create", "1", "x", "--frame", "0", "--at", "1,y"], "'1,y' is not numbers"),
        (["issue", "update", "1"], "Nothing to change"),
        (["label", "format"], "Give either --task ID or --project ID"),
        (["repository", "connect", "1"], "Missing argument ''URL [PATH]''"),
        (["repository", "update", "1"], "Nothing to change"),
        (["repository", "connect", "1", "x", "--on-demand", "--quiet", "9"], "goes with neither"),
        (["repository", "connect", "1", "x", "--period", "soon"], "'soon' is not a whole number"),
        (["repository", "credential", "token", "1", "secret"], "unexpected extra argument"),
        (["repository", "credential", "copy", "1"], "Missing argument 'FROM'"),
        (["repository", "host-keys", "1"], "Give one of KEY, --file and --forget"),
        (["repository", "host-keys", "1", "key", "--forget"], "Give one of KEY, --file and --forget"),
        (["repository", "host-keys", "1", "--file", os.devnull], "There is no key in it"),
        (["history", "show", "1"], "Missing argument 'REVISION'"),
        (["export", "create", "--task", "1"], "Missing argument 'FORMAT'"),
        (
            ["export", "create", "COCO 1.0", "--task", "1", "--project", "2"],
            "Give one of --task ID, --job ID",
        ),
        (["project", "export", "1"], "Missing option '--format'"),
        (["operation", "list", "nothing"], "is not one of 'task'"),
        (["completion", "powershell"], "is not one of 'bash'"),
        (["admin", "dead-letters", "redrive", "task", "7"], "is not a valid UUID"),
        (["--profile", "../x", "whoami"], "not the name of a profile"),
        (["dance"], "No such command 'dance'"),
    ],
)
def test_usage_errors_end_with_2(run: Run, nowhere: Path, arguments: list[str], told: str) -> None:
    result = run("--endpoints", str(nowhere), *arguments)
    assert told in result.stderr
    assert (result.exit_code, result.stdout) == (2, "")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["task", "create", "x", "--label", "car:blob"], "--label: 'car:blob': 'blob' is no kind of label"),
        (["task", "create", "x", "gone.mp4"], "gone.mp4: no such file"),
        (["task", "create", "x", "--labels", "gone.json"], "gone.json: cannot be read"),
        (["upload", "create", "gone.mp4"], "gone.mp4: no such file"),
        (["annotations", "put", "--job", "1", "gone.json"], "gone.json: No such file"),
        (["annotations", "patch", "--job", "1", "endpoints.json"], "is none of create, update, delete"),
        (["annotations", "import", "--job", "1", "gone.jsonl"], "gone.jsonl: No such file"),
        (["label", "parse", "gone.json"], "gone.json: No such file"),
        (["history", "show", "1", "2", "-o", "endpoints.json"], "endpoints.json: is there already"),
        (["annotations", "get", "--job", "1", "-o", "endpoints.json"], "endpoints.json: is there already"),
        (["export", "create", "COCO 1.0", "--task", "1", "-o", "endpoints.json"], "is there already"),
        (["frame", "get", "0", "--task", "1", "-o", "gone/x.jpg"], "gone: no such folder"),
        (["repository", "credential", "key", "1", "--file", "gone"], "gone: No such file"),
        (["repository", "credential", "token", "1", "--file", "/"], "Is a directory"),
        (["repository", "show", "1"], "no address given for repo_sync"),
        (["operation", "show", "nothing"], "is not the name of an operation"),
        (["project", "create", os.fsdecode(b"\xff")], "is not UTF-8"),
    ],
)
def test_other_faults_end_with_1(run: Run, nowhere: Path, arguments: list[str], told: str) -> None:
    result = run("--endpoints", str(nowhere), *arguments)
    assert told in result.stderr
    assert (result.exit_code, result.stdout) == (1, "")


def test_faults_are_json_on_request(run: Run, nowhere: Path) -> None:
    result = run("--endpoints", str(nowhere), "task", "create", "x", "--label", "car:blob", "--json")
    [violation] = json.loads(result.stderr)["error"]["violations"]
    assert (result.exit_code, result.stdout, violation["field"]) == (1, "", "--label")


def test_a_platform_that_is_away_is_told_with_a_hint(run: Run, nowhere: Path) -> None:
    result = run("--endpoints", str(nowhere), "login", "admin", "--password", "x")
    assert "make status" in result.stderr
    assert result.exit_code == 1


def test_without_a_platform_the_file_is_named(run: Run) -> None:
    result = run("whoami")
    assert ".data/endpoints.json" in result.stderr
    assert result.exit_code == 1


def test_a_secret_that_is_no_text_is_not_shown(run: Run, nowhere: Path) -> None:
    arguments = ("--endpoints", str(nowhere), "repository", "credential", "token", "5")
    result = run(*arguments, input=b"hidden\xff")
    assert result.stderr == "error: -: is not UTF-8\n", result.exception
    assert (result.exit_code, result.stdout) == (1, "")


def test_untying_asks_first(run: Run, nowhere: Path) -> None:
    result = run("--endpoints", str(nowhere), "repository", "disconnect", "5", input="n\n")
    assert "Untie the task" in result.stdout
    assert result.exit_code == 1


def test_deleting_asks_first(run: Run, nowhere: Path) -> None:
    result = run("--endpoints", str(nowhere), "task", "delete", "5", input="n\n")
    assert "Delete the task with its annotations?" in result.stdout
    assert result.exit_code == 1


def commands(group: click.Group, *above: str) -> Iterator[tuple[str, ...]]:
    for name, command in group.commands.items():
        yield (*above, name)
        if isinstance(command, click.Group):
            yield from commands(command, *above, name)


@pytest.mark.parametrize("path", list(commands(main)), ids=" ".join)
def test_every_command_explains_itself(run: Run, path: tuple[str, ...]) -> None:
    result = run(*path, "--help")
    assert result.exit_code == 0
    assert result.stdout.startswith(f"Usage: frameyard {' '.join(path)}")
    assert all(option.help for option in options_of(path)), path


@pytest.mark.parametrize("path", list(commands(main)), ids=" ".join)
def test_results_are_json_on_request(path: tuple[str, ...]) -> None:
    command = command_of(path)
    exempt = {("completion",)}
    if not isinstance(command, click.Group) and path not in exempt:
        assert "--json" in [name for option in options_of(path) for name in option.opts]


def test_examples_are_commands_that_there_are() -> None:
    for path in [(), *commands(main)]:
        for line in (command_of(path).epilog or "").splitlines():
            if line.strip().startswith("frameyard "):
                words = [word for word in line.split() if not word.startswith("-")][1:3]
                assert words[0] in main.commands, line


def command_of(path: tuple[str, ...]) -> click.Command:
    command: click.Command = main
    for name in path:
        assert isinstance(command, click.Group)
        command = command.commands[name]
    return command


def options_of(path: tuple[str, ...]) -> list[click.Option]:
    return [each for each in command_of(path).params if isinstance(each, click.Option)]
