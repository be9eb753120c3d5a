"""What objects lose in a format, told to the data set: a track is one object on however many frames it is."""

from yard.export.datasets.dataset import Dataset
from yard.export.datasets.drawn import Drawn

Z_ORDER = "objects stand in its order, its numbers have no place"


class Losses:
    """Counts by kind and reason; remembers a bit a track and reason, task by task."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self._part = -1
        self._told: dict[tuple[str, str], bytearray] = {}

    def note(self, part: int, drawn: Drawn, kind: str, reason: str, count: int = 1) -> None:
        """The object loses something, or is lost as a whole."""
        if drawn.track < 0 or self._is_new(part, drawn.track, (kind, reason)):
            self._dataset.leave_out(kind, reason, count)

    def _is_new(self, part: int, track: int, what: tuple[str, str]) -> bool:
        if part != self._part:
            self._part = part
            self._told.clear()
        told = self._told.setdefault(what, bytearray())
        if track >= len(told):
            told.extend(bytes(track + 1024 - len(told)))
        is_new = not told[track]
        told[track] = 1
        return is_new
