"""The annotation file: out of the bucket, out of its archive, onto the disk."""

import asyncio
import errno
import hashlib
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from yard.repo_sync.domain.git_ids import blob_ids
from yard.repo_sync.git.refusals import no_room
from yard.runtime import errors
from yard.runtime.blobs import BlobRef, Blobs

LONGEST_XML_BYTES: Final = 17_179_869_184
_BLOCK_BYTES: Final = 1_048_576


async def fetch(blobs: Blobs, archive: BlobRef, folder: Path, path: str) -> Path:
    """A file that is to lie at `path`: the archive, or the one XML document that is in it."""
    found = folder / "archive.zip"
    with room():
        await _download(blobs, archive, found)
        if not path.endswith(".xml"):
            return found
        return await asyncio.to_thread(_extracted, found, folder / "document.xml")


@contextmanager
def room() -> Iterator[None]:
    """Unavailable if the disk is full: pushes that end make room."""
    try:
        yield
    except OSError as fault:
        if fault.errno in (errno.ENOSPC, errno.EDQUOT):
            raise no_room() from fault
        raise


async def ids_of(file: Path) -> tuple[str, str]:
    """The ids that git may give to the file."""
    return await asyncio.to_thread(lambda: blob_ids(file.stat().st_size, _blocks(file)))


async def digest_of(file: Path) -> tuple[str, int]:
    """SHA-256 in hexadecimal, and length in bytes."""
    return await asyncio.to_thread(lambda: (_sha256(file), file.stat().st_size))


async def _download(blobs: Blobs, archive: BlobRef, into: Path) -> None:
    size = 0
    with into.open("wb") as file:
        async for block in blobs.stream(archive.key):
            size += await asyncio.to_thread(file.write, block)
    if size != archive.size_bytes:
        raise errors.DataLoss(f"blob {archive.key} is damaged", metadata={"key": archive.key})


def _extracted(archive: Path, into: Path) -> Path:
    with zipfile.ZipFile(archive) as opened:
        documents = [member for member in opened.infolist() if member.filename.endswith(".xml")]
        if len(documents) != 1:
            raise errors.FailedPrecondition(
                f"the format writes {len(documents)} XML documents: choose a path that ends in .zip",
                reason="NOT_ONE_DOCUMENT",
            )
        if documents[0].file_size > LONGEST_XML_BYTES:
            raise errors.FailedPrecondition(
                f"the document has more than {LONGEST_XML_BYTES} bytes: choose a path that ends in .zip",
                reason="DOCUMENT_TOO_LARGE",
            )
        # The library reads no more of a member than its directory says.
        with opened.open(documents[0]) as source, into.open("wb") as target:
            shutil.copyfileobj(source, target, _BLOCK_BYTES)
    return into


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _blocks(file: Path) -> Iterator[bytes]:
    with file.open("rb") as opened:
        while block := opened.read(_BLOCK_BYTES):
            yield block
