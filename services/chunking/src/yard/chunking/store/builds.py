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


async def end_run(tx: Transaction, operation_id: UUID, run: UUID, error: bytes | None = None) -> Build | None:
    """A run, named by its work, has ended; other ends wait for this one. None if the media has gone."""
    row = await tx.fetchrow(
        """
        UPDATE build
        SET runs_left = runs_left - 1,
            error = coalesce(error, $2),
            failed_runs = CASE WHEN $2::bytea IS NULL THEN failed_runs ELSE array_append(failed_runs, $3) END
        WHERE operation_id = $1 AND runs_left > 0
        RETURNING runs_left, error
        """,
        operation_id,
        error,
        run,
    )
    return None if row is None else Build(runs_left=row["runs_left"], error=row["error"])


async def begin_again(tx: Transaction, operation_id: UUID, run: UUID) -> bool:
    """A run that has failed is driven again, once for each failure; False if it has not failed."""
    return bool(
        await tx.fetchval(
            """
            UPDATE build
            SET runs_left = runs_left + 1,
                failed_runs = array_remove(failed_runs, $2),
                error = CASE WHEN failed_runs = ARRAY[$2] THEN NULL ELSE error END
            WHERE operation_id = $1 AND $2 = ANY (failed_runs)
            RETURNING true
            """,
            operation_id,
            run,
        )
    )
