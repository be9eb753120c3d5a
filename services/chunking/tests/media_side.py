"""What stands around chunking in its tests: media_ingest, which puts media in place, and a viewer."""

from __future__ import annotations

import io
import zipfile
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import av
import numpy as np
from frameyard.chunk.v1 import chunk_events_pb2, chunk_service_pb2_grpc
from frameyard.chunk.v1 import chunk_service_pb2 as messages
from frameyard.common.v1.common_pb2 import FrameRange
from frameyard.media.v1 import media_pb2
from frameyard.media.v1.media_events_pb2 import MediaDeleted, MediaIndexed
from frameyard.task.v1.task_events_pb2 import UseCacheChanged
from google.protobuf.message import Message
from nats.aio.msg import Msg
from PIL import Image
from yard.media.index_block import ImageAddress, encode_frames, encode_video
from yard.media.plan import PlanKind, Source, encode_plan
from yard.media.selection import FrameSelection
from yard.media.synthetic import read
from yard.media.video_index import index_video
from yard.runtime import auth, ids
from yard.runtime.blobs import Blobs
from yard.runtime.db import Database
from yard.testkit import eventually, facts
from yard.testkit.fixtures import GRANT_KEY

if TYPE_CHECKING:
    from frameyard.chunk.v1.chunk_service_pb2_grpc import ChunkServiceAsyncStub
    from grpc.aio import Channel

TASK_ID = 7
EVERYTHING = FrameSelection()


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """An image file, and what its index says of it."""

    name: str
    content: bytes
    size: tuple[int, int]
    orientation: int = 1


