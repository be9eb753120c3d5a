"""Exports to files on this machine."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import aclosing
from pathlib import Path
from typing import Any

from frameyard.export.v1 import export_service_pb2 as exports
from frameyard.operation.v1 import operation_pb2
from yard.client.client import Client, request_id, unpacked
from yard.client.failures import ClientError
from yard.client.files import PartialFile, folder_of, place_of, safe_file_name
from yard.client.patience import Patience

OnBytes = Callable[[int], None]


async def export(
    client: Client,
    format_name: str,
    target: Mapping[str, Any],
    *,
    with_images: bool = False,
    refuse_loss: bool = False,
    on_change: Callable[[operation_pb2.Operation], None] | None = None,
) -> operation_pb2.Operation:
    """Exports what `task_id`, `job_id` or `project_id` of the target names; returns the finished operation.

    Its result is an ExportResult.
    """
    request = exports.CreateExportRequest(
        format=format_name,
        with_images=with_images,
        refuse_loss=refuse_loss,
        request_id=request_id(),
        **target,  # ids by the names of the fields
    )
    accepted = (await client.call(client.exports.CreateExport, request)).operation
    return await client.wait(accepted.name, on_change)


def result_of(operation: operation_pb2.Operation) -> exports.ExportResult:
    """The result of a finished export."""
    return unpacked(operation, exports.ExportResult)


async def download(
    client: Client,
    operation: str,
    target: Path,
    on_bytes: OnBytes = lambda _: None,
    *,
    replace: bool = True,
) -> Path:
    """The archive of a finished export, into a file or a folder.

    It appears only when it is complete and its checksum right. One that was cut goes on where it stopped,
    in the same run and in the next.
    """
    uuid = safe_file_name(operation, "export")
    partial = await asyncio.to_thread(PartialFile, folder_of(target), uuid, is_resumable=True)
    with partial:
        header = await _Download(client, operation, partial, on_bytes).run()
        name = safe_file_name(header.file_name, f"{uuid}.zip")
        place = place_of(target, name)
        if (partial.size_bytes, partial.sha256) != (header.size_bytes, header.sha256):
            partial.restart()
            raise ClientError(f"{name}: what arrived is damaged; try again", code="DATA_LOSS")
        return partial.place(place, replace=replace)


class _Download:
    """The way of one archive into its partial file."""

    def __init__(self, client: Client, operation: str, partial: PartialFile, on_bytes: OnBytes) -> None:
        self._client = client
        self._operation = operation
        self._partial = partial
        self._on_bytes = on_bytes
        self._patience = Patience()

    async def run(self) -> exports.DownloadHeader:
        """Until all has arrived; what no attempt can complete is not kept."""
        self._on_bytes(self._partial.size_bytes)
        while True:
            try:
                return await self._attempt()
            except ClientError as fault:
                await self._after(fault)

    async def _attempt(self) -> exports.DownloadHeader:
        request = exports.DownloadExportRequest(operation=self._operation, offset=self._partial.size_bytes)
        header = exports.DownloadHeader()
        async with aclosing(self._client.stream(self._client.exports.DownloadExport, request)) as parts:
            async for part in parts:
                if part.HasField("header"):
                    header = part.header
                else:
                    self._partial.write(part.content)
                    self._on_bytes(len(part.content))
                    self._patience.has_progressed()
        return header

    async def _after(self, fault: ClientError) -> None:
        if fault.code == "OUT_OF_RANGE" and self._partial.size_bytes:
            self._on_bytes(-self._partial.size_bytes)
            self._partial.restart()
            return
        if fault.code in {"NOT_FOUND", "INVALID_ARGUMENT"}:
            self._partial.restart()
        await self._patience.after(fault)
