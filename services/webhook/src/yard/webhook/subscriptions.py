"""Events that webhook listens to."""

from frameyard.annotation.v1.annotation_events_pb2 import AnnotationsChanged
from frameyard.identity.v1.identity_events_pb2 import UserCreated, UserUpdated
from frameyard.task.v1.issue_events_pb2 import IssueCreated, IssueDeleted, IssueUpdated
from frameyard.task.v1.task_events_pb2 import (
    JobUpdated,
    ProjectDeleted,
    ProjectProgressed,
    ProjectUpdated,
    TaskCreated,
    TaskDeleted,
    TaskMoved,
    TaskProgressed,
    TaskPurged,
    TaskReady,
    TaskUndeleted,
    TaskUpdated,
)
from yard.runtime.bus import Subscription, subscribe
from yard.webhook.handlers import events, issues, learning


def subscriptions() -> tuple[Subscription, ...]:
    """Event and handler."""
    return (
        subscribe(UserCreated, learning.learn_person, name="learn_new_person"),
        subscribe(UserUpdated, learning.learn_person, name="learn_person"),
        subscribe(ProjectUpdated, events.project_updated, name="project_updated"),
        subscribe(ProjectProgressed, events.project_progressed, name="project_progressed"),
        subscribe(ProjectDeleted, events.project_deleted, name="project_deleted"),
        subscribe(TaskCreated, events.task_created, name="task_created"),
        subscribe(TaskUpdated, events.task_updated, name="task_updated"),
        subscribe(TaskMoved, events.task_moved, name="task_moved"),
        subscribe(TaskReady, events.task_ready, name="task_ready"),
        subscribe(TaskProgressed, events.task_progressed, name="task_progressed"),
        subscribe(TaskDeleted, events.task_deleted, name="task_deleted"),
        subscribe(TaskUndeleted, events.task_undeleted, name="task_undeleted"),
        subscribe(TaskPurged, learning.forget_task, name="forget_task"),
        subscribe(JobUpdated, events.job_updated, name="job_updated"),
        subscribe(AnnotationsChanged, events.annotations_changed, name="annotations_changed"),
        subscribe(IssueCreated, issues.issue_created, name="issue_created"),
        subscribe(IssueUpdated, issues.issue_updated, name="issue_updated"),
        subscribe(IssueDeleted, issues.issue_deleted, name="issue_deleted"),
    )
