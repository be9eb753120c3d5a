"""Who may call which method: the one place that says it, and what docs/rights.md and the tests are made from.

A method that is not here fails the tests. Who is in neither set of a row gets the answer for what is absent.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Final, Literal

Answer = Literal["yes", "no", "hidden", "token"]


def _set(*parts: str | Collection[str]) -> frozenset[str]:
    return frozenset(key for part in parts for key in ([part] if isinstance(part, str) else part))


ADMIN: Final = _set("admin")
SERVICE: Final = _set("service", "chunking")
NO_TOKEN: Final = _set("nobody", "expired", "forged")
PROJECT_STAFF: Final = _set("project_owner", "project_assignee")
# Who was deactivated goes on as before until the token ends, 15 minutes at most; identity alone knows better.
TASK_STAFF: Final = _set("task_owner", "task_assignee", "left")
STAFF: Final = PROJECT_STAFF | TASK_STAFF
ANNOTATOR: Final = _set("annotator_1", "annotator_2", "annotator_3")
REVIEWER: Final = _set("reviewer_1", "reviewer_2", "reviewer_3")
JOB_PEOPLE: Final = ANNOTATOR | REVIEWER
ON_TURN: Final = _set("annotator_1", "reviewer_2", "reviewer_3")
NEIGHBOUR: Final = _set("neighbour")
STRANGERS: Final = _set("user", "worker")
PERSONS: Final = ADMIN | STAFF | JOB_PEOPLE | NEIGHBOUR | STRANGERS
EVERYBODY: Final = PERSONS | SERVICE
USERS: Final = ADMIN | STAFF | _set("user")
WORKERS: Final = JOB_PEOPLE | NEIGHBOUR | _set("worker")

SEE_ALL_OF_TASK: Final = ADMIN | SERVICE | STAFF
SEE_JOB: Final = SEE_ALL_OF_TASK | JOB_PEOPLE
SEE_TASK: Final = SEE_JOB | NEIGHBOUR
WRITE_JOB: Final = ADMIN | STAFF | ON_TURN


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One method in one case: who may (`yes`), and who sees what it is about but may not (`no`).

    `ended` are those whose account is asked for and is not active any more.
    """

    method: str
    case: str = ""
    yes: frozenset[str]
    no: frozenset[str] = frozenset()
    ended: frozenset[str] = frozenset()

    def answer(self, who: str) -> Answer:
        """What somebody gets."""
        if who in self.yes:
            return "yes"
        if who in self.ended or who in NO_TOKEN:
            return "token"
        return "no" if who in self.no else "hidden"


def _rows(service: str, **methods: Row | tuple[Row, ...]) -> list[Row]:
    return [
        replace(row, method=f"{service}/{name}")
        for name, rows in methods.items()
        for row in (rows if isinstance(rows, tuple) else (rows,))
    ]


def _may(
    yes: Collection[str], no: Collection[str] = (), *, case: str = "", ended: Collection[str] = ()
) -> Row:
    return Row(method="", case=case, yes=_set(yes), no=_set(no), ended=_set(ended))


_OPEN = _may(EVERYBODY | NO_TOKEN)
_ALL = _may(EVERYBODY)
_SEES_JOB = _may(SEE_JOB)
_SEES_TASK = _may(SEE_TASK)
_SEES_PROJECT = _may(SEE_TASK)
_CHANGES_PROJECT = _may(ADMIN | PROJECT_STAFF, SEE_TASK)
_OWNS_PROJECT = _may(ADMIN | {"project_owner"}, SEE_TASK)
_CHANGES_TASK = _may(ADMIN | TASK_STAFF, SEE_TASK)
_OWNS_TASK = _may(ADMIN | {"task_owner"}, SEE_TASK)
_WRITES_JOB = _may(WRITE_JOB, SEE_JOB, case="a job")
_READS_JOB = _may(SEE_JOB, case="a job")
_READS_TASK = _may(SEE_ALL_OF_TASK, SEE_TASK, case="a task")
_WRITES_TASK = _may(ADMIN | STAFF, SEE_TASK, case="a task")
_OWN_ACCOUNT = _may(PERSONS - {"left"}, SERVICE, ended=["left"])
_ADMINS = _may(ADMIN, EVERYBODY - {"left"}, ended=["left"])
_MAKER = _may(["task_owner"])
_WATCHES = _may(ADMIN | PROJECT_STAFF | {"user"}, case="made by another user")
_READS_REPOSITORY = _may(SEE_ALL_OF_TASK)
_CHANGES_REPOSITORY = _may(ADMIN | {"task_owner", "project_owner"})
_PUSHES = _may(ADMIN | STAFF)
_PIXELS = _may(SERVICE | ADMIN | STAFF | JOB_PEOPLE, case="of the job, by a grant")

