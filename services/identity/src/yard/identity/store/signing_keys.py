"""Table signing_key."""

from dataclasses import dataclass

from yard.identity.store import Reader
from yard.runtime.db import Transaction

_LOCK = 0x66736967


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredKey:
    """An Ed25519 key pair; the private part is encrypted."""

    kid: str
    public_key: bytes
    encrypted_private_key: bytes


async def lock(tx: Transaction) -> None:
    """Lets one replica at a time make the first key."""
    await tx.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)


async def in_use(reader: Reader) -> list[StoredKey]:
    """The keys that are not retired, newest first."""
    rows = await reader.fetch(
        """
        SELECT kid, public_key, encrypted_private_key
        FROM signing_key
        WHERE retired_at IS NULL
        ORDER BY created_at DESC, kid
        """
    )
    return [StoredKey(**row) for row in rows]


async def insert(tx: Transaction, key: StoredKey) -> None:
    """Adds a key."""
    await tx.execute(
        "INSERT INTO signing_key (kid, public_key, encrypted_private_key) VALUES ($1, $2, $3)",
        key.kid,
        key.public_key,
        key.encrypted_private_key,
    )
