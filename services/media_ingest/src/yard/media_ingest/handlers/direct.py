"""Files whose parts a client sends to the store itself: we give addresses, check what came, and join it."""

import asyncio
import hashlib
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta

from frameyard.media.v1 import upload_service_pb2 as messages
from yard.media.sniff import HEAD_BYTES, sniff
from yard.media_ingest.domain.uploads import (
    MOST_ADDRESSES,
    MOST_VIOLATIONS,
    part_bytes,
    part_count,
    part_length,
)
from yard.media_ingest.handlers.context import Ingest, id_of
from yard.media_ingest.handlers.counting import received_by_store
from yard.media_ingest.handlers.own_uploads import closed, file_of
from yard.media_ingest.handlers.receiver import new_key, replaced
from yard.media_ingest.handlers.receiving import to_proto
from yard.media_ingest.handlers.storing import begin, to_the_end
from yard.media_ingest.store import direct as store
from yard.media_ingest.store.receiving import ReceivedFile
from yard.runtime import clock, errors
from yard.runtime.blobs import PartAddresses, StoredPart
from yard.runtime.errors import Violation, refuse

ADDRESS_TTL_S = 3600

# By number; of a part that was sent again some stores list each try.
Stored = dict[int, list[StoredPart]]


async def presign_parts(
    ingest: Ingest, request: messages.PresignPartsRequest
) -> messages.PresignPartsResponse:
    """Addresses for parts of a file, and which are stored; the first call begins its multipart upload."""
    addresses = _addresses(ingest)
    file = await _file(ingest, request.upload_id, request.file_number)
    if file.is_complete:
        raise errors.FailedPrecondition(f"{file.name} is complete", reason="UPLOAD_COMPLETE")
    if file.size_unknown:
        raise errors.FailedPrecondition(
            f"{file.name} has a length that its end tells: send it with UploadFile",
            reason="UPLOAD_LENGTH_UNKNOWN",
            metadata={"file": file.name},
        )
    numbers = _asked(request, part_count(file.size_bytes))
    key, multipart_id = await to_the_end(_multipart(ingest, file))
    await store.prolong(ingest.db, file.upload_id, ingest.expiry())
    answer = messages.PresignPartsResponse(
        stored=await _stored(ingest, file, numbers) if file.is_direct else (),
        part_size_bytes=part_bytes(file.size_bytes),
        urls=[addresses.put(key, multipart_id, number, ADDRESS_TTL_S) for number in numbers],
    )
    answer.expire_time.FromDatetime(clock.now() + timedelta(seconds=ADDRESS_TTL_S))
    return answer


async def _stored(ingest: Ingest, file: ReceivedFile, numbers: range) -> list[messages.StoredPart]:
    """Those of the parts that have arrived, the last try of each that is of the right length."""
    assert file.blob_key is not None
    assert file.multipart_id is not None
    found: dict[int, messages.StoredPart] = {}
    parts = ingest.blobs.in_parts(file.blob_key)
    with suppress(errors.NotFound):  # joined or cleaned up since: CompleteParts tells which
        async for part in parts.stored(file.multipart_id, after=numbers[0] - 1, page=len(numbers)):
            if part.number > numbers[-1]:
                break
            if part.size_bytes == part_length(file.size_bytes, part.number):
                found[part.number] = messages.StoredPart(
                    number=part.number, etag=part.tag, size_bytes=part.size_bytes
                )
    return [*found.values()]


async def complete_parts(
    ingest: Ingest, request: messages.CompletePartsRequest
) -> messages.CompletePartsResponse:
    """The file of these parts; InvalidArgument names each part that the store has not got like that."""
    file = await _file(ingest, request.upload_id, request.file_number)
    if not file.is_complete:
        if not file.is_direct:
            raise errors.FailedPrecondition(
                f"{file.name}: no addresses were given for its parts", reason="UPLOAD_NOT_DIRECT"
            )
        _check_named(file, request.parts)
        await _joined(ingest, file, request.parts)
        file = await _file(ingest, request.upload_id, request.file_number)
    return messages.CompletePartsResponse(file=to_proto(file))


_joining: dict[str, asyncio.Task[None]] = {}


async def _joined(ingest: Ingest, file: ReceivedFile, named: Sequence[messages.StoredPart]) -> None:
    """A call that is repeated while the first one still reads a long file waits for that one."""
    key = file.blob_key or ""
    if key not in _joining:
        _joining[key] = begin(_complete(ingest, file, named))
        _joining[key].add_done_callback(lambda _: _joining.pop(key))
    await asyncio.shield(_joining[key])


def _addresses(ingest: Ingest) -> PartAddresses:
    if ingest.addresses is None:
        raise errors.FailedPrecondition(
            "the store is not reached from outside: send files with UploadFile", reason="UPLOAD_DIRECT_OFF"
        )
    return ingest.addresses


async def _file(ingest: Ingest, upload: str, number: int) -> ReceivedFile:
    upload_id = id_of("upload", upload)
    file, state = await file_of(ingest, upload_id, number)
    if state != "OPEN" and not file.is_complete:
        raise closed()
    return file


def _asked(request: messages.PresignPartsRequest, count: int) -> range:
    violations = []
    if not 1 <= request.first_part <= count:
        violations.append(Violation("first_part", f"must be 1 to {count}, got {request.first_part}"))
    if not 1 <= request.part_count <= MOST_ADDRESSES:
        violations.append(Violation("part_count", f"must be 1 to {MOST_ADDRESSES}, got {request.part_count}"))
    refuse(violations)
    return range(request.first_part, min(count, request.first_part + request.part_count - 1) + 1)