TABLE: Final = [
    *_rows(
        "identity.v1.IdentityService",
        Login=_OPEN,
        RefreshSession=_OPEN,
        Logout=_OPEN,
        OpenKeySession=_OPEN,
        ExchangeSessionKey=_OPEN,
        CloseKeySession=_OPEN,
        ExchangeAccessToken=_OPEN,
        IssueServiceToken=_OPEN,
        GetJwks=_OPEN,
        GetSelf=_OWN_ACCOUNT,
        CreateUser=_ADMINS,
        GetUser=_ALL,
        ListUsers=_ALL,
        UpdateUser=(
            _may(PERSONS - {"left"}, SERVICE, case="own names", ended=["left"]),
            _may(ADMIN, EVERYBODY - {"left"}, case="names of another", ended=["left"]),
            _may(ADMIN, EVERYBODY - {"left"}, case="own role", ended=["left"]),
        ),
        ChangePassword=_may(ADMIN, EVERYBODY - {"left"}, case="of another", ended=["left"]),
        CreateAccessToken=_OWN_ACCOUNT,
        ListAccessTokens=_OWN_ACCOUNT,
        GetAccessToken=(
            _may(PERSONS - {"left"}, SERVICE, case="an own one", ended=["left"]),
            _may([], SERVICE, case="one of another", ended=["left"]),
        ),
        UpdateAccessToken=(
            _may(PERSONS - {"left"}, SERVICE, case="an own one", ended=["left"]),
            _may([], SERVICE, case="one of another", ended=["left"]),
        ),
        RevokeAccessToken=(
            _may(PERSONS - {"left"}, SERVICE, case="an own one", ended=["left"]),
            _may([], SERVICE, case="one of another", ended=["left"]),
        ),
    ),
    *_rows(
        "task.v1.ProjectService",
        CreateProject=(
            _may(USERS, WORKERS | SERVICE, case="for oneself"),
            _may(ADMIN | SERVICE, PERSONS - ADMIN, case="for another"),
        ),
        GetProject=_SEES_PROJECT,
        ListProjects=_SEES_PROJECT,
        UpdateProject=(
            _may(ADMIN | PROJECT_STAFF, SEE_TASK, case="name"),
            _may(ADMIN | {"project_owner"}, SEE_TASK, case="owner"),
        ),
        UpdateProjectLabels=_CHANGES_PROJECT,
        DeleteProject=_OWNS_PROJECT,
        UndeleteProject=_may(ADMIN | {"project_owner"}),
    ),
    *_rows(
        "task.v1.TaskService",
        CreateTask=(
            _may(USERS, WORKERS | SERVICE, case="in no project"),
            _may(
                ADMIN | PROJECT_STAFF,
                SERVICE | TASK_STAFF | WORKERS,
                case="in a project",
            ),
            _may(ADMIN | SERVICE, PERSONS - ADMIN, case="in no project, for another"),
            _may(
                ADMIN | SERVICE | {"project_owner"},
                PERSONS - ADMIN,
                case="in a project, for its owner",
            ),
        ),
        AttachMedia=_CHANGES_TASK,
        PlanSegments=_ALL,
        GetTask=_SEES_TASK,
        ListTasks=_SEES_TASK,
        UpdateTask=(
            _may(ADMIN | TASK_STAFF, SEE_TASK, case="name"),
            _may(ADMIN | {"task_owner"}, SEE_TASK, case="owner"),
        ),
        SetUseCache=_CHANGES_TASK,
        UpdateTaskLabels=_may(ADMIN | TASK_STAFF, SEE_TASK - PROJECT_STAFF, case="of a task in no project"),
        MoveTask=(
            _may(ADMIN | TASK_STAFF, SEE_TASK - PROJECT_STAFF, case="into a project that is theirs too"),
            _may(ADMIN, SEE_TASK - STAFF, case="into a project of others"),
            _may(ADMIN | TASK_STAFF, SEE_TASK, case="out of a project"),
        ),
        DeleteTask=_OWNS_TASK,
        UndeleteTask=_may(ADMIN | {"task_owner"}),
        GetMediaGrant=(
            _may(SEE_JOB, case="a job"),
            _may(SEE_ALL_OF_TASK, SEE_TASK, case="a task"),
        ),
    ),
    *_rows(
        "task.v1.LabelService",
        GetLabel=_SEES_PROJECT,
        ListLabels=(
            _may(SEE_TASK, case="all that are seen"),
            _may(SEE_TASK, case="of a task"),
            _may(SEE_TASK, case="of a project"),
            _may(SEE_JOB, case="of a job"),
        ),
        ParseLabels=_ALL,
        FormatLabels=(_may(SEE_TASK, case="of a task"), _may(SEE_TASK, case="of a project")),
    ),
    *_rows(
        "task.v1.JobService",
        GetJob=_SEES_JOB,
        ListJobs=_SEES_JOB,
        UpdateJob=(
            _may(WRITE_JOB, SEE_JOB, case="state"),
            _may(ADMIN | STAFF, SEE_JOB, case="stage"),
            _may(ADMIN | STAFF, SEE_JOB, case="assignee"),
            _may(ADMIN | STAFF, SEE_JOB, case="reviewer"),
        ),
    ),
    *_rows(
        "task.v1.IssueService",
        CreateIssue=_may(SEE_JOB - SERVICE, SERVICE),
        GetIssue=_SEES_JOB,
        ListIssues=_SEES_JOB,
        UpdateIssue=_may(SEE_JOB - SERVICE, SERVICE),
        DeleteIssue=_may(ADMIN | STAFF | REVIEWER, SEE_JOB, case="opened by the reviewer"),
        CreateComment=_may(SEE_JOB - SERVICE, SERVICE),
        GetComment=_SEES_JOB,
        ListComments=(_may(SEE_JOB, case="of an issue"), _may(SEE_JOB, case="of all issues")),
        UpdateComment=_may(REVIEWER, SEE_JOB, case="written by the reviewer"),
        DeleteComment=_may(REVIEWER, SEE_JOB, case="written by the reviewer"),
    ),
    *_rows(
        "annotation.v1.AnnotationService",
        GetAnnotations=(_READS_JOB, _READS_TASK),
        PutAnnotations=(_WRITES_JOB, _WRITES_TASK),
        PatchAnnotations=(_WRITES_JOB, _WRITES_TASK),
        StreamAnnotations=(_READS_JOB, _READS_TASK),
        ImportAnnotations=(_WRITES_JOB, _WRITES_TASK),
        GetDeletedFrames=(_READS_JOB, _READS_TASK),
        UpdateDeletedFrames=(_WRITES_JOB, _WRITES_TASK),
    ),
    *_rows(
        "annotation.v1.HistoryService",
        ListRevisions=(_READS_JOB, _READS_TASK),
        GetRevision=_SEES_JOB,
        DiffRevisions=_SEES_JOB,
        RestoreRevision=_may(WRITE_JOB, SEE_JOB),
    ),
    *_rows(
        "operation.v1.OperationService",
        GetOperation=_may(ADMIN | SERVICE | {"task_owner"}, case="begun by the task owner"),
        ListOperations=_may(ADMIN | SERVICE | {"task_owner"}, case="begun by the task owner"),
        CancelOperation=_may(ADMIN | SERVICE | {"task_owner"}, case="begun by the task owner"),
        WatchOperation=_may(ADMIN | SERVICE | {"task_owner"}, case="begun by the task owner"),
    ),
    *_rows(
        "media.v1.UploadService",
        CreateUpload=_ALL,
        AddUploadFiles=_MAKER,
        RemoveUploadFile=_MAKER,
        GetUploadFile=_MAKER,
        UploadFile=_MAKER,
        UploadFiles=_MAKER,
        PresignParts=_MAKER,
        CompleteParts=_MAKER,
        GetUpload=_MAKER,
        FinishUpload=_MAKER,
        LocateUploadFile=_may(SERVICE),
        DeleteUpload=_MAKER,
    ),
    *_rows(
        "media.v1.MediaService",
        GetMedia=_PIXELS,
        ListFrames=_PIXELS,
        ListFileResults=_may(SERVICE | ADMIN | STAFF, case="by a grant of the task"),
        ExportManifest=_may(SERVICE | ADMIN | STAFF, case="by a grant of the task"),
        StreamMediaFiles=_may(SERVICE),
    ),
    *_rows("media.v1.ShareService", ListShares=_ALL, ListShareEntries=_ALL),
    *_rows(
        "chunk.v1.ChunkService",
        GetChunk=_PIXELS,
        GetFrame=_PIXELS,
        GetPreview=_PIXELS,
        ListCorruptFrames=_PIXELS,
        GetBuildStatus=_PIXELS,
    ),
    *_rows("chunk.v1.ChunkPeerService", ReadBuilding=_may(["chunking"], case="among replicas of chunking")),
    *_rows(
        "export.v1.ExportService",
        ListFormats=_ALL,
        CreateExport=(
            _may(SEE_JOB, case="of a job"),
            _may(SEE_ALL_OF_TASK, SEE_TASK, case="of a task"),
            _may(ADMIN | SERVICE | PROJECT_STAFF, SEE_TASK, case="of a project"),
        ),
        DownloadExport=(
            _may(SEE_JOB, case="of a job, begun by the task owner"),
            _may(SEE_ALL_OF_TASK, case="of a task, begun by the task owner"),
        ),
    ),
    *_rows(
        "export.v1.ImportService",
        CreateImport=(
            _may(WRITE_JOB, SEE_JOB, case="to a job"),
            _may(ADMIN | STAFF, SEE_TASK, case="to a task"),
        ),
        CreateDatasetImport=_may(PROJECT_STAFF, ADMIN | SERVICE | TASK_STAFF | WORKERS),
    ),
    *_rows(
        "export.v1.BackupService",
        CreateBackup=(
            _may(SEE_ALL_OF_TASK, SEE_TASK, case="of a task"),
            _may(ADMIN | SERVICE | PROJECT_STAFF, SEE_TASK, case="of a project"),
        ),
        RestoreBackup=_may(USERS, WORKERS | SERVICE),
    ),
    *_rows(
        "sync.v1.RepositoryService",
        ConnectRepository=_CHANGES_REPOSITORY,
        GetRepository=_READS_REPOSITORY,
        UpdateRepository=_CHANGES_REPOSITORY,
        DisconnectRepository=_CHANGES_REPOSITORY,
        SetCredential=_CHANGES_REPOSITORY,
        SetHostKeys=_CHANGES_REPOSITORY,
        CheckRepository=_PUSHES,
        PushRepository=_PUSHES,
        ListPushes=_READS_REPOSITORY,
    ),
    *_rows(
        "webhook.v1.WebhookService",
        CreateWebhook=_may(ADMIN | PROJECT_STAFF, SEE_TASK),
        GetWebhook=_WATCHES,
        ListWebhooks=_WATCHES,
        UpdateWebhook=_WATCHES,
        DeleteWebhook=_WATCHES,
        PingWebhook=_WATCHES,
        ListWebhookEvents=_ALL,
        GetDelivery=_WATCHES,
        ListDeliveries=_WATCHES,
        RedeliverDelivery=_WATCHES,
    ),
]
