"""How the methods of task are called: by method and case."""

from typing import Any, Final

from frameyard.common.v1.common_pb2 import PersonRef
from frameyard.common.v1.filter_pb2 import OPERATOR_EQUAL, Comparison, Filter
from frameyard.media.v1 import media_pb2
from frameyard.task.v1 import (
    issue_pb2,
    job_pb2,
    label_pb2,
    project_pb2,
    task_pb2,
)
from frameyard.task.v1 import issue_service_pb2 as issue
from frameyard.task.v1 import job_service_pb2 as job
from frameyard.task.v1 import label_service_pb2 as label
from frameyard.task.v1 import project_service_pb2 as project
from frameyard.task.v1 import task_service_pb2 as task
from google.protobuf.field_mask_pb2 import FieldMask

from tests.rights.calling import Call
from tests.rights.people import PROJECT_OWNER, TASK_OWNER, USER, WORKER
from tests.rights.scene import Scene

_DATA: Final = media_pb2.DataSpec(
    sources=[
        media_pb2.MediaSource(upload=media_pb2.UploadSource(upload_id="0190c0de-0000-7000-8000-000000000001"))
    ]
)
_CAR: Final = label_pb2.Label(name="bus")
_DELETED: Final = """
WITH gone AS (UPDATE project SET deleted_at = now(), task_count = 0 WHERE id = $2 RETURNING id)
UPDATE task SET deleted_at = now(), deleted_with_project = true WHERE id = $1
"""
_GIVEN_TO_TASK_STAFF: Final = """
UPDATE project
SET owner_id = task.owner_id, assignee_id = task.assignee_id
FROM task
WHERE task.id = $1 AND project.id = $2
"""


def _somebody_else(scene: Scene) -> int:
    """Who could own things, and is not the caller."""
    return TASK_OWNER if scene.caller == USER else USER


def _with_id(id_: int) -> Filter:
    """Of all that are seen the one that is asked about."""
    return Filter(comparison=Comparison(field="id", operator=OPERATOR_EQUAL, values=[str(id_)]))


def _update_job(scene: Scene, path: str, **fields: Any) -> job.UpdateJobRequest:
    wanted = job_pb2.Job(id=scene.job, **fields)
    return job.UpdateJobRequest(job=wanted, update_mask=FieldMask(paths=[path]))


PROJECT_CALLS: Final = {
    ("task.v1.ProjectService/CreateProject", "for oneself"): Call(
        request=lambda _: project.CreateProjectRequest(name="new"), has_target=False
    ),
    ("task.v1.ProjectService/CreateProject", "for another"): Call(
        request=lambda scene: project.CreateProjectRequest(name="new", owner_id=_somebody_else(scene)),
        has_target=False,
    ),
    ("task.v1.ProjectService/GetProject", ""): Call(
        request=lambda scene: project.GetProjectRequest(id=scene.project)
    ),
    ("task.v1.ProjectService/ListProjects", ""): Call(
        request=lambda _: project.ListProjectsRequest(page_size=1000),
        shows=lambda found, scene: any(each.id == scene.project for each in found.projects),
        has_target=False,
    ),
    ("task.v1.ProjectService/UpdateProject", "name"): Call(
        request=lambda scene: project.UpdateProjectRequest(
            project=project_pb2.Project(id=scene.project, name="other"), update_mask=FieldMask(paths=["name"])
        )
    ),
    ("task.v1.ProjectService/UpdateProject", "owner"): Call(
        request=lambda scene: project.UpdateProjectRequest(
            project=project_pb2.Project(id=scene.project, owner=PersonRef(id=USER)),
            update_mask=FieldMask(paths=["owner"]),
        )
    ),
    ("task.v1.ProjectService/UpdateProjectLabels", ""): Call(
        request=lambda scene: project.UpdateProjectLabelsRequest(project_id=scene.project, labels=[_CAR])
    ),
    ("task.v1.ProjectService/DeleteProject", ""): Call(
        request=lambda scene: project.DeleteProjectRequest(id=scene.project)
    ),
    ("task.v1.ProjectService/UndeleteProject", ""): Call(
        request=lambda scene: project.UndeleteProjectRequest(id=scene.project), before=_DELETED
    ),
}

