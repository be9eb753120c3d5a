"""What people may say of a repository, with all that is wrong at once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from frameyard.sync.v1.repository_pb2 import AutomaticPush
from yard.runtime.egress.git_remote import RepositoryField, default_path
from yard.runtime.errors import Violation

CHANGEABLE: Final = ("location", "format", "use_lfs", "branch", "automatic")
LONGEST_FORMAT: Final = 64
LONGEST_PAUSE: Final = timedelta(days=30)
# Archives of these formats hold exactly one XML document.
XML_FORMATS: Final = ("CVAT for images 1.1", "CVAT for video 1.1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pauses:
    """The operator's choice for automatic pushes, seconds."""

    quiet_s: float
    least_quiet_s: float
    period_s: float
    least_period_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the file of a task goes; empty if the location names none."""

    url: str = ""
    path: str = ""


def place_of(location: str, task_name: str) -> Place:
    """Of `URL [PATH]`; ValueError says what is wrong."""
    field = RepositoryField.parse(location)
    return Place(url=field.remote.text, path=field.path or default_path(task_name))


def location_violations(location: str, format_name: str, field: str) -> Iterator[Violation]:
    """A location of the grammar, whose file can be of that format."""
    try:
        path = RepositoryField.parse(location).path
    except ValueError as fault:
        yield Violation(f"{field}location", str(fault))
        return
    if path is not None and path.endswith(".xml") and format_name and format_name not in XML_FORMATS:
        offered = " and ".join(XML_FORMATS)
        yield Violation(f"{field}location", f"must have a path that ends in .zip: only {offered} are one XML")


def format_violations(format_name: str, known: Sequence[str], field: str) -> Iterator[Violation]:
    """Empty, or one of those that tasks are exported to."""
    if format_name and format_name not in known:
        yield Violation(f"{field}format", f"{format_name[:64]!r} is none of {', '.join(map(repr, known))}")


def automatic_violations(automatic: AutomaticPush, pauses: Pauses, field: str) -> Iterator[Violation]:
    """Pauses between what the operator allows at least, and a month; absent ones are the operator's."""
    for name, least in (("quiet", pauses.least_quiet_s), ("period", pauses.least_period_s)):
        if not automatic.HasField(name):  # type: ignore[arg-type]  # both are fields
            continue
        given = getattr(automatic, name).ToTimedelta()
        if not timedelta(seconds=least) <= given <= LONGEST_PAUSE:
            longest = LONGEST_PAUSE.days
            yield Violation(f"{field}automatic.{name}", f"must be {least:g} seconds to {longest} days")


def automatic_pauses(automatic: AutomaticPush, pauses: Pauses) -> tuple[float, float]:
    """Quiet time and period in force, seconds."""
    quiet = automatic.quiet.ToTimedelta().total_seconds() if automatic.HasField("quiet") else pauses.quiet_s
    period = (
        automatic.period.ToTimedelta().total_seconds() if automatic.HasField("period") else pauses.period_s
    )
    return quiet, period


def mask_violations(paths: Sequence[str]) -> Iterator[Violation]:
    """A mask names at least one of the fields that can be changed, and no other."""
    unknown = [path for path in paths if path not in CHANGEABLE]
    if unknown or not paths:
        got = f"got {unknown[0]!r}" if unknown else "it is empty"
        yield Violation("update_mask", f"must be of {', '.join(CHANGEABLE)}; {got}")
