"""The schema before serving: looked at cheaply, changed by a child process.

The tools that change it weigh as much as a service does, and what is loaded once stays loaded.
"""

import asyncio
import json
import re
import sys
from importlib import resources
from typing import Final

import asyncpg
from yard.runtime import errors
from yard.runtime.db import translated_faults

RUNTIME: Final = "yard.runtime.migrations"
TIMEOUT_S: Final = 300.0
_REVISION = re.compile(r"(\d{4})_\w+\.py")


async def ensure(url: str, package: str) -> None:
    """Brings the schema of the role up to date if it is not; Unavailable without a database."""
    if not await is_current(url, package):
        await _upgrade(url, package)


async def is_current(url: str, package: str) -> bool:
    """Whether the revisions in the database are the newest of the runtime and of the service."""
    with translated_faults():
        connection = await asyncpg.connect(url, timeout=10)
        try:
            runtime = await connection.fetchval("SELECT version_num FROM runtime_version")
            service = await connection.fetchval("SELECT version_num FROM service_version")
        except asyncpg.UndefinedTableError:
            return False
        finally:
            await connection.close()
    return (runtime, service) == (newest(RUNTIME), newest(package))


def newest(package: str) -> str | None:
    """The last revision of a package, by the numbers of its files; None if it has none."""
    parent, _, name = package.rpartition(".")
    files = (resources.files(parent) / name).iterdir()
    found = [match[1] for file in files if (match := _REVISION.fullmatch(file.name))]
    return max(found, default=None)


async def _upgrade(url: str, package: str) -> None:
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        __name__,
        stdin=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(TIMEOUT_S):
            # Through a pipe: arguments and environments of processes can be read by others.
            _, trouble = await child.communicate(json.dumps([url, package]).encode())
    finally:
        if child.returncode is None:
            child.kill()
    if child.returncode:
        last = trouble.decode(errors="replace").strip().splitlines()[-1:]
        raise errors.Internal(f"the schema could not be changed: {''.join(last)}")


if __name__ == "__main__":
    from yard.runtime import migrate

    asyncio.run(migrate.upgrade(*json.load(sys.stdin)))
