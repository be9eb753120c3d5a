"""What an archive may hold at most, and what was left out of it; the same for zip and tar."""

from dataclasses import dataclass

from yard.media.errors import MediaError

LONGEST_NAME = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveLimits:
    """Counted on what comes out, not on what an archive says, wherever bytes are unpacked."""

    members: int = 1_000_000
    """Entries of any kind, folders too."""
    member_bytes: int = 512 << 20
    """Of one file, unpacked; a larger one is skipped."""
    total_bytes: int = 1 << 40
    """Of all files, unpacked."""
    expansion: int = 200
    """Bytes that may come of each packed byte; photographs reach 2, blank bitmaps pass 1,000."""
    free_bytes: int = 64 << 20
    """As many bytes may come out before `expansion` counts."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A member that is left out; the name is a label for people, as good as it could be read."""

    name: str
    reason: str


class Budget:
    """Counts what comes out of an archive; a count raises MediaError with code "limit" if it is too much."""

    def __init__(self, limits: ArchiveLimits, *, members: int = 0, unpacked: int = 0) -> None:
        """With what was counted before, by who goes on in the middle."""
        self.limits = limits
        self.members = members
        self._bytes = unpacked

    def count_member(self) -> None:
        """One more member, of any kind."""
        self.members += 1
        if self.members > self.limits.members:
            raise MediaError("limit", f"the archive has more than {self.limits.members} members")

    def count_bytes(self, unpacked: int, packed: int) -> None:
        """More unpacked bytes; `packed` is the size of all that was read so far."""
        self._bytes += unpacked
        if self._bytes > self.limits.total_bytes:
            raise MediaError("limit", f"the archive unpacks to more than {self.limits.total_bytes} bytes")
        if is_expanding(self._bytes, packed, self.limits):
            raise MediaError(
                "limit",
                f"the archive expands {packed} bytes to more than {self.limits.expansion} times as many",
            )


def is_expanding(unpacked: int, packed: int, limits: ArchiveLimits) -> bool:
    """Whether `packed` bytes become suspiciously many."""
    return unpacked > limits.free_bytes and unpacked > packed * limits.expansion
