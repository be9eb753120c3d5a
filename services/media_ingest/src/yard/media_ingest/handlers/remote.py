"""Files at remote addresses: fetched side by side, each kept as far as it has come."""

import asyncio
from collections.abc import Iterator, Sequence

from frameyard.media.v1.media_pb2 import MediaSource
from yard.media_ingest.domain.files import GivenFile, Place
from yard.media_ingest.domain.remote import Address, distinct, label_of, parse_urls
from yard.media_ingest.domain.results import FileResult
from yard.media_ingest.handlers.batches import Indexing
from yard.media_ingest.handlers.downloading import Download
from yard.media_ingest.handlers.fetched import Budget, Fetched
from yard.media_ingest.handlers.remote_packs import RemotePacks
from yard.media_ingest.handlers.reporting import Report
from yard.media_ingest.store import remote as store
from yard.media_ingest.store.remote import RemoteFile
from yard.runtime import errors
from yard.runtime.egress import Refused

FETCHED = 0.5  # the share of fetching in the whole progress
TELL_EVERY_S = 0.5
FLUSH_EVERY_S = 10.0
_MOST_NAMED = 100


async def remote_files(indexing: Indexing, source: MediaSource) -> list[GivenFile]:
    """The files behind the URLs in the order given, all of them in the bucket.

    When some cannot be had, the others are fetched nevertheless: InvalidArgument names all that are amiss.
    """
    field = _field(indexing, source)
    addresses = parse_urls(field, source.remote.urls)
    known = await store.files_of(indexing.ingest.db, indexing.media.id)
    fetching = _Fetching(indexing, addresses, known)
    await fetching.run()
    found = await store.files_of(indexing.ingest.db, indexing.media.id)
    files = [found[address.digest] for address in addresses]
    _refuse_faults(field, addresses, files, indexing.report)
    names = distinct(file.name for file in files)
    return [_given(address, file, name) for address, file, name in zip(addresses, files, names, strict=True)]


class _Fetching:
    """All downloads of one source; a fault of ours ends all, a fault of a server that download only."""

    def __init__(
        self, indexing: Indexing, addresses: Sequence[Address], known: dict[bytes, RemoteFile]
    ) -> None:
        self._indexing = indexing
        self._count = len(addresses)
        received = sum(file.received_bytes for file in known.values())
        self._budget = Budget(indexing.ingest.settings.remote_total_max_bytes, received)
        self._packs = RemotePacks(indexing)
        self._left = [address for address in addresses if not _is_settled(known.get(address.digest))]
        self._done = self._count - len(self._left)
        self._known = known
        self._running: dict[bytes, Fetched] = {}

    async def run(self) -> None:
        """Returns when every URL has come to its end."""
        lanes = max(1, self._indexing.ingest.settings.remote_concurrency)
        waiting = iter(self._left)
        try:
            async with asyncio.TaskGroup() as group:
                telling = group.create_task(self._tell_for_ever())
                flushing = group.create_task(self._flush_for_ever())
                downloads = [group.create_task(self._lane(waiting)) for _ in range(lanes)]
                await asyncio.gather(*downloads)
                telling.cancel()
                flushing.cancel()
            await self._packs.flush()
        except BaseExceptionGroup as group_fault:
            raise _first(group_fault) from group_fault
        finally:
            await self._packs.close()
        self._indexing.share.add(FETCHED)

    async def _lane(self, waiting: Iterator[Address]) -> None:
        for address in waiting:
            fetched = await Fetched.opened(
                self._indexing, address.digest, self._known.get(address.digest), self._packs, self._budget
            )
            self._running[address.digest] = fetched
            try:
                await Download(self._indexing, address, fetched).run()
            except Refused as fault:
                await fetched.refuse(fault.message)
            finally:
                await fetched.close()
                del self._running[address.digest]
            self._done += 1

    async def _tell_for_ever(self) -> None:
        while True:
            await self.tell()
            await asyncio.sleep(TELL_EVERY_S)

    async def _flush_for_ever(self) -> None:
        """What comes slowly is kept all the same."""
        while True:
            await asyncio.sleep(FLUSH_EVERY_S)
            await self._packs.flush()

    async def tell(self) -> None:
        """By files, and by bytes of those whose length is known."""
        parts = sum(fetched.fraction for fetched in self._running.values())
        words = f"{self._done} of {self._count} addresses are fetched"
        await self._indexing.tell(FETCHED * (self._done + parts) / self._count, words)


def _field(indexing: Indexing, source: MediaSource) -> str:
    """Equal sources have equal faults: the first one is named."""
    number = list(indexing.media.spec.sources).index(source)
    return f"data.sources[{number}].remote.urls"


def _is_settled(file: RemoteFile | None) -> bool:
    return file is not None and file.is_settled


def _given(address: Address, file: RemoteFile, name: str) -> GivenFile:
    size = file.received_bytes
    return GivenFile(
        name=name,
        size_bytes=size,
        place=Place(key=file.blob_key, offset=file.blob_offset, size_bytes=size),
        sha256=file.sha256,
        family=file.family,
        format=file.format,
        url=address.url.shown,
    )


def _refuse_faults(
    field: str, addresses: Sequence[Address], files: Sequence[RemoteFile], report: Report
) -> None:
    """Notes what became of every URL, and names those that cannot be had."""
    if not any(file.fault for file in files):
        return
    violations = []
    for number, (address, file) in enumerate(zip(addresses, files, strict=True)):
        report.notes.append(_result(address, file))
        if file.fault:
            violations.append(errors.Violation(f"{field}[{number}]", f"{address.url.shown} {file.fault}"))
    named = "; ".join(violation.description for violation in violations[:3])
    others = len(violations) - 3
    raise errors.InvalidArgument(
        f"{named}; and {others} more" if others > 0 else named,
        violations[:_MOST_NAMED],
        reason="MEDIA_UNUSABLE",
        metadata={"url": violations[0].description.partition(" ")[0]},
    )


def _result(address: Address, file: RemoteFile) -> FileResult:
    return FileResult(
        name=file.name or label_of("", address.url),
        outcome="refused" if file.fault else "skipped",
        reason=file.fault or "the media failed",
        size_bytes=0 if file.fault else file.received_bytes,
        url=address.url.shown,
    )


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    fault: BaseException = group
    while isinstance(fault, BaseExceptionGroup):
        fault = fault.exceptions[0]
    return fault
