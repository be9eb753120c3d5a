"""Names of branches, by git's own rules."""

from collections.abc import Iterator

from yard.repo_sync.git.refs import branch_fault
from yard.runtime.errors import Violation


def branch_violations(branch: str, field: str = "branch") -> Iterator[Violation]:
    """Empty, or the name of a branch."""
    if branch and (fault := branch_fault(branch)) is not None:
        yield Violation(field, fault)
