"""How long a transfer that is cut goes on trying."""

import asyncio

from yard.client.failures import ClientError

MOST_CUTS_IN_A_ROW = 8
FIRST_PAUSE_S = 0.25
LONGEST_PAUSE_S = 4.0


class Patience:
    """Counts cuts in a row: about 20 s without any progress end a transfer."""

    def __init__(self, cuts: frozenset[str] = frozenset({"UNAVAILABLE"})) -> None:
        self._cuts = cuts
        self._in_a_row = 0

    def has_progressed(self) -> None:
        """The next cut is the first again."""
        self._in_a_row = 0

    async def after(self, fault: ClientError) -> None:
        """Pauses before the next attempt; raises the fault if it is no cut, or one too many."""
        self._in_a_row += 1
        if fault.code not in self._cuts or self._in_a_row > MOST_CUTS_IN_A_ROW:
            raise fault
        await asyncio.sleep(min(FIRST_PAUSE_S * 2 ** (self._in_a_row - 1), LONGEST_PAUSE_S))
