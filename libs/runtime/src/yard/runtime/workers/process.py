"""One child process as its parent sees it: start, frames, end."""

import asyncio
import contextlib
import os
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from yard.runtime import errors
from yard.runtime.workers import wire

_START_TIMEOUT_S = 60.0
_SOCKET_BUFFER = 1024 * 1024
_LOG_TAIL = 4096
_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "MALLOC_ARENA_MAX": "2"}


class ChildDiedError(Exception):
    """The process is gone, or talks nonsense and must go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildSpec:
    """How the children of a pool are started."""

    memory_mib: int
    preload: tuple[str, ...]
    import_paths: tuple[str, ...]


class ChildProcess:
    """A running child; `sandbox` tells what each step of its confinement came to."""

    def __init__(self, process: asyncio.subprocess.Process, log: int) -> None:
        self._process = process
        self._log = log
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter | None = None
        self.sandbox: dict[str, str] = {}
        self.calls = 0
        self.last_words = ""  # the end of stderr, once ended

    @classmethod
    async def start(cls, spec: ChildSpec) -> "ChildProcess":
        """A warm child; Internal, with the end of its stderr, if it does not come up."""
        ours, theirs = _socket_pair()
        log = _unnamed_log()
        try:
            child = cls(await _spawn(theirs.fileno(), log), log)
        except BaseException:
            ours.close()
            os.close(log)
            raise
        finally:
            theirs.close()
        try:
            async with asyncio.timeout(_START_TIMEOUT_S):
                await child._greet(ours, spec)
        except (ChildDiedError, TimeoutError) as exc:
            await child.end()
            raise errors.Internal(f"a worker process does not start: {child.last_words}") from exc
        except BaseException:
            await child.end()
            raise
        return child

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """False once the process has been reaped."""
        return self._process.returncode is None

    @property
    def exit_code(self) -> int | None:
        """Negative: the signal that ended it."""
        return self._process.returncode

    def begin_call(self) -> None:
        """Counts, and starts stderr anew."""
        self.calls += 1
        os.ftruncate(self._log, 0)

    async def send(self, header: Sequence[object], body: bytes = b"") -> None:
        """Writes one frame; waits while the child does not take it."""
        assert self._writer is not None
        self._writer.write(wire.head(header, len(body)))
        if body:
            self._writer.write(body)
        try:
            await self._writer.drain()
        except OSError as exc:
            raise ChildDiedError("the connection is closed") from exc

    async def receive(self) -> tuple[wire.Header, bytes]:
        """The next frame of the child."""
        try:
            header_size, body_size = wire.lengths(await self._reader.readexactly(wire.PREFIX.size))
            header = wire.parse(await self._reader.readexactly(header_size))
            return header, await self._reader.readexactly(body_size)
        except (asyncio.IncompleteReadError, OSError) as exc:
            raise ChildDiedError("the connection is closed") from exc
        except wire.ProtocolError as exc:
            raise ChildDiedError(str(exc)) from exc

    def kill(self) -> None:
        """SIGKILL, if it still runs."""
        if self.is_alive:
            self._process.kill()

    async def end(self) -> None:
        """Kills, reaps and closes; may be called once only."""
        self.kill()
        await self._process.wait()
        if self._writer is not None:
            self._writer.close()
            with contextlib.suppress(OSError):
                await self._writer.wait_closed()
        self.last_words = _tail(self._log)
        os.close(self._log)

    async def _greet(self, ours: socket.socket, spec: ChildSpec) -> None:
        self._reader, self._writer = await asyncio.open_unix_connection(sock=ours, limit=_SOCKET_BUFFER)
        await self.send(["start", os.getpid(), spec.memory_mib, spec.import_paths, spec.preload])
        header, _ = await self.receive()
        if len(header) != 3 or header[0] != "hello" or not isinstance(header[2], dict):
            raise ChildDiedError("it does not say hello")
        self.sandbox = {str(step): str(outcome) for step, outcome in header[2].items()}


async def _spawn(fd: int, log: int) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-X", "faulthandler", "-m", "yard.runtime.workers.child", str(fd)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=log,
        pass_fds=(fd,),
        env=_ENVIRONMENT,
        cwd="/",
        start_new_session=True,
    )


def _socket_pair() -> tuple[socket.socket, socket.socket]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    for end in (ours, theirs):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SOCKET_BUFFER)
    ours.setblocking(False)
    return ours, theirs


def _unnamed_log() -> int:
    """A file in memory for stderr, opened to append: the child's file size limit bounds it."""
    anonymous = os.memfd_create("worker-stderr")
    try:
        return os.open(Path(f"/proc/self/fd/{anonymous}"), os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
    finally:
        os.close(anonymous)


def _tail(log: int) -> str:
    size = os.fstat(log).st_size
    text = os.pread(log, _LOG_TAIL, max(0, size - _LOG_TAIL))
    return text.decode("utf-8", "replace").strip()
