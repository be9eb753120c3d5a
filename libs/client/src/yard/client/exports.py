"""Exports to files on this machine."""

import hashlib
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path

from frameyard.export.v1 import export_service_pb2 as exports
from frameyard.operation.v1 import operation_pb2
from yard.client.client import Client, request_id
from yard.client.failures import ClientError


async def export(
    client: Client,
    format_name: str,
    *,
    task_id: int = 0,
    job_id: int = 0,
    with_images: bool = False,
    on_change: Callable[[operation_pb2.Operation], None] | None = None,
) -> operation_pb2.Operation:
    """Exports a task or a job; returns the finished operation, whose result is an ExportResult."""
    request = exports.CreateExportRequest(
        format=format_name, with_images=with_images, request_id=request_id()
    )
    if job_id:
        request.job_id = job_id
    else:
        request.task_id = task_id
    accepted = (await client.call(client.exports.CreateExport, request)).operation
    return await client.wait(accepted.name, on_change)


def result_of(operation: operation_pb2.Operation) -> exports.ExportResult:
    """The result of a finished export."""
    result = exports.ExportResult()
    operation.result.Unpack(result)
    return result


async def download(
    client: Client, operation: str, target: Path, on_bytes: Callable[[int], None] = lambda _: None
) -> Path:
    """The archive of a finished export, into a file or a folder; it appears only when it is complete."""
    arriving = _Arriving(target, operation)
    request = exports.DownloadExportRequest(operation=operation)
    async with aclosing(client.stream(client.exports.DownloadExport, request)) as parts:
        with arriving:
            async for part in parts:
                if part.HasField("header"):
                    arriving.header = part.header
                else:
                    arriving.write(part.content)
                    on_bytes(len(part.content))
    return arriving.place()


class _Arriving:
    """A file beside its target, until its checksum is known to be right."""

    def __init__(self, target: Path, operation: str) -> None:
        self._target = target
        folder = target if target.is_dir() else target.parent
        self._partial = folder / f".{operation.rpartition('/')[2]}.part"
        self._file = self._partial.open("wb")
        self._digest = hashlib.sha256()
        self.header = exports.DownloadHeader()

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._file.close()
        if kind is not None:
            self._partial.unlink()

    def write(self, content: bytes) -> None:
        self._file.write(content)
        self._digest.update(content)

    def place(self) -> Path:
        """The name comes from the other side: only its last part is believed."""
        name = Path(self.header.file_name).name
        if self._digest.hexdigest() != self.header.sha256:
            self._partial.unlink()
            raise ClientError(f"{name}: what arrived is damaged; try again", code="DATA_LOSS")
        return self._partial.replace(self._target / name if self._target.is_dir() else self._target)
