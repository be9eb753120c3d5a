"""Free ports on loopback, and the memory of which process had which."""

import fcntl
import json
import os
import random
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path

from yard.embedded.servers.s3 import GRPC_OFFSET

# Below the range that the system hands to outgoing connections, also after the offset of the S3 server.
_FIRST, _LAST = 12_000, 22_000
_ATTEMPTS = 200
# Port -> descriptor of its locked file: kept until this process ends, also while nobody listens.
_HELD: dict[int, int] = {}


def is_free(port: int) -> bool:
    """Whether a server could listen on 127.0.0.1:port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port(*, paired: bool = False) -> int:
    """A random free port; `paired`: the one 10,000 higher is free too."""
    for _ in range(_ATTEMPTS):
        port = random.randrange(_FIRST, _LAST)  # noqa: S311 - nobody has to be kept from guessing it
        if port not in _HELD and _fits(port, paired):
            return port
    raise OSError(f"no free port found between {_FIRST} and {_LAST}")


class Ports:
    """Ports by name, remembered in a JSON file from run to run."""

    def __init__(self, file: Path, announce: Callable[[str], None]) -> None:
        self._file = file
        self._announce = announce
        self._ports: dict[str, int] = json.loads(file.read_text()) if file.exists() else {}

    def claim(self, name: str, *, paired: bool = False) -> int:
        """The port of the last run; if somebody else has taken it, says so and takes another."""
        known = self._ports.get(name)
        if known is not None and _fits(known, paired):
            return known
        port = self._unclaimed(paired)
        if known is not None:
            self._announce(f"port {known} of {name} is taken by another program: {name} moves to {port}")
        self._ports[name] = port
        self._file.write_text(json.dumps(self._ports, indent=2, sort_keys=True))
        return port

    def _unclaimed(self, paired: bool) -> int:
        while (port := free_port(paired=paired)) in self._ports.values():
            pass
        return port


def _fits(port: int, paired: bool) -> bool:
    is_usable = is_free(port) and (not paired or is_free(port + GRPC_OFFSET))
    return is_usable and _hold(port)


def _hold(port: int) -> bool:
    """Whether the port is ours from now on; others of this user who start at the same time get another."""
    if port in _HELD:
        return True
    folder = Path(tempfile.gettempdir()) / f"frameyard-ports-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    descriptor = os.open(folder / str(port), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return False
    _HELD[port] = descriptor
    return True
