"""What every command gets: a client with the kept session, and the one place where commands fail."""

import asyncio
import functools
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Concatenate, ParamSpec

import click
from yard.client.cli.output import Output
from yard.client.cli.profile import Profile
from yard.client.client import Client
from yard.client.endpoints import Endpoints
from yard.client.failures import ClientError
from yard.client.session import Tokens

P = ParamSpec("P")

DEFAULT_ENDPOINTS = Path(".data/endpoints.json")
INTERRUPTED = 130


class Context:
    """The chosen endpoints, and the session that is kept for them."""

    def __init__(self, endpoints_file: str | None, profile: str) -> None:
        self._given = None if endpoints_file is None else Path(endpoints_file)
        self._profile = Profile(Path(click.get_app_dir("frameyard")), profile)

    def client(self) -> Client:
        """A client that goes on with the kept session, which is sent only to the platform that gave it."""
        file = self._given or self._profile.endpoints_file() or DEFAULT_ENDPOINTS
        kept = self._profile.endpoints
        is_lost = self._given is None and kept is not None and not file.exists()
        endpoints = kept if is_lost and kept is not None else Endpoints.load(file)
        is_same = file.resolve() == self._profile.endpoints_file() or endpoints == kept
        self._profile.use(endpoints, file.resolve())
        return Client(endpoints, tokens=self._tokens() if is_same else None, keeper=self._profile)

    def forget(self) -> None:
        """Removes what is kept."""
        self._profile.forget()

    def _tokens(self) -> Tokens | None:
        return self._profile.tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One run of a command."""

    client: Client
    context: Context
    out: Output


def command(
    run: Callable[Concatenate[Call, P], Awaitable[None]],
) -> Callable[..., None]:
    """Makes an asynchronous function a command's body: `--json`, the client, and readable failures."""

    @click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
    @click.pass_obj
    @functools.wraps(run)
    def entry(context: Context, /, as_json: bool, **options: Any) -> None:
        out = Output(as_json=as_json)
        try:
            asyncio.run(_with_client(run, context, out, options))
        except ClientError as fault:
            out.failure(fault)
            sys.exit(1)
        except KeyboardInterrupt:
            out.note("interrupted")
            sys.exit(INTERRUPTED)
        except BrokenPipeError:
            raise
        except OSError as fault:
            out.failure(_of_file(fault))
            sys.exit(1)
        except UnicodeEncodeError as fault:
            out.failure(ClientError(f"{fault.object!r} is not UTF-8", code="INVALID_ARGUMENT"))
            sys.exit(1)

    return entry


async def _with_client(
    run: Callable[..., Awaitable[None]], context: Context, out: Output, options: dict[str, Any]
) -> None:
    _wake_up_for_signals()
    async with context.client() as client:
        await run(Call(client=client, context=context, out=out), **options)


def _wake_up_for_signals() -> None:
    """Lets Ctrl-C through at once, also if it comes just before the loop goes to sleep.

    `asyncio.run` cancels on SIGINT, but only once the loop is awake; signals wake it if it handles any.
    """
    with suppress(NotImplementedError, RuntimeError, ValueError):  # not on every system, not in every thread
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, lambda: None)


def _of_file(fault: OSError) -> ClientError:
    what = f"{fault.filename}: {fault.strerror}" if fault.filename else str(fault)
    return ClientError(what, code="FAILED_PRECONDITION")
