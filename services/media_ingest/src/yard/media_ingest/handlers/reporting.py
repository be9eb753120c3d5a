"""What becomes of given files while media is indexed, kept as one object for ListFileResults."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from yard.media.index_block import METHODS, PAGE_METHODS, decode_columns
from yard.media_ingest.domain.files import GivenFile, Skipped
from yard.media_ingest.domain.manifests import is_manifest
from yard.media_ingest.domain.results import OUTCOMES, Encoding, FileResult, Outcome
from yard.media_ingest.handlers import counting
from yard.media_ingest.handlers.context import Ingest
from yard.media_ingest.handlers.results import results_key
from yard.media_ingest.store.batches import Batch
from yard.media_ingest.store.media import MediaRow
from yard.runtime import errors

_PAGES = [METHODS.index(method) for method in PAGE_METHODS]
_AT_ONCE = 10_000


@dataclass(slots=True)
class Report:
    """Of one indexing: `files` in the order given, `notes` of what is no file, such as a URL that failed."""

    files: Sequence[GivenFile] = ()
    counts: Sequence[int] = ()
    """Files of each source."""
    notes: list[FileResult] = field(default_factory=list)
    beside: str = ""
    """Name of a file that tells of others, and has no frames."""

    def note(self, name: str, reason: str, url: str = "", *, is_refused: bool = False) -> None:
        """Something that was named and could not be had; the media fails if it is refused."""
        outcome: Outcome = "refused" if is_refused else "skipped"
        self.notes.append(FileResult(name=name, outcome=outcome, reason=reason, url=url))


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What indexing has found: frames of the source, what was left out, the batches of members or images."""

    frames: int
    is_archive: bool = False
    skipped: Sequence[Skipped] = ()
    batches: Sequence[Batch] = ()
    pages: Mapping[str, int] = field(default_factory=dict)
    """Frames of files that have several, as far as no batch tells."""


async def keep_results(ingest: Ingest, media: MediaRow, report: Report, found: Found) -> int:
    """Stores the results of media that is ready; returns how many files were taken."""
    return await _keep(ingest, media, _results(ingest, report, found))


async def keep_refusals(ingest: Ingest, media: MediaRow, report: Report, fault: errors.YardError) -> None:
    """Stores what is known of the files of media that failed."""
    refused = _refused(fault)
    others = refused.keys() - {file.name for file in report.files}
    results = [
        *(_of_failed(file, refused) for file in report.files),
        *(FileResult(name=name, outcome="refused", reason=refused[name]) for name in sorted(others)),
        *report.notes,
    ]
    if results:
        await _keep(ingest, media, _at_once(results))


async def _keep(ingest: Ingest, media: MediaRow, results: AsyncIterator[Sequence[FileResult]]) -> int:
    encoding = Encoding()

    async def pieces() -> AsyncIterator[bytes]:
        async for some in results:
            for piece in await asyncio.to_thread(lambda some=some: list(encoding.add(some))):  # type: ignore[misc]
                yield piece
        for piece in encoding.end():
            yield piece

    await ingest.blobs.put_stream(results_key(media.id), pieces())
    for outcome in OUTCOMES:
        counting.files.labels(outcome).inc(encoding.count(outcome))
    return encoding.count("taken")


async def _results(ingest: Ingest, report: Report, found: Found) -> AsyncIterator[Sequence[FileResult]]:
    reasons = {skipped.name: skipped.reason for skipped in found.skipped}
    frames = Counter(found.pages)
    if not found.is_archive:
        for batch in found.batches:
            reasons |= {entry["name"]: entry["reason"] for entry in batch.result["skipped"]}
            frames += await _pages_of(ingest, batch)
    media_files = await asyncio.to_thread(
        lambda: sum(_is_frames(report, file, reasons) for file in report.files)
    )
    for start in range(0, len(report.files), _AT_ONCE):
        some = report.files[start : start + _AT_ONCE]
        usual = found.frames if media_files == 1 else 1
        yield [_of_ready(report, file, reasons, frames.get(file.name, usual)) for file in some]
    if report.notes:
        yield report.notes
    if found.is_archive:
        for batch in found.batches:
            yield await _members_of(ingest, batch)


def _is_frames(report: Report, file: GivenFile, reasons: Mapping[str, str]) -> bool:
    return file.name not in reasons and not is_manifest(file) and file.name != report.beside


def _of_ready(report: Report, file: GivenFile, reasons: Mapping[str, str], frames: int) -> FileResult:
    reason = reasons.get(file.name, "")
    count = frames if _is_frames(report, file, reasons) else 0
    return FileResult(
        name=file.name,
        outcome="skipped" if reason else "taken",
        reason=reason,
        frames=count,
        size_bytes=file.size_bytes,
        url=file.url,
    )


def _of_failed(file: GivenFile, refused: Mapping[str, str]) -> FileResult:
    reason = refused.get(file.name)
    return FileResult(
        name=file.name,
        outcome="skipped" if reason is None else "refused",
        reason=reason or file.trouble or ("the media failed" if file.family else "is no media"),
        size_bytes=file.size_bytes,
        url=file.url,
    )


def _refused(fault: errors.YardError) -> dict[str, str]:
    """Names of files, with what the fault says of them; fields of the request are no files."""
    named = {fault.metadata["file"]: fault.message} if "file" in fault.metadata else {}
    if isinstance(fault, errors.InvalidArgument):
        named |= {each.field: each.description for each in fault.violations}
    return {name: reason for name, reason in named.items() if not name.startswith("data.")}


async def _at_once(results: Sequence[FileResult]) -> AsyncIterator[Sequence[FileResult]]:
    yield results


async def _pages_of(ingest: Ingest, batch: Batch) -> Counter[str]:
    """Frames by file, of files that have not exactly one."""
    if batch.result["count"] == batch.result["files"] - len(batch.result["skipped"]):
        return Counter()
    members = await _members_of(ingest, batch)
    return Counter({member.name: member.frames for member in members if member.frames != 1})


async def _members_of(ingest: Ingest, batch: Batch) -> list[FileResult]:
    """The files of a batch: those that are taken, then those that are not."""
    block = await ingest.blobs.get(batch.block.key)
    taken = await asyncio.to_thread(lambda: list(_taken_in(block)))
    skipped = batch.result["skipped"]
    left = (FileResult(name=each["name"], outcome="skipped", reason=each["reason"]) for each in skipped)
    return [*taken, *left]


def _taken_in(block: bytes) -> Iterator[FileResult]:
    """Pages of one file follow each other and are one result."""
    name, size, pages = "", 0, 0
    for found, size_bytes, is_page in _frames_in(block):
        if is_page and pages and found == name:
            pages += 1
            continue
        if name:
            yield FileResult(name=name, frames=max(1, pages), size_bytes=size)
        name, size, pages = found, size_bytes, int(is_page)
    if name:
        yield FileResult(name=name, frames=max(1, pages), size_bytes=size)


def _frames_in(block: bytes) -> Iterable[tuple[str, int, bool]]:
    """Name of the file, its bytes, and whether the frame is a page of it."""
    frames = decode_columns(block)
    sizes, methods = (frames.columns[name].tolist() for name in ("size", "method"))
    for encoded, size, method in zip(frames.names, sizes, methods, strict=True):
        name = encoded.decode("utf-8", "replace")
        is_page = method in _PAGES
        yield (name.rpartition("/")[0] if is_page else name), size, is_page
