"""Who stands around media_ingest in its tests: a client that uploads, and the task service on the bus."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from frameyard.media.v1 import (
    media_events_pb2,
    media_pb2,
    media_service_pb2_grpc,
    share_service_pb2_grpc,
    upload_service_pb2_grpc,
)
from frameyard.media.v1 import upload_service_pb2 as messages
from frameyard.operation.v1 import operation_pb2
from frameyard.task.v1 import task_events_pb2
from google.protobuf.message import Message
from nats.aio.msg import Msg
from yard.runtime import errors, ids, rpc
from yard.testkit import eventually, facts

if TYPE_CHECKING:
    from frameyard.media.v1.media_service_pb2_grpc import MediaServiceAsyncStub
    from frameyard.media.v1.share_service_pb2_grpc import ShareServiceAsyncStub
    from frameyard.media.v1.upload_service_pb2_grpc import UploadServiceAsyncStub
    from grpc.aio import Channel

PIECE = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """The three services as one caller."""

    uploads: UploadServiceAsyncStub
    media: MediaServiceAsyncStub
    shares: ShareServiceAsyncStub

    @classmethod
    def over(cls, channel: Channel) -> Client:
        """As whoever the channel speaks for."""
        return cls(
            uploads=upload_service_pb2_grpc.UploadServiceStub(channel),
            media=media_service_pb2_grpc.MediaServiceStub(channel),
            shares=share_service_pb2_grpc.ShareServiceStub(channel),
        )

    async def open(self, files: Mapping[str, bytes], **fields: Any) -> messages.Upload:
        """A new upload for these files."""
        new = [messages.NewUploadFile(name=name, size_bytes=len(content)) for name, content in files.items()]
        return (await self.uploads.CreateUpload(messages.CreateUploadRequest(files=new, **fields))).upload

    async def send(
        self, upload: messages.Upload, number: int, content: bytes, offset: int = 0
    ) -> messages.UploadFile:
        """One stream with these bytes."""
        requests = stream(upload.id, number, content, offset)
        return (await self.uploads.UploadFile(requests)).file

    async def get(self, upload: messages.Upload) -> messages.Upload:
        """The upload as it is."""
        return (await self.uploads.GetUpload(messages.GetUploadRequest(id=upload.id))).upload

    async def end(
        self, upload: messages.Upload, number: int, content: bytes, offset: int = 0
    ) -> messages.UploadFile:
        """One stream with the last bytes of a file of unknown length."""
        requests = stream(upload.id, number, content, offset, is_end=True)
        return (await self.uploads.UploadFile(requests)).file

    async def finish(self, upload: messages.Upload, *order: str) -> messages.Upload:
        """Closes it."""
        request = messages.FinishUploadRequest(id=upload.id, order=order)
        return (await self.uploads.FinishUpload(request)).upload

    async def add(
        self, upload: messages.Upload, *files: messages.NewUploadFile, replace: bool = False
    ) -> list[messages.UploadFile]:
        """More files for it."""
        request = messages.AddUploadFilesRequest(upload_id=upload.id, files=files, replace=replace)
        return [*(await self.uploads.AddUploadFiles(request)).files]

    async def remove(self, upload: messages.Upload, number: int) -> None:
        """One file less."""
        request = messages.RemoveUploadFileRequest(upload_id=upload.id, file_number=number)
        await self.uploads.RemoveUploadFile(request)

    async def file(self, upload: messages.Upload, number: int) -> messages.UploadFile:
        """One file as it is."""
        request = messages.GetUploadFileRequest(upload_id=upload.id, file_number=number)
        return (await self.uploads.GetUploadFile(request)).file

    async def upload(self, files: Mapping[str, bytes]) -> messages.Upload:
        """A finished upload."""
        upload = await self.open(files)
        for number, content in enumerate(files.values()):
            if content:
                await self.send(upload, number, content)
        return await self.finish(upload)


@asynccontextmanager
async def client_at(address: str, token: str) -> AsyncIterator[Client]:
    """The services there, as the bearer of the token."""
    async with rpc.channel(address, token=token) as channel:
        yield Client.over(channel)


async def stream(
    upload_id: str, number: int, content: bytes, offset: int = 0, *, is_end: bool = False
) -> AsyncIterator[messages.UploadFileRequest]:
    """The messages of one stream: the header, then pieces of 1 MiB, and the end if it is told."""
    header = messages.UploadFileHeader(upload_id=upload_id, file_number=number, offset=offset)
    yield messages.UploadFileRequest(header=header)
    for start in range(0, len(content), PIECE):
        yield messages.UploadFileRequest(content=content[start : start + PIECE])
    if is_end:
        yield messages.UploadFileRequest(end=messages.UploadFileEnd(size_bytes=offset + len(content)))


@dataclass(slots=True, kw_only=True)
class TaskSide:
    """Asks for media as the task service does, and hears what becomes of it."""

    facts: facts.Facts
    heard: list[Message] = field(default_factory=list)
    progress: list[operation_pb2.Operation] = field(default_factory=list)

    @classmethod
    @asynccontextmanager
    async def connected(cls, url: str, token: str) -> AsyncIterator[TaskSide]:
        """Listens from here on."""
        async with facts.connected(url, token) as told:
            task = cls(facts=told)
            await told.listen("frameyard.event.media.>", task._hear)
            await told.listen("frameyard.progress.task.*", task._hear_progress)
            yield task

    async def publish(self, event: Message, task_id: int) -> None:
        """Puts a fact of the task service on the bus."""
        await self.facts.publish(event, task_id, "task")

    async def request(
        self, *uploads: messages.Upload, task_id: int = 7, user_id: int = 1, **data: Any
    ) -> str:
        """Asks for media of these uploads; returns its id."""
        media_id = str(ids.uuid7())
        sources = [
            media_pb2.MediaSource(upload=media_pb2.UploadSource(upload_id=upload.id)) for upload in uploads
        ]
        spec = media_pb2.DataSpec(sources=sources)
        spec.MergeFrom(media_pb2.DataSpec(**data))
        event = task_events_pb2.MediaRequested(
            media_id=media_id,
            task_id=task_id,
            user_id=user_id,
            data=spec,
            operation=f"task/{ids.uuid7()}",
        )
        await self.publish(event, task_id)
        return media_id

    async def media(self, *uploads: messages.Upload, **data: Any) -> media_pb2.Media:
        """Asks for media, and waits until it is ready."""
        media_id = await self.request(*uploads, **data)
        event = await self.outcome(media_id)
        assert isinstance(event, media_events_pb2.MediaIndexed), event
        return event.media

    async def refusal(self, *uploads: messages.Upload, **data: Any) -> errors.YardError:
        """Asks for media, and waits for the reason why it cannot be had."""
        media_id = await self.request(*uploads, **data)
        event = await self.outcome(media_id)
        assert isinstance(event, media_events_pb2.MediaFailed), event
        return errors.from_status(event.error)

    async def outcome(self, media_id: str) -> Message:
        """The event that ends the indexing."""
        return (await eventually(lambda: self.told(media_id), timeout_s=30.0))[0]

    def told(self, media_id: str) -> list[Message]:
        """All events about media."""
        return [event for event in self.heard if _media_id(event) == media_id]

    async def _hear(self, message: Msg) -> None:
        name = message.subject.split(".")[3]
        self.heard.append(getattr(media_events_pb2, name).FromString(message.data))

    async def _hear_progress(self, message: Msg) -> None:
        self.progress.append(operation_pb2.Operation.FromString(message.data))


def _media_id(event: Any) -> str:
    return str(event.media.id if isinstance(event, media_events_pb2.MediaIndexed) else event.media_id)
