"""What the steps of one restore have in common: who makes, out of what, and what is noted of it."""

from collections.abc import AsyncIterator
from typing import Any, Final
from uuid import UUID, uuid5

from frameyard.task.v1.project_service_pb2 import CreateProjectRequest, UpdateProjectLabelsRequest
from frameyard.task.v1.task_service_pb2 import CreateTaskRequest
from yard.export.backups.sections import LENGTH
from yard.export.handlers.context import Exporting
from yard.export.handlers.scratch import Scratch
from yard.export.sources.archived import Archived
from yard.export.sources.making import Maker
from yard.export.sources.uploads import Located
from yard.export.store import restores
from yard.export.store.restores import PartKind, Restore
from yard.runtime.work import Work

_BLOCK_BYTES: Final = 1_048_576


class Making:
    """One restore, or import of a data set, at work."""

    def __init__(
        self,
        exporting: Exporting,
        work: Work[Any],
        asked: Restore,
        file: Located,
        records: Scratch,
    ) -> None:
        self.id: UUID = asked.id
        self.exporting = exporting
        self.work = work
        self.channels = exporting.channels
        self.maker = Maker(exporting.channels, asked.user_id, asked.username)
        self.archived = Archived(exporting.runtime.blobs, file)
        self._records = records

    def request_id(self, step: str) -> str:
        """The same in every attempt, so that what was done is not done twice."""
        return str(uuid5(self.id, step))

    async def project(self, request: CreateProjectRequest) -> int:
        """Makes the project unless it is there."""
        await self._begin("project", 0, request.SerializeToString())
        return int(await self._made("project", 0, await self.maker.project(request)))

    async def task(self, number: int, request: CreateTaskRequest) -> int:
        """Makes a task unless it is there."""
        await self._begin("task", number, request.SerializeToString())
        return int(await self._made("task", number, await self.maker.task(request)))

    async def labels(self, request: UpdateProjectLabelsRequest) -> None:
        """Adds labels to a project, which must not be there."""
        await self._begin("labels", 0, request.SerializeToString())
        await self.maker.call(self.channels.projects.UpdateProjectLabels, request)

    async def has_begun(self, kind: PartKind) -> bool:
        """Whether an attempt before has begun to make such a part."""
        parts = await restores.parts_of(self.exporting.runtime.db, self.id)
        return any(part.kind == kind for part in parts)

    async def upload(self, number: int, upload_id: str) -> None:
        """Notes an upload, which would go by itself a day later."""
        await self._begin("upload", number, b"")
        await self._made("upload", number, upload_id)

    async def section(self, bounds: list[int]) -> AsyncIterator[bytes]:
        """The records of a section."""
        place, end = bounds
        while place < end:
            block = await self._records.read(place, min(_BLOCK_BYTES, end - place))
            at = 0
            while at + LENGTH.size <= len(block):
                (length,) = LENGTH.unpack_from(block, at)
                begin = at + LENGTH.size
                if begin + length > len(block):
                    break
                yield block[begin : begin + length]
                at = begin + length
            if not at:
                (length,) = LENGTH.unpack_from(block)
                yield await self._records.read(place + LENGTH.size, length)
                at = LENGTH.size + length
            place += at

    async def only(self, bounds: list[int]) -> bytes:
        """The record of a section of one."""
        return await anext(aiter(self.section(bounds)))

    async def _begin(self, kind: PartKind, number: int, request: bytes) -> None:
        async with self.work.transaction() as tx:
            await restores.begin_part(tx, self.id, kind, number, request)

    async def _made(self, kind: PartKind, number: int, made: Any) -> str:
        async with self.work.transaction() as tx:
            await restores.note_part(tx, self.id, kind, number, str(made))
        return str(made)
