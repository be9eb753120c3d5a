"""`python -m yard.client.smoke`: logs in and asks every service once; for the test of an installation.

FRAMEYARD_<SERVICE>_ADDRESS names the services, FRAMEYARD_ADMIN_PASSWORD is that of the user `admin`.
"""

import asyncio
import os
import sys
from collections.abc import Awaitable
from uuid import uuid4

from frameyard.chunk.v1 import chunk_service_pb2
from frameyard.export.v1 import export_service_pb2
from frameyard.media.v1 import share_service_pb2
from frameyard.task.v1 import task_service_pb2
from yard.client.client import Client
from yard.client.endpoints import Endpoints
from yard.client.failures import ClientError

_SERVICES = ("identity", "task", "media_ingest", "chunking", "export")


def main() -> int:
    """Returns the exit status: 0 if all services answered as they should."""
    try:
        asyncio.run(_ask())
    except ClientError as fault:
        sys.stderr.write("\n".join(fault.lines()) + "\n")
        return 1
    return 0


async def _ask() -> None:
    addresses = {name: os.environ.get(f"FRAMEYARD_{name.upper()}_ADDRESS", "") for name in _SERVICES}
    async with Client(Endpoints.of(addresses)) as client:
        await _step("identity", client.login("admin", os.environ.get("FRAMEYARD_ADMIN_PASSWORD", "")))
        tasks = client.call(client.tasks.ListTasks, task_service_pb2.ListTasksRequest(page_size=1))
        await _step("task", tasks)
        shares = client.call(client.shares.ListShares, share_service_pb2.ListSharesRequest())
        await _step("media_ingest", shares)
        await _step("chunking", _no_such_media(client))
        formats = client.call(client.exports.ListFormats, export_service_pb2.ListFormatsRequest())
        await _step("export", formats)


async def _no_such_media(client: Client) -> None:
    """Chunks of unknown media are not found: an answer that only a working service gives."""
    request = chunk_service_pb2.GetBuildStatusRequest(media_id=str(uuid4()))
    try:
        await client.call(client.chunks.GetBuildStatus, request)
    except ClientError as fault:
        if fault.code != "NOT_FOUND":
            raise


async def _step(service: str, answer: Awaitable[object]) -> None:
    try:
        await answer
    except ClientError as fault:
        message = f"{service}: {fault.message}"
        raise ClientError(message, code=fault.code, violations=fault.violations, hint=fault.hint) from fault
    sys.stdout.write(f"{service} answers\n")


if __name__ == "__main__":
    sys.exit(main())
