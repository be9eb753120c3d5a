"""Reading an uploaded backup as the job of a child process, for the file may be hostile and the work is long.

The source "file" is the upload. Everything that can be checked without the media's bytes is; they are checked
against their checksums as they arrive. The result has `faults` (place and reason), or `kind`, `project` and
`tasks` as sections of the records that were emitted.
"""

import io
from collections.abc import Iterator
from typing import Any, BinaryIO, Final, TypeVar, cast

from frameyard.export.v1 import backup_pb2 as messages
from frameyard.media.v1.media_pb2 import DataSpec
from google.protobuf import json_format
from google.protobuf.message import Message
from yard.annotations.labels import label_faults
from yard.annotations.validation import Rules
from yard.export.archives.opened import Entry
from yard.export.archives.opening import Zip, open_upload
from yard.export.archives.refusals import Refusals, RefusedError, refused
from yard.export.backups import layout
from yard.export.backups.checks import check_definition, check_file, check_issue, check_jobs
from yard.export.backups.numbering import numbered
from yard.export.backups.objects import batches_in, check_objects
from yard.export.backups.sections import Section, Stored, Writer
from yard.export.intakes.label_messages import labels_of
from yard.media.budget import ArchiveLimits
from yard.media.job_host import Arguments, Host

_BUFFER_BYTES: Final = 1 << 18
_LONGEST_TEXT: Final = 33_554_432
MOST_TASKS: Final = 10_000
M = TypeVar("M", bound=Message)


def read_backup(arguments: Arguments, host: Host) -> dict[str, Any]:
    """Arguments: `name` of the file, `kind` that is wanted, archive `limits`, `most` objects."""
    try:
        with host.open("file") as raw:
            file = cast("BinaryIO", io.BufferedReader(raw, _BUFFER_BYTES))
            opened = open_upload(file, arguments["name"], ArchiveLimits(**arguments["limits"]))
            if not isinstance(opened, Zip):
                raise refused(opened.name, "is no zip")
            return _read(_Reading(opened, host, arguments["most"]), arguments)
    except RefusedError as fault:
        return {"faults": [list(one) for one in fault.faults]}


def _read(reading: "_Reading", arguments: Arguments) -> dict[str, Any]:
    """What no check has foreseen is a fault of the file too."""
    try:
        return reading.run(arguments["kind"])
    except (ValueError, ArithmeticError, LookupError, RecursionError, EOFError) as fault:
        reason = f"is not understood as a backup: {type(fault).__name__}: {fault}"
        raise refused(arguments["name"], reason) from fault


