"""Sending a file to an LFS server: asking, uploading, having it verified."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from yard.repo_sync.lfs import faults
from yard.repo_sync.lfs.batch import LARGEST_ANSWER, MEDIA_TYPE, Action, Asked, read_answer, request, words_of
from yard.repo_sync.lfs.door import Door, Reach
from yard.runtime import errors
from yard.runtime.egress import Cut, Patience, Posting, Refused, RemoteUrl, Reply, Uploading

Progress = Callable[[int], Awaitable[None]]
"""Bytes of the file that are on their way so far; told about a hundred times."""

_BLOCK: Final = 1 << 18
_MOST_REDIRECTS: Final = 3
_REDIRECTS = frozenset({301, 302, 307, 308})
_ATTEMPTS: Final = 3
_ASK_S: Final = 30.0
# A store may sum up or copy a large file before it answers.
_PATIENCE = Patience(head_s=120.0)
_JSON = {"Accept": MEDIA_TYPE, "Content-Type": MEDIA_TYPE, "User-Agent": "frameyard"}
_EMPTY_FILE = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parcel:
    file: Path
    sha256: str
    size: int
    progress: Progress


async def send(
    door: Door, file: Path, sha256: str, size: int, progress: Progress, *, reach: Reach, ref: str = ""
) -> bool:
    """Whether the file had to be sent: a server that has it already gets nothing.

    `ref` is the full name of the branch. Raises errors with LFS_… reasons: Unavailable for what another try
    may help, FailedPrecondition or PermissionDenied for the rest.
    """
    found = (await asyncio.to_thread(file.stat)).st_size
    if found != size:
        raise errors.Internal(f"the file to be sent has {found} bytes instead of {size}")
    parcel = _Parcel(file=file, sha256=sha256, size=size, progress=progress)
    async with _server(door, reach) as server:
        return await server.send(parcel, ref)


async def probe(door: Door, *, reach: Reach) -> None:
    """Returns if there is an LFS server that takes files with this credential; the same errors as send."""
    async with _server(door, reach) as server:
        await server.ask(_EMPTY_FILE, 0, "")


@asynccontextmanager
async def _server(door: Door, reach: Reach) -> AsyncIterator["_Server"]:
    networks, ca_file, resolve = reach.networks, reach.ca_file, reach.resolve
    uploading = Uploading(networks=networks, ca_file=ca_file, resolve=resolve, patience=_PATIENCE)
    posting = Posting(
        networks=networks,
        ca_file=ca_file,
        resolve=resolve,
        timeout_s=_ASK_S,
        answer_bytes=LARGEST_ANSWER + 1,
    )
    try:
        async with asyncio.timeout(reach.timeout_s):
            yield _Server(door, posting, uploading)
    except TimeoutError as fault:
        raise errors.Unavailable(
            f"the LFS server {door.url.host} was not done in {reach.timeout_s:g} s", reason="LFS_SLOW"
        ) from fault
    finally:
        await posting.close()
        await uploading.close()


class _Server:
    def __init__(self, door: Door, posting: Posting, uploading: Uploading) -> None:
        self._door = door
        self._posting = posting
        self._uploading = uploading

    async def send(self, parcel: _Parcel, ref: str) -> bool:
        is_sent = False
        for left in reversed(range(_ATTEMPTS)):
            asked = await self.ask(parcel.sha256, parcel.size, ref)
            if asked.upload is None:
                return is_sent
            if asked.upload.has_expired and left:
                continue  # the last one is tried all the same: our clocks may differ
            is_sent = True
            reply = await self._upload(asked.upload, parcel)
            if 200 <= reply.status < 300:
                await self._verify(asked, parcel)
                return True
            if reply.status not in (401, 403) or not left or not asked.upload.has_expired:
                raise self._fault(reply)
        raise faults.strange("has addresses that have expired each time")

    async def ask(self, sha256: str, size: int, ref: str) -> Asked:
        door = self._door
        reply = await self._post(door.batch, request(sha256, size, ref), door.headers)
        is_lfs = MEDIA_TYPE in reply.headers.get("content-type", "").lower()
        if reply.status == 200:
            if not is_lfs and not reply.body.lstrip().startswith(b"{"):
                raise faults.not_offered(door.url.host)
            if not reply.is_whole and len(reply.body) <= LARGEST_ANSWER:
                raise faults.later(f"the LFS server {door.url.host} does not end its answer")
            return read_answer(reply, door, sha256)
        if reply.status in (404, 405, 501) and not is_lfs:
            raise faults.not_offered(door.url.host)
        raise self._fault(reply)

    async def _upload(self, action: Action, parcel: _Parcel) -> Reply:
        asked = _named({"Content-Type": "application/octet-stream"}, action.headers)

        async def put(url: RemoteUrl, headers: Mapping[str, str]) -> Reply:
            async with aclosing(_blocks(parcel)) as blocks:
                return await self._uploading.put(url, blocks, parcel.size, headers)

        return await _followed(put, action.url, asked)

    async def _verify(self, asked: Asked, parcel: _Parcel) -> None:
        if asked.verify is None:
            return
        body = json.dumps({"oid": parcel.sha256, "size": parcel.size}).encode("ascii")
        reply = await self._post(asked.verify.url, body, asked.verify.headers)
        if not 200 <= reply.status < 300:
            raise self._fault(reply)

    async def _post(self, url: RemoteUrl, body: bytes, asked: Mapping[str, str]) -> Reply:
        async def post(url: RemoteUrl, headers: Mapping[str, str]) -> Reply:
            return await self._posting.post(url, body, _named(_JSON, headers))

        return await _followed(post, url, asked)

    def _fault(self, reply: Reply) -> errors.YardError:
        return faults.of_status(reply.status, words_of(reply, self._door), reply.retry_after_s)


async def _followed(
    ask: Callable[[RemoteUrl, Mapping[str, str]], Awaitable[Reply]],
    url: RemoteUrl,
    headers: Mapping[str, str],
) -> Reply:
    """The answer behind a few redirects, each checked like the first; headers stay with their server."""
    for _ in range(_MOST_REDIRECTS + 1):
        try:
            reply = await ask(url, headers)
        except (Cut, Refused) as fault:
            raise faults.of_way(url.host, fault) from fault
        if reply.status not in _REDIRECTS:
            return reply
        try:
            leads_to = url.joined(reply.headers.get("location", ""))
        except ValueError as fault:
            raise faults.strange(f"redirects to an address that {fault}") from fault
        if leads_to.authority != url.authority or leads_to.scheme != url.scheme:
            headers = {}
        url = leads_to
    raise faults.strange(f"redirects more than {_MOST_REDIRECTS} times")


def _named(ours: Mapping[str, str], theirs: Mapping[str, str]) -> Mapping[str, str]:
    """Ours, where they want none of that name."""
    names = {name.lower() for name in theirs}
    return {**{name: value for name, value in ours.items() if name.lower() not in names}, **theirs}


async def _blocks(parcel: _Parcel) -> AsyncGenerator[bytes]:
    sent = told = 0
    with await asyncio.to_thread(parcel.file.open, "rb") as file:
        while block := await asyncio.to_thread(file.read, _BLOCK):
            yield block
            sent += len(block)
            if sent == parcel.size or sent - told >= max(parcel.size // 100, _BLOCK):
                told = sent
                await parcel.progress(sent)
