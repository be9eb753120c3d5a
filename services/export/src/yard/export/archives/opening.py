"""Opens what was uploaded: a zip, looked through before anything is unpacked, or a bare file.

Nothing is written anywhere: names of members are labels, and those that lead out of the archive are refused.
"""

import io
import stat
from array import array
from collections.abc import Iterator
from typing import BinaryIO, Final

import numpy as np
from yard.export.archives.opened import Entry, Opened
from yard.export.archives.refusals import refused
from yard.export.archives.unzipping import Member, unpacked
from yard.export.wording.hashes import HashIndex
from yard.media.budget import ArchiveLimits, Budget, is_expanding
from yard.media.errors import MediaError
from yard.media.member_names import BadNameError, label_of, shown
from yard.media.zip_directory import Record, find_directory, read_directory

_LOCAL_HEADER: Final = 30
_MOST_32: Final = 0xFFFF_FFFF
_METHODS: Final = {0: "stored", 8: "deflated"}
_ENCRYPTED, _PATCHED, _MASKED = 0x1, 0x20, 0x2000
_UNIX_SYSTEMS: Final = (3, 19)
_ZIPS: Final = (b"PK\x03\x04", b"PK\x05\x06")
# What desktops put into archives, beside the folder that holds everything.
_CLUTTER: Final = ("__MACOSX/", ".DS_Store", "Thumbs.db", "desktop.ini")


def open_upload(file: BinaryIO, name: str, limits: ArchiveLimits) -> Opened:
    """RefusedError for an archive that is damaged, hostile or beyond the limits."""
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    if file.read(4) in _ZIPS:
        try:
            return Zip(file, name, limits)
        except MediaError as fault:
            raise refused(name, fault.message) from fault
    if name.lower().endswith(".zip"):
        raise refused(name, "is not a zip")
    if size > limits.member_bytes:
        raise refused(name, f"has {size} bytes, at most {limits.member_bytes} are read")
    return Bare(file, Entry(name, size))


class Bare:
    """A file that is no archive."""

    def __init__(self, file: BinaryIO, entry: Entry) -> None:
        self.name = entry.name
        self.count = 1
        self._file = file
        self._entry = entry

    def entries(self) -> Iterator[Entry]:
        """Itself."""
        yield self._entry

    def find(self, name: str) -> Entry | None:
        """Itself, if that is its name."""
        return self._entry if name == self._entry.name else None

    def open(self, entry: Entry) -> BinaryIO:
        """From the front; one at a time."""
        self._file.seek(0)
        return io.BufferedReader(_Unclosed(self._file))


class Zip:
    """Some 40 bytes a member are held; all else is read from the directory again when it is asked for."""

    def __init__(self, file: BinaryIO, name: str, limits: ArchiveLimits) -> None:
        self.name = name
        self.count = 0
        self._file = file
        self._limits = limits
        self._place = find_directory(file)
        self._index = HashIndex()
        self._facts = _Facts()
        self._outermost: str | None = None
        self._latest: tuple[Entry | None, int] = None, -1
        self._survey()

    def entries(self) -> Iterator[Entry]:
        """All files, those that cannot be opened too."""
        number = 0
        for record in read_directory(self._file, self._place):
            if not _is_folder(record):
                entry = Entry(label_of(record.name), record.size)
                # Most are opened right away, and need not be looked up by their names.
                self._latest = entry, number
                number += 1
                yield entry

    def find(self, name: str) -> Entry | None:
        """As it is, or below the folder that holds everything."""
        folder = self._outermost or ""
        while True:
            entry = self._entry(folder + name)
            if entry is not None or not folder:
                return entry or self._entry(name)
            folder = folder[: folder.rstrip("/").rfind("/") + 1]

    def open(self, entry: Entry) -> BinaryIO:
        """The content of a member."""
        member, flags = self._facts.member(self._number(entry), entry.name)
        if reason := _unreadable(member, flags, self._limits):
            raise refused(entry.name, reason)
        return unpacked(self._file, member)

    def stored(self, entry: Entry) -> tuple[int, int]:
        """Where a member's header stands, and the length of the name in it; RefusedError if it is packed.

        Behind the header lie the bytes of the member as they are.
        """
        member, flags = self._facts.member(self._number(entry), entry.name)
        if reason := _unreadable(member, flags, self._limits):
            raise refused(entry.name, reason)
        if member.method:
            raise refused(entry.name, f"is {_METHODS[member.method]}, but must be stored")
        return member.offset, member.raw_length

    def _number(self, entry: Entry) -> int:
        latest, number = self._latest
        if entry is latest:
            return number
        found = self._index.find(entry.name)
        if not found:
            raise refused(entry.name, "is not in the archive")
        return found[0]

    def _entry(self, name: str) -> Entry | None:
        found = self._index.find(name)
        return Entry(name, self._facts.member(found[0], name)[0].size) if found else None

    def _survey(self) -> None:
        budget = Budget(self._limits)
        packed = reached = 0
        is_in_order = True
        for record in read_directory(self._file, self._place):
            budget.count_member()
            if _is_folder(record):
                continue
            packed += record.packed
            budget.count_bytes(record.size, packed)
            label = self._label(record)
            end = record.offset + _LOCAL_HEADER + len(record.raw_name) + record.packed
            if end > self._place.offset:
                raise refused(label, "lies beyond the end of the zip")
            self._index.add(label, self.count)
            self._facts.add(record)
            self._narrow(label)
            self.count += 1
            is_in_order, reached = is_in_order and record.offset >= reached, end
        self._check_whole(is_in_order=is_in_order)

    def _label(self, record: Record) -> str:
        try:
            label = label_of(record.name)
        except BadNameError as fault:
            raise refused(shown(record.name), str(fault)) from fault
        mode = record.attributes >> 16 if record.system in _UNIX_SYSTEMS else 0
        if stat.S_IFMT(mode) and not stat.S_ISREG(mode):
            raise refused(label, "is a link or a device")
        return label

    def _narrow(self, label: str) -> None:
        """Keeps the folder that holds all files so far."""
        if label.startswith(_CLUTTER[0]) or label.rpartition("/")[2] in _CLUTTER:
            return
        folder = label[: label.rfind("/") + 1]
        if self._outermost is None:
            self._outermost = folder
        while not folder.startswith(self._outermost):
            self._outermost = self._outermost[: self._outermost.rstrip("/").rfind("/") + 1]

    def _check_whole(self, *, is_in_order: bool) -> None:
        if not is_in_order and self._facts.overlap():
            raise refused(self.name, "is a zip whose members overlap")
        if (again := self._index.repeated()) >= 0:
            labels = (entry.name for number, entry in enumerate(self.entries()) if number == again)
            raise refused(next(labels, self.name), "is in the zip more than once")


