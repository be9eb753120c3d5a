"""What names and describes an object."""

import re
from dataclasses import dataclass
from datetime import datetime

from frameyard.common.v1 import common_pb2

_KEY = re.compile(r"[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*")
_KEY_BYTES = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobRef:
    """Names bytes that lie in the store; `sha256` is lower-case hex."""

    key: str
    size_bytes: int
    sha256: str

    def to_proto(self) -> common_pb2.BlobRef:
        """The form that travels in messages."""
        return common_pb2.BlobRef(key=self.key, size_bytes=self.size_bytes, sha256=self.sha256)

    @classmethod
    def from_proto(cls, message: common_pb2.BlobRef) -> "BlobRef":
        """What a message names; the key is checked."""
        return cls(key=check_key(message.key), size_bytes=message.size_bytes, sha256=message.sha256)


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobStat:
    """An object as the store sees it; `sha256` is "" for multipart uploads and in listings."""

    key: str
    size: int
    etag: str
    sha256: str = ""
    modified: datetime | None = None


def check_key(key: str) -> str:
    """Returns `key` if it is one: ids and hashes joined by single slashes, never a name that a user gave."""
    if len(key) > _KEY_BYTES or not _KEY.fullmatch(key) or ".." in key:
        raise ValueError(f"expected an object key of [A-Za-z0-9._-] parts joined by '/', got {key[:80]!r}")
    return key
