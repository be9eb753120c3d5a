import asyncio

import pytest
from yard.runtime import errors
from yard.runtime.workers.lanes import Lane, Lanes


async def others_run() -> None:
    """Returns after all tasks that are ready have run once."""
    turn = asyncio.Event()
    asyncio.get_running_loop().call_soon(turn.set)
    await turn.wait()


class Waiters:
    """Names of those who got a slot, in order; each holds it until it is told to let go."""

    def __init__(self, lanes: Lanes[str]) -> None:
        self.served: list[str] = []
        self._lanes = lanes
        self._held: dict[str, tuple[str, Lane]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def come(self, name: str, lane: Lane) -> None:
        self._tasks[name] = asyncio.create_task(self._take(name, lane))
        await others_run()
        await others_run()

    async def let_go(self, name: str) -> None:
        self._lanes.give_back(*self._held.pop(name))
        await others_run()
        await others_run()

    async def give_up(self, name: str) -> None:
        self._tasks[name].cancel()
        await asyncio.wait([self._tasks[name]])

    async def _take(self, name: str, lane: Lane) -> None:
        self._held[name] = (await self._lanes.take(lane), lane)
        self.served.append(name)


async def test_interactive_calls_pass_bulk_ones() -> None:
    waiters = Waiters(Lanes(["slot"], 10))
    await waiters.come("first", "bulk")
    await waiters.come("second", "bulk")
    await waiters.come("urgent", "interactive")
    await waiters.let_go("first")
    await waiters.let_go("urgent")
    assert waiters.served == ["first", "urgent", "second"]


async def test_bulk_never_takes_the_last_slot() -> None:
    waiters = Waiters(Lanes(["one", "two"], 10))
    await waiters.come("bulk 1", "bulk")
    await waiters.come("bulk 2", "bulk")
    await waiters.come("urgent", "interactive")
    assert waiters.served == ["bulk 1", "urgent"]
    await waiters.let_go("bulk 1")
    assert waiters.served == ["bulk 1", "urgent", "bulk 2"]


async def test_who_gives_up_waiting_leaves_no_hole() -> None:
    lanes = Lanes(["slot"], 10)
    waiters = Waiters(lanes)
    await waiters.come("first", "bulk")
    await waiters.come("second", "bulk")
    await waiters.come("third", "bulk")
    await waiters.give_up("second")
    assert lanes.waiting == 1
    await waiters.let_go("first")
    assert waiters.served == ["first", "third"]


async def test_a_slot_given_to_someone_who_has_just_left_goes_on() -> None:
    lanes = Lanes(["slot"], 10)
    taken = await lanes.take("bulk")
    leaving = asyncio.create_task(lanes.take("bulk"))
    await others_run()
    lanes.give_back(taken, "bulk")
    leaving.cancel()
    await asyncio.wait([leaving])
    assert await asyncio.wait_for(lanes.take("bulk"), 1) == "slot"


async def test_too_many_waiters_are_refused_with_a_time_to_come_back() -> None:
    lanes = Lanes(["slot"], 1)
    await lanes.take("bulk")
    waiting = asyncio.create_task(lanes.take("bulk"))
    await others_run()
    with pytest.raises(errors.ResourceExhausted) as caught:
        await lanes.take("interactive")
    assert caught.value.retry_after_s == 1.0
    waiting.cancel()
    await asyncio.wait([waiting])


async def test_all_waiters_can_be_sent_away() -> None:
    lanes = Lanes(["slot"], 10)
    await lanes.take("bulk")
    waiting = [asyncio.create_task(lanes.take(lane)) for lane in ("bulk", "interactive")]
    await others_run()
    lanes.fail(errors.Unavailable("closed"))
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [errors.Unavailable] * 2
