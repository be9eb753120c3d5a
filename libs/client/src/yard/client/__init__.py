"""Typed asynchronous client of the gRPC API.

async with Client(Endpoints.load(Path(".data/endpoints.json"))) as client:
    await client.login("admin", password)
    answer = await client.call(client.tasks.GetTask, GetTaskRequest(id=1))
"""

from yard.client.client import Client
from yard.client.endpoints import Endpoints
from yard.client.failures import ClientError

__all__ = ["Client", "ClientError", "Endpoints"]
