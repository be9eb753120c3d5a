"""The files that media was made of: what other services need to make the same again."""

from __future__ import annotations

import asyncio
import json
import zlib
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from uuid import UUID

from frameyard.media.v1 import media_pb2
from frameyard.media.v1 import media_service_pb2 as messages
from yard.media_ingest.domain.files import Choice, GivenFile, Place
from yard.media_ingest.handlers.access import whole_media
from yard.media_ingest.handlers.context import Ingest, media_prefix
from yard.media_ingest.handlers.expanding import expanded
from yard.media_ingest.handlers.places import source_of
from yard.media_ingest.store import uploads as upload_store
from yard.media_ingest.store.media import MediaRow
from yard.runtime import auth, errors
from yard.runtime.shares import Entry

PIECE_BYTES = 1 << 20
_LINES_AT_ONCE = 2_000
_DESCRIBED = b"described\n"


@dataclass(frozen=True, slots=True)
class _Given:
    """One line of what is kept: a file that the media needs, and where it lies."""

    source: int
    name: str
    size_bytes: int
    key: str
    offset: int = 0
    share: str = ""
    stamp: int = 0
    sha256: str = ""

    def line(self) -> bytes:
        """As JSON."""
        values = [self.source, self.name, self.size_bytes, self.key]
        values += [self.offset, self.share, self.stamp, self.sha256]
        return json.dumps(values, separators=(",", ":")).encode() + b"\n"


async def keep_given(
    ingest: Ingest, media: MediaRow, files: Sequence[GivenFile], counts: Sequence[int], choice: Choice
) -> None:
    """Notes where the files lie, unless all are in uploads, which know it; `counts` are files by source.

    A folder that only its manifest describes has no counts: it is listed when somebody asks for its files.
    """
    if _is_uploaded(media):
        return
    lines = _lines(files, counts, choice) if counts else iter((_DESCRIBED,))
    await ingest.blobs.put_stream(_key(media.id), _packed(lines))


async def stream_files(
    ingest: Ingest, request: messages.StreamMediaFilesRequest
) -> AsyncIterator[messages.StreamMediaFilesResponse]:
    """The parameters, then each file; bytes of those on shares only."""
    if not auth.current().is_service:
        raise errors.NotFound("media", request.media_id[:64])
    media = await whole_media(ingest, request.media_id, "")
    if media.state != "READY":
        raise errors.FailedPrecondition(f"the media is {media.state.lower()}", reason="MEDIA_NOT_READY")
    total = 0
    async for given in _wanted(ingest, media, request):
        total += given.size_bytes
    yield messages.StreamMediaFilesResponse(data=_in_force(media), total_bytes=total)
    async for given in _wanted(ingest, media, request):
        file = messages.MediaFile(
            source=given.source, name=given.name, size_bytes=given.size_bytes, sha256=given.sha256
        )
        if not given.share:
            file.key, file.offset = given.key, given.offset
        yield messages.StreamMediaFilesResponse(file=file)
        if given.share:
            async for content in _content(ingest, given):
                yield messages.StreamMediaFilesResponse(content=content)


async def _wanted(
    ingest: Ingest, media: MediaRow, request: messages.StreamMediaFilesRequest
) -> AsyncIterator[_Given]:
    async for given in _all_given(ingest, media):
        is_remote = media.spec.sources[given.source].WhichOneof("origin") != "upload"
        if not (request.without_remote and is_remote):
            yield given


def _is_uploaded(media: MediaRow) -> bool:
    return all(source.WhichOneof("origin") == "upload" for source in media.spec.sources)


def _key(media_id: UUID) -> str:
    return f"{media_prefix(media_id)}given"


def _lines(files: Sequence[GivenFile], counts: Sequence[int], choice: Choice) -> Iterator[bytes]:
    """Those that the media is made of, which stand in `files` in the same order but may lie elsewhere."""
    ends = [*accumulate(counts)]
    chosen, source = iter(choice.files), 0
    following = next(chosen, None)
    manifest = "" if choice.manifest is None else choice.manifest.name
    for number, file in enumerate(files):
        while number >= ends[source]:
            source += 1
        if following is not None and following.name == file.name:
            yield _given(source, following).line()
            following = next(chosen, None)
        elif file.name == manifest:
            yield _given(source, file).line()


def _given(source: int, file: GivenFile) -> _Given:
    place = file.place
    return _Given(
        source=source,
        name=file.name,
        size_bytes=file.size_bytes,
        key=place.key,
        offset=place.offset,
        share=place.share,
        stamp=place.stamp,
        sha256=file.sha256,
    )


