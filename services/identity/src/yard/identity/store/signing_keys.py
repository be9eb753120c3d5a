"""Table signing_key."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from yard.identity.store import Reader
from yard.runtime.db import Transaction

_LOCK = 0x66736967


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredKey:
    """An Ed25519 key pair; the private part is encrypted."""

    kid: str
    public_key: bytes
    encrypted_private_key: bytes
    created_at: datetime


async def lock(tx: Transaction) -> None:
    """Lets one replica at a time make and retire keys."""
    await tx.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)


async def in_use(reader: Reader) -> list[StoredKey]:
    """The keys that are not retired, newest first."""
    rows = await reader.fetch(
        """
        SELECT kid, public_key, encrypted_private_key, created_at
        FROM signing_key
        WHERE retired_at IS NULL
        ORDER BY created_at DESC, kid
        """
    )
    return [StoredKey(**row) for row in rows]


async def insert(tx: Transaction, key: StoredKey) -> None:
    """Adds a key."""
    await tx.execute(
        """
        INSERT INTO signing_key (kid, public_key, encrypted_private_key, created_at)
        VALUES ($1, $2, $3, $4)
        """,
        key.kid,
        key.public_key,
        key.encrypted_private_key,
        key.created_at,
    )


async def retire(tx: Transaction, kids: Sequence[str], now: datetime) -> None:
    """Ends the use of keys, and forgets their private parts."""
    await tx.execute(
        """
        UPDATE signing_key
        SET retired_at = $2, encrypted_private_key = ''
        WHERE kid = ANY ($1)
        """,
        kids,
        now,
    )
