"""The small text that stands in git for a file that LFS keeps."""

import re
from dataclasses import dataclass
from typing import Final

LONGEST_POINTER: Final = 1024
"""Bytes; longer blobs are files of their own and are not looked into."""

_VERSION = b"version https://git-lfs.github.com/spec/v1\n"
_SHA256 = re.compile(r"[0-9a-f]{64}")
# Other keys than these three are for extensions of a single client, which nobody could read here.
_POINTER = re.compile(re.escape(_VERSION) + rb"oid sha256:([0-9a-f]{64})\nsize (0|[1-9][0-9]{0,18})\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pointer:
    """Which bytes are meant: their SHA-256 in hexadecimal, and how many they are."""

    sha256: str
    size: int


def pointer(sha256: str, size: int) -> bytes:
    """The one form that git-lfs writes, so that equal files are equal blobs."""
    if not _SHA256.fullmatch(sha256) or size < 0:
        raise ValueError("a pointer needs 64 hexadecimal digits in lower case and a size")
    return _VERSION + f"oid sha256:{sha256}\nsize {size}\n".encode("ascii")


def read_pointer(content: bytes) -> Pointer | None:
    """What the blob points to; None if it is not exactly a pointer of version 1."""
    found = _POINTER.fullmatch(content) if len(content) <= LONGEST_POINTER else None
    if found is None:
        return None
    return Pointer(sha256=found[1].decode("ascii"), size=int(found[2]))