class _Facts:
    """What the directory says of each member but its name: 26 bytes, some more if any has 4 GiB."""

    def __init__(self) -> None:
        # Of each its offset; packed and unpacked length and checksum; length of the name, method and flags.
        self._offsets, self._sizes, self._rest = array("q"), array("I"), array("H")

    def add(self, record: Record) -> None:
        """The next member."""
        if max(record.packed, record.size) > _MOST_32 and self._sizes.typecode == "I":
            self._sizes = array("q", self._sizes)
        self._offsets.append(record.offset)
        self._sizes.extend((record.packed, record.size, record.crc32))
        self._rest.extend((len(record.raw_name), record.method, record.flags))

    def member(self, number: int, name: str) -> tuple[Member, int]:
        """A member, and its flags."""
        packed, size, checksum = self._sizes[3 * number : 3 * number + 3]
        raw_length, method, flags = self._rest[3 * number : 3 * number + 3]
        return Member(name, self._offsets[number], raw_length, packed, size, checksum, method), flags

    def overlap(self) -> bool:
        """Whether any two have bytes in common."""
        begins = np.frombuffer(self._offsets, np.int64)
        packed = np.frombuffer(self._sizes, self._sizes.typecode).reshape(-1, 3)[:, 0]
        name_sizes = np.frombuffer(self._rest, np.uint16).reshape(-1, 3)[:, 0]
        ends = begins + _LOCAL_HEADER + name_sizes + packed.astype(np.int64)
        order = np.argsort(begins, kind="stable")
        return bool(np.any(ends[order][:-1] > begins[order][1:]))


class _Unclosed(io.RawIOBase):
    """Another file from where it stands; closing leaves that one open."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__()
        self._file = file

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]
        """What the other gives."""
        view = memoryview(buffer).cast("B")
        content = self._file.read(view.nbytes)
        view[: len(content)] = content
        return len(content)


def _is_folder(record: Record) -> bool:
    mode = record.attributes >> 16 if record.system in _UNIX_SYSTEMS else 0
    return record.name.endswith("/") or stat.S_ISDIR(mode)


def _unreadable(member: Member, flags: int, limits: ArchiveLimits) -> str | None:
    if flags & (_ENCRYPTED | _MASKED):
        return "is encrypted"
    if member.method not in _METHODS or flags & _PATCHED:
        return f"is packed by method {member.method}; stored and deflated are read"
    if member.method == 0 and member.packed != member.size:
        return f"is stored, but has {member.packed} bytes in the zip and claims {member.size}"
    if member.size > limits.member_bytes:
        return f"has {member.size} bytes, at most {limits.member_bytes} are read"
    if is_expanding(member.size, member.packed, limits):
        return f"expands {member.packed} bytes to more than {limits.expansion} times as many"
    return None
