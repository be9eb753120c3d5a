"""How far a transfer is, told as differences."""

from collections.abc import Callable

OnBytes = Callable[[int], None]


class Told:
    """How far a file's progress was told."""

    def __init__(self, on_bytes: OnBytes) -> None:
        self._on_bytes = on_bytes
        self._bytes = 0

    def is_at(self, position: int) -> None:
        """Tells the difference, which is negative where bytes must be sent again."""
        if position != self._bytes:
            self._on_bytes(position - self._bytes)
            self._bytes = position
