"""What an upload may hold, and how its bytes are cut into parts."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from frameyard.media.v1.upload_service_pb2 import NewUploadFile
from yard.runtime.errors import InvalidArgument, Violation

MIB = 1024 * 1024
PART_BYTES = 8 * MIB
PIECE_BYTES = 4 * MIB
PACK_BYTES = 64 * MIB
LARGEST_PACKED_BYTES = 16 * MIB
MOST_PACKED_FILES = 10_000
MOST_ADDRESSES = 100
MOST_VIOLATIONS = 100
MOST_FILES = 100_000
LONGEST_NAME = 1024
SHA256_OF_NOTHING = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

_MOST_PARTS = 9_000  # of the 10,000 that S3 allows: parts of replaced streams use up numbers too
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFile:
    """A file that will be sent; `sha256` is lower-case hex or empty."""

    number: int
    name: str
    size_bytes: int
    sha256: str


def part_bytes(size_bytes: int) -> int:
    """Length of all parts of a file but the last: 8 MiB, more if there were too many of them."""
    needed = -(-size_bytes // _MOST_PARTS)
    return max(PART_BYTES, -(-needed // MIB) * MIB)


def part_count(size_bytes: int) -> int:
    """Parts of a file that is sent in parts of equal length."""
    return -(-size_bytes // part_bytes(size_bytes))


def part_length(size_bytes: int, number: int) -> int:
    """Length of one of these parts, by its number from 1: the last one has the rest."""
    length = part_bytes(size_bytes)
    return min(length, size_bytes - (number - 1) * length)


def parse_files(files: Sequence[NewUploadFile], largest: int) -> tuple[NewFile, ...]:
    """The files of a new upload; InvalidArgument with the first 100 violations."""
    if not 1 <= len(files) <= MOST_FILES:
        found = Violation("files", f"must be 1 to {MOST_FILES} files, got {len(files)}")
        raise InvalidArgument(violations=[found])
    violations = [*_repeated_names(files)]
    for number, file in enumerate(files):
        violations += _violations(f"files[{number}]", file, largest)
        if len(violations) >= MOST_VIOLATIONS:
            break
    if violations:
        raise InvalidArgument(violations=violations[:MOST_VIOLATIONS])
    return tuple(
        NewFile(number=number, name=file.name, size_bytes=file.size_bytes, sha256=file.sha256.lower())
        for number, file in enumerate(files)
    )


def _violations(field: str, file: NewUploadFile, largest: int) -> Iterable[Violation]:
    if (fault := fault_of_name(file.name)) is not None:
        yield Violation(f"{field}.name", fault)
    if not 0 <= file.size_bytes <= largest:
        yield Violation(f"{field}.size_bytes", f"must be 0 to {largest}, got {file.size_bytes}")
    if file.sha256 and not _SHA256.fullmatch(file.sha256):
        yield Violation(f"{field}.sha256", "must be 64 hexadecimal digits or empty")


def fault_of_name(name: str) -> str | None:
    """What is wrong with the label of a file, which becomes a name in archives; None if it is good."""
    if not 1 <= len(name) <= LONGEST_NAME:
        return f"must have 1 to {LONGEST_NAME} characters, got {len(name)}"
    if any(ord(character) < 32 or ord(character) == 127 for character in name):
        return "must not have control characters"
    if any(folder in ("", ".", "..") for folder in name.split("/")):
        return f"must be a name with folders, without empty ones, '.' and '..', got {name[:80]!r}"
    return None


def _repeated_names(files: Sequence[NewUploadFile]) -> Iterable[Violation]:
    first: dict[str, int] = {}
    for number, file in enumerate(files):
        if (known := first.setdefault(file.name, number)) != number:
            yield Violation(f"files[{number}].name", f"is the name of files[{known}] too: {file.name[:80]!r}")
