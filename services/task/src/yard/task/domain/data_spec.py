"""The data parameters of a task, checked before anybody is asked to carry them out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from uuid import UUID

from frameyard.media.v1 import media_pb2
from google.protobuf.message import Message
from yard.media import parameters
from yard.runtime.errors import Violation

MOST_URLS: Final = 10_000
LONGEST_URL: Final = 2_048
# Events travel through a broker that takes 1 MiB a message unless it is told otherwise.
LARGEST_BYTES: Final = 900_000


def violations(spec: media_pb2.DataSpec) -> Iterator[Violation]:
    """All that is wrong with it, as far as can be told without the media."""
    yield from _out_of_bounds(spec)
    if spec.HasField("stop_frame") and 0 <= spec.stop_frame < spec.start_frame:
        yield Violation(
            "data.stop_frame", f"must not be before the start {spec.start_frame}, got {spec.stop_frame}"
        )
    if spec.sorting not in media_pb2.SortingMethod.values():
        yield Violation("data.sorting", f"is no sorting method: {spec.sorting}")
    if spec.HasField("members") and not spec.members.list:
        yield Violation("data.members.list", "must name the file that lists them")
    if not spec.sources:
        yield Violation("data.sources", "must name at least one source")
    uploads: set[str] = set()
    for number, source in enumerate(spec.sources):
        yield from _source_violations(source, f"data.sources[{number}]", uploads)
    if spec.ByteSize() > LARGEST_BYTES:
        yield Violation("data", f"has {spec.ByteSize()} bytes, at most {LARGEST_BYTES} are possible")


def _out_of_bounds(spec: media_pb2.DataSpec) -> Iterator[Violation]:
    given = {name: getattr(spec, name) for name in parameters.NAMES if _has(spec, name)}
    for name, wrong in parameters.out_of_bounds(given):
        yield Violation(f"data.{name}", wrong)


def _has(spec: Message, name: str) -> bool:
    return spec.HasField(name)


def _source_violations(source: media_pb2.MediaSource, path: str, uploads: set[str]) -> Iterator[Violation]:
    origin = source.WhichOneof("origin")
    if origin == "upload":
        yield from _upload_violations(source.upload, f"{path}.upload.upload_id", uploads)
    elif origin == "share":
        yield from _share_violations(source.share, f"{path}.share")
    elif origin == "remote":
        yield from _remote_violations(source.remote, f"{path}.remote.urls")
    else:
        yield Violation(path, "must name an upload, a share or remote addresses")


def _upload_violations(source: media_pb2.UploadSource, path: str, uploads: set[str]) -> Iterator[Violation]:
    try:
        upload_id = str(UUID(source.upload_id))
    except ValueError:
        yield Violation(path, f"must be the id of an upload, got {source.upload_id[:64]!r}")
        return
    if upload_id in uploads:
        yield Violation(path, f"names upload {upload_id} more than once")
    uploads.add(upload_id)


def _share_violations(source: media_pb2.ShareSource, path: str) -> Iterator[Violation]:
    if not source.share:
        yield Violation(f"{path}.share", "must name a share")
    if not source.paths:
        yield Violation(f"{path}.paths", "must name at least one path")


def _remote_violations(source: media_pb2.RemoteSource, path: str) -> Iterator[Violation]:
    if not 1 <= len(source.urls) <= MOST_URLS:
        yield Violation(path, f"must be 1 to {MOST_URLS} URLs, got {len(source.urls)}")
    for index, url in enumerate(source.urls):
        if not 1 <= len(url) <= LONGEST_URL:
            yield Violation(f"{path}[{index}]", f"must have 1 to {LONGEST_URL} characters, got {len(url)}")