class _Reading:
    def __init__(self, opened: Zip, host: Host, most: int) -> None:
        self._opened = opened
        self._host = host
        self._left = most
        self._writer = Writer(host.emit)
        self._refusals = Refusals()

    def run(self, kind: str) -> dict[str, Any]:
        head = self._one(layout.HEAD, messages.BackupHead())
        self._check_head(head, kind)
        shared = numbered(head.project.labels)
        project = self._section([head.project.SerializeToString()])
        tasks = []
        for number in range(head.task_count):
            tasks.append(self._task(layout.folder_of(kind, number), kind, shared))
            self._host.progress((number + 1) / head.task_count)
        self._refusals.check()
        self._writer.flush()
        return {"faults": [], "kind": kind, "project": project, "tasks": tasks}

    def _check_head(self, head: messages.BackupHead, kind: str) -> None:
        if head.format != layout.FORMAT:
            raise refused(layout.HEAD, f"is not that of a {layout.FORMAT}")
        if head.version != layout.VERSION:
            raise refused(layout.HEAD, f"has the version {head.version}, {layout.VERSION} is read")
        if head.kind != kind:
            raise refused(layout.HEAD, f"is of a {head.kind[:16]}, not of a {kind}")
        most = 1 if kind == layout.TASK else MOST_TASKS
        if not int(kind == layout.TASK) <= head.task_count <= most:
            raise refused(layout.HEAD, f"has {head.task_count} tasks, at most {most} are read")
        for fault in label_faults(labels_of(head.project.labels).labels):
            self._refusals.add(f"{layout.HEAD}: project.{fault.field}", fault.description)

    def _task(self, folder: str, kind: str, shared: list[Any]) -> dict[str, Any]:
        name = folder + layout.DEFINITION
        task = self._one(name, messages.BackupTask())
        check_definition(task, kind, name, self._refusals)
        labels = numbered(task.labels) if kind == layout.TASK else shared
        found: dict[str, Any] = {"task": self._section([task.SerializeToString()]), "bytes": 0}
        if not task.size:
            return found
        jobs = list(self._lines(folder + layout.JOBS, messages.BackupJob))
        check_jobs(jobs, task, folder + layout.JOBS, self._refusals)
        self._refusals.check()
        found["jobs"] = self._section(job.SerializeToString() for job in jobs)
        found["files"], found["bytes"] = self._files(folder, task.data)
        found["objects"] = self._objects(folder, jobs, labels)
        found["issues"] = self._section(self._issues(folder, jobs))
        return found

    def _files(self, folder: str, data: DataSpec) -> tuple[Section, int]:
        """Records of files, source by source; a source that is an upload has some."""
        name, begin, total = folder + layout.MANIFEST, self._writer.size, 0
        counts = [0] * len(data.sources)
        last = 0
        for number, file in enumerate(self._lines(name, messages.BackupFile)):
            place = f"{name}: line {number + 1}"
            if not check_file(file, data, last, place, self._refusals):
                continue
            last, counts[file.source] = file.source, counts[file.source] + 1
            stored = self._stored(folder + file.path)
            if stored.size != file.size_bytes:
                self._refusals.add(place, f"has {stored.size} bytes in the archive, not {file.size_bytes}")
            total += stored.size
            self._writer.add(stored.packed(file.SerializeToString()))
        for number, source in enumerate(data.sources):
            if source.WhichOneof("origin") == "upload" and not counts[number]:
                self._refusals.add(name, f"has no file of the source {number}")
        return Section(begin, self._writer.size), total

    def _objects(self, folder: str, jobs: list[messages.BackupJob], labels: list[Any]) -> Section:
        begin, schema = self._writer.size, labels_of(labels)
        for number, job in enumerate(jobs):
            name = folder + layout.annotations_of(number)
            entry = self._opened.find(name)
            if entry is None:
                continue
            stored = self._stored(name)
            rules = Rules(
                schema=schema,
                first=job.frames.first,
                last=job.frames.last,
                frame_size=lambda _: None,
                stored=lambda item: (item,),
            )
            with self._opened.open(entry) as file:
                count = check_objects(batches_in(file, name), rules, name, self._refusals)
            self._left -= count
            if self._left < 0:
                raise refused(name, "has more objects than are read of one backup")
            self._writer.add(stored.packed(number.to_bytes(4, "little")))
        return Section(begin, self._writer.size)

    def _issues(self, folder: str, jobs: list[messages.BackupJob]) -> Iterator[bytes]:
        name = folder + layout.ISSUES
        for number, issue in enumerate(self._lines(name, messages.BackupIssue)):
            check_issue(issue, jobs, f"{name}: line {number + 1}", self._refusals)
            yield issue.SerializeToString()

    def _section(self, records: Any) -> Section:
        begin = self._writer.size
        for record in records:
            self._writer.add(record)
        return Section(begin, self._writer.size)

    def _stored(self, name: str) -> Stored:
        entry = self._entry(name)
        return Stored(*self._opened.stored(entry), entry.size)

    def _entry(self, name: str) -> Entry:
        entry = self._opened.find(name)
        if entry is None:
            raise refused(name, "is not in the archive")
        return entry

    def _one(self, name: str, message: M) -> M:
        with self._opened.open(self._entry(name)) as file:
            return _parsed(file.read(_LONGEST_TEXT + 1), message, name)

    def _lines(self, name: str, kind: type[M]) -> Iterator[M]:
        with self._opened.open(self._entry(name)) as file:
            number = 0
            while line := file.readline(_LONGEST_TEXT + 1):
                number += 1
                yield _parsed(line, kind(), f"{name}: line {number}")


def _parsed(content: bytes, message: M, place: str) -> M:
    if len(content) > _LONGEST_TEXT:
        raise refused(place, f"is longer than {_LONGEST_TEXT} bytes")
    try:
        return json_format.Parse(content.decode(), message, max_recursion_depth=20)
    except (json_format.ParseError, ValueError, RecursionError, OverflowError) as fault:
        raise refused(place, f"cannot be read: {fault}") from fault
