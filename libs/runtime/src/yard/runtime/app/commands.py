"""`python -m yard.<service>`: serve (the default), migrate, republish, dead-letters list or redrive."""

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any
from uuid import UUID

from yard.runtime import errors, outbox, telemetry
from yard.runtime.app import letters, schema
from yard.runtime.app.edge import Edge, P
from yard.runtime.app.lifecycle import serving
from yard.runtime.app.memory import give_back_large_blocks
from yard.runtime.app.service import S, Service
from yard.runtime.db import Database
from yard.runtime.settings import SettingsError, load

_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_log = telemetry.log(__name__)


def run(service: Service[S] | Edge[P], arguments: Sequence[str] | None = None) -> None:
    """Does what the arguments say, then exits: 0, 1 if it failed, 2 for wrong settings or arguments."""
    parser = _parser(service.name) if isinstance(service, Service) else _edge_parser(service.name)
    options = parser.parse_args(arguments)
    try:
        settings = load(service.settings)
        telemetry.check_level(settings.log_level)
    except ValueError as fault:
        sys.exit(_complain(fault))
    telemetry.configure(
        service.name, level=settings.log_level, log_format=settings.log_format, stream=options.log_stream
    )
    new_loop = service.new_loop if isinstance(service, Edge) else None
    sys.exit(_attempt(options.command(service, settings, options), new_loop))


def _attempt(
    command: Coroutine[Any, Any, int], new_loop: Callable[[], asyncio.AbstractEventLoop] | None
) -> int:
    try:
        with asyncio.Runner(loop_factory=new_loop) as runner:
            return runner.run(command)
    except SettingsError as fault:
        return _complain(fault)
    except errors.YardError as fault:
        _log.error("failed", reason=fault.reason, error=fault.message)
        return 1


def _complain(fault: ValueError) -> int:
    sys.stderr.write(f"{fault}\n")
    return 2


async def _serve(service: Service[S], settings: S, _: argparse.Namespace) -> int:
    return await _until_told(serving(service, settings))


async def _serve_edge(edge: Edge[P], settings: P, _: argparse.Namespace) -> int:
    return await _until_told(edge.serving(settings))


async def _until_told(served: AbstractAsyncContextManager[Any]) -> int:
    """Until the first signal; a second one ends the process at once."""
    give_back_large_blocks()
    loop = asyncio.get_running_loop()
    told = asyncio.Event()

    def hear() -> None:
        told.set()
        for number in _SIGNALS:
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)

    for number in _SIGNALS:
        loop.add_signal_handler(number, hear)
    async with served:
        await told.wait()
    return 0


async def _migrate(service: Service[S], settings: S, _: argparse.Namespace) -> int:
    await schema.ensure(settings.database_url, service.migrations)
    return 0


async def _republish(_: Service[S], settings: S, options: argparse.Namespace) -> int:
    db = await Database.connect(settings.database_url, max_size=1)
    try:
        count = await outbox.republish(db, options.first, options.last)
    finally:
        await db.close()
    _print(json.dumps({"events": count}))
    return 0


async def _list_letters(_: Service[S], settings: S, __: argparse.Namespace) -> int:
    await _print_all(letters.show(settings))
    return 0


async def _redrive_letters(service: Service[S], settings: S, options: argparse.Namespace) -> int:
    outcomes = await _print_all(letters.redrive(service, settings, options.ids))
    return int(any(json.loads(line)["error"] for line in outcomes))


async def _print_all(lines: AsyncIterator[str]) -> list[str]:
    shown = []
    async for line in lines:
        _print(line)
        shown.append(line)
    return shown


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def _parser(name: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"python -m yard.{name}", description=__doc__)
    # What a command prints is its result, so its log goes elsewhere; a server has nothing but its log.
    parser.set_defaults(command=_serve, log_stream=None)
    commands = parser.add_subparsers(title="commands")
    _add(commands, "serve", _serve, "serve until SIGTERM (the default)").set_defaults(log_stream=None)
    _add(commands, "migrate", _migrate, "bring the schema up to date")
    again = _add(commands, "republish", _republish, "publish events again, in order")
    again.add_argument(
        "--first", type=int, default=1, help="first sequence; default: the oldest that is kept"
    )
    again.add_argument("--last", type=int, default=2**62, help="last sequence; default: the newest")
    group = commands.add_parser("dead-letters", help="what could not be handled").add_subparsers(
        title="commands", required=True
    )
    _add(group, "list", _list_letters, "a line of JSON for each")
    redrive = _add(group, "redrive", _redrive_letters, "handle them again")
    redrive.add_argument("ids", nargs="*", type=UUID, metavar="ID", help="which; default: all")
    return parser


def _edge_parser(name: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"python -m yard.{name}", description="Serves until SIGTERM.")
    parser.set_defaults(command=_serve_edge, log_stream=None)
    return parser


def _add(
    commands: Any, name: str, command: Callable[..., Coroutine[Any, Any, int]], text: str
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
    parser.set_defaults(command=command, log_stream=sys.stderr)
    return parser
