"""`python -m yard.embedded up|down|status|logs|clean-data`."""

import argparse
import asyncio
import shutil
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
from yard.embedded.lock import AlreadyRunningError, holder, locked
from yard.embedded.servers.server import ServerError
from yard.embedded.services import SERVICES, ServiceSpec
from yard.embedded.status import table
from yard.embedded.supervisor import Running, platform
from yard.runtime.settings import load, setting

_DOWN_TIMEOUT_S = 90.0
_FOLLOW_S = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedSettings:
    """Settings of the supervisor itself."""

    data_dir: Path = setting(Path(".data"), "Where everything that is kept lies.")
    log_level: str = setting("info", "Log level of the services: debug, info, warning or error.")


def main(arguments: Sequence[str] | None = None, *, services: tuple[ServiceSpec, ...] = SERVICES) -> int:
    """Returns the exit status."""
    settings = load(EmbeddedSettings)
    options = _parser(settings).parse_args(arguments)
    options.data = options.data.resolve()
    commands: dict[str, Callable[[], int]] = {
        "up": lambda: _up(options.data, services, settings.log_level),
        "down": lambda: _down(options.data),
        "status": lambda: _status(options.data),
        "logs": lambda: _logs(options.data, options.service, follow=options.follow),
        "clean-data": lambda: _clean_data(options.data, sure=options.yes),
    }
    return commands[options.command]()


def stop_on_signals() -> None:
    """SIGINT and SIGTERM cancel the calling task, so that platform() ends everything in order."""
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)


def _up(data: Path, services: tuple[ServiceSpec, ...], log_level: str) -> int:
    try:
        asyncio.run(_serve(data, services, log_level))
    except asyncio.CancelledError:
        return 0
    except (AlreadyRunningError, ServerError) as error:
        _say(str(error))
        return 1
    return 0


async def _serve(data: Path, services: tuple[ServiceSpec, ...], log_level: str) -> None:
    stop_on_signals()
    async with platform(data, services=services, announce=_say, log_level=log_level) as running:
        _welcome(running)
        await asyncio.Event().wait()


def _welcome(running: Running) -> None:
    for name, address in running.endpoints.items():
        _say(f"  {name:<14} {address}")
    _say(f"administrator: {running.admin_username}   password: {running.admin_password}")
    _say("ready; Ctrl-C stops everything")


def _down(data: Path) -> int:
    pid = holder(data)
    if pid is None:
        _say(f"nothing runs in {data}")
        return 0
    supervisor = psutil.Process(pid)
    supervisor.terminate()
    try:
        supervisor.wait(_DOWN_TIMEOUT_S)
    except psutil.TimeoutExpired:
        _say(f"process {pid} has not ended within {_DOWN_TIMEOUT_S:.0f} s")
        return 1
    _say("stopped")
    return 0


def _status(data: Path) -> int:
    _say(table(data))
    return 0 if holder(data) is not None else 1


def _logs(data: Path, service: str, *, follow: bool) -> int:
    log = data / "logs" / f"{service}.log"
    if not log.exists():
        known = sorted(path.stem for path in log.parent.glob("*.log"))
        _say(f"no log of {service!r}; there are: {', '.join(known) or 'none'}")
        return 1
    with log.open(errors="replace") as lines:
        shutil.copyfileobj(lines, sys.stdout)
        while follow:
            sys.stdout.flush()
            time.sleep(_FOLLOW_S)
            shutil.copyfileobj(lines, sys.stdout)
    return 0


def _clean_data(data: Path, *, sure: bool) -> int:
    if not (data / "lock").exists():
        _say(f"{data} holds no platform")
        return 1
    if not sure and input(f"remove everything in {data}? [y/N] ").strip().lower() not in {"y", "yes"}:
        _say("nothing removed")
        return 1
    try:
        with locked(data):
            shutil.rmtree(data)
    except AlreadyRunningError as error:
        _say(f"{error}; stop it first")
        return 1
    _say(f"removed {data}")
    return 0


def _parser(settings: EmbeddedSettings) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m yard.embedded", description="The platform on this machine."
    )
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--data", type=Path, default=settings.data_dir, help="data directory (%(default)s)")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("up", parents=[common], help="start everything, and stop it on Ctrl-C")
    commands.add_parser("down", parents=[common], help="stop what runs in the data directory")
    commands.add_parser("status", parents=[common], help="what runs, where, with how much memory")
    logs = commands.add_parser("logs", parents=[common], help="show the log of a server or service")
    logs.add_argument("service")
    logs.add_argument("-f", "--follow", action="store_true", help="go on until Ctrl-C")
    clean = commands.add_parser("clean-data", parents=[common], help="remove the data directory")
    clean.add_argument("--yes", action="store_true", help="do not ask")
    return parser


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
