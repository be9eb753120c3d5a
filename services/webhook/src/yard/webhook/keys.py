"""Secrets of webhooks, each sealed for the webhook that it belongs to."""

from yard.runtime.auth import Secrets


def lock(secrets: Secrets, hook_id: int, secret: str) -> bytes | None:
    """As it is stored; None for no secret."""
    return secrets.seal(_of(hook_id), secret.encode()) if secret else None


def opened(secrets: Secrets, hook_id: int, stored: bytes | None) -> str:
    """The secret, empty for none; FailedPrecondition if another key has locked it."""
    return "" if stored is None else secrets.unseal(_of(hook_id), stored).decode()


def _of(hook_id: int) -> str:
    return f"webhook/{hook_id}"
