"""What a format cannot hold, where nothing may be left out."""

from collections.abc import Iterable
from typing import Protocol

from yard.runtime import errors

REASON = "LOSS_REFUSED"


class Left(Protocol):
    """Objects that were left out, as the domain or the contract has them."""

    @property
    def kind(self) -> str:
        """Their kind."""
        ...

    @property
    def reason(self) -> str:
        """Why, in words for people."""
        ...

    @property
    def count(self) -> int:
        """How many."""
        ...


def loss_refused(format_name: str, left_out: Iterable[Left]) -> errors.FailedPrecondition:
    """The error that counts all that would be left out, also by kind in its metadata."""
    counts: dict[str, int] = {}
    told = []
    for left in left_out:
        counts[left.kind] = counts.get(left.kind, 0) + left.count
        told.append(f"{left.count} of kind {left.kind}: {left.reason}")
    message = f"{format_name} would leave out {'; '.join(told)}"
    metadata = {kind: str(count) for kind, count in counts.items()}
    return errors.FailedPrecondition(message, reason=REASON, metadata=metadata)
