"""Password hashes: argon2id with the parameters of RFC 9106, section 4, second choice (64 MiB, 3 passes)."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher, profiles
from argon2.exceptions import VerifyMismatchError
from yard.runtime import ids

COST = profiles.RFC_9106_LOW_MEMORY


class Passwords:
    """Hashes and verifies in a few threads of its own, because each hash takes 64 MiB and a core."""

    def __init__(self, *, threads: int) -> None:
        self._hasher = PasswordHasher.from_parameters(COST)
        self._threads = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="argon2")
        self._nobodys_hash = ""

    @classmethod
    async def create(cls, *, threads: int) -> "Passwords":
        """Prepares the hash against which the passwords of unknown names are verified."""
        passwords = cls(threads=threads)
        passwords._nobodys_hash = await passwords.hash(ids.token())
        return passwords

    async def close(self) -> None:
        """Drops who waits; a hash that is being computed ends by itself."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def hash(self, password: str) -> str:
        """A salted hash with its parameters, about 100 characters."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._hasher.hash, password)

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """Whether it is the password; for None always false, after the same work."""
        is_right = await asyncio.get_running_loop().run_in_executor(
            self._threads, self._matches, password_hash or self._nobodys_hash, password
        )
        return is_right and password_hash is not None

    def _matches(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except VerifyMismatchError:
            return False
