"""A bounded pool of warm, sandboxed child processes for CPU work on untrusted bytes.

The names load on first use, because the children run modules of this package and must not import gRPC.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from yard.runtime.workers.host import Host, SourceFile
    from yard.runtime.workers.lanes import Lane
    from yard.runtime.workers.pool import Pool, Upkeep
    from yard.runtime.workers.sources import BlobSource, BytesSource, FileSource, PartSource, RangeSource
    from yard.runtime.workers.stream import Stream

_MODULES = {
    "BlobSource": "sources",
    "BytesSource": "sources",
    "FileSource": "sources",
    "Host": "host",
    "Lane": "lanes",
    "PartSource": "sources",
    "Pool": "pool",
    "RangeSource": "sources",
    "SourceFile": "host",
    "Stream": "stream",
    "Upkeep": "pool",
}

__all__ = [
    "BlobSource",
    "BytesSource",
    "FileSource",
    "Host",
    "Lane",
    "PartSource",
    "Pool",
    "RangeSource",
    "SourceFile",
    "Stream",
    "Upkeep",
]

if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
