"""The files in a zip: where their bytes lie and how they begin, in one pass of large sequential reads."""

import io
import stat
import struct
import zlib
from array import array
from collections.abc import Container, Iterator
from dataclasses import dataclass, field
from operator import attrgetter
from typing import BinaryIO, Literal

import numpy as np
from numpy.typing import NDArray
from yard.media.budget import ArchiveLimits, Budget, Skipped
from yard.media.byte_window import read_fully
from yard.media.errors import MediaError
from yard.media.member_names import BadNameError, label_of, shown
from yard.media.zip_directory import DirectoryPlace, Record, find_directory, read_directory

ZipMethod = Literal["stored", "deflated"]

DEFAULT_LIMITS = ArchiveLimits()

_LOCAL = struct.Struct("<4s5H3I2H")
_METHODS: dict[int, ZipMethod] = {0: "stored", 8: "deflated"}
_ENCRYPTED, _SIZES_FOLLOW, _PATCHED, _MASKED = 0x1, 0x8, 0x20, 0x2000
_UNIX_SYSTEMS = (3, 19)
_WINDOW, _SMALL, _GAP = 4 << 20, 64 << 10, 1 << 20
_ORDERED_BATCH, _SORTED_BATCH = 4096, 65_536
_PACKED_PIECE = 16 << 10
_CHECKED = _GAP
"""Stored members up to this length are read in passing, so that comparing their checksum costs no read."""


class _Ranges:
    """Reads that go onwards are large; those that jump are small."""

    def __init__(self, file: BinaryIO | io.RawIOBase, end: int) -> None:
        self._file = file
        self.end = end
        self._start = 0
        self._block = b""

    def at(self, offset: int, length: int) -> bytes:
        """These bytes, fewer at the end of the members."""
        last = self._start + len(self._block)
        if offset < self._start or offset + length > last:
            is_onward = self._block and self._start <= offset <= last + _GAP
            size = max(length, _WINDOW if is_onward else _SMALL)
            self._file.seek(offset)
            self._block = read_fully(self._file, max(0, min(size, self.end - offset)))
            self._start = offset
        begin = offset - self._start
        return self._block[begin : begin + length]


@dataclass(frozen=True, slots=True, kw_only=True)
class ZipEntry:
    """A file in a zip; `length` bytes at `offset` of the archive are its content as `method` says."""

    name: str
    offset: int
    length: int
    size: int
    """Bytes of the file itself, unpacked, as the archive says."""
    method: ZipMethod
    crc32: int
    _ranges: _Ranges = field(repr=False, compare=False)

    def head(self, size: int) -> bytes:
        """The first `size` bytes of the file, all of a shorter one; cheap until the next entry is asked for.

        MediaError if they do not unpack or are not as many as the archive says.
        """
        if self.method == "stored":
            return self._ranges.at(self.offset, min(size, self.size))
        try:
            return self._inflated(min(size, self.size + 1))
        except zlib.error as error:
            raise MediaError("invalid_media", f"does not unpack: {error}", self.name) from error

    def _inflated(self, size: int) -> bytes:
        unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
        head, done = b"", 0
        while len(head) < size and not unpacker.eof and done < self.length:
            packed = self._ranges.at(self.offset + done, min(_PACKED_PIECE, self.length - done))
            if not packed:
                break
            head += unpacker.decompress(packed, size - len(head))
            done += len(packed)
        if len(head) > self.size or len(head) < min(size, self.size):
            raise MediaError(
                "invalid_media",
                f"unpacks to other than the {self.size} bytes that the archive says",
                self.name,
            )
        return head


def read_zip(
    file: BinaryIO | io.RawIOBase,
    limits: ArchiveLimits = DEFAULT_LIMITS,
    *,
    passed: int = 0,
    wanted: Container[str] | None = None,
) -> Iterator[ZipEntry | Skipped]:
    """The files in the order of their bytes, at least within each 65,536, and what is left out.

    Folders are passed over, members that are not `wanted` too, and so are the first `passed` results of what
    is left, of which nothing is read again.
    MediaError, before anything is yielded, for an archive that is damaged, whose members overlap, or that
    goes beyond a limit. Stored members of up to 1 MiB whose content does not have its checksum are left out;
    of others it is not compared. The memory needed grows by some 60 bytes a member.
    """
    place = find_directory(file)
    survey = _survey(file, place, limits)
    ranges = _Ranges(file, place.offset)
    batch_size = _ORDERED_BATCH if survey.is_ordered else _SORTED_BATCH
    offered = _offered(file, place, survey, limits)
    if wanted is not None:
        offered = (found for found in offered if _name(found) in wanted)
    for found in _in_batches(offered, batch_size):
        if isinstance(found, Skipped):
            if not passed:
                yield found
            passed = max(0, passed - 1)
        else:
            yield from _located(found, ranges, passed)
            passed = max(0, passed - len(found))


@dataclass(frozen=True, slots=True)
class _Found:
    label: str
    record: Record


@dataclass(frozen=True, slots=True)
class _Survey:
    """What only the whole directory tells."""

    is_ordered: bool
    is_repeated: NDArray[np.bool_]


