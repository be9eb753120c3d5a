"""Waiting of loops that somebody may wake."""

import asyncio


async def until_any(*events: asyncio.Event, timeout_s: float) -> None:
    """Returns when one of them is set, or after `timeout_s`."""
    waiting = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(waiting, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()