TASK_CALLS: Final = {
    ("task.v1.TaskService/CreateTask", "in no project"): Call(
        request=lambda _: task.CreateTaskRequest(name="new"), has_target=False
    ),
    ("task.v1.TaskService/CreateTask", "in no project, for another"): Call(
        request=lambda scene: task.CreateTaskRequest(name="new", owner_id=_somebody_else(scene)),
        has_target=False,
    ),
    ("task.v1.TaskService/CreateTask", "in a project, for its owner"): Call(
        request=lambda scene: task.CreateTaskRequest(
            name="new", project_id=scene.project, owner_id=PROJECT_OWNER
        )
    ),
    ("task.v1.TaskService/CreateTask", "in a project"): Call(
        request=lambda scene: task.CreateTaskRequest(name="new", project_id=scene.project)
    ),
    ("task.v1.TaskService/AttachMedia", ""): Call(
        request=lambda scene: task.AttachMediaRequest(task_id=scene.task, data=_DATA),
        before="UPDATE task SET media_state = 0, media_id = NULL WHERE id = $1 AND $2::bigint > 0",
    ),
    ("task.v1.TaskService/PlanSegments", ""): Call(
        request=lambda _: task.PlanSegmentsRequest(size=10, mode=task_pb2.TASK_MODE_ANNOTATION),
        has_target=False,
    ),
    ("task.v1.TaskService/GetTask", ""): Call(request=lambda scene: task.GetTaskRequest(id=scene.task)),
    ("task.v1.TaskService/ListTasks", ""): Call(
        request=lambda _: task.ListTasksRequest(page_size=1000),
        shows=lambda found, scene: any(each.id == scene.task for each in found.tasks),
        has_target=False,
    ),
    ("task.v1.TaskService/UpdateTask", "name"): Call(
        request=lambda scene: task.UpdateTaskRequest(
            task=task_pb2.Task(id=scene.task, name="other"), update_mask=FieldMask(paths=["name"])
        )
    ),
    ("task.v1.TaskService/UpdateTask", "owner"): Call(
        request=lambda scene: task.UpdateTaskRequest(
            task=task_pb2.Task(id=scene.task, owner=PersonRef(id=USER)),
            update_mask=FieldMask(paths=["owner"]),
        )
    ),
    ("task.v1.TaskService/SetUseCache", ""): Call(
        request=lambda scene: task.SetUseCacheRequest(id=scene.task, use_cache=True)
    ),
    ("task.v1.TaskService/UpdateTaskLabels", "of a task in no project"): Call(
        request=lambda scene: task.UpdateTaskLabelsRequest(task_id=scene.task, labels=[_CAR]),
        in_project=False,
    ),
    ("task.v1.TaskService/MoveTask", "into a project that is theirs too"): Call(
        request=lambda scene: task.MoveTaskRequest(id=scene.task, project_id=scene.project),
        before=_GIVEN_TO_TASK_STAFF,
        in_project=False,
    ),
    ("task.v1.TaskService/MoveTask", "into a project of others"): Call(
        request=lambda scene: task.MoveTaskRequest(id=scene.task, project_id=scene.other_project),
        in_project=False,
        targets=("other_project",),
    ),
    ("task.v1.TaskService/MoveTask", "out of a project"): Call(
        request=lambda scene: task.MoveTaskRequest(id=scene.task)
    ),
    ("task.v1.TaskService/DeleteTask", ""): Call(request=lambda scene: task.DeleteTaskRequest(id=scene.task)),
    ("task.v1.TaskService/UndeleteTask", ""): Call(
        request=lambda scene: task.UndeleteTaskRequest(id=scene.task),
        before="UPDATE task SET deleted_at = now() WHERE id = $1 AND $2::bigint > 0",
    ),
    ("task.v1.TaskService/GetMediaGrant", "a job"): Call(
        request=lambda scene: task.GetMediaGrantRequest(job_id=scene.job)
    ),
    ("task.v1.TaskService/GetMediaGrant", "a task"): Call(
        request=lambda scene: task.GetMediaGrantRequest(task_id=scene.task)
    ),
    ("task.v1.LabelService/GetLabel", ""): Call(request=lambda scene: label.GetLabelRequest(id=scene.label)),
    ("task.v1.LabelService/ListLabels", "all that are seen"): Call(
        request=lambda scene: label.ListLabelsRequest(filter=_with_id(scene.label)),
        shows=lambda found, scene: any(each.label.id == scene.label for each in found.labels),
        has_target=False,
    ),
    ("task.v1.LabelService/ListLabels", "of a task"): Call(
        request=lambda scene: label.ListLabelsRequest(task_id=scene.task)
    ),
    ("task.v1.LabelService/ListLabels", "of a project"): Call(
        request=lambda scene: label.ListLabelsRequest(project_id=scene.project)
    ),
    ("task.v1.LabelService/ListLabels", "of a job"): Call(
        request=lambda scene: label.ListLabelsRequest(job_id=scene.job)
    ),
    ("task.v1.LabelService/ParseLabels", ""): Call(
        request=lambda _: label.ParseLabelsRequest(text="[]"), has_target=False
    ),
    ("task.v1.LabelService/FormatLabels", "of a task"): Call(
        request=lambda scene: label.FormatLabelsRequest(task_id=scene.task)
    ),
    ("task.v1.LabelService/FormatLabels", "of a project"): Call(
        request=lambda scene: label.FormatLabelsRequest(project_id=scene.project)
    ),
}

