"""Changes of labels, whose owner takes them."""

from dataclasses import dataclass, field

from frameyard.task.v1 import label_pb2, project_service_pb2, task_service_pb2
from yard.gateway.upstream.caller import Caller


@dataclass(slots=True)
class LabelChanges:
    """Labels to add or change, ids of those to delete."""

    changed: list[label_pb2.Label] = field(default_factory=list)
    deleted: list[int] = field(default_factory=list)
    deleted_attributes: list[int] = field(default_factory=list)


async def change_labels(
    caller: Caller, changes: LabelChanges, *, task_id: int = 0, project_id: int = 0, only_check: bool = False
) -> None:
    """Changes the labels of a task or a project; objects of deleted labels go with them.

    Clients do not ask the service whether there are some: they ask people. `only_check`: nothing is changed.
    """
    if project_id:
        of_project = project_service_pb2.UpdateProjectLabelsRequest(
            project_id=project_id,
            labels=changes.changed,
            delete_label_ids=changes.deleted,
            delete_attribute_ids=changes.deleted_attributes,
            force=True,
            validate_only=only_check,
        )
        await caller.call(caller.services.projects.UpdateProjectLabels, of_project)
        return
    of_task = task_service_pb2.UpdateTaskLabelsRequest(
        task_id=task_id,
        labels=changes.changed,
        delete_label_ids=changes.deleted,
        delete_attribute_ids=changes.deleted_attributes,
        force=True,
        validate_only=only_check,
    )
    await caller.call(caller.services.tasks.UpdateTaskLabels, of_task)
