# ruff: noqa: N802 - methods are named as in the proto
"""JobService."""

from typing import Any

from frameyard.task.v1 import job_service_pb2 as messages
from frameyard.task.v1 import job_service_pb2_grpc
from yard.task.handlers import jobs
from yard.task.handlers.context import Tasks

JOB_SERVICE = messages.DESCRIPTOR.services_by_name["JobService"].full_name


class JobServicer(job_service_pb2_grpc.JobServiceServicer):
    """Jobs over gRPC."""

    def __init__(self, tasks: Tasks) -> None:
        self._tasks = tasks

    async def GetJob(self, request: messages.GetJobRequest, context: Any) -> messages.GetJobResponse:
        """Reads a job."""
        return await jobs.get_job(self._tasks, request)

    async def ListJobs(self, request: messages.ListJobsRequest, context: Any) -> messages.ListJobsResponse:
        """Lists jobs."""
        return await jobs.list_jobs(self._tasks, request)

    async def UpdateJob(self, request: messages.UpdateJobRequest, context: Any) -> messages.UpdateJobResponse:
        """Changes a job."""
        return await jobs.update_job(self._tasks, request)
