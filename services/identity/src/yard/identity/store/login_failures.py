"""Table login_failure: the limit on guesses, by name, whether there is such an account or not."""

from datetime import datetime

from yard.identity.store import Reader
from yard.runtime.db import Transaction


async def since(reader: Reader, username_key: str, start: datetime) -> list[datetime]:
    """When the failures of a name since `start` were, oldest first."""
    rows = await reader.fetch(
        """
        SELECT failed_at
        FROM login_failure
        WHERE username_key = $1 AND failed_at > $2
        ORDER BY failed_at
        """,
        username_key,
        start,
    )
    return [row["failed_at"] for row in rows]


async def lock(tx: Transaction, username_key: str) -> None:
    """Puts the verdicts on one name in order."""
    await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", username_key)


async def insert(tx: Transaction, username_key: str, failed_at: datetime) -> None:
    """Notes a failure."""
    await tx.execute(
        "INSERT INTO login_failure (username_key, failed_at) VALUES ($1, $2)", username_key, failed_at
    )


async def purge(tx: Transaction, start: datetime) -> None:
    """Forgets the failures before `start`, of all names."""
    await tx.execute("DELETE FROM login_failure WHERE failed_at <= $1", start)
