import asyncio

from yard.runtime.app.commands import _attempt


def test_a_process_runs_in_the_loop_that_it_makes() -> None:
    made: list[asyncio.AbstractEventLoop] = []

    def new_loop() -> asyncio.AbstractEventLoop:
        made.append(asyncio.new_event_loop())
        return made[0]

    async def command() -> int:
        return 7 if asyncio.get_running_loop() is made[0] else 1

    assert _attempt(command(), new_loop) == 7
    assert made[0].is_closed()
