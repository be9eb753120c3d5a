"""Members of an archive at which a child dies or hangs: found by their number and left out, alone."""

from dataclasses import dataclass, field

from yard.media_ingest.handlers.batches import MOST_DEADLY
from yard.runtime import clock


@dataclass(slots=True, kw_only=True)
class Trial:
    """What the attempts at one archive have taught so far.

    The first does not tell which member it reads, for that costs time; all that follow a crash do.
    """

    limit_s: float
    """Time limit of one attempt."""
    patience_s: float
    """After so long with one member it is stuck; else a whole attempt was too slow, not its last member."""
    is_careful: bool = False
    deadly: list[int] = field(default_factory=list)
    """Numbers of results, counted from the start of the archive."""
    _reading: int | None = None
    _since: float = 0.0
    _begun: float = 0.0

    def begin(self) -> None:
        """An attempt starts."""
        self._reading, self._begun = None, clock.monotonic()

    def note(self, number: int | None) -> None:
        """The member that is being read; None between members."""
        self._reading, self._since = number, clock.monotonic()

    def goes_on(self) -> bool:
        """After a crash: whether another attempt may come further. False: the archive itself is to blame."""
        if not self.is_careful:
            self.is_careful = True
            return True
        if self._reading is None or self._is_slow() or len(self.deadly) == MOST_DEADLY:
            return False
        self.deadly.append(self._reading)
        return True

    def _is_slow(self) -> bool:
        now = clock.monotonic()
        return now - self._begun >= self.limit_s and now - self._since < self.patience_s
