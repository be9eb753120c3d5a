"""What every command gets: a client with the kept session, and the one place where commands fail."""

import asyncio
import functools
import json
import os
import sys
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Concatenate, ParamSpec

import click

from yard.client.cli.output import Output
from yard.client.client import Client
from yard.client.endpoints import Endpoints
from yard.client.failures import ClientError
from yard.client.session import Tokens

P = ParamSpec("P")

DEFAULT_ENDPOINTS = Path(".data/endpoints.json")
INTERRUPTED = 130


@dataclass(slots=True, kw_only=True)
class Kept:
    """What a profile's file holds between commands."""

    endpoints: dict[str, str] | None = None
    tokens: Tokens | None = None


class Context:
    """The chosen endpoints and profile; its file is readable by its owner alone."""

    def __init__(self, endpoints_file: str | None, profile: str) -> None:
        self._endpoints_file = None if endpoints_file is None else Path(endpoints_file)
        self._file = Path(click.get_app_dir("frameyard")) / f"{profile}.json"
        self.kept = _read(self._file)

    def endpoints(self) -> Endpoints:
        """Given by file, else those of the last login, else those of the platform in this folder."""
        if self._endpoints_file is not None:
            return Endpoints.load(self._endpoints_file)
        if self.kept.endpoints is not None:
            return Endpoints.of(self.kept.endpoints)
        return Endpoints.load(DEFAULT_ENDPOINTS)

    def client(self) -> Client:
        """A client that goes on with the kept session and keeps renewed tokens."""
        return Client(self.endpoints(), tokens=self.kept.tokens, on_tokens=self.keep)

    def keep(self, tokens: Tokens | None) -> None:
        """Writes the session, at once and with mode 0600."""
        self.kept = Kept(endpoints=asdict(self.endpoints()) if tokens else None, tokens=tokens)
        self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = self._file.with_name(self._file.name + ".new")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(_to_json(self.kept), file)
        fresh.replace(self._file)


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

    return entry


async def _with_client(
    run: Callable[..., Awaitable[None]], context: Context, out: Output, options: dict[str, Any]
) -> None:
    async with context.client() as client:
        await run(Call(client=client, context=context, out=out), **options)


def _read(file: Path) -> Kept:
    try:
        content = json.loads(file.read_text())
    except (OSError, ValueError):
        return Kept()
    tokens = content.get("tokens")
    return Kept(endpoints=content.get("endpoints"), tokens=_tokens(tokens) if tokens else None)


def _tokens(content: dict[str, str]) -> Tokens:
    expires = datetime.fromisoformat(content["expire_time"])
    return Tokens(access=content["access"], refresh=content["refresh"], expire_time=expires)


def _to_json(kept: Kept) -> dict[str, Any]:
    tokens = kept.tokens
    held = {**asdict(tokens), "expire_time": tokens.expire_time.isoformat()} if tokens else None
    return {"endpoints": kept.endpoints, "tokens": held}
