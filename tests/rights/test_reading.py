"""What a token that only reads lets one call: read this list whenever it changes, method by method."""

from typing import Final

from yard.runtime.rpc.reading import only_reads

from tests.rights.calling import methods

READING: Final = {
    "annotation.v1.AnnotationService": ["GetAnnotations", "GetDeletedFrames", "StreamAnnotations"],
    "annotation.v1.HistoryService": ["DiffRevisions", "GetRevision", "ListRevisions"],
    "chunk.v1.ChunkPeerService": ["ReadBuilding"],
    "chunk.v1.ChunkService": [
        "GetBuildStatus",
        "GetChunk",
        "GetFrame",
        "GetPreview",
        "ListCorruptFrames",
    ],
    "export.v1.ExportService": ["DownloadExport", "ListFormats"],
    "identity.v1.IdentityService": [
        "ExchangeAccessToken",
        "ExchangeSessionKey",
        "GetAccessToken",
        "GetJwks",
        "GetSelf",
        "GetUser",
        "ListAccessTokens",
        "ListUsers",
    ],
    "media.v1.MediaService": [
        "ExportManifest",
        "GetMedia",
        "ListFileResults",
        "ListFrames",
        "StreamMediaFiles",
    ],
    "media.v1.ShareService": ["ListShareEntries", "ListShares"],
    "media.v1.UploadService": ["GetUpload", "GetUploadFile", "LocateUploadFile"],
    "operation.v1.OperationService": ["GetOperation", "ListOperations", "WatchOperation"],
    "sync.v1.RepositoryService": ["GetRepository", "ListPushes"],
    "task.v1.IssueService": ["GetComment", "GetIssue", "ListComments", "ListIssues"],
    "task.v1.JobService": ["GetJob", "ListJobs"],
    "task.v1.LabelService": ["FormatLabels", "GetLabel", "ListLabels", "ParseLabels"],
    "task.v1.ProjectService": ["GetProject", "ListProjects"],
    "task.v1.TaskService": ["GetMediaGrant", "GetTask", "ListTasks", "PlanSegments"],
    "webhook.v1.WebhookService": [
        "GetDelivery",
        "GetWebhook",
        "ListDeliveries",
        "ListWebhookEvents",
        "ListWebhooks",
    ],
}


def test_exactly_these_methods_only_read() -> None:
    reading = {f"{service}/{method}" for service, names in READING.items() for method in names}
    assert {name for name in methods() if only_reads(f"/frameyard.{name}")} == reading


def test_a_name_must_say_the_whole_word() -> None:
    for name in ("Getaway", "Listen", "get_task", "Get", "ReGetTask", ""):
        assert not only_reads(f"/frameyard.task.v1.TaskService/{name}")
    assert not only_reads("/frameyard.task.v1.GetService/DeleteTask")
