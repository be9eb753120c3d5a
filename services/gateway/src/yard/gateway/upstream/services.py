"""Stubs of all services, one channel an address."""

from collections.abc import Mapping
from typing import Final

import grpc.aio
from frameyard.annotation.v1 import annotation_service_pb2_grpc, history_service_pb2_grpc
from frameyard.chunk.v1 import chunk_service_pb2_grpc
from frameyard.export.v1 import backup_service_pb2_grpc, export_service_pb2_grpc, import_service_pb2_grpc
from frameyard.identity.v1 import identity_service_pb2_grpc
from frameyard.media.v1 import media_service_pb2_grpc, share_service_pb2_grpc, upload_service_pb2_grpc
from frameyard.operation.v1 import operation_service_pb2_grpc
from frameyard.sync.v1 import repository_service_pb2_grpc
from frameyard.task.v1 import (
    issue_service_pb2_grpc,
    job_service_pb2_grpc,
    label_service_pb2_grpc,
    project_service_pb2_grpc,
    task_service_pb2_grpc,
)
from frameyard.webhook.v1 import webhook_service_pb2_grpc
from yard.gateway.settings import Settings
from yard.gateway.upstream.objects import Objects
from yard.runtime import rpc
from yard.runtime.live import LiveEvents

NAME: Final = "gateway"


class Services:
    """Stubs without a token of ours: each call carries that of its caller (see `Caller`).

    `chunks_as_service` carries the gateway's own token, for answers by reference; what may be seen is asked
    before in the caller's name.
    """

    def __init__(self, settings: Settings) -> None:
        optional = {"webhook": settings.webhook_address, "repo_sync": settings.repo_sync_address}
        addresses = {
            "identity": settings.identity_address,
            "task": settings.task_address,
            "media_ingest": settings.media_ingest_address,
            "chunking": settings.chunking_address,
            "export": settings.export_address,
            **{name: address for name, address in optional.items() if address},
        }
        self.channels: Mapping[str, grpc.aio.Channel] = {
            name: rpc.channel(address) for name, address in addresses.items()
        }
        own_token = rpc.ServiceTokens(settings.identity_address, NAME, settings.service_secret)
        self.objects = Objects(settings)
        self.live = LiveEvents(settings.nats_url, token=settings.nats_token, name=NAME)
        self._own = rpc.channel(settings.chunking_address, token=own_token)
        self.identity = identity_service_pb2_grpc.IdentityServiceStub(self.channels["identity"])
        task = self.channels["task"]
        self.tasks = task_service_pb2_grpc.TaskServiceStub(task)
        self.projects = project_service_pb2_grpc.ProjectServiceStub(task)
        self.jobs = job_service_pb2_grpc.JobServiceStub(task)
        self.labels = label_service_pb2_grpc.LabelServiceStub(task)
        self.issues = issue_service_pb2_grpc.IssueServiceStub(task)
        self.annotations = annotation_service_pb2_grpc.AnnotationServiceStub(task)
        self.history = history_service_pb2_grpc.HistoryServiceStub(task)
        media = self.channels["media_ingest"]
        self.uploads = upload_service_pb2_grpc.UploadServiceStub(media)
        self.media = media_service_pb2_grpc.MediaServiceStub(media)
        self.shares = share_service_pb2_grpc.ShareServiceStub(media)
        self.chunks = chunk_service_pb2_grpc.ChunkServiceStub(self.channels["chunking"])
        self.chunks_as_service = chunk_service_pb2_grpc.ChunkServiceStub(self._own)
        export = self.channels["export"]
        self.exports = export_service_pb2_grpc.ExportServiceStub(export)
        self.imports = import_service_pb2_grpc.ImportServiceStub(export)
        self.backups = backup_service_pb2_grpc.BackupServiceStub(export)
        hooks = self.channels.get("webhook")
        self.webhooks = webhook_service_pb2_grpc.WebhookServiceStub(hooks) if hooks else None
        sync = self.channels.get("repo_sync")
        self.repositories = repository_service_pb2_grpc.RepositoryServiceStub(sync) if sync else None
        self.operations = {
            name: operation_service_pb2_grpc.OperationServiceStub(channel)
            for name, channel in self.channels.items()
        }

    async def close(self) -> None:
        """Ends all connections."""
        for channel in (*self.channels.values(), self._own):
            await channel.close()
        self.objects.close()
