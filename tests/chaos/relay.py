"""The relay as a process of its own: python -m tests.chaos.relay DATABASE BROKER TOKEN."""

import asyncio
import sys

from yard.runtime import bus
from yard.runtime.db import Database
from yard.runtime.outbox import Relay

from tests.chaos.changes import SERVICE, patiently


async def main(url: str, broker: str, token: str) -> None:
    """Until it is killed."""
    database = await patiently(lambda: Database.connect(url))
    client = await patiently(lambda: bus.connect(broker, token=token, name="relay"))
    await Relay(database, client, SERVICE).run()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:4]))
