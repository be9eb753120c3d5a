"""The other services, reached once a process."""

from collections.abc import Awaitable, Callable
from typing import Self

from frameyard.annotation.v1 import annotation_service_pb2_grpc
from frameyard.chunk.v1 import chunk_service_pb2_grpc
from frameyard.media.v1 import media_service_pb2_grpc, upload_service_pb2_grpc
from frameyard.task.v1 import (
    issue_service_pb2_grpc,
    job_service_pb2_grpc,
    project_service_pb2_grpc,
    task_service_pb2_grpc,
)
from yard.export.settings import Settings
from yard.runtime import rpc


class Channels:
    """Stubs that carry the token of our service account; `*_for_caller` carry none of ours."""

    def __init__(self, settings: Settings, token: Callable[[], Awaitable[str]]) -> None:
        self._channels = [
            rpc.channel(address, token=carried)
            for address, carried in (
                (settings.task_address, token),
                (settings.media_ingest_address, token),
                (settings.chunking_address, token),
                (settings.task_address, None),
                (settings.media_ingest_address, None),
            )
        ]
        task, media, chunking, plain, plain_media = self._channels
        self.tasks = task_service_pb2_grpc.TaskServiceStub(task)
        self.jobs = job_service_pb2_grpc.JobServiceStub(task)
        self.issues = issue_service_pb2_grpc.IssueServiceStub(task)
        self.projects = project_service_pb2_grpc.ProjectServiceStub(task)
        self.annotations = annotation_service_pb2_grpc.AnnotationServiceStub(task)
        self.media = media_service_pb2_grpc.MediaServiceStub(media)
        self.chunks = chunk_service_pb2_grpc.ChunkServiceStub(chunking)
        self.tasks_for_caller = task_service_pb2_grpc.TaskServiceStub(plain)
        self.jobs_for_caller = job_service_pb2_grpc.JobServiceStub(plain)
        self.projects_for_caller = project_service_pb2_grpc.ProjectServiceStub(plain)
        self.annotations_for_caller = annotation_service_pb2_grpc.AnnotationServiceStub(plain)
        self.uploads = upload_service_pb2_grpc.UploadServiceStub(media)
        self.uploads_for_caller = upload_service_pb2_grpc.UploadServiceStub(plain_media)

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Channels with the service account of `export`."""
        return cls(settings, rpc.ServiceTokens(settings.identity_address, "export", settings.service_secret))

    async def close(self) -> None:
        """Ends all connections."""
        for channel in self._channels:
            await channel.close()
