"""What an upload may hold, and how its bytes are cut into parts."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from frameyard.media.v1.upload_service_pb2 import CreateUploadRequest, NewUploadFile
from yard.runtime.errors import Violation, refuse

MIB = 1024 * 1024
PART_BYTES = 8 * MIB
LEAST_PART_BYTES = 5 * MIB  # of S3, for all parts but the last
PIECE_BYTES = 4 * MIB
PACK_BYTES = 64 * MIB
LARGEST_PACKED_BYTES = 16 * MIB
MOST_PACKED_FILES = 10_000
MOST_ADDRESSES = 100
MOST_VIOLATIONS = 100
MOST_NEW_FILES = 100_000
MOST_FILES = 1_000_000
LONGEST_NAME = 1024
LONGEST_SLOT = 200
SHA256_OF_NOTHING = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

_MOST_PARTS = 9_000  # of the 10,000 that S3 allows: parts of replaced streams use up numbers too
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFile:
    """A file that will be sent; `sha256` is lower-case hex or empty, `size_bytes` 0 if its end tells it."""

    number: int
    name: str
    size_bytes: int
    sha256: str
    size_unknown: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether it is complete without a byte."""
        return self.size_bytes == 0 and not self.size_unknown


def part_bytes(size_bytes: int) -> int:
    """Length of all parts of a file but the last: 8 MiB, more if there were too many of them."""
    needed = -(-size_bytes // _MOST_PARTS)
    return max(PART_BYTES, -(-needed // MIB) * MIB)


def may_be_part(length: int, number: int, left_bytes: int, size_bytes: int) -> bool:
    """Whether the end of a stream may be the part of this number, with so much of the file to come behind it.

    Many short parts must not use up the numbers that the rest needs.
    """
    is_room = number + -(-left_bytes // part_bytes(size_bytes)) <= _MOST_PARTS
    return length >= LEAST_PART_BYTES and is_room


def part_count(size_bytes: int) -> int:
    """Parts of a file that is sent in parts of equal length."""
    return -(-size_bytes // part_bytes(size_bytes))


def part_length(size_bytes: int, number: int) -> int:
    """Length of one of these parts, by its number from 1: the last one has the rest."""
    length = part_bytes(size_bytes)
    return min(length, size_bytes - (number - 1) * length)


def parse_upload(request: CreateUploadRequest, largest: int) -> tuple[NewFile, ...]:
    """The files of a new upload, maybe none in a slot; InvalidArgument with the first 100 violations."""
    least = 0 if request.slot else 1
    _refuse([*_faults_of_slot(request.slot), *_faults_of_files(request.files, largest, least)])
    return _parsed(request.files)


def parse_files(files: Sequence[NewUploadFile], largest: int) -> tuple[NewFile, ...]:
    """Files for an upload; InvalidArgument with the first 100 violations."""
    _refuse(_faults_of_files(files, largest, 1))
    return _parsed(files)


def _refuse(violations: Sequence[Violation]) -> None:
    refuse(violations[:MOST_VIOLATIONS])


def _parsed(files: Sequence[NewUploadFile]) -> tuple[NewFile, ...]:
    return tuple(
        NewFile(
            number=number,
            name=file.name,
            size_bytes=file.size_bytes,
            sha256=file.sha256.lower(),
            size_unknown=file.size_unknown,
        )
        for number, file in enumerate(files)
    )


def _faults_of_slot(slot: str) -> Iterable[Violation]:
    if len(slot) > LONGEST_SLOT:
        yield Violation("slot", f"must have at most {LONGEST_SLOT} characters, got {len(slot)}")
    if _has_controls(slot):
        yield Violation("slot", "must not have control characters")


def _faults_of_files(files: Sequence[NewUploadFile], largest: int, least: int) -> list[Violation]:
    if not least <= len(files) <= MOST_NEW_FILES:
        return [Violation("files", f"must be {least} to {MOST_NEW_FILES} files, got {len(files)}")]
    violations = [*_repeated_names(files)]
    for number, file in enumerate(files):
        violations += _violations(f"files[{number}]", file, largest)
        if len(violations) >= MOST_VIOLATIONS:
            break
    return violations


def _violations(field: str, file: NewUploadFile, largest: int) -> Iterable[Violation]:
    if (fault := fault_of_name(file.name)) is not None:
        yield Violation(f"{field}.name", fault)
    if file.size_unknown and file.size_bytes:
        yield Violation(f"{field}.size_bytes", f"must be 0 if it is unknown, got {file.size_bytes}")
    elif not 0 <= file.size_bytes <= largest:
        yield Violation(f"{field}.size_bytes", f"must be 0 to {largest}, got {file.size_bytes}")
    if file.sha256 and not _SHA256.fullmatch(file.sha256):
        yield Violation(f"{field}.sha256", "must be 64 hexadecimal digits or empty")


def fault_of_name(name: str) -> str | None:
    """What is wrong with the label of a file, which becomes a name in archives; None if it is good."""
    if not 1 <= len(name) <= LONGEST_NAME:
        return f"must have 1 to {LONGEST_NAME} characters, got {len(name)}"
    if _has_controls(name):
        return "must not have control characters"
    if any(folder in ("", ".", "..") for folder in name.split("/")):
        return f"must be a name with folders, without empty ones, '.' and '..', got {name[:80]!r}"
    return None


def _has_controls(text: str) -> bool:
    return any(ord(character) < 32 or ord(character) == 127 for character in text)


def _repeated_names(files: Sequence[NewUploadFile]) -> Iterable[Violation]:
    first: dict[str, int] = {}
    for number, file in enumerate(files):
        if (known := first.setdefault(file.name, number)) != number:
            yield Violation(f"files[{number}].name", f"is the name of files[{known}] too: {file.name[:80]!r}")
