# ruff: noqa: N802 - methods are named as in the proto
"""RepositoryService: proto in, proto out."""

from typing import Any

from frameyard.sync.v1 import repository_service_pb2 as messages
from frameyard.sync.v1 import repository_service_pb2_grpc
from yard.repo_sync.handlers import asking, changing, connecting, credentials, reading
from yard.repo_sync.handlers.context import Syncing

REPOSITORY_SERVICE = messages.DESCRIPTOR.services_by_name["RepositoryService"].full_name


class RepositoryServicer(repository_service_pb2_grpc.RepositoryServiceServicer):
    """Dataset repositories over gRPC."""

    def __init__(self, syncing: Syncing) -> None:
        self._syncing = syncing

    async def ConnectRepository(
        self, request: messages.ConnectRepositoryRequest, context: Any
    ) -> messages.ConnectRepositoryResponse:
        """Ties a task to one."""
        return await connecting.connect(self._syncing, request, _authorization(context))

    async def GetRepository(
        self, request: messages.GetRepositoryRequest, context: Any
    ) -> messages.GetRepositoryResponse:
        """Reads one."""
        return await reading.get_repository(self._syncing, request, _authorization(context))

    async def UpdateRepository(
        self, request: messages.UpdateRepositoryRequest, context: Any
    ) -> messages.UpdateRepositoryResponse:
        """Changes one."""
        return await changing.update(self._syncing, request, _authorization(context))

    async def DisconnectRepository(
        self, request: messages.DisconnectRepositoryRequest, context: Any
    ) -> messages.DisconnectRepositoryResponse:
        """Unties a task."""
        return await connecting.disconnect(self._syncing, request, _authorization(context))

    async def SetCredential(
        self, request: messages.SetCredentialRequest, context: Any
    ) -> messages.SetCredentialResponse:
        """How it is opened."""
        return await credentials.set_credential(self._syncing, request, _authorization(context))

    async def SetHostKeys(
        self, request: messages.SetHostKeysRequest, context: Any
    ) -> messages.SetHostKeysResponse:
        """How its host is known."""
        return await credentials.set_host_keys(self._syncing, request, _authorization(context))

    async def CheckRepository(
        self, request: messages.CheckRepositoryRequest, context: Any
    ) -> messages.CheckRepositoryResponse:
        """Begins a look."""
        return await asking.check(self._syncing, request, _authorization(context))

    async def PushRepository(
        self, request: messages.PushRepositoryRequest, context: Any
    ) -> messages.PushRepositoryResponse:
        """Begins a push."""
        return await asking.push(self._syncing, request, _authorization(context))

    async def ListPushes(
        self, request: messages.ListPushesRequest, context: Any
    ) -> messages.ListPushesResponse:
        """Reads a page."""
        return await reading.list_pushes(self._syncing, request, _authorization(context))


def _authorization(context: Any) -> str:
    """The caller's own header, with which its rights are asked for."""
    return str(dict(context.invocation_metadata() or ()).get("authorization", ""))
