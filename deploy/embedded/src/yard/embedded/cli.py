"""`python -m yard.embedded up|demo|down|status|logs|clean-data|admin`."""

import argparse
import asyncio
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from yard.embedded import admin, serving
from yard.embedded.lock import AlreadyRunningError, holder, locked
from yard.embedded.servers.server import ServerError
from yard.embedded.services import SERVICES, ServiceSpec
from yard.embedded.speech import say
from yard.embedded.status import table

_DOWN_TIMEOUT_S = 90.0
_POLL_S = 0.1


def main(arguments: Sequence[str] | None = None, *, services: tuple[ServiceSpec, ...] = SERVICES) -> int:
    """Returns the exit status; `services` are those that are started."""
    options = _parser().parse_args(arguments)
    options.data = options.data.resolve()
    commands: dict[str, Callable[[], int]] = {
        "up": lambda: _run(serving.up(options.data, services, options.log_level)),
        "demo": lambda: _run(
            serving.demonstrate(
                options.data, services, options.log_level, out=options.out.resolve(), once=options.once
            )
        ),
        "down": lambda: _down(options.data),
        "status": lambda: _status(options.data),
        "logs": lambda: _logs(options.data, options.service, follow=options.follow),
        "clean-data": lambda: _clean_data(options.data, sure=options.yes),
        "admin": lambda: admin.dead_letters(
            options.data, options.service, [options.action, *getattr(options, "ids", ())]
        ),
    }
    return commands[options.command]()


def _run(platform: serving.Serving) -> int:
    try:
        return asyncio.run(platform)
    except (AlreadyRunningError, ServerError) as error:
        say(str(error))
        return 1


def _down(data: Path) -> int:
    pid = holder(data)
    if pid is None:
        say(f"nothing runs in {data}")
        return 0
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + _DOWN_TIMEOUT_S
    # The lock tells, and not the process id: that stays while the parent has not asked for the exit status.
    while holder(data) == pid:
        if time.monotonic() > deadline:
            say(f"process {pid} has not ended within {_DOWN_TIMEOUT_S:.0f} s")
            return 1
        time.sleep(_POLL_S)
    say("stopped")
    return 0


def _status(data: Path) -> int:
    say(table(data))
    return 0 if holder(data) is not None else 1


def _logs(data: Path, service: str, *, follow: bool) -> int:
    logs = {path.stem: path for path in (data / "logs").glob("*.log")}
    if service not in logs:
        say(f"no log of {service!r}; there are: {', '.join(sorted(logs)) or 'none'}")
        return 1
    with logs[service].open(errors="replace") as lines:
        shutil.copyfileobj(lines, sys.stdout)
        while follow:
            sys.stdout.flush()
            time.sleep(_POLL_S)
            shutil.copyfileobj(lines, sys.stdout)
    return 0


def _clean_data(data: Path, *, sure: bool) -> int:
    if not (data / "lock").exists():
        say(f"{data} holds no platform")
        return 1
    if holder(data) is None and not sure and not _is_confirmed(data):
        say("nothing removed")
        return 1
    try:
        with locked(data):
            shutil.rmtree(data)
    except AlreadyRunningError as error:
        say(f"{error}; stop it first")
        return 1
    say(f"removed {data}")
    return 0


def _is_confirmed(data: Path) -> bool:
    try:
        return input(f"remove everything in {data}? [y/N] ").strip().lower() in {"y", "yes"}
    except EOFError:
        return False


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m yard.embedded", description="The platform on this machine."
    )
    place = argparse.ArgumentParser(add_help=False)
    place.add_argument("--data", type=Path, default=Path(".data"), help="data directory (%(default)s)")
    level = argparse.ArgumentParser(add_help=False)
    level.add_argument("--log-level", default="info", choices=("debug", "info", "warning", "error"))
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("up", parents=[place, level], help="start everything, and stop it on Ctrl-C")
    demo = commands.add_parser("demo", parents=[place, level], help="start everything and do the main job")
    demo.add_argument("--once", action="store_true", help="stop afterwards, with the demonstration's status")
    demo.add_argument("--out", type=Path, default=Path("demo-out"), help="where files go (%(default)s)")
    commands.add_parser("down", parents=[place], help="stop what runs in the data directory")
    commands.add_parser("status", parents=[place], help="what runs, where, with how much memory")
    logs = commands.add_parser("logs", parents=[place], help="show the log of a server or service")
    logs.add_argument("service")
    logs.add_argument("-f", "--follow", action="store_true", help="go on until Ctrl-C")
    clean = commands.add_parser("clean-data", parents=[place], help="remove the data directory")
    clean.add_argument("--yes", action="store_true", help="do not ask")
    _add_admin(commands.add_parser("admin", help="what could not be handled"), place)
    return parser


def _add_admin(parser: argparse.ArgumentParser, place: argparse.ArgumentParser) -> None:
    letters = parser.add_subparsers(required=True, metavar="dead-letters").add_parser("dead-letters")
    actions = letters.add_subparsers(dest="action", required=True)
    listing = actions.add_parser("list", parents=[place], help="a line of JSON for each")
    listing.add_argument("service")
    again = actions.add_parser("redrive", parents=[place], help="handle them again")
    again.add_argument("service")
    again.add_argument("ids", nargs="*", metavar="ID", help="which; default: all")
