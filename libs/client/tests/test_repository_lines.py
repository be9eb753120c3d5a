from frameyard.common.v1.common_pb2 import PersonRef
from frameyard.sync.v1 import repository_pb2, repository_service_pb2
from frameyard.task.v1 import task_pb2
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc.status_pb2 import Status
from yard.client.cli.repository_lines import PUSH_COLUMNS, checked_line, lines_of, push_row, pushed_line
from yard.client.cli.task_lines import lines_of as task_lines

COMMIT = "0123456789" * 4
NOON = Timestamp(seconds=1_704_110_400)


def test_a_repository_says_where_it_stands_and_why() -> None:
    found = repository_pb2.Repository(
        task_id=5,
        url="https://example.org/our/data",
        path="annotation/street.zip",
        use_lfs=True,
        branch="boxes",
        automatic=repository_pb2.AutomaticPush(quiet=Duration(seconds=60), period=Duration(seconds=600)),
        automatic_author=PersonRef(username="anna"),
        status=task_pb2.SYNC_STATUS_FAILED,
        error=Status(message="the remote refused the credential"),
        pushed_revision=7,
        pushed_commit=COMMIT,
        pushed_branch="boxes",
        push_time=NOON,
        waiting=repository_pb2.Changes(created=3, deleted=1),
        due_time=NOON,
        operation="repo_sync/x",
    )
    assert lines_of(found) == [
        "repository of task 5: failed",
        "  error: the remote refused the credential",
        "url: https://example.org/our/data",
        "file: annotation/street.zip, as CVAT for video or images by the mode, kept with git LFS",
        "branch: boxes",
        f"last push: revision 7, commit {COMMIT} on boxes, 2024-01-01 12:00:00",
        "a push is on its way: repo_sync/x",
        "pushes by itself: after 60 s of quiet, at most once in 600 s, as anna",
        "  the next at 2024-01-01 12:00:00",
        "not pushed yet: 3 created, 0 updated, 1 deleted",
        "credential: none",
    ]


def test_a_repository_shows_the_public_half_of_its_key_and_the_keys_of_its_host() -> None:
    found = repository_pb2.Repository(
        task_id=5,
        status=task_pb2.SYNC_STATUS_NOT_SYNCHRONIZED,
        url="ssh://git@example.org/our/data",
        path="a.xml",
        format="CVAT for images 1.1",
        credential=repository_pb2.Credential(
            kind=repository_pb2.CREDENTIAL_KIND_KEY, public_key="ssh-ed25519 AAAA", set_time=NOON
        ),
        host_keys=[
            repository_pb2.HostKey(type="ssh-ed25519", fingerprint="SHA256:x", is_given=True),
            repository_pb2.HostKey(type="ssh-rsa", fingerprint="SHA256:y"),
        ],
    )
    assert lines_of(found) == [
        "repository of task 5: not synchronized",
        "url: ssh://git@example.org/our/data",
        "file: a.xml, as CVAT for images 1.1",
        "branch: the default of the remote",
        "last push: none yet",
        "credential: key, set 2024-01-01 12:00:00",
        "  ssh-ed25519 AAAA",
        "host key: ssh-ed25519 SHA256:x (given)",
        "host key: ssh-rsa SHA256:y (taken over)",
    ]


def test_pushes_say_how_they_ended() -> None:
    author = PersonRef(username="anna")
    good = repository_pb2.Push(author=author, commit=COMMIT, revision=7, finish_time=NOON)
    bad = repository_pb2.Push(
        author=author, is_automatic=True, error=Status(message="no room"), finish_time=NOON
    )
    rows = [
        dict(zip(PUSH_COLUMNS, push_row(push), strict=True))
        for push in (
            good,
            bad,
            repository_pb2.Push(was_unchanged=True, finish_time=NOON),
            repository_pb2.Push(),
        )
    ]
    assert [row["outcome"] for row in rows] == ["pushed", "failed: no room", "unchanged", "on its way"]
    assert [row["by"] for row in rows] == ["anna", "anna (by itself)", "", ""]
    assert (rows[0]["commit"], rows[0]["revision"]) == ("012345678901", 7)


def test_results_are_told_in_one_line() -> None:
    pushed = repository_service_pb2.PushResult(commit=COMMIT, branch="main", revision=7)
    assert pushed_line(pushed) == f"revision 7: pushed: commit {COMMIT} on main"
    pushed.was_unchanged = True
    assert pushed_line(pushed) == f"revision 7: the repository has it already: commit {COMMIT} on main"
    status = task_pb2.SYNC_STATUS_MERGED
    empty = repository_service_pb2.CheckResult(status=status)
    assert checked_line(empty) == "the repository answers: merged; no branch yet"
    other = repository_service_pb2.CheckResult(status=status, default_branch="main")
    assert checked_line(other).endswith("; default branch main, the chosen branch is not there yet")
    other.has_branch = True
    assert checked_line(other).endswith("; default branch main")


def test_a_task_says_why_its_push_failed() -> None:
    task = task_pb2.Task(
        repository=task_pb2.DatasetRepository(location="https://example.org/our/data"),
        sync_status=task_pb2.SYNC_STATUS_FAILED,
        sync_message="the branch is protected",
    )
    at = task_lines(task).index("repository: https://example.org/our/data (failed)")
    assert task_lines(task)[at + 1] == "  the branch is protected"
