"""The platform in the foreground: alone, or with the demonstration, until it is told to end."""

import asyncio
import signal
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, Final

from yard.embedded.services import ServiceSpec
from yard.embedded.speech import say
from yard.embedded.supervisor import Running, platform

Serving = Coroutine[Any, Any, int]

# What a shell says of a program that was ended by Ctrl-C.
INTERRUPTED: Final = 130
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


async def up(data: Path, services: tuple[ServiceSpec, ...], log_level: str) -> int:
    """Serves until the first signal; returns 0."""
    _end_on_signals()
    try:
        async with platform(data, services=services, announce=say, log_level=log_level) as running:
            _welcome(running)
            await _for_ever()
    except asyncio.CancelledError:
        pass
    return 0


async def demonstrate(
    data: Path, services: tuple[ServiceSpec, ...], log_level: str, *, out: Path, once: bool
) -> int:
    """Does the main job, then serves on unless `once`; returns the demonstration's exit status."""
    # Decoders and pictures are of no use to the other commands.
    from yard.embedded import demo

    _end_on_signals()
    status = INTERRUPTED
    try:
        async with platform(data, services=services, announce=say, log_level=log_level) as running:
            status = await demo.run(running.endpoints, running.admin_username, running.admin_password, out)
            _welcome(running)
            if not once:
                await _for_ever()
    except asyncio.CancelledError:
        pass
    return status


def _end_on_signals() -> None:
    """The first SIGINT or SIGTERM cancels the calling task, so that platform() ends everything in order."""
    task = asyncio.current_task()
    assert task is not None
    loop = asyncio.get_running_loop()

    def end() -> None:
        task.cancel()
        # The next one ends us at once, and the kernel takes the children along.
        for number in _SIGNALS:
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)

    for number in _SIGNALS:
        loop.add_signal_handler(number, end)


def _welcome(running: Running) -> None:
    for name, address in running.endpoints.items():
        say(f"  {name:<14} {address}")
    say(f"administrator: {running.admin_username}   password: {running.admin_password}")


async def _for_ever() -> None:
    say("ready; Ctrl-C stops everything")
    await asyncio.Event().wait()
