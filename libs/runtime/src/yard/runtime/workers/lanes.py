"""Who gets the next free process: interactive calls before bulk ones; bulk never takes the last process."""

import asyncio
from collections import deque
from typing import Generic, Literal, TypeVar

from yard.runtime import errors

Lane = Literal["interactive", "bulk"]
S = TypeVar("S")


class Lanes(Generic[S]):
    """Hands out a fixed set of slots to waiters in two lanes; ResourceExhausted when too many wait."""

    def __init__(self, slots: list[S], max_waiting: int) -> None:
        self._free = list(slots)
        self._max_waiting = max_waiting
        self._max_bulk = max(1, len(slots) - 1)
        self._bulk = 0
        self._waiting: dict[Lane, deque[asyncio.Future[S]]] = {"interactive": deque(), "bulk": deque()}

    @property
    def waiting(self) -> int:
        """Calls that have no slot yet."""
        return sum(len(queue) for queue in self._waiting.values())

    async def take(self, lane: Lane) -> S:
        """A slot, the one freed last (the warmest) first; to be given back with the same lane."""
        if self.waiting >= self._max_waiting:
            raise errors.ResourceExhausted(f"{self.waiting} calls wait for a worker process", 1.0)
        future: asyncio.Future[S] = asyncio.get_running_loop().create_future()
        self._waiting[lane].append(future)
        self._grant()
        try:
            return await future
        except asyncio.CancelledError:
            self._forget(future, lane)
            raise

    def give_back(self, slot: S, lane: Lane) -> None:
        """Frees the slot for the next waiter."""
        self._free.append(slot)
        self._bulk -= lane == "bulk"
        self._grant()

    def fail(self, error: errors.YardError) -> None:
        """Sends all waiters away."""
        for queue in self._waiting.values():
            while queue:
                future = queue.popleft()
                if not future.done():
                    future.set_exception(error)

    def _grant(self) -> None:
        while self._free and (lane := self._next_lane()):
            future = self._waiting[lane].popleft()
            if not future.done():
                self._bulk += lane == "bulk"
                future.set_result(self._free.pop())

    def _next_lane(self) -> Lane | None:
        if self._waiting["interactive"]:
            return "interactive"
        return "bulk" if self._waiting["bulk"] and self._bulk < self._max_bulk else None

    def _forget(self, future: asyncio.Future[S], lane: Lane) -> None:
        """A waiter has been cancelled, perhaps just after it was given a slot."""
        if future in self._waiting[lane]:
            self._waiting[lane].remove(future)
        elif future.done() and not future.cancelled() and future.exception() is None:
            self.give_back(future.result(), lane)
