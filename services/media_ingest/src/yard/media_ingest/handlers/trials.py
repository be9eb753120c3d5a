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

    def note(self, number: int | None) -> None:
        """The member that is being read; None between members."""
        self._reading, self._since = number, clock.monotonic()

    def goes_on(self, *, is_late: bool) -> bool:
        """After a crash, or an attempt that did not end in time: whether another one may come further.

        False: the archive itself is to blame.
        """
        if not self.is_careful:
            self.is_careful = True
            return True
        is_stuck = clock.monotonic() - self._since >= self.patience_s
        if self._reading is None or (is_late and not is_stuck) or len(self.deadly) == MOST_DEADLY:
            return False
        self.deadly.append(self._reading)
        return True