@dataclass(slots=True, kw_only=True)
class MediaSide:
    """Writes sources and plans as media_ingest does, tells of them, and hears what chunking tells."""

    blobs: Blobs
    facts: facts.Facts
    heard: list[Any] = field(default_factory=list)

    @classmethod
    @asynccontextmanager
    async def connected(cls, blobs: Blobs, url: str, token: str) -> AsyncIterator[MediaSide]:
        """Listens from here on."""
        async with facts.connected(url, token) as told:
            side = cls(blobs=blobs, facts=told)
            await told.listen("frameyard.event.chunk.>", side._hear)
            yield side

    async def video(
        self, path: Path, *, selection: FrameSelection = EVERYTHING, tells: bool = True, **data: Any
    ) -> media_pb2.Media:
        """A video that is ready."""
        with path.open("rb") as file:
            index = index_video(file, path.name)
        media = self._media(media_pb2.MEDIA_KIND_VIDEO, selection.count(index.frames), **data)
        media.width, media.height = index.width, index.height
        media.data.start_frame, media.data.frame_step = selection.start, selection.step
        sources = [await self._put(media, path.name, path.read_bytes())]
        await self._plan(media, "video", sources, [encode_video(index)], selection)
        return await self._ready(media, tells=tells)

    async def images(self, pictures: Sequence[Picture], **data: Any) -> media_pb2.Media:
        """Images that are ready, each a file of its own."""
        media = self._media(media_pb2.MEDIA_KIND_IMAGES, len(pictures), **data)
        media.width, media.height = pictures[0].size
        sources = [await self._put(media, picture.name, picture.content) for picture in pictures]
        addresses = [
            ImageAddress(
                name=picture.name,
                source=number,
                width=picture.size[0],
                height=picture.size[1],
                orientation=picture.orientation,
            )
            for number, picture in enumerate(pictures)
        ]
        half = len(addresses) // 2
        blocks = [encode_frames(part) for part in (addresses[:half], addresses[half:]) if part]
        await self._plan(media, "images", sources, blocks)
        return await self._ready(media)

    async def addressed(
        self, content: bytes, addresses: Sequence[ImageAddress], **data: Any
    ) -> media_pb2.Media:
        """Images that lie in one file, by their addresses."""
        media = self._media(media_pb2.MEDIA_KIND_IMAGES, len(addresses), **data)
        media.width, media.height = addresses[0].width, addresses[0].height
        sources = [await self._put(media, "pack", content)]
        await self._plan(media, "images", sources, [encode_frames(addresses)])
        return await self._ready(media)

    async def placed(
        self, kind: PlanKind, sources: Sequence[Source], block: bytes, size: int, **data: Any
    ) -> media_pb2.Media:
        """Media whose sources lie somewhere already."""
        number = media_pb2.MEDIA_KIND_VIDEO if kind == "video" else media_pb2.MEDIA_KIND_IMAGES
        media = self._media(number, size, **data)
        await self._plan(media, kind, sources, [block])
        return await self._ready(media)

    async def delete(self, media: media_pb2.Media) -> None:
        """The media goes."""
        await self.publish(MediaDeleted(media_id=media.id, task_id=media.task_id), media.task_id)

    async def set_use_cache(self, media: media_pb2.Media, use_cache: bool) -> None:
        """The task's owner turns the switch."""
        event = UseCacheChanged(task_id=media.task_id, media_id=media.id, use_cache=use_cache)
        await self.publish(event, media.task_id, "task")

    async def tell(self, media: media_pb2.Media) -> None:
        """The media is ready."""
        await self.publish(MediaIndexed(media=media), media.task_id)

    async def publish(self, event: Message, task_id: int, source: str = "media_ingest") -> None:
        """Puts a fact of media_ingest, or another service, on the bus."""
        await self.facts.publish(event, task_id, source)

    def told(self, media: media_pb2.Media) -> list[Any]:
        """What chunking has told about this media."""
        return [event for event in self.heard if event.media_id == media.id]

    def _media(self, kind: media_pb2.MediaKind.ValueType, size: int, **data: Any) -> media_pb2.Media:
        defaults = {
            "image_quality": 70,
            "chunk_size": 10,
            "frame_step": 1,
            "chunk_format": media_pb2.CHUNK_FORMAT_ZIP,
            "use_cache": True,
        }
        return media_pb2.Media(
            id=str(ids.uuid7()),
            task_id=TASK_ID,
            kind=kind,
            state=media_pb2.MEDIA_STATE_READY,
            size=size,
            data=media_pb2.DataParameters(**{**defaults, **data}),
        )

    async def _put(self, media: media_pb2.Media, name: str, content: bytes) -> Source:
        key = f"uploads/{media.id}/{ids.uuid7()}"
        blob = await self.blobs.put(key, content)
        return Source(key=key, name=name, size_bytes=len(content), sha256=blob.sha256)

    async def _plan(
        self,
        media: media_pb2.Media,
        kind: PlanKind,
        sources: Sequence[Source],
        blocks: Iterable[bytes],
        selection: FrameSelection = EVERYTHING,
    ) -> None:
        pieces = encode_plan(
            kind, sources, blocks, size=media.size, start=selection.start, step=selection.step
        )
        blob = await self.blobs.put(f"media/{media.id}/plan", b"".join(pieces))
        media.plan.CopyFrom(blob.to_proto())

    async def _ready(self, media: media_pb2.Media, *, tells: bool = True) -> media_pb2.Media:
        if tells:
            await self.tell(media)
        return media

    async def _hear(self, message: Msg) -> None:
        name = message.subject.split(".")[3]
        self.heard.append(getattr(chunk_events_pb2, name).FromString(message.data))


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """A caller of the service; `user_id` 0 is a service account."""

    stub: ChunkServiceAsyncStub
    grants: auth.Grants
    user_id: int

    @classmethod
    def over(cls, channel: Channel, principal: auth.Principal) -> Viewer:
        """As that caller, for whom the channel speaks."""
        stub = chunk_service_pb2_grpc.ChunkServiceStub(channel)
        return cls(stub=stub, grants=auth.Grants([GRANT_KEY]), user_id=principal.user_id)

    def grant(self, media: media_pb2.Media, first: int = 0, last: int | None = None) -> str:
        """A grant for frames of media, for this user."""
        if not self.user_id:
            return ""
        end = media.size - 1 if last is None else last
        return self.grants.sign(
            auth.MediaGrant(media_id=UUID(media.id), first=first, last=end, user_id=self.user_id)
        )

    async def chunk(
        self, media: media_pb2.Media, number: int, **fields: Any
    ) -> tuple[messages.ChunkHeader, bytes]:
        """One chunk by its number."""
        return await self.ask_chunk(self.request(media, number=number, **fields))

    async def frames(
        self, media: media_pb2.Media, first: int, last: int, **fields: Any
    ) -> tuple[messages.ChunkHeader, bytes]:
        """Any frames."""
        return await self.ask_chunk(self.request(media, frames=FrameRange(first=first, last=last), **fields))

    def request(self, media: media_pb2.Media, **fields: Any) -> messages.GetChunkRequest:
        """Asks for a chunk with a grant for everything, unless another is given."""
        return messages.GetChunkRequest(**{"media_id": media.id, "grant": self.grant(media), **fields})

    async def ask_chunk(self, request: messages.GetChunkRequest) -> tuple[messages.ChunkHeader, bytes]:
        """The header and all bytes."""
        header, content, _ = await self.whole_chunk(request)
        return header, content

    async def whole_chunk(
        self, request: messages.GetChunkRequest
    ) -> tuple[messages.ChunkHeader, bytes, messages.ChunkTrailer]:
        """The header, all bytes and the trailer."""
        header, *pieces, last = [part async for part in self.stub.GetChunk(request)]
        assert all(part.WhichOneof("part") == "content" for part in pieces)
        content = b"".join(part.content for part in pieces)
        assert last.trailer.size_bytes == (header.header.blob.size_bytes or len(content))
        return header.header, content, last.trailer

    async def frame(
        self, media: media_pb2.Media, number: int, **fields: Any
    ) -> tuple[messages.FrameHeader, bytes]:
        """One frame."""
        request = messages.GetFrameRequest(
            **{"media_id": media.id, "grant": self.grant(media), "frame": number, **fields}
        )
        parts = [part async for part in self.stub.GetFrame(request)]
        content = b"".join(part.content for part in parts[1:])
        assert parts[0].header.size_bytes == len(content)
        return parts[0].header, content

    async def preview(
        self, media: media_pb2.Media, number: int, **fields: Any
    ) -> messages.GetPreviewResponse:
        """A small picture."""
        request = messages.GetPreviewRequest(
            **{"media_id": media.id, "grant": self.grant(media), "frame": number, **fields}
        )
        return await self.stub.GetPreview(request)

    async def corrupt_frames(
        self, media: media_pb2.Media, **fields: Any
    ) -> messages.ListCorruptFramesResponse:
        """A page of damaged frames."""
        request = messages.ListCorruptFramesRequest(
            **{"media_id": media.id, "grant": self.grant(media), **fields}
        )
        return await self.stub.ListCorruptFrames(request)

    async def status(self, media: media_pb2.Media, **fields: Any) -> messages.GetBuildStatusResponse:
        """How much is built."""
        request = messages.GetBuildStatusRequest(
            **{"media_id": media.id, "grant": self.grant(media), **fields}
        )
        return await self.stub.GetBuildStatus(request)


async def all_stored(db: Database) -> None:
    """Waits until what has been sent is in the bucket too."""

    async def is_quiet() -> bool:
        return not await db.fetchval("SELECT count(*) FROM chunk WHERE state = 'building'")

    await eventually(is_quiet)


def files_of(content: bytes) -> dict[str, bytes]:
    """The members of a zip."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def numbers_in_zip(content: bytes) -> list[int]:
    """The numbers that the pictures of a zip chunk show."""
    return [number_in(picture) for picture in files_of(content).values()]


def numbers_in_mp4(content: bytes) -> list[int]:
    """The numbers that the pictures of an mp4 chunk show."""
    with av.open(io.BytesIO(content), "r") as container:
        return [
            read(np.asarray(frame.to_ndarray(format="rgb24"), np.uint8))
            for frame in container.decode(video=0)
        ]


def number_in(picture: bytes) -> int:
    """The number that an encoded image shows."""
    return read(np.asarray(opened(picture).convert("RGB")))


def opened(picture: bytes) -> Image.Image:
    """The image as it is stored."""
    return Image.open(io.BytesIO(picture))