async def _packed(lines: Iterator[bytes]) -> AsyncIterator[bytes]:
    packer = zlib.compressobj(1)

    def some() -> bytes | None:
        held = [line for _, line in zip(range(_LINES_AT_ONCE), lines, strict=False)]
        return packer.compress(b"".join(held)) if held else None

    while (piece := await asyncio.to_thread(some)) is not None:
        if piece:
            yield piece
    yield packer.flush()


async def _all_given(ingest: Ingest, media: MediaRow) -> AsyncIterator[_Given]:
    if _is_uploaded(media):
        for number in range(len(media.spec.sources)):
            async for given in _uploaded(ingest, media, number):
                yield given
        return
    lines = _kept(ingest, media)
    first = await anext(lines)
    if first != _DESCRIBED.strip():
        yield _Given(*json.loads(first))
        async for line in lines:
            yield _Given(*json.loads(line))
        return
    for number, source in enumerate(media.spec.sources):
        of_source = _uploaded if source.WhichOneof("origin") == "upload" else _listed
        async for given in of_source(ingest, media, number):
            yield given


async def _kept(ingest: Ingest, media: MediaRow) -> AsyncIterator[bytes]:
    """The lines; FailedPrecondition for media that was made before they were kept."""
    unpacker, left = zlib.decompressobj(), b""
    try:
        async for block in ingest.blobs.stream(_key(media.id), chunk=PIECE_BYTES):
            lines = (left + await asyncio.to_thread(unpacker.decompress, block)).split(b"\n")
            left = lines.pop()
            for line in lines:
                yield line
    except errors.NotFound as fault:
        raise errors.FailedPrecondition(
            "of this media it is not known any more which files it was made of", reason="FILES_NOT_KNOWN"
        ) from fault


async def _uploaded(ingest: Ingest, media: MediaRow, number: int) -> AsyncIterator[_Given]:
    upload_id = UUID(media.spec.sources[number].upload.upload_id)
    for file in await upload_store.given_files(ingest.db, upload_id):
        yield _given(number, file)


async def _listed(ingest: Ingest, media: MediaRow, number: int) -> AsyncIterator[_Given]:
    """What lies in the folder now: its manifest says which of it are frames."""
    wanted = media.spec.sources[number].share
    share = ingest.shares.named(wanted.share)
    async for batch in expanded(share, wanted, f"data.sources[{number}].share", ""):
        for entry in batch:
            if isinstance(entry, Entry):
                yield _Given(
                    source=number,
                    name=entry.path,
                    size_bytes=entry.size_bytes,
                    key=entry.path,
                    share=share.name,
                    stamp=entry.stamp,
                )


async def _content(ingest: Ingest, given: _Given) -> AsyncIterator[bytes]:
    size = given.size_bytes
    place = Place(key=given.key, size_bytes=size, share=given.share, stamp=given.stamp)
    file = source_of(ingest, place)
    for start in range(0, size, PIECE_BYTES):
        yield await file.read(start, min(PIECE_BYTES, size - start))


def _in_force(media: MediaRow) -> media_pb2.DataSpec:
    """What leads to the same media, also where other defaults hold."""
    data = media.summary.data
    spec = media_pb2.DataSpec(
        sources=map(_shown, media.spec.sources),
        image_quality=data.image_quality,
        start_frame=data.start_frame,
        stop_frame=data.stop_frame,
        frame_step=data.frame_step,
        chunk_size=data.chunk_size,
        use_zip_chunks=data.chunk_format == media_pb2.CHUNK_FORMAT_ZIP,
        use_cache=data.use_cache,
        sorting=data.sorting,
        copy_data=data.copy_data,
    )
    if data.HasField("random_seed"):
        spec.random_seed = data.random_seed
    if media.spec.HasField("members"):
        spec.members.CopyFrom(media.spec.members)
    if media.spec.HasField("pdf_dpi"):
        spec.pdf_dpi = media.spec.pdf_dpi
    return spec


def _shown(source: media_pb2.MediaSource) -> media_pb2.MediaSource:
    """Without the queries of URLs."""
    if source.WhichOneof("origin") != "remote":
        return source
    urls = [url.partition("#")[0].partition("?")[0] for url in source.remote.urls]
    return media_pb2.MediaSource(remote=media_pb2.RemoteSource(urls=urls))