JOB_CALLS: Final = {
    ("task.v1.JobService/GetJob", ""): Call(request=lambda scene: job.GetJobRequest(id=scene.job)),
    ("task.v1.JobService/ListJobs", ""): Call(
        request=lambda scene: job.ListJobsRequest(page_size=1000, task_id=scene.task),
        shows=lambda found, scene: any(each.id == scene.job for each in found.jobs),
        has_target=False,
    ),
    ("task.v1.JobService/UpdateJob", "state"): Call(
        request=lambda scene: _update_job(scene, "state", state=job_pb2.JOB_STATE_IN_PROGRESS)
    ),
    ("task.v1.JobService/UpdateJob", "stage"): Call(
        request=lambda scene: _update_job(scene, "stage", stage=job_pb2.JOB_STAGE_VALIDATION)
    ),
    ("task.v1.JobService/UpdateJob", "assignee"): Call(
        request=lambda scene: _update_job(scene, "assignee", assignee=PersonRef(id=WORKER))
    ),
    ("task.v1.JobService/UpdateJob", "reviewer"): Call(
        request=lambda scene: _update_job(scene, "reviewer", reviewer=PersonRef(id=WORKER))
    ),
}

ISSUE_CALLS: Final = {
    ("task.v1.IssueService/CreateIssue", ""): Call(
        request=lambda scene: issue.CreateIssueRequest(
            job_id=scene.job, frame=1, position=[1, 1], message="look"
        )
    ),
    ("task.v1.IssueService/GetIssue", ""): Call(request=lambda scene: issue.GetIssueRequest(id=scene.issue)),
    ("task.v1.IssueService/ListIssues", ""): Call(
        request=lambda scene: issue.ListIssuesRequest(page_size=1000, job_id=scene.job),
        shows=lambda found, scene: any(each.id == scene.issue for each in found.issues),
        has_target=False,
    ),
    ("task.v1.IssueService/UpdateIssue", ""): Call(
        request=lambda scene: issue.UpdateIssueRequest(
            issue=issue_pb2.Issue(id=scene.issue, resolved=True), update_mask=FieldMask(paths=["resolved"])
        )
    ),
    ("task.v1.IssueService/DeleteIssue", "opened by the reviewer"): Call(
        request=lambda scene: issue.DeleteIssueRequest(id=scene.issue)
    ),
    ("task.v1.IssueService/CreateComment", ""): Call(
        request=lambda scene: issue.CreateCommentRequest(issue_id=scene.issue, message="yes")
    ),
    ("task.v1.IssueService/GetComment", ""): Call(
        request=lambda scene: issue.GetCommentRequest(id=scene.comment)
    ),
    ("task.v1.IssueService/ListComments", "of an issue"): Call(
        request=lambda scene: issue.ListCommentsRequest(issue_id=scene.issue)
    ),
    ("task.v1.IssueService/ListComments", "of all issues"): Call(
        request=lambda scene: issue.ListCommentsRequest(page_size=1000, job_id=scene.job),
        shows=lambda found, scene: any(each.id == scene.comment for each in found.comments),
        has_target=False,
    ),
    ("task.v1.IssueService/UpdateComment", "written by the reviewer"): Call(
        request=lambda scene: issue.UpdateCommentRequest(id=scene.comment, message="no")
    ),
    ("task.v1.IssueService/DeleteComment", "written by the reviewer"): Call(
        request=lambda scene: issue.DeleteCommentRequest(id=scene.comment)
    ),
}

CALLS: Final = {
    **PROJECT_CALLS,
    **TASK_CALLS,
    **JOB_CALLS,
    **ISSUE_CALLS,
}
