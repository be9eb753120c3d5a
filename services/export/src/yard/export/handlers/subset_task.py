"""A task out of a subset of a data set; each step finds out what an attempt before has done of it."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from frameyard.annotation.v1 import annotation_service_pb2 as annotation
from frameyard.export.v1.export_service_pb2 import CreateExportRequest
from frameyard.export.v1.import_service_pb2 import CreateDatasetImportRequest
from frameyard.media.v1 import media_pb2, upload_service_pb2
from frameyard.task.v1 import task_service_pb2
from yard.export.formats.division import DEFAULT
from yard.export.handlers.importing import importable
from yard.export.handlers.making import Making
from yard.export.handlers.reading import FileReading, sent
from yard.export.handlers.ready_media import ready
from yard.export.handlers.scratch import Scratch
from yard.export.sources.backed_up import task_of
from yard.export.sources.saving import save
from yard.export.sources.tasks import subject_of
from yard.export.sources.uploads import Located

LIST: Final = "members.jsonl"
_PIECE_BYTES: Final = 1 << 20
_LONGEST_NAME: Final = 256
# Shares of one task: its media is indexed, then its objects come.
_READY: Final = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """What came into a task."""

    task_id: int
    images: int
    tags: int
    shapes: int
    tracks: int
    ignored: list[tuple[str, str, int]]


class SubsetTask:
    """One task; `subset` is what the survey says of it, `pictures` has the paths of the images of all."""

    def __init__(
        self,
        making: Making,
        request: CreateDatasetImportRequest,
        file: Located,
        number: int,
        subset: Mapping[str, Any],
        pictures: Scratch,
        stretch: tuple[float, ...],
    ) -> None:
        self._making = making
        self._maker = making.maker
        self._channels = making.channels
        self._request = request
        self._file = file
        self._number = number
        self._subset = subset
        self._pictures = pictures
        self._stretch = stretch

    async def make(self) -> Brought:
        """All of it."""
        name = self._subset["name"][-_LONGEST_NAME:]
        request = task_service_pb2.CreateTaskRequest(
            name=name,
            project_id=self._request.project_id,
            subset="" if self._subset["key"] == DEFAULT else self._subset["subset"],
            request_id=self._request_id("task"),
        )
        task_id = await self._making.task(self._number, request)
        await self._attach(task_id)
        task = await ready(self._channels, name, task_id, self._indexing)
        return await self._bring_objects(task_id, task.size)

    def _request_id(self, step: str) -> str:
        return self._making.request_id(f"{self._number}/{step}")

    async def _tell(self, done: float, message: str) -> None:
        begin, end = self._stretch
        await self._making.work.progress(begin + (end - begin) * done, f"{message}, {self._subset['name']}")

    async def _indexing(self) -> None:
        await self._tell(0.0, "indexing images")

    async def _attach(self, task_id: int) -> None:
        """The images stay where they are: the media has a list of them."""
        task = await task_of(self._channels, task_id)
        if task.media_state != media_pb2.MEDIA_STATE_UNSPECIFIED:
            return
        uploads = (self._request.upload_id, await self._listed())
        data = media_pb2.DataSpec(
            sources=[media_pb2.MediaSource(upload=media_pb2.UploadSource(upload_id=id_)) for id_ in uploads],
            members=media_pb2.ArchiveMembers(list=self._list_name, folder=self._subset["folder"]),
        )
        request = task_service_pb2.AttachMediaRequest(task_id=task_id, data=data)
        await self._maker.call(self._channels.tasks.AttachMedia, request)

    @property
    def _list_name(self) -> str:
        """Another one than that of the archive."""
        return LIST if self._file.name != LIST else f"list of {LIST}"

    async def _listed(self) -> str:
        """The finished upload of the list."""
        uploads = self._channels.uploads
        size = self._subset["end"] - self._subset["begin"]
        file = upload_service_pb2.NewUploadFile(name=self._list_name, size_bytes=size)
        request = upload_service_pb2.CreateUploadRequest(files=[file], request_id=self._request_id("list"))
        upload_id = str((await self._maker.call(uploads.CreateUpload, request)).upload.id)
        await self._making.upload(self._number, upload_id)
        known = upload_service_pb2.GetUploadRequest(id=upload_id)
        upload = (await self._maker.call(uploads.GetUpload, known)).upload
        if upload.state != upload_service_pb2.UPLOAD_STATE_FINISHED:
            if not upload.files[0].is_complete:
                received = upload.files[0].received_bytes
                await self._maker.call(uploads.UploadFile, self._content(upload_id, received))
            finish = upload_service_pb2.FinishUploadRequest(id=upload_id)
            await self._maker.call(uploads.FinishUpload, finish)
        return upload_id

    async def _content(
        self, upload_id: str, received: int
    ) -> AsyncIterator[upload_service_pb2.UploadFileRequest]:
        header = upload_service_pb2.UploadFileHeader(upload_id=upload_id, file_number=0, offset=received)
        yield upload_service_pb2.UploadFileRequest(header=header)
        place, end = self._subset["begin"] + received, self._subset["end"]
        while place < end:
            piece = await self._pictures.read(place, min(_PIECE_BYTES, end - place))
            yield upload_service_pb2.UploadFileRequest(content=piece)
            place += len(piece)

    async def _bring_objects(self, task_id: int, images: int) -> Brought:
        subject = await subject_of(self._channels, CreateExportRequest(task_id=task_id))

        async def tell(done: float, message: str) -> None:
            await self._tell(_READY + (1 - _READY) * done, message)

        reading = FileReading(
            exporting=self._making.exporting,
            subject=subject,
            file=self._file,
            format=importable(self._request.format).full_name,
            convert_masks=self._request.convert_masks,
            tell=tell,
            part=self._subset,
            pictures=self._pictures,
        )
        with Scratch() as batches:
            found = await reading.run(batches)
            header = annotation.ImportHeader(
                target=annotation.AnnotationTarget(task_id=task_id),
                mode=annotation.IMPORT_MODE_REPLACE,
                request_id=self._request_id("objects"),
                user_id=self._maker.user_id,
            )
            answer = await save(self._channels, header, sent(batches, tell))
        return Brought(
            task_id=task_id,
            images=images,
            tags=answer.tags,
            shapes=answer.shapes,
            tracks=answer.tracks,
            ignored=[(kind, reason, count) for kind, reason, count in found["ignored"]],
        )
