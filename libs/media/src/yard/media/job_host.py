"""What a job of a child process is given: arguments, and a host that stands for its parent."""

from collections.abc import Mapping
from io import RawIOBase
from typing import Any, BinaryIO, Protocol, cast

Arguments = Mapping[str, Any]


class Host(Protocol):
    """What a job asks of its parent."""

    def open(self, name: str, /) -> RawIOBase:
        """A source of the call as a seekable file."""

    def emit(self, chunk: bytes, /) -> None:
        """Sends bytes to the caller."""

    def progress(self, fraction: float, /) -> None:
        """Tells how much is done, 0 to 1."""


def opened(host: Host, name: str) -> BinaryIO:
    """A source; its raw reads are never short."""
    return cast("BinaryIO", host.open(name))
