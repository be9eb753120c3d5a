"""What a service account may do in the name of a person who has asked it for something long.

No token of the person is kept: the service names them with each call, and answers for having checked their
role when they asked. They count as a user, whatever their role, so that they may do what they make may do to
it, and nothing that is an administrator's. Each method is named here; all others, and everybody else who
names somebody, are refused.
"""

from collections.abc import Mapping
from typing import Final

from yard.runtime import errors
from yard.runtime.auth.principal import Principal

ACTS_FOR: Final = "frameyard-acts-for-bin"

METHODS: Final[Mapping[str, frozenset[str]]] = {
    # Restores make tasks and projects, imports of data sets make tasks, and labels of a project; they take
    # them away again when they fail.
    "export": frozenset(
        {
            "/frameyard.annotation.v1.AnnotationService/UpdateDeletedFrames",
            "/frameyard.media.v1.UploadService/AddUploadFiles",
            "/frameyard.media.v1.UploadService/CreateUpload",
            "/frameyard.media.v1.UploadService/DeleteUpload",
            "/frameyard.media.v1.UploadService/FinishUpload",
            "/frameyard.media.v1.UploadService/GetUpload",
            "/frameyard.media.v1.UploadService/GetUploadFile",
            "/frameyard.media.v1.UploadService/UploadFile",
            "/frameyard.media.v1.UploadService/UploadFiles",
            "/frameyard.task.v1.IssueService/CreateComment",
            "/frameyard.task.v1.IssueService/CreateIssue",
            "/frameyard.task.v1.IssueService/UpdateIssue",
            "/frameyard.task.v1.JobService/UpdateJob",
            "/frameyard.task.v1.ProjectService/CreateProject",
            "/frameyard.task.v1.ProjectService/DeleteProject",
            "/frameyard.task.v1.ProjectService/UpdateProjectLabels",
            "/frameyard.task.v1.TaskService/AttachMedia",
            "/frameyard.task.v1.TaskService/CreateTask",
            "/frameyard.task.v1.TaskService/DeleteTask",
        }
    ),
}
"""By the name of the service account."""


def acts_for(user_id: int, username: str) -> tuple[tuple[str, bytes], ...]:
    """The metadata of a call that is made in somebody's name."""
    return ((ACTS_FOR, f"{user_id}:{username}".encode()),)


def acting(caller: Principal, method: str, named: bytes) -> Principal:
    """Whom the caller stands for; PermissionDenied unless it may in this method."""
    if not caller.is_service or method not in METHODS.get(caller.service, ()):
        raise errors.PermissionDenied("this is not done in the name of others", reason="MAY_NOT_ACT")
    number, _, username = named.partition(b":")
    if not number.isdigit() or not int(number):
        raise errors.invalid(ACTS_FOR, "must name a person")
    return Principal(user_id=int(number), username=username.decode("utf-8", "replace"), role="user")
