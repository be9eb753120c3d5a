"""The files of a backup one after another, made in the thread that writes the zip."""

from collections.abc import Iterable, Iterator
from hashlib import sha256
from tempfile import SpooledTemporaryFile
from typing import Final, cast

from frameyard.export.v1 import backup_pb2 as messages
from frameyard.export.v1.backup_service_pb2 import CreateBackupRequest
from frameyard.media.v1.media_pb2 import DataSpec, MediaSource, UploadSource
from frameyard.media.v1.media_service_pb2 import MediaFile
from frameyard.task.v1.job_pb2 import Job
from frameyard.task.v1.label_pb2 import Label
from yard.export.archives.archive import Member
from yard.export.backups import layout
from yard.export.backups.bridge import Bridge
from yard.export.backups.numbering import Numbering, stripped, unnumbered
from yard.export.handlers.context import Exporting
from yard.export.sources.annotations import batches_of_job
from yard.export.sources.backed_up import WholeTask, project_of, task_of, tasks_in, whole_task
from yard.export.sources.issues import issues_of
from yard.export.sources.media_files import Begun, parameters_and_files
from yard.runtime import errors

_LINES_MEMORY: Final = 1_048_576
_BLOCK_BYTES: Final = 262_144


class Members:
    """Of one backup; `task_count`, `done` (0 to 1) and `message` tell how far it is."""

    def __init__(self, exporting: Exporting, bridge: Bridge, request: CreateBackupRequest) -> None:
        self._channels = exporting.channels
        self._blobs = exporting.runtime.blobs
        self._bridge = bridge
        self._request = request
        self._written = self._total = 0
        self._share = (0.0, 1.0)
        self._labels: list[Label] = []
        self.task_count = 1
        self.done = 0.0
        self.message = "reading"

    def __iter__(self) -> Iterator[Member]:
        if self._request.task_id:
            yield _text(layout.HEAD, self._head(layout.TASK))
            yield from self._task("", self._request.task_id)
            return
        project = self._bridge.call(project_of(self._channels, self._request.project_id))
        tasks = self._bridge.call(tasks_in(self._channels, project.id))
        self.task_count = len(tasks)
        head = self._head(layout.PROJECT)
        head.project.name, head.project.issue_tracker = project.name, project.issue_tracker
        self._labels = list(project.labels)
        head.project.labels.extend(unnumbered(self._labels))
        yield _text(layout.HEAD, head)
        for number, task_id in enumerate(tasks):
            self._share = (number / len(tasks), 1 / len(tasks))
            yield from self._task(layout.folder_of(layout.PROJECT, number), task_id)

    def _head(self, kind: str) -> messages.BackupHead:
        return messages.BackupHead(
            format=layout.FORMAT, version=layout.VERSION, kind=kind, task_count=self.task_count
        )

    def _task(self, folder: str, task_id: int) -> Iterator[Member]:
        whole = self._bridge.call(whole_task(self._channels, task_id))
        if not whole.task.size:
            yield _text(folder + layout.DEFINITION, self._definition(whole))
            return
        files = self._bridge.each(
            parameters_and_files(
                self._channels,
                self._blobs,
                whole.task.media_id,
                without_remote=self._request.without_remote_media,
            )
        )
        begun = cast("Begun", next(files))
        self._written, self._total = 0, begun.total_bytes
        yield _text(folder + layout.DEFINITION, self._definition(whole, begun.data))
        yield _lines(folder + layout.JOBS, map(_job, whole.jobs))
        yield from self._media(folder, files, whole.task.name)
        yield from self._annotations(folder, whole)
        yield from self._issues(folder, whole)

    def _definition(self, whole: WholeTask, data: DataSpec | None = None) -> messages.BackupTask:
        task = whole.task
        definition = messages.BackupTask(
            name=task.name,
            subset=task.subset,
            issue_tracker=task.issue_tracker,
            labels=[] if self._request.project_id else unnumbered(task.labels),
        )
        if data is not None:
            definition.MergeFrom(
                messages.BackupTask(
                    segment_size=task.segment_size,
                    overlap=task.overlap,
                    mode=task.mode,
                    size=task.size,
                    data=self._parameters(data),
                    deleted_frames=whole.deleted,
                )
            )
            definition.data.use_cache = task.data.use_cache
        return definition

    def _parameters(self, data: DataSpec) -> DataSpec:
        """Sources whose files are in the archive are uploads when they come back."""
        kept = DataSpec()
        kept.CopyFrom(data)
        for source in kept.sources:
            if source.WhichOneof("origin") == "upload" or not self._request.without_remote_media:
                source.CopyFrom(MediaSource(upload=UploadSource()))
        return kept

    def _media(self, folder: str, files: Iterator[Begun | MediaFile | bytes], name: str) -> Iterator[Member]:
        with SpooledTemporaryFile(max_size=_LINES_MEMORY) as lines:
            following = next(files, None)
            number = 0
            while following is not None:
                file = cast("MediaFile", following)
                content = _Content(self._told(files, name), file)
                path = layout.media_path(file.source, number, file.name)
                yield Member(name=folder + path, content=content)
                line = messages.BackupFile(
                    source=file.source,
                    name=file.name,
                    path=path,
                    size_bytes=file.size_bytes,
                    sha256=content.digest.hexdigest(),
                )
                lines.write(layout.text_of(line).encode() + b"\n")
                following, number = content.following, number + 1
            lines.seek(0)
            yield Member(name=folder + layout.MANIFEST, content=iter(lambda: lines.read(_BLOCK_BYTES), b""))

    def _told(
        self, files: Iterator[Begun | MediaFile | bytes], name: str
    ) -> Iterator[Begun | MediaFile | bytes]:
        for each in files:
            if isinstance(each, bytes):
                self._written += len(each)
                self.message = f"{self._written >> 20} of {self._total >> 20} MiB are written, {name}"
                self._note(0.9 * self._written / max(1, self._total))
            yield each

    def _annotations(self, folder: str, whole: WholeTask) -> Iterator[Member]:
        self.message = f"reading annotations, {whole.task.name}"
        numbering = Numbering.of_ids(self._labels or whole.task.labels)
        for number, job in enumerate(whole.jobs):
            content = self._batches(job, numbering)
            if (first := next(content, None)) is not None:
                pieces = _chained(first, content)
                yield Member(name=folder + layout.annotations_of(number), content=pieces)
            self._note(0.9 + 0.1 * number / len(whole.jobs))
        now = self._bridge.call(task_of(self._channels, whole.task.id))
        if list(now.labels) != (self._labels or list(whole.task.labels)):
            raise errors.Unavailable("labels were changed while they were read", reason="LABELS_CHANGED")

    def _batches(self, job: Job, numbering: Numbering) -> Iterator[bytes]:
        for batch in self._bridge.each(batches_of_job(self._channels, job.id)):
            stripped(batch)
            numbering.apply(batch)
            packed = batch.SerializeToString(deterministic=True)
            yield layout.LENGTH.pack(len(packed)) + packed

    def _issues(self, folder: str, whole: WholeTask) -> Iterator[Member]:
        def found() -> Iterator[messages.BackupIssue]:
            for number, job in enumerate(whole.jobs):
                listed = [
                    messages.BackupIssue(
                        job=number,
                        frame=issue.frame,
                        position=issue.position,
                        resolved=issue.resolved,
                        comments=[
                            messages.BackupComment(message=each.message, author=each.owner.username)
                            for each in comments
                        ],
                    )
                    for issue, comments in self._bridge.each(issues_of(self._channels, job.id))
                ]
                yield from reversed(listed)

        yield _lines(folder + layout.ISSUES, found())

    def _note(self, done: float) -> None:
        begin, share = self._share
        self.done = max(self.done, begin + share * done)


class _Content:
    """The bytes of one file; what comes behind them is `following`."""

    def __init__(self, files: Iterator[Begun | MediaFile | bytes], file: MediaFile) -> None:
        self._files = files
        self._file = file
        self.digest = sha256()
        self.following: MediaFile | None = None

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        for each in self._files:
            if not isinstance(each, bytes):
                self.following = cast("MediaFile", each)
                break
            self.digest.update(each)
            size += len(each)
            yield each
        if size != self._file.size_bytes:
            message = f"{self._file.name} has {size} bytes, it had {self._file.size_bytes}"
            raise errors.DataLoss(message, metadata={"file": self._file.name})


def _job(job: Job) -> messages.BackupJob:
    return messages.BackupJob(frames=job.frames, stage=job.stage, state=job.state)


def _text(name: str, message: messages.BackupHead | messages.BackupTask) -> Member:
    return Member(name=name, content=[layout.text_of(message).encode() + b"\n"])


def _lines(name: str, found: Iterable[messages.BackupJob | messages.BackupIssue]) -> Member:
    return Member(name=name, content=(layout.text_of(each).encode() + b"\n" for each in found))


def _chained(first: bytes, others: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from others
