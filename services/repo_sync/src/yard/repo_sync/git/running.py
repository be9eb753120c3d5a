"""Git as a child process: a fixed environment, no shell, bounded output, and nothing of it is left behind."""

import asyncio
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from yard.repo_sync.git import confined

MOST_OUTPUT_BYTES: Final = 64 * 1024 * 1024
MOST_WORDS_BYTES: Final = 16 * 1024

_BLOCK = 64 * 1024


class OutputTooLargeError(Exception):
    """The program says more than we are willing to hear; it has been ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """`file_bytes` bounds each file that it writes; `port` is all that it reaches, 0 nothing."""

    words: tuple[str, ...]
    environment: Mapping[str, str]
    folder: Path
    file_bytes: int
    port: int = 0
    stdin: bytes | Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """How it ended; of what it complained about the beginning and the end are kept."""

    code: int
    output: bytes
    complaint: str


async def run(command: Command) -> Finished:
    """Runs it to its end; if we give up, it and all that it has started end first."""
    process = await _start(command)
    given = command.stdin if isinstance(command.stdin, bytes) else b""
    try:
        async with asyncio.TaskGroup() as talking:
            output = talking.create_task(_output(process))
            complaint = talking.create_task(_complaint(process))
            talking.create_task(_feed(process, given))
        code = await process.wait()
    finally:
        await asyncio.shield(_end(process))
    if len(output.result()) > MOST_OUTPUT_BYTES:
        raise OutputTooLargeError
    return Finished(code=code, output=output.result(), complaint=complaint.result())


async def _start(command: Command) -> Process:
    words = confined.words(str(command.folder), command.file_bytes, command.port, command.words)
    source = command.stdin.open("rb") if isinstance(command.stdin, Path) else None
    try:
        return await asyncio.create_subprocess_exec(
            *words,
            stdin=source or (PIPE if command.stdin else DEVNULL),
            stdout=PIPE,
            stderr=PIPE,
            env=dict(command.environment),
            cwd=command.folder,
            start_new_session=True,
        )
    finally:
        if source:
            source.close()


async def _feed(process: Process, content: bytes) -> None:
    if process.stdin is not None:
        with suppress(BrokenPipeError, ConnectionResetError):
            process.stdin.write(content)
            await process.stdin.drain()
        process.stdin.close()


async def _output(process: Process) -> bytes:
    """All of it; if that is too much, the program is ended and what is still in the pipe is left out."""
    assert process.stdout is not None
    found = bytearray()
    while block := await process.stdout.read(_BLOCK):
        if len(found) <= MOST_OUTPUT_BYTES:
            found += block
        else:
            _kill(process)
    return bytes(found)


async def _complaint(process: Process) -> str:
    """The first and the last 16 KiB."""
    assert process.stderr is not None
    first, last = bytearray(), bytearray()
    while block := await process.stderr.read(_BLOCK):
        room = MOST_WORDS_BYTES - len(first)
        first += block[:room]
        last = (last + block[room:])[-MOST_WORDS_BYTES:] if room < len(block) else last
    return (first + last).decode(errors="replace")


async def _end(process: Process) -> None:
    """Pipes are read to their end: nothing else closes them."""
    _kill(process)
    for pipe in (process.stdout, process.stderr):
        while pipe is not None and await pipe.read(_BLOCK):
            pass
    await process.wait()


def _kill(process: Process) -> None:
    if process.returncode is None:
        with suppress(ProcessLookupError):
            process.terminate()  # by which `confined` ends all
