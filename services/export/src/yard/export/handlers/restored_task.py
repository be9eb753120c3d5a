"""A task out of a backup, step by step; each step finds out what an attempt before has done of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final, Self
from uuid import UUID

from frameyard.annotation.v1 import annotation_service_pb2 as annotation
from frameyard.annotation.v1.columnar_pb2 import ColumnarBatch
from frameyard.export.v1 import backup_pb2 as messages
from frameyard.media.v1 import media_pb2, upload_service_pb2
from frameyard.task.v1 import job_pb2, job_service_pb2, task_service_pb2
from frameyard.task.v1.label_pb2 import Label
from frameyard.task.v1.project_service_pb2 import CreateProjectRequest
from frameyard.task.v1.task_pb2 import Task
from google.protobuf.field_mask_pb2 import FieldMask
from yard.export.backups.layout import LENGTH
from yard.export.backups.numbering import Numbering
from yard.export.backups.sections import unpacked
from yard.export.handlers.making import Making
from yard.export.handlers.ready_media import ready
from yard.export.sources.backed_up import task_of
from yard.export.sources.opening_issues import open_issue
from yard.export.sources.sending import MOST_FILES, Given, Sending, announced
from yard.export.sources.tasks import jobs_of
from yard.runtime import errors

_MOST_RUNS: Final = 10_000
# Shares of one task: its media arrives, is indexed, its objects come, then issues and states.
_SENT, _READY, _OBJECTS = 0.6, 0.7, 0.95


async def restore_project(making: Making, bounds: list[int]) -> int:
    """Makes the project without its tasks."""
    project = messages.BackupProject.FromString(await making.only(bounds))
    return await making.project(
        CreateProjectRequest(
            name=project.name,
            issue_tracker=project.issue_tracker,
            labels=project.labels,
            request_id=making.request_id("project"),
        )
    )


class RestoredTask:
    """One task; `sections` say where what the archive has of it lies among the records."""

    def __init__(
        self,
        making: Making,
        number: int,
        sections: Mapping[str, Any],
        stretch: tuple[float, float],
        *,
        definition: messages.BackupTask,
        project_id: int,
    ) -> None:
        self._making = making
        self._maker = making.maker
        self._channels = making.channels
        self._number = number
        self._sections = sections
        self._stretch = stretch
        self._definition = definition
        self._project_id = project_id
        self._task_id = 0
        self._sent = 0

    @classmethod
    async def of(
        cls,
        making: Making,
        number: int,
        sections: Mapping[str, Any],
        stretch: tuple[float, float],
        *,
        project_id: int = 0,
    ) -> Self:
        """With its definition."""
        definition = messages.BackupTask.FromString(await making.only(sections["task"]))
        return cls(making, number, sections, stretch, definition=definition, project_id=project_id)

    async def make(self) -> int:
        """All of it; returns its id."""
        definition = self._definition
        request = task_service_pb2.CreateTaskRequest(
            name=definition.name,
            project_id=self._project_id,
            labels=definition.labels,
            issue_tracker=definition.issue_tracker,
            subset=definition.subset,
            request_id=self._request_id("task"),
        )
        if definition.size:
            request.segment_size = definition.segment_size or definition.size
            request.overlap = definition.overlap
        self._task_id = await self._making.task(self._number, request)
        if definition.size:
            await self._attach()
            task = await ready(self._channels, definition.name, self._task_id, self._indexing)
            jobs = await self._checked_jobs()
            await self._bring_objects(task, jobs)
            await self._delete_frames()
            await self._open_issues(jobs)
            await self._set_states(jobs)
        return self._task_id

    def _request_id(self, step: str) -> str:
        return self._making.request_id(f"{self._number}/{step}")

    async def _tell(self, done: float, message: str) -> None:
        begin, end = self._stretch
        name = self._definition.name
        await self._making.work.progress(begin + (end - begin) * done, f"{message}, {name}")

    async def _attach(self) -> None:
        task = await task_of(self._channels, self._task_id)
        if task.media_state != media_pb2.MEDIA_STATE_UNSPECIFIED:
            return
        data = media_pb2.DataSpec()
        data.CopyFrom(self._definition.data)
        for source, wanted in enumerate(data.sources):
            if wanted.WhichOneof("origin") == "upload":
                wanted.upload.upload_id = await self._upload(source)
        request = task_service_pb2.AttachMediaRequest(task_id=self._task_id, data=data)
        await self._maker.call(self._channels.tasks.AttachMedia, request)

    async def _upload(self, source: int) -> str:
        """The finished upload of the files of a source."""
        first = [given async for given in _some(self._files(source), MOST_FILES)]
        request = upload_service_pb2.CreateUploadRequest(
            files=map(announced, first), request_id=self._request_id(f"upload/{source}")
        )
        answer = await self._maker.call(self._channels.uploads.CreateUpload, request)
        upload_id = str(answer.upload.id)
        await self._making.upload((self._number << 20) + source, upload_id)
        sending = Sending(self._maker, self._making.archived, upload_id, self._note_sent)
        if len(first) == MOST_FILES:
            await self._announce_others(sending, source)
        del first
        await sending.send(self._files(source))
        return upload_id

    async def _announce_others(self, sending: Sending, source: int) -> None:
        held: list[Given] = []
        number = 0
        async for given in self._files(source):
            number += 1
            if number > MOST_FILES:
                held.append(given)
            if len(held) == MOST_FILES:
                await sending.add(held, number - len(held))
                held = []
        if held:
            await sending.add(held, number - len(held))

    async def _files(self, source: int) -> AsyncIterator[Given]:
        async for record in self._making.section(self._sections["files"]):
            stored, content = unpacked(record)
            file = messages.BackupFile.FromString(content)
            if file.source == source:
                yield Given(file, stored.offset, stored.raw_length)

    async def _note_sent(self, size: int) -> None:
        self._sent += size
        total = max(1, self._sections["bytes"])
        told = f"{self._sent >> 20} of {total >> 20} MiB are sent"
        await self._tell(min(_SENT, _SENT * self._sent / total), told)

    async def _indexing(self) -> None:
        await self._tell(_SENT, "indexing media")

    async def _checked_jobs(self) -> list[job_pb2.Job]:
        """The jobs, which are those of the archive."""
        jobs = await jobs_of(self._channels, task_id=self._task_id)
        made = [(job.frames.first, job.frames.last) for job in jobs]
        wanted = [(job.frames.first, job.frames.last) async for job in self._wanted_jobs()]
        if made != wanted:
            message = f"the media of {self._definition.name} gives other jobs than the archive has"
            raise errors.FailedPrecondition(message, reason="OTHER_JOBS")
        return jobs

    async def _wanted_jobs(self) -> AsyncIterator[messages.BackupJob]:
        async for record in self._making.section(self._sections["jobs"]):
            yield messages.BackupJob.FromString(record)

    async def _bring_objects(self, task: Task, jobs: Sequence[job_pb2.Job]) -> None:
        numbering = await self._numbering(task.labels)
        async for record in self._making.section(self._sections["objects"]):
            stored, content = unpacked(record)
            number = int.from_bytes(content, "little")
            pieces = self._making.archived.member(*stored)
            batches = _batches(pieces, numbering)
            await self._maker.objects(jobs[number].id, self._request_id(f"objects/{number}"), batches)
            done = _READY + (_OBJECTS - _READY) * (number + 1) / len(jobs)
            await self._tell(done, "bringing annotations")

    async def _numbering(self, labels: Sequence[Label]) -> Numbering:
        """From the numbers of the archive to the new ids, by names."""
        known = {label.name: label for label in labels}
        label_ids: dict[int, int] = {}
        attribute_ids: dict[int, int] = {}
        try:
            for number, wanted in enumerate(await self._wanted_labels(), 1):
                label = known[wanted.name]
                label_ids[number] = label.id
                by_name = {attribute.name: attribute.id for attribute in label.attributes}
                for attribute in wanted.attributes:
                    attribute_ids[len(attribute_ids) + 1] = by_name[attribute.name]
        except KeyError as fault:
            message = f"the labels of {self._definition.name} were changed meanwhile"
            raise errors.FailedPrecondition(message, reason="LABELS_CHANGED") from fault
        return Numbering(labels=label_ids, attributes=attribute_ids)

    async def _wanted_labels(self) -> Sequence[Label]:
        if not self._project_id:
            return self._definition.labels
        content = await self._making.only(self._sections["project"])
        return messages.BackupProject.FromString(content).labels

    async def _delete_frames(self) -> None:
        runs = iter(self._definition.deleted_frames)
        while some := list(islice(runs, _MOST_RUNS)):
            target = annotation.AnnotationTarget(task_id=self._task_id)
            request = annotation.UpdateDeletedFramesRequest(target=target, delete=some)
            await self._maker.call(self._channels.annotations.UpdateDeletedFrames, request)

    async def _open_issues(self, jobs: Sequence[job_pb2.Job]) -> None:
        number = 0
        async for record in self._making.section(self._sections["issues"]):
            wanted = messages.BackupIssue.FromString(record)
            step = self._request_id(f"issues/{number}")
            await open_issue(self._maker, wanted, jobs[wanted.job].id, UUID(step))
            await self._tell(_OBJECTS, f"{number} issues are opened")
            number += 1

    async def _set_states(self, jobs: Sequence[job_pb2.Job]) -> None:
        """Last: who had a job that was done has one that is done."""
        number = 0
        async for wanted in self._wanted_jobs():
            job = job_pb2.Job(id=jobs[number].id, stage=wanted.stage, state=wanted.state)
            request = job_service_pb2.UpdateJobRequest(
                job=job, update_mask=FieldMask(paths=["stage", "state"])
            )
            await self._maker.call(self._channels.jobs.UpdateJob, request)
            number += 1


async def _batches(pieces: AsyncIterator[bytes], numbering: Numbering) -> AsyncIterator[bytes]:
    """The batches of a member under their new ids."""
    held = bytearray()
    async for piece in pieces:
        held += piece
        while len(held) >= LENGTH.size:
            (length,) = LENGTH.unpack_from(held)
            end = LENGTH.size + length
            if len(held) < end:
                break
            yield await asyncio.to_thread(_renumbered, bytes(held[LENGTH.size : end]), numbering)
            del held[:end]


def _renumbered(content: bytes, numbering: Numbering) -> bytes:
    batch = ColumnarBatch.FromString(content)
    numbering.apply(batch)
    return batch.SerializeToString()


async def _some(given: AsyncIterator[Given], most: int) -> AsyncIterator[Given]:
    count = 0
    async for each in given:
        yield each
        count += 1
        if count == most:
            return
