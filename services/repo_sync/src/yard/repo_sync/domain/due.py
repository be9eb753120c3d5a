"""When a push is made by itself."""

from datetime import datetime, timedelta

from yard.repo_sync.domain.rows import Repository


def due_at(repository: Repository, changed_at: datetime) -> datetime | None:
    """Once nothing has changed for so long, and not too soon after the last try; None: not by itself."""
    if repository.quiet_s is None or repository.period_s is None:
        return None
    settled_at = changed_at + timedelta(seconds=repository.quiet_s)
    if repository.attempted_at is None:
        return settled_at
    return max(settled_at, repository.attempted_at + timedelta(seconds=repository.period_s))
