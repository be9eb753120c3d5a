"""Other replicas: where they reach us."""

import socket

from yard.chunking.settings import Settings
from yard.runtime.app import Runtime

_EVERYWHERE = ("", "0.0.0.0", "[::]", "::")  # noqa: S104 - to be recognised, not listened at


def address_of(runtime: Runtime[Settings]) -> str:
    """host:port at which other replicas read what this one builds."""
    host, _, port = runtime.address.rpartition(":")
    host = runtime.settings.advertised_host or (socket.gethostname() if host in _EVERYWHERE else host)
    if ":" in host and not host.startswith("["):
        host = f"[{host}]"
    return f"{host}:{port}"
