"""File shares that the operator has connected, to look at."""

from frameyard.media.v1 import share_service_pb2 as messages
from yard.media_ingest.handlers.context import Ingest
from yard.runtime import errors, paging
from yard.runtime.shares import Entry, Wanted

PAGE = 100
LARGEST_PAGE = 1_000
MOST_SUFFIXES = 100


async def list_shares(ingest: Ingest) -> messages.ListSharesResponse:
    """All shares by name."""
    return messages.ListSharesResponse(shares=[messages.Share(name=name) for name in ingest.shares.names])


async def list_entries(
    ingest: Ingest, request: messages.ListShareEntriesRequest
) -> messages.ListShareEntriesResponse:
    """One page of one directory; lengths and suffixes select among files, and leave directories in place."""
    limit = paging.size(request.page_size, default=PAGE, largest=LARGEST_PAGE)
    key = _after(request)
    wanted = _wanted(request)
    share = ingest.shares.named(request.share)
    page = await share.page(request.directory, wanted, key, limit)
    token = paging.encode(list(page.rest), request) if page.rest is not None else ""
    return messages.ListShareEntriesResponse(entries=map(_to_proto, page.entries), next_page_token=token)


def _after(request: messages.ListShareEntriesRequest) -> tuple[int, str] | None:
    match paging.decode(request.page_token, request):
        case None:
            return None
        case [bool() | float(), _]:
            raise paging.foreign_token()
        case [int(part), str(name)] if part in (0, 1):
            return part, name
        case _:
            raise paging.foreign_token()


def _wanted(request: messages.ListShareEntriesRequest) -> Wanted:
    violations = _violations(request)
    errors.refuse(violations)
    return Wanted(
        name_prefix=request.name_prefix,
        directories=request.kind != messages.SHARE_ENTRY_KIND_FILE,
        files=request.kind != messages.SHARE_ENTRY_KIND_DIRECTORY,
        suffixes=tuple(suffix.lower() for suffix in request.suffixes),
        least_bytes=request.min_size_bytes if request.HasField("min_size_bytes") else None,
        most_bytes=request.max_size_bytes if request.HasField("max_size_bytes") else None,
    )


def _violations(request: messages.ListShareEntriesRequest) -> list[errors.Violation]:
    violations = []
    if request.kind not in messages.ShareEntryKind.values():
        violations.append(errors.Violation("kind", f"is no kind of an entry: {request.kind}"))
    if len(request.suffixes) > MOST_SUFFIXES:
        violations.append(errors.Violation("suffixes", f"must be at most {MOST_SUFFIXES}"))
    violations += [
        errors.Violation(f"suffixes[{number}]", "must not be empty")
        for number, suffix in enumerate(request.suffixes)
        if not suffix
    ]
    for field in ("min_size_bytes", "max_size_bytes"):
        if (value := getattr(request, field)) < 0:
            violations.append(errors.Violation(field, f"must be 0 or more, got {value}"))
    return violations


def _to_proto(entry: Entry) -> messages.ShareEntry:
    kind = messages.SHARE_ENTRY_KIND_DIRECTORY if entry.is_directory else messages.SHARE_ENTRY_KIND_FILE
    message = messages.ShareEntry(path=entry.path, kind=kind, size_bytes=entry.size_bytes)
    if entry.modified_ns:
        message.modify_time.FromNanoseconds(entry.modified_ns)
    return message
