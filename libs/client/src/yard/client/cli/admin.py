"""Work of who runs the platform, on the machine where it runs."""

import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click
from yard.client.cli.parameters import examples, stacked
from yard.client.cli.plain import plain, plain_json

PLATFORM = "yard.embedded"

_COMMON = stacked(
    (
        click.option(
            "--data",
            type=click.Path(path_type=Path, file_okay=False),
            envvar="FRAMEYARD_DATA_DIR",
            default=Path(".data"),
            show_default=True,
            help="Data directory of the running platform.",
        ),
        click.option("--json", "as_json", is_flag=True, help="Print a line of JSON each, for programs."),
    )
)


def add_to(main: click.Group) -> None:
    """Adds the commands of this module."""
    main.add_command(admin)


@click.group()
def admin() -> None:
    """For the machine of the platform.

    In a container of a service: python -m yard.SERVICE dead-letters --help.
    """


@admin.group("dead-letters")
def dead_letters() -> None:
    """Events and work that failed too often: each waits for somebody who looks at it."""


@dead_letters.command("list", epilog=examples("frameyard admin dead-letters list task"))
@click.argument("service")
@_COMMON
def list_(service: str, data: Path, as_json: bool) -> None:
    """List the dead letters of a SERVICE with reason, handler and first error."""
    _run(data, service, ["list"], _as_json if as_json else _letter)


@dead_letters.command(
    epilog=examples(
        "frameyard admin dead-letters redrive task",
        "frameyard admin dead-letters redrive task 0197f2f0-7c3e-7d8b-9a45-2f0c0d9b6c11",
    )
)
@click.argument("service")
@click.argument("ids", nargs=-1, type=click.UUID)
@_COMMON
def redrive(service: str, ids: Sequence[object], data: Path, as_json: bool) -> None:
    """Try dead letters of a SERVICE again: all, or those with the IDS; fails if one fails again."""
    _run(data, service, ["redrive", *map(str, ids)], _as_json if as_json else _outcome)


def _run(data: Path, service: str, action: list[str], shown: Callable[[dict[str, Any]], str]) -> None:
    """The platform's own program does it: it knows the secrets, and the client stands alone."""
    if importlib.util.find_spec(PLATFORM) is None:
        raise click.ClickException(
            "the platform is not installed here: this runs on its machine, or as "
            f"`python -m yard.{service} dead-letters {action[0]}` in the service's container"
        )
    # Its lines are shown as they come; its log and its complaints go to standard error by themselves.
    arguments = ["admin", "dead-letters", action[0], "--data", str(data), service, *action[1:]]
    command = [sys.executable, "-m", PLATFORM, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None, "it is a pipe"
        for line in program.stdout:
            click.echo(_line(line, shown))
    sys.exit(program.returncode)


def _line(line: str, shown: Callable[[dict[str, Any]], str]) -> str:
    try:
        content = json.loads(line)
    except ValueError:
        return plain(line.rstrip("\n"))
    return shown(content)


def _as_json(content: dict[str, Any]) -> str:
    return plain_json(content)


def _letter(letter: dict[str, Any]) -> str:
    what = f"{letter['handler']} of {letter['type']} on {letter['subject']}"
    return plain(
        f"{letter['id']}  {letter['created_at']}  {what}: {letter['reason']} after {letter['tries']} tries: "
        f"{letter['first_error']}"
    )


def _outcome(outcome: dict[str, Any]) -> str:
    failed = f"failed again: {outcome['error']}" if outcome["error"] else "done"
    return plain(f"{outcome['id']}  {failed}")
