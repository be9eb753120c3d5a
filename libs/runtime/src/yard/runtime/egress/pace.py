"""How long we wait for others, and how slow they may be."""

from dataclasses import dataclass

from yard.runtime import clock
from yard.runtime.egress.faults import Cut


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """Seconds, and bytes a second: a body must bring `min_bytes_s` on average over each `window_s`."""

    connect_s: float = 10.0
    head_s: float = 30.0
    window_s: float = 20.0
    min_bytes_s: float = 1024.0


class Pace:
    """Counts only the time that we have waited: a slow reader does not make a slow server."""

    def __init__(self, patience: Patience, verb: str = "sends") -> None:
        self._patience = patience
        self._verb = verb
        self._began = 0.0
        self._waited_s = 0.0
        self._bytes = 0

    def begin(self) -> None:
        """We wait from now on."""
        self._began = clock.monotonic()

    def note(self, size: int) -> None:
        """So many bytes have come or gone; Cut if that is too little."""
        self._waited_s += clock.monotonic() - self._began
        self._bytes += size
        if self._waited_s < self._patience.window_s:
            return
        if self._bytes < self._patience.min_bytes_s * self._waited_s:
            raise Cut(f"{self._verb} less than {self._patience.min_bytes_s:g} bytes a second")
        self._waited_s, self._bytes = 0.0, 0
