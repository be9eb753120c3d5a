"""A zip that is written from front to back, a block at a time, with the same bytes for the same content."""

import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

BLOCK_BYTES = 262_144
# Level 1 makes annotations 2 to 8 times smaller; higher levels take twice the time for a few percent.
LEVEL = 1
# The oldest time that a zip can tell: the real one would make equal content differ.
NO_TIME = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One file of an archive; media is stored as it is because it is compressed already."""

    name: str
    content: Iterable[bytes]
    is_media: bool = False


class _Sink:
    """Takes what zipfile writes and cannot seek, so that sizes go behind each file's data."""

    def __init__(self) -> None:
        self._held = bytearray()

    def write(self, data: bytes) -> int:
        self._held += data
        return len(data)

    def flush(self) -> None:
        """Nothing waits elsewhere."""

    def taken(self, *, least: int = BLOCK_BYTES) -> Iterator[bytes]:
        if len(self._held) >= max(1, least):
            yield bytes(self._held)
            self._held.clear()


def zipped(members: Iterable[Member]) -> Iterator[bytes]:
    """The bytes of the zip in blocks of about 256 KiB."""
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", strict_timestamps=True) as archive:  # type: ignore[call-overload]
        for member in members:
            entry = zipfile.ZipInfo(safe_path(member.name), NO_TIME)
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_STORED if member.is_media else zipfile.ZIP_DEFLATED
            entry._compresslevel = LEVEL  # type: ignore[attr-defined]  # noqa: SLF001 - public only from 3.13 on
            with archive.open(entry, "w", force_zip64=not member.is_media) as file:
                for block in member.content:
                    file.write(block)
                    yield from sink.taken()
    yield from sink.taken(least=1)


def safe_path(name: str) -> str:
    """The path inside the archive, without what would lead out of the folder it is unpacked to."""
    parts = [part for part in PurePosixPath(name.replace("\\", "/")).parts if part not in ("/", "..")]
    return "/".join(parts)
