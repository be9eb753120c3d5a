"""All files that media is asked to be made of, wherever they come from."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from itertools import chain
from uuid import UUID

from frameyard.media.v1.media_pb2 import MediaSource
from yard.media_ingest.domain.files import GivenFile
from yard.media_ingest.handlers.batches import Indexing
from yard.media_ingest.handlers.expanding import share_files
from yard.media_ingest.handlers.remote import remote_files
from yard.media_ingest.handlers.requests import upload_ids
from yard.media_ingest.store import media as store
from yard.media_ingest.store import uploads as upload_store
from yard.runtime import errors

ReadSource = Callable[[Indexing, MediaSource], Awaitable[Sequence[GivenFile]]]


async def list_files(indexing: Indexing) -> Sequence[GivenFile]:
    """The files in the order given; the files of a source stay together."""
    _check_uploads(indexing)
    parts: list[Sequence[GivenFile]] = []
    for source in indexing.media.spec.sources:
        origin = source.WhichOneof("origin")
        assert origin is not None
        parts.append(await READERS[origin](indexing, source))
    indexing.report.counts = [*map(len, parts)]
    files = parts[0] if len(parts) == 1 else [*chain.from_iterable(parts)]
    await asyncio.to_thread(_check_limits, indexing, files)
    return files


def _check_limits(indexing: Indexing, files: Sequence[GivenFile]) -> None:
    settings = indexing.ingest.settings
    if len(files) > settings.media_max_files:
        description = f"lead to {len(files)} files, more than {settings.media_max_files}"
        raise errors.invalid("data.sources", description)
    size_bytes = sum(file.size_bytes for file in files)
    if size_bytes > settings.media_max_bytes:
        description = f"lead to {size_bytes} bytes, more than {settings.media_max_bytes}"
        raise errors.invalid("data.sources", description)


def _check_uploads(indexing: Indexing) -> None:
    spec = indexing.media.spec
    named = sum(source.WhichOneof("origin") == "upload" for source in spec.sources)
    if len(upload_ids(spec)) != named:
        raise errors.invalid("data.sources", "must name different uploads by their ids")


async def _uploaded(indexing: Indexing, source: MediaSource) -> list[GivenFile]:
    """Uploads must be the user's and finished."""
    upload_id = UUID(source.upload.upload_id)
    if upload_id not in await store.used_uploads(indexing.ingest.db, indexing.media.id):
        raise await _unheld(indexing, upload_id)
    return await upload_store.given_files(indexing.ingest.db, upload_id)


async def _unheld(indexing: Indexing, upload_id: UUID) -> errors.YardError:
    upload = await upload_store.upload_of(indexing.ingest.db, upload_id, indexing.media.owner)
    if upload is None:
        return errors.NotFound("upload", upload_id)
    return errors.FailedPrecondition(
        f"upload {upload_id} was not finished when it was attached", reason="UPLOAD_NOT_FINISHED"
    )


READERS: Mapping[str, ReadSource] = {"upload": _uploaded, "remote": remote_files, "share": share_files}
"""A reader for each origin of a source."""
