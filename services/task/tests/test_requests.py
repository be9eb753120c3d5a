from typing import Any

import pytest
from frameyard.media.v1 import media_pb2
from frameyard.task.v1 import task_pb2
from yard.task.domain import data_spec, requests

UPLOAD = "0190c0de-0000-7000-8000-000000000001"


@pytest.mark.parametrize("name", ["x", "é" * 256, "日本"])
def test_good_names(name: str) -> None:
    assert list(requests.name_violations(name)) == []


@pytest.mark.parametrize("name", ["", "   ", "x" * 257, "a\nb", "a\0"])
def test_bad_names(name: str) -> None:
    assert [violation.field for violation in requests.name_violations(name)] == ["name"]


@pytest.mark.parametrize(
    "url", ["", "https://bugs.example.org/1?x=y#z", "http://localhost:8080/", "http://[::1]/"]
)
def test_good_issue_trackers(url: str) -> None:
    assert list(requests.issue_tracker_violations(url)) == []


@pytest.mark.parametrize(
    "url",
    [
        "bugs.example.org",
        "ftp://example.org",
        "https://",
        "javascript:alert(1)",
        "http://[::1",
        "http://a:99999/",
        "https://a b/",
        "https://x/" + "y" * 2_000,
    ],
)
def test_bad_issue_trackers(url: str) -> None:
    assert [violation.field for violation in requests.issue_tracker_violations(url)] == ["issue_tracker"]


@pytest.mark.parametrize(
    "location",
    [
        "https://example.org/a.git",
        "git@example.org:team/a.git",
        "ssh://git@example.org:2222/a",
        "https://example.org/a [data/x.zip]",
        "git@example.org:a/b [x/../y.xml]",
        "example.org/team/a",
    ],
)
def test_good_repositories(location: str) -> None:
    repository = task_pb2.DatasetRepository(location=location)
    assert list(requests.repository_violations(repository)) == []


@pytest.mark.parametrize(
    "location",
    [
        "",
        "example.org",
        "http://example.org/a",
        "file:///etc",
        "https://example.org/a [x.txt]",
        "https://example.org/a [../x.zip]",
        "https://example.org/a [a/../../x.zip]",
        "https://example.org/a x.zip",
        "https://ann:secret@example.org/a",
        "https://token@example.org/a",
        "ssh://git:pw@example.org/a",
        "https://example.org/" + "a" * 2_000,
    ],
)
def test_bad_repositories(location: str) -> None:
    repository = task_pb2.DatasetRepository(location=location)
    assert [v.field for v in requests.repository_violations(repository)] == ["repository.location"]


def test_masks_name_what_can_be_changed() -> None:
    assert list(requests.mask_violations(["name"], ("name", "state"))) == []
    assert [v.description for v in requests.mask_violations([], ("name", "state"))] == [
        "must be of name, state; it is empty"
    ]
    assert [v.description for v in requests.mask_violations(["name", "id"], ("name", "state"))] == [
        "must be of name, state; got 'id'"
    ]


def test_names_are_compared_without_case() -> None:
    assert requests.name_key("STRASSE") == requests.name_key("straße")
    assert requests.name_key("é") == requests.name_key("e\u0301")


def spec(**fields: Any) -> media_pb2.DataSpec:
    given = media_pb2.DataSpec(**fields)
    if not given.sources:
        given.sources.add(upload=media_pb2.UploadSource(upload_id=UPLOAD))
    return given


def fields_of(given: media_pb2.DataSpec) -> list[str]:
    return [violation.field for violation in data_spec.violations(given)]


def test_good_data() -> None:
    assert fields_of(spec()) == []
    everything = spec(
        image_quality=5,
        start_frame=0,
        stop_frame=0,
        frame_step=1,
        chunk_size=10_000,
        pdf_dpi=600,
        sorting=media_pb2.SORTING_METHOD_RANDOM,
        random_seed=-1,
        use_cache=False,
    )
    assert fields_of(everything) == []


def test_all_faults_of_data_come_at_once() -> None:
    unknown: Any = 9
    given = spec(
        image_quality=4,
        start_frame=-1,
        stop_frame=-2,
        frame_step=0,
        chunk_size=0,
        pdf_dpi=35,
        sorting=unknown,
    )
    assert fields_of(given) == [
        "data.image_quality",
        "data.start_frame",
        "data.stop_frame",
        "data.frame_step",
        "data.chunk_size",
        "data.pdf_dpi",
        "data.sorting",
    ]


def test_stop_before_start() -> None:
    assert fields_of(spec(start_frame=5, stop_frame=4)) == ["data.stop_frame"]
    assert fields_of(spec(start_frame=5, stop_frame=5)) == []


def test_sources_must_be_there() -> None:
    sources = [
        media_pb2.MediaSource(),
        media_pb2.MediaSource(upload=media_pb2.UploadSource(upload_id="x")),
        media_pb2.MediaSource(share=media_pb2.ShareSource()),
        media_pb2.MediaSource(remote=media_pb2.RemoteSource()),
        media_pb2.MediaSource(remote=media_pb2.RemoteSource(urls=["", "https://a/", "x" * 2_049])),
        media_pb2.MediaSource(upload=media_pb2.UploadSource(upload_id=UPLOAD)),
        media_pb2.MediaSource(upload=media_pb2.UploadSource(upload_id=UPLOAD.upper())),
    ]
    assert fields_of(media_pb2.DataSpec(sources=sources)) == [
        "data.sources[0]",
        "data.sources[1].upload.upload_id",
        "data.sources[2].share.share",
        "data.sources[2].share.paths",
        "data.sources[3].remote.urls",
        "data.sources[4].remote.urls[0]",
        "data.sources[4].remote.urls[2]",
        "data.sources[6].upload.upload_id",
    ]
    assert fields_of(media_pb2.DataSpec()) == ["data.sources"]


def test_what_no_broker_takes_is_refused() -> None:
    remote = media_pb2.RemoteSource(urls=["https://example.org/" + "x" * 2_000] * 1_000)
    assert fields_of(media_pb2.DataSpec(sources=[media_pb2.MediaSource(remote=remote)])) == ["data"]
