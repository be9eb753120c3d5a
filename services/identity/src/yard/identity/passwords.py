"""Password hashes: argon2id with the parameters of RFC 9106, section 4, second choice (64 MiB, 3 passes)."""

import asyncio

from argon2 import PasswordHasher, profiles
from argon2.exceptions import VerifyMismatchError

from yard.runtime import ids


class Passwords:
    """Hashes and verifies in threads, a few at a time, because each needs 64 MiB and a core."""

    def __init__(self, hasher: PasswordHasher, nobodys_hash: str, *, threads: int) -> None:
        self._hasher = hasher
        self._nobodys_hash = nobodys_hash
        self._slots = asyncio.Semaphore(threads)

    @classmethod
    async def create(cls, *, threads: int) -> "Passwords":
        """Prepares the hash against which the passwords of unknown names are verified."""
        hasher = PasswordHasher.from_parameters(profiles.RFC_9106_LOW_MEMORY)
        return cls(hasher, await asyncio.to_thread(hasher.hash, ids.token()), threads=threads)

    async def hash(self, password: str) -> str:
        """A salted hash with its parameters, about 100 characters."""
        async with self._slots:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """Whether it is the password; for None always false, after the same work."""
        async with self._slots:
            is_right = await asyncio.to_thread(self._matches, password_hash or self._nobodys_hash, password)
        return is_right and password_hash is not None

    def _matches(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except VerifyMismatchError:
            return False