def _survey(file: BinaryIO | io.RawIOBase, place: DirectoryPlace, limits: ArchiveLimits) -> _Survey:
    budget = Budget(limits)
    starts, ends, names = array("q"), array("q"), array("q")
    packed = 0
    for record in read_directory(file, place):
        budget.count_member()
        end = record.offset + _LOCAL.size + len(record.raw_name) + record.packed
        if end > place.offset:
            raise MediaError("invalid_media", f"is a zip in which {shown(record.name)!r} lies beyond the end")
        packed += record.packed
        budget.count_bytes(record.size, packed)
        starts.append(record.offset)
        ends.append(end)
        label = _label(record, limits)
        names.append(hash(label) if isinstance(label, str) else ~len(names))
    return _Survey(_check_overlaps(starts, ends), _repeated(names))


def _offered(
    file: BinaryIO | io.RawIOBase, place: DirectoryPlace, survey: _Survey, limits: ArchiveLimits
) -> Iterator[_Found | Skipped]:
    for number, record in enumerate(read_directory(file, place)):
        found = _label(record, limits)
        if isinstance(found, Skipped):
            yield found
        elif found is not None and survey.is_repeated[number]:
            yield Skipped(found, "its name is that of a member before")
        elif found is not None:
            yield _Found(found, record)


def _name(found: _Found | Skipped) -> str:
    return found.label if isinstance(found, _Found) else found.name


def _in_batches(offered: Iterator[_Found | Skipped], size: int) -> Iterator[Skipped | list[_Found]]:
    """What is left out at once, the others by so many."""
    batch: list[_Found] = []
    for found in offered:
        if isinstance(found, Skipped):
            yield found
        else:
            batch.append(found)
        if len(batch) == size:
            yield batch
            batch = []
    yield batch


def _check_overlaps(starts: "array[int]", ends: "array[int]") -> bool:
    """Whether members lie in the order of the directory; overlapping ones are refused, whoever made them."""
    offsets, limits = np.frombuffer(starts, "i8"), np.frombuffer(ends, "i8")
    is_ordered = bool(np.all(offsets[1:] >= offsets[:-1]))
    if not is_ordered:
        order = np.argsort(offsets, kind="stable")
        offsets, limits = offsets[order], limits[order]
    if np.any(limits[:-1] > offsets[1:]):
        raise MediaError("invalid_media", "is a zip whose members overlap")
    return is_ordered


def _repeated(names: "array[int]") -> NDArray[np.bool_]:
    hashes = np.frombuffer(names, "i8")
    repeated = np.ones(len(hashes), dtype=np.bool_)
    repeated[np.unique(hashes, return_index=True)[1]] = False
    return repeated


def _label(record: Record, limits: ArchiveLimits) -> str | Skipped | None:
    """The name of a file; why it is left out; or None for a folder."""
    mode = record.attributes >> 16 if record.system in _UNIX_SYSTEMS else 0
    if record.name.endswith("/") or stat.S_ISDIR(mode):
        return None
    try:
        label = label_of(record.name)
    except BadNameError as fault:
        return Skipped(shown(record.name), str(fault))
    reason = _fault(record, mode, limits)
    return label if reason is None else Skipped(label, reason)


def _fault(record: Record, mode: int, limits: ArchiveLimits) -> str | None:
    if stat.S_IFMT(mode) and not stat.S_ISREG(mode):
        return "is a link or a device"
    if record.flags & (_ENCRYPTED | _MASKED):
        return "is encrypted"
    if record.method not in _METHODS or record.flags & _PATCHED:
        return f"is packed by method {record.method}; stored and deflated are read"
    if record.method == 0 and record.packed != record.size:
        return f"is stored, but has {record.packed} bytes in the archive and claims {record.size}"
    if record.size > limits.member_bytes:
        return f"has {record.size} bytes, more than {limits.member_bytes}"
    return None


_DAMAGED = "is damaged: its content has the checksum {:08x}, the directory says {:08x}"

_offset_of = attrgetter("record.offset")


def _located(batch: list[_Found], ranges: _Ranges, passed: int) -> Iterator[ZipEntry | Skipped]:
    """Confirms each member by its local header, which alone knows where the bytes begin."""
    last_end = 0
    for found in sorted(batch, key=_offset_of)[passed:]:
        entry = _entry(found, ranges, last_end)
        if isinstance(entry, ZipEntry):
            last_end = entry.offset + entry.length
        yield entry


def _entry(found: _Found, ranges: _Ranges, last_end: int) -> ZipEntry | Skipped:
    record = found.record
    header = ranges.at(record.offset, _LOCAL.size + len(record.raw_name))
    if len(header) < _LOCAL.size or header[:4] != b"PK\x03\x04":
        return Skipped(found.label, "has no local header where the directory says")
    _, _, flags, method, _, _, _, packed, size, name_size, extra_size = _LOCAL.unpack_from(header)
    offset = record.offset + _LOCAL.size + name_size + extra_size
    sizes_known = not flags & _SIZES_FOLLOW and 0xFFFFFFFF not in (packed, size)
    if header[_LOCAL.size :] != record.raw_name or method != record.method:
        return Skipped(found.label, "has a local header of another file")
    if sizes_known and (packed, size) != (record.packed, record.size):
        return Skipped(found.label, "has other sizes in its local header than in the directory")
    if record.offset < last_end or offset + record.packed > ranges.end:
        return Skipped(found.label, "overlaps another member")
    if record.method == 0 and record.packed <= _CHECKED:
        checksum = zlib.crc32(ranges.at(offset, record.packed))
        if checksum != record.crc32:
            return Skipped(found.label, _DAMAGED.format(checksum, record.crc32))
    return ZipEntry(
        name=found.label,
        offset=offset,
        length=record.packed,
        size=record.size,
        method=_METHODS[record.method],
        crc32=record.crc32,
        _ranges=ranges,
    )
