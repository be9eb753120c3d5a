"""Tasks and jobs as several routes need them."""

from collections.abc import Iterable

from frameyard.common.v1 import filter_pb2
from frameyard.task.v1 import job_pb2, job_service_pb2, task_pb2, task_service_pb2
from yard.gateway.upstream.caller import Caller


async def get_task(caller: Caller, task_id: int) -> task_pb2.Task:
    """One task; NotFound if the caller does not see it."""
    request = task_service_pb2.GetTaskRequest(id=task_id)
    return (await caller.call(caller.services.tasks.GetTask, request)).task


async def get_job(caller: Caller, job_id: int) -> job_pb2.Job:
    """One job; NotFound if the caller does not see it."""
    request = job_service_pb2.GetJobRequest(id=job_id)
    return (await caller.call(caller.services.jobs.GetJob, request)).job


async def tasks_by_id(caller: Caller, task_ids: Iterable[int]) -> dict[int, task_pb2.Task]:
    """Those of the tasks that the caller sees, at most 1000, without labels."""
    wanted = sorted(set(task_ids))
    if not wanted:
        return {}
    compared = filter_pb2.Comparison(
        field="id", operator=filter_pb2.OPERATOR_IN, values=[str(number) for number in wanted]
    )
    request = task_service_pb2.ListTasksRequest(
        page_size=len(wanted), filter=filter_pb2.Filter(comparison=compared)
    )
    answer = await caller.call(caller.services.tasks.ListTasks, request)
    return {task.id: task for task in answer.tasks}
