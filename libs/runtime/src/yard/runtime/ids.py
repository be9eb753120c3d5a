"""Identifiers: time-ordered UUIDs for rows and events, random tokens for secrets."""

import secrets
import string
import threading
import time
import uuid

_TICKS_PER_MS = 4096
_LETTERS = string.ascii_letters + string.digits
_lock = threading.Lock()
_last_ticks = 0


def uuid7() -> uuid.UUID:
    """A UUIDv7 (RFC 9562, method 3): sorts by creation within this process, even in one millisecond."""
    milliseconds, fraction = divmod(_next_ticks(), _TICKS_PER_MS)
    value = milliseconds << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62 | secrets.randbits(62)
    return uuid.UUID(int=value)


def token(n_bytes: int = 32) -> str:
    """A URL-safe secret with `n_bytes` of randomness."""
    return secrets.token_urlsafe(n_bytes)


def letters(length: int) -> str:
    """A secret of ASCII letters and digits, for clients that take nothing else."""
    return "".join(secrets.choice(_LETTERS) for _ in range(length))


def _next_ticks() -> int:
    """Strictly rising count of 1/4096 ms since 1970; runs ahead of the clock rather than repeat."""
    global _last_ticks
    with _lock:
        _last_ticks = max(_last_ticks + 1, time.time_ns() * _TICKS_PER_MS // 1_000_000)
        return _last_ticks
