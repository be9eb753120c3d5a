"""Dataset repositories: how bodies become requests, and what is shown."""

import pytest
from frameyard.sync.v1 import repository_pb2
from frameyard.task.v1 import task_pb2
from google.rpc.status_pb2 import Status
from yard.gateway.cvat.faults import field_of
from yard.gateway.routes.own.repository_words import (
    FIELDS,
    CredentialWrite,
    RepositoryPatch,
    RepositoryWrite,
    new_credential,
    new_repository,
    repository_changes,
    repository_read,
)
from yard.runtime import errors


def test_a_new_repository_has_what_is_given_and_defaults() -> None:
    request = new_repository(5, RepositoryWrite.model_validate({"location": "https://example.org/our/data"}))
    assert (request.task_id, request.repository.location) == (5, "https://example.org/our/data")
    assert not request.HasField("automatic")
    written = RepositoryWrite.model_validate({"location": "x", "automatic": {"quiet_s": 60}})
    automatic = new_repository(5, written).automatic
    assert automatic.quiet.seconds == 60
    assert not automatic.HasField("period")


def test_a_patch_changes_what_is_given_alone() -> None:
    assert repository_changes(5, RepositoryPatch.model_validate({})) is None
    changes = repository_changes(5, RepositoryPatch.model_validate({"automatic": None, "branch": ""}))
    assert changes is not None
    assert sorted(changes.update_mask.paths) == ["automatic", "branch"]
    assert not changes.repository.HasField("automatic")


def test_a_put_changes_all() -> None:
    changes = repository_changes(5, RepositoryWrite.model_validate({"location": "x"}))
    assert changes is not None
    assert sorted(changes.update_mask.paths) == ["automatic", "branch", "format", "location", "use_lfs"]


@pytest.mark.parametrize(
    "body",
    [{}, {"username": "anna"}, {"token": "t", "generate_key": True}, {"token": "", "private_key": ""}],
)
def test_a_credential_is_given_in_one_way(body: dict[str, object]) -> None:
    with pytest.raises(errors.InvalidArgument):
        new_credential(5, CredentialWrite.model_validate(body))


def test_a_token_goes_with_its_user() -> None:
    request = new_credential(5, CredentialWrite.model_validate({"token": "t", "username": "anna"}))
    assert (request.token.token, request.token.username) == ("t", "anna")
    assert new_credential(5, CredentialWrite.model_validate({"copy_from_task_id": 7})).copy_from_task_id == 7


def test_what_is_not_there_is_null() -> None:
    read = repository_read(repository_pb2.Repository(task_id=5), "https://here")
    assert (read.status, read.error, read.credential, read.automatic) == ("none", None, None, None)
    assert (read.push_time, read.due_time, read.automatic_author) == (None, None, None)
    failed = repository_pb2.Repository(
        status=task_pb2.SYNC_STATUS_FAILED, error=Status(code=9, message="the branch is protected")
    )
    shown = repository_read(failed, "https://here")
    assert shown.status == "failed"
    assert shown.error is not None
    assert shown.error.message == "the branch is protected"


def test_faults_name_the_fields_of_the_body() -> None:
    assert field_of("repository.location", FIELDS) == "location"
    assert field_of("automatic.quiet", FIELDS) == "automatic.quiet_s"
