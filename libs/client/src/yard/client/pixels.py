"""Chunks, frames and previews of a task or a job, under a grant that is renewed in time."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from frameyard.chunk.v1 import chunk_service_pb2 as chunks
from frameyard.media.v1 import media_pb2, media_service_pb2
from frameyard.task.v1 import task_service_pb2 as tasks
from yard.client.arriving import Chunk, fetch
from yard.client.client import Client
from yard.client.failures import ClientError
from yard.client.files import Sink

RENEW_BEFORE = timedelta(seconds=60)
_PAGE = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One frame's encoded bytes."""

    content: bytes
    content_type: str
    width: int
    height: int
    is_corrupt: bool = False
    """Damaged: the picture is a placeholder that says so."""


class Pixels:
    """The pixels that the caller may see of one task or one job."""

    def __init__(self, client: Client, *, task_id: int = 0, job_id: int = 0) -> None:
        self._client = client
        self._target = (
            tasks.GetMediaGrantRequest(job_id=job_id)
            if job_id
            else tasks.GetMediaGrantRequest(task_id=task_id)
        )
        self._answer: tasks.GetMediaGrantResponse | None = None

    async def grant(self) -> tasks.GetMediaGrantResponse:
        """The grant, with the media's id, the frames and the data parameters in force."""
        held = self._answer
        if held is None or held.expire_time.ToDatetime(UTC) - datetime.now(UTC) < RENEW_BEFORE:
            held = self._answer = await self._client.call(self._client.tasks.GetMediaGrant, self._target)
        return held

    async def chunk(
        self,
        number: int,
        into: Sink,
        *,
        quality: chunks.Quality.ValueType = chunks.QUALITY_COMPRESSED,
        form: media_pb2.ChunkFormat.ValueType = media_pb2.CHUNK_FORMAT_UNSPECIFIED,
        exact: bool = True,
    ) -> Chunk:
        """Writes a chunk into a file as it comes; returns what it is. ClientError if it is not complete.

        It is asked for again if the service ends its stream, and `into` is new or can restart.
        Without `exact` an mp4 of original quality may hold more frames: whole groups of pictures.
        """
        grant = await self.grant()
        request = chunks.GetChunkRequest(
            media_id=grant.media_id,
            grant=grant.grant,
            number=number,
            quality=quality,
            format=form,
            exact=exact,
        )
        return await fetch(self._client, request, into)

    async def frame(
        self,
        number: int,
        *,
        quality: chunks.Quality.ValueType = chunks.QUALITY_COMPRESSED,
        form: chunks.FrameFormat.ValueType = chunks.FRAME_FORMAT_UNSPECIFIED,
    ) -> Frame:
        """One frame by relative number."""
        grant = await self.grant()
        request = chunks.GetFrameRequest(
            media_id=grant.media_id, grant=grant.grant, frame=number, quality=quality, format=form
        )
        header, pieces = chunks.FrameHeader(), list[bytes]()
        async with aclosing(self._client.stream(self._client.chunks.GetFrame, request)) as parts:
            async for part in parts:
                if part.HasField("header"):
                    header = part.header
                else:
                    pieces.append(part.content)
        content = b"".join(pieces)
        if not content or len(content) != header.size_bytes:
            told = f"frame {number}: {len(content)} of {header.size_bytes} bytes came"
            raise ClientError(told, code="DATA_LOSS")
        return Frame(
            content=content,
            content_type=header.content_type,
            width=header.width,
            height=header.height,
            is_corrupt=header.is_corrupt,
        )

    async def preview(self, number: int) -> Frame:
        """A JPEG of one frame that fits into 256 x 256 pixels."""
        grant = await self.grant()
        request = chunks.GetPreviewRequest(media_id=grant.media_id, grant=grant.grant, frame=number)
        answer = await self._client.call(self._client.chunks.GetPreview, request)
        return Frame(
            content=answer.content,
            content_type="image/jpeg",
            width=answer.width,
            height=answer.height,
            is_corrupt=answer.is_corrupt,
        )

    async def corrupt_frames(self) -> AsyncGenerator[chunks.CorruptFrame, None]:
        """The frames that were found to be damaged so far, page by page."""
        token = ""
        while True:
            grant = await self.grant()
            request = chunks.ListCorruptFramesRequest(
                media_id=grant.media_id, grant=grant.grant, page_size=_PAGE, page_token=token
            )
            page = await self._client.call(self._client.chunks.ListCorruptFrames, request)
            for frame in page.frames:
                yield frame
            token = page.next_page_token
            if not token:
                return

    async def frame_infos(self) -> AsyncGenerator[media_pb2.FrameInfo, None]:
        """Names and sizes of the frames, page by page."""
        pages = self._pages()
        async with aclosing(pages):
            async for page in pages:
                for info in page.frames:
                    yield info

    async def _pages(self) -> AsyncGenerator[media_service_pb2.ListFramesResponse, None]:
        token = ""
        grant = await self.grant()
        frames = grant.frames
        while True:
            request = media_service_pb2.ListFramesRequest(
                media_id=grant.media_id,
                grant=(await self.grant()).grant,
                first=frames.first,
                last=frames.last,
                page_token=token,
            )
            page = await self._client.call(self._client.media.ListFrames, request)
            yield page
            token = page.next_page_token
            if not token:
                return
