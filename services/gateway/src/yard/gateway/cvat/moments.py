"""Times in JSON."""

from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp


def moment(stamp: Timestamp) -> datetime:
    """The time in UTC; clients take only texts with a time part, which a zone's letter ends."""
    return stamp.ToDatetime(UTC)


def moment_if_set(stamp: Timestamp) -> datetime | None:
    """The same; None for a time that is not set."""
    return moment(stamp) if stamp.seconds or stamp.nanos else None


def stamp(moment: datetime | None) -> Timestamp | None:
    """The time for a service; one without a zone is in UTC."""
    if moment is None:
        return None
    made = Timestamp()
    made.FromDatetime(moment)
    return made
