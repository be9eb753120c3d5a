"""Builds in advance: how many of their runs have not ended."""

from dataclasses import dataclass
from uuid import UUID

from yard.runtime.db import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """`error` is the first fault of a run, a serialised google.rpc.Status."""

    runs_left: int
    error: bytes | None


async def begin(tx: Transaction, operation_id: UUID, media_id: UUID, runs: int) -> None:
    """So many runs are queued."""
    await tx.execute(
        "INSERT INTO build (operation_id, media_id, runs_left) VALUES ($1, $2, $3)",
        operation_id,
        media_id,
        runs,
    )


async def end_run(tx: Transaction, operation_id: UUID, error: bytes | None = None) -> Build | None:
    """One run has ended; other ends wait for this transaction. None if the media has gone."""
    row = await tx.fetchrow(
        """
        UPDATE build
        SET runs_left = runs_left - 1, error = coalesce(error, $2)
        WHERE operation_id = $1 AND runs_left > 0
        RETURNING runs_left, error
        """,
        operation_id,
        error,
    )
    return None if row is None else Build(runs_left=row["runs_left"], error=row["error"])
