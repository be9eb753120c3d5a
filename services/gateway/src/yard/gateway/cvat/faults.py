"""Faults that services find, told by the names that clients gave."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from yard.runtime import errors

# Changes come as whole objects.
_WHOLE: Final = re.compile(r"(task|project|job|issue|user|access_token|webhook|repository)\.")
_ONLY: Final = re.compile(r"labels\.0\.")
_INDEX: Final = re.compile(r"\[(\d+)\]")
_ALIKE: Final[Mapping[str, str]] = {"issue_tracker": "bug_tracker", "kind": "type", "input": "input_type"}
OF_TASKS: Final[Mapping[str, str]] = {**_ALIKE, "owner": "owner_id", "assignee": "assignee_id"}
OF_JOBS: Final[Mapping[str, str]] = {"assignee_id": "assignee", "job_id": "job", "issue_id": "issue"}

OF_LABEL: Final = _ALIKE


@contextmanager
def told(names: Mapping[str, str]) -> Iterator[None]:
    """Renames the fields of what is refused within."""
    try:
        yield
    except errors.InvalidArgument as fault:
        violations = [
            errors.Violation(field_of(violation.field, names), violation.description)
            for violation in fault.violations
        ]
        raise errors.InvalidArgument(fault.message, violations=violations, reason=fault.reason) from fault


def field_of(path: str, names: Mapping[str, str]) -> str:
    """`labels.0.type` for `labels[0].kind`."""
    inner = _INDEX.sub(r".\1", _WHOLE.sub("", path, count=1) if _WHOLE.match(path) else path)
    if names is OF_LABEL:
        inner = _ONLY.sub("", inner, count=1)
    return ".".join(names.get(part, part) for part in inner.split("."))
