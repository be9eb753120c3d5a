"""Digests of files that are still on their way, between one stream and the next."""

from collections import OrderedDict
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from hashlib import _Hash

MOST_KEPT: Final = 10_000


class Digests:
    """States of hashes by multipart upload, in memory: what is not here is read from the store again.

    The parts of a multipart upload only ever grow, so it and a length say which bytes were hashed.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[str, tuple[int, _Hash]] = OrderedDict()

    def keep(self, multipart_id: str, size_bytes: int, state: "_Hash") -> None:
        """Keeps the state over the first bytes, all of which are in parts that are stored and noted."""
        self._kept[multipart_id] = (size_bytes, state)
        self._kept.move_to_end(multipart_id)
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)

    def take(self, multipart_id: str, size_bytes: int) -> "_Hash | None":
        """The state over exactly so many bytes, which the caller goes on with; None if it is not here."""
        kept_bytes, state = self._kept.pop(multipart_id, (0, None))
        return state if kept_bytes == size_bytes else None
