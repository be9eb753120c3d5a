"""How the methods of dataset repositories are called: by method and case."""

from typing import Final

from frameyard.sync.v1 import repository_pb2
from frameyard.sync.v1 import repository_service_pb2 as sync
from frameyard.task.v1 import task_pb2
from google.protobuf.field_mask_pb2 import FieldMask

from tests.rights import parts
from tests.rights.calling import Call

_PARTS: Final = (parts.repository,)

REPOSITORY_CALLS: Final = {
    ("sync.v1.RepositoryService/ConnectRepository", ""): Call(
        request=lambda scene: sync.ConnectRepositoryRequest(
            task_id=scene.task, repository=task_pb2.DatasetRepository(location=parts.REPOSITORY)
        )
    ),
    ("sync.v1.RepositoryService/GetRepository", ""): Call(
        request=lambda scene: sync.GetRepositoryRequest(task_id=scene.task), parts=_PARTS
    ),
    ("sync.v1.RepositoryService/UpdateRepository", ""): Call(
        request=lambda scene: sync.UpdateRepositoryRequest(
            repository=repository_pb2.Repository(task_id=scene.task, branch="boxes"),
            update_mask=FieldMask(paths=["branch"]),
        ),
        parts=_PARTS,
    ),
    ("sync.v1.RepositoryService/DisconnectRepository", ""): Call(
        request=lambda scene: sync.DisconnectRepositoryRequest(task_id=scene.task), parts=_PARTS
    ),
    ("sync.v1.RepositoryService/SetCredential", ""): Call(
        request=lambda scene: sync.SetCredentialRequest(task_id=scene.task, token=sync.Token(token="secret")),
        parts=_PARTS,
    ),
    ("sync.v1.RepositoryService/SetHostKeys", ""): Call(
        request=lambda scene: sync.SetHostKeysRequest(task_id=scene.task), parts=_PARTS
    ),
    ("sync.v1.RepositoryService/CheckRepository", ""): Call(
        request=lambda scene: sync.CheckRepositoryRequest(task_id=scene.task), parts=_PARTS
    ),
    ("sync.v1.RepositoryService/PushRepository", ""): Call(
        request=lambda scene: sync.PushRepositoryRequest(task_id=scene.task), parts=_PARTS
    ),
    ("sync.v1.RepositoryService/ListPushes", ""): Call(
        request=lambda scene: sync.ListPushesRequest(task_id=scene.task), parts=_PARTS
    ),
}
