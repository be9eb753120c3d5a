"""The consumer as a process of its own: python -m tests.chaos.consumer DATABASE BROKER TOKEN."""

import asyncio
import sys

from yard.runtime import bus
from yard.runtime.consumer import Consumer
from yard.runtime.db import Database
from yard.runtime.handling import HandlingOptions

from tests.chaos.changes import SERVICE, SUBSCRIPTION, patiently

OPTIONS = HandlingOptions(first_delay_s=0.01, longest_delay_s=0.2)


async def main(url: str, broker: str, token: str) -> None:
    """Until it is killed."""
    database = await patiently(lambda: Database.connect(url, max_size=20))
    client = await patiently(lambda: bus.connect(broker, token=token, name="consumer"))
    await Consumer(database, client, SERVICE, [SUBSCRIPTION], OPTIONS).run()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:4]))
