"""The only source of time: everything else asks here."""

import time
from datetime import UTC, datetime


def now() -> datetime:
    """The present in UTC, with its zone."""
    return datetime.now(UTC)


def monotonic() -> float:
    """Seconds from an arbitrary start that never go back: for deadlines and durations."""
    return time.monotonic()
