"""What is wrong with a file, told place by place; a file with faults changes nothing."""

from typing import NamedTuple

MOST_FAULTS = 20
_LONGEST_PLACE, _LONGEST_REASON = 200, 300


class FileFault(NamedTuple):
    """One fault: `where` names the file, and the line or object in it."""

    where: str
    reason: str


class RefusedError(Exception):
    """The file cannot be imported; holds at most 20 faults."""

    def __init__(self, faults: list[FileFault]) -> None:
        super().__init__("; ".join(f"{fault.where}: {fault.reason}" for fault in faults))
        self.faults = faults


class Refusals:
    """Collects faults; raises once there are as many as are told."""

    def __init__(self) -> None:
        self.faults: list[FileFault] = []

    def add(self, where: str, reason: str) -> None:
        """One more."""
        self.faults.append(FileFault(where[:_LONGEST_PLACE], reason[:_LONGEST_REASON]))
        if len(self.faults) >= MOST_FAULTS:
            raise RefusedError(self.faults)

    def check(self) -> None:
        """Raises if there is any."""
        if self.faults:
            raise RefusedError(self.faults)


def refused(where: str, reason: str) -> RefusedError:
    """For a fault after which nothing more can be read."""
    return RefusedError([FileFault(where[:_LONGEST_PLACE], reason[:_LONGEST_REASON])])
