"""Files to the store itself, in parts, where the platform gives addresses for them."""

import asyncio

from frameyard.media.v1 import upload_service_pb2 as uploads
from yard.client.client import Client
from yard.client.failures import ClientError
from yard.client.local_files import LocalFile
from yard.client.packs import CUTS
from yard.client.patience import Patience
from yard.client.puts import UnreachedError, put
from yard.client.told import OnBytes, Told

PARTS_AT_ONCE = 4
ADDRESSES = 64
"""Asked for at once: they end after an hour, whatever is left of them."""
JOINING_S = 3600.0
"""Time limit of joining: the platform reads the file once to check it."""
_OTHER_WAY = "without --direct, files go by way of the platform"
_UNHEARD = frozenset({"UNAVAILABLE", "DEADLINE_EXCEEDED"})


class DirectParts:
    """The way of files into one upload past the platform; what the store has already is not sent again."""

    def __init__(self, client: Client, upload_id: str, on_bytes: OnBytes) -> None:
        self._client = client
        self._upload_id = upload_id
        self._on_bytes = on_bytes
        self._slots = asyncio.Semaphore(PARTS_AT_ONCE)
        self._is_reached = False

    async def send(self, local: LocalFile, remote: uploads.UploadFile) -> None:
        """Sends what is missing of a file, and joins it; a cut without progress counts.

        A store that was never reached is told at once.
        """
        file = _File(local, remote, self._on_bytes)
        patience, most = Patience(CUTS), 0
        while True:
            try:
                await self._send_parts(file)
                await self._join(file)
            except ClientError as fault:
                if isinstance(fault, UnreachedError) and not self._is_reached:
                    raise
                if len(file.tags) > most:
                    most = len(file.tags)
                    patience.has_progressed()
                await patience.after(fault)
                file.tags.clear()
            else:
                return

    async def _send_parts(self, file: "_File") -> None:
        first = count = 1
        while first <= count:
            request = uploads.PresignPartsRequest(
                upload_id=self._upload_id,
                file_number=file.remote.number,
                first_part=first,
                part_count=ADDRESSES,
            )
            given = await self._addresses(request)
            count = -(-file.remote.size_bytes // given.part_size_bytes)
            for part in given.stored:
                file.has_arrived(part.number, part.etag, given.part_size_bytes)
            await self._send_some(file, given, first)
            first += ADDRESSES

    async def _addresses(self, request: uploads.PresignPartsRequest) -> uploads.PresignPartsResponse:
        try:
            return await self._client.call(self._client.uploads.PresignParts, request)
        except ClientError as fault:
            if fault.code != "FAILED_PRECONDITION":
                raise
            raise ClientError(fault.message, code=fault.code, hint=_OTHER_WAY) from fault

    async def _send_some(self, file: "_File", given: uploads.PresignPartsResponse, first: int) -> None:
        """Those that are missing; after a fault the ones that run come to their end, and no other begins."""
        faults: list[ClientError] = []

        async def send(number: int, url: str) -> None:
            async with self._slots:
                if faults:
                    return
                start = (number - 1) * given.part_size_bytes
                length = min(given.part_size_bytes, file.remote.size_bytes - start)
                try:
                    tag = await put(url, file.local.path, start, length)
                except ClientError as fault:
                    faults.append(fault)
                else:
                    self._is_reached = True
                    file.has_arrived(number, tag, given.part_size_bytes)

        async with asyncio.TaskGroup() as group:
            for number, url in enumerate(given.urls, first):
                if number not in file.tags:
                    group.create_task(send(number, url))
        if faults:
            raise faults[0]

    async def _join(self, file: "_File") -> None:
        """A call whose answer was lost is repeated: it answers as the first one did."""
        parts = [uploads.StoredPart(number=number, etag=tag) for number, tag in sorted(file.tags.items())]
        request = uploads.CompletePartsRequest(
            upload_id=self._upload_id, file_number=file.remote.number, parts=parts
        )
        patience = Patience(_UNHEARD)
        while True:
            try:
                await self._client.call(self._client.uploads.CompleteParts, request, timeout_s=JOINING_S)
            except ClientError as fault:
                await patience.after(fault)
            else:
                return


class _File:
    """One file, and the ETags of its parts that are stored."""

    def __init__(self, local: LocalFile, remote: uploads.UploadFile, on_bytes: OnBytes) -> None:
        self.local = local
        self.remote = remote
        self.tags: dict[int, str] = {}
        self._told = Told(on_bytes)

    def has_arrived(self, number: int, tag: str, part_bytes: int) -> None:
        """The store has this part; how far the file is counts whole parts."""
        self.tags[number] = tag
        self._told.is_at(min(len(self.tags) * part_bytes, self.remote.size_bytes))
