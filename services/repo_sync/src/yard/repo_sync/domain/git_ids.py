"""The names that git gives to contents."""

import hashlib
from collections.abc import Iterable
from itertools import chain


def blob_ids(size: int, blocks: Iterable[bytes]) -> tuple[str, str]:
    """Of a file of so many bytes: in repositories of SHA-1 and of SHA-256."""
    hashes = hashlib.sha1(usedforsecurity=False), hashlib.sha256()
    for block in chain([f"blob {size}\0".encode()], blocks):
        for one in hashes:
            one.update(block)
    return hashes[0].hexdigest(), hashes[1].hexdigest()
