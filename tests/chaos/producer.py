"""Makes the changes 0 to N - 1, several at a time: python -m tests.chaos.producer DATABASE N KEYS."""

import asyncio
import sys
from functools import partial
from typing import Final

from yard.runtime import errors
from yard.runtime.db import Database
from yard.testkit import eventually

from tests.chaos.changes import make, patiently

WRITERS: Final = 8
OUTAGE_S: Final = 60.0


async def write(database: Database, numbers: range, keys: int) -> None:
    """One after the other; what an outage has left open is made again."""

    async def is_made(number: int) -> bool:
        try:
            await make(database, number, keys)
        except (errors.Unavailable, errors.Conflict):
            return False
        return True

    for number in numbers:
        await eventually(partial(is_made, number), timeout_s=OUTAGE_S)


async def main(url: str, count: int, keys: int) -> None:
    """Until all are made."""
    database = await patiently(lambda: Database.connect(url, max_size=WRITERS))
    await asyncio.gather(*(write(database, range(first, count, WRITERS), keys) for first in range(WRITERS)))
    await database.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