async def _multipart(ingest: Ingest, file: ReceivedFile) -> tuple[str, str]:
    """Key and id of the file's multipart upload, which outlives us and the client."""
    if file.is_direct and file.blob_key is not None and file.multipart_id is not None:
        return file.blob_key, file.multipart_id
    if file.received_bytes or file.multipart_id is not None:
        raise errors.FailedPrecondition(
            f"{file.name} has begun to arrive with UploadFile: go on with it",
            reason="UPLOAD_BEGUN",
            metadata={"file": file.name},
        )
    key = new_key(file)
    parts = ingest.blobs.in_parts(key)
    multipart_id = await parts.begin()
    if await store.begin(ingest.db, file, key, multipart_id):
        return key, multipart_id
    await parts.abort(multipart_id)
    found = await _file(ingest, str(file.upload_id), file.number)
    if found.is_direct and found.blob_key is not None and found.multipart_id is not None:
        return found.blob_key, found.multipart_id
    raise replaced(file)


def _check_named(file: ReceivedFile, named: Sequence[messages.StoredPart]) -> None:
    if len(named) != (count := part_count(file.size_bytes)):
        raise errors.invalid("parts", f"must be all {count} parts of {file.name}, got {len(named)}")
    violations = []
    for position, part in enumerate(named):
        if part.number != position + 1:
            violations.append(
                Violation(f"parts[{position}].number", f"must be {position + 1}, got {part.number}")
            )
        if not part.etag:
            violations.append(Violation(f"parts[{position}].etag", "must be what the store has answered"))
    refuse(violations[:MOST_VIOLATIONS])


async def _complete(ingest: Ingest, file: ReceivedFile, named: Sequence[messages.StoredPart]) -> None:
    assert file.blob_key is not None
    assert file.multipart_id is not None
    parts = ingest.blobs.in_parts(file.blob_key)
    try:
        stored: Stored = {}
        async for part in parts.stored(file.multipart_id):
            stored.setdefault(part.number, []).append(part)
        _check_stored(file, named, stored)
        await parts.complete(file.multipart_id, [(part.number, _tag(part)) for part in named])
    except errors.NotFound:  # joined already, by a call that nobody has heard the end of; or cleaned up
        if not await ingest.blobs.exists(file.blob_key):
            await _start_again(ingest, file)
            raise errors.Conflict(f"{file.name}: the stored parts are gone, it starts again") from None
    await _check_object(ingest, file)
    sha256 = await _checked_digest(ingest, file) if file.declared_sha256 else ""
    kind = sniff(await ingest.blobs.get(file.blob_key, length=HEAD_BYTES))
    names = (kind.family, kind.name) if kind else ("", "")
    if await store.complete(ingest.db, file, sha256, names, ingest.expiry()):
        received_by_store.inc(file.size_bytes)
        return
    found = await _file(ingest, str(file.upload_id), file.number)
    if not found.is_complete:
        raise replaced(file)


def _check_stored(file: ReceivedFile, named: Sequence[messages.StoredPart], stored: Stored) -> None:
    violations = []
    for position, part in enumerate(named):
        fault = _fault(file, part, stored.get(part.number, []))
        if fault is not None:
            violations.append(Violation(f"parts[{position}]", f"{file.name}, part {part.number}: {fault}"))
    refuse(violations[:MOST_VIOLATIONS])


def _fault(file: ReceivedFile, named: messages.StoredPart, tries: list[StoredPart]) -> str | None:
    if not tries:
        return "has not arrived at the store"
    stored = next((each for each in tries if each.tag == _tag(named)), tries[-1])
    if stored.size_bytes != (expected := part_length(file.size_bytes, named.number)):
        return f"expected {expected} bytes, the store has {stored.size_bytes}"
    if stored.tag != _tag(named):
        return f"expected ETag {named.etag[:80]}, the store has {stored.tag}"
    return None


def _tag(part: messages.StoredPart) -> str:
    return part.etag.strip('"')


async def _check_object(ingest: Ingest, file: ReceivedFile) -> None:
    assert file.blob_key is not None
    found = await ingest.blobs.stat(file.blob_key)
    if found.size != file.size_bytes:
        await _start_again(ingest, file)
        raise errors.DataLoss(
            f"{file.name}: joined parts have {found.size} of {file.size_bytes} bytes, it starts again"
        )


async def _checked_digest(ingest: Ingest, file: ReceivedFile) -> str:
    """Reads the object once, for nobody here has seen its bytes."""
    assert file.blob_key is not None
    digest = hashlib.sha256()
    async for chunk in ingest.blobs.stream(file.blob_key):
        await asyncio.to_thread(digest.update, chunk)
    if digest.hexdigest() != file.declared_sha256:
        await _start_again(ingest, file)
        description = f"{file.name}: expected {file.declared_sha256}, got {digest.hexdigest()}"
        raise errors.invalid(f"files[{file.number}].sha256", description)
    return digest.hexdigest()


async def _start_again(ingest: Ingest, file: ReceivedFile) -> None:
    assert file.blob_key is not None
    if await store.start_again(ingest.db, file):
        with suppress(errors.NotFound):
            await ingest.blobs.delete(file.blob_key)
