"""Everybody who may call, by what they have to do with one project, one of its tasks and one of its jobs."""

from dataclasses import dataclass
from typing import Final, Literal

from frameyard.identity.v1.user_pb2 import ROLE_ADMIN, ROLE_USER, ROLE_WORKER
from yard.runtime.auth import Principal, Role

Token = Literal["none", "valid", "expired", "forged"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Who:
    """A caller; `stage` is the one in which the job is when they call.

    Of several in one column, `when` tells which of them is meant.
    """

    key: str
    column: str
    user_id: int
    role: Role = "user"
    service: str = ""
    stage: int = 1
    when: str = ""
    token: Token = "valid"

    @property
    def principal(self) -> Principal:
        """As a token says it."""
        username = self.service or f"user{self.user_id}"
        return Principal(user_id=self.user_id, username=username, role=self.role, service=self.service)


PROJECT_OWNER, PROJECT_ASSIGNEE, TASK_OWNER, TASK_ASSIGNEE = 11, 12, 13, 14
ANNOTATOR, REVIEWER, NEIGHBOUR = 15, 16, 17
ADMIN, USER, WORKER, LEFT = 18, 19, 20, 21
ROLES: Final = {"admin": ROLE_ADMIN, "user": ROLE_USER, "worker": ROLE_WORKER}
STAGES: Final = {1: "annotation", 2: "validation", 3: "acceptance"}

PEOPLE: Final = {
    who.key: who
    for who in (
        Who(key="nobody", column="no valid token", user_id=0, token="none"),
        # Those that would be worth most, if they were taken.
        Who(key="expired", column="no valid token", user_id=ADMIN, role="admin", token="expired"),
        Who(key="forged", column="no valid token", user_id=ADMIN, role="admin", token="forged"),
        Who(key="service", column="service", user_id=0, role="service", service="export", when="as export"),
        Who(
            key="chunking",
            column="service",
            user_id=0,
            role="service",
            service="chunking",
            when="as chunking",
        ),
        Who(key="admin", column="admin", user_id=ADMIN, role="admin"),
        Who(key="project_owner", column="project owner", user_id=PROJECT_OWNER),
        Who(key="project_assignee", column="project assignee", user_id=PROJECT_ASSIGNEE),
        Who(key="task_owner", column="task owner", user_id=TASK_OWNER),
        Who(key="task_assignee", column="task assignee", user_id=TASK_ASSIGNEE),
        Who(key="left", column="task assignee, deactivated", user_id=LEFT),
        *(
            Who(
                key=f"annotator_{stage}",
                column="job assignee",
                user_id=ANNOTATOR,
                role="worker",
                stage=stage,
                when=f"in {name}",
            )
            for stage, name in STAGES.items()
        ),
        *(
            Who(
                key=f"reviewer_{stage}",
                column="job reviewer",
                user_id=REVIEWER,
                role="worker",
                stage=stage,
                when=f"in {name}",
            )
            for stage, name in STAGES.items()
        ),
        Who(key="neighbour", column="assignee of another job", user_id=NEIGHBOUR, role="worker"),
        Who(key="user", column="another user", user_id=USER),
        Who(key="worker", column="another worker", user_id=WORKER, role="worker"),
    )
}
