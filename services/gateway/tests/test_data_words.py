"""Parameters of data in the words of clients and in ours."""

from itertools import pairwise

import pytest
from frameyard.common.v1.common_pb2 import FrameRange
from frameyard.media.v1 import media_pb2
from hypothesis import given
from hypothesis import strategies as st
from yard.gateway.cvat import data, meta
from yard.gateway.edge.intake import base_name
from yard.runtime import errors


def spec(**fields: object) -> media_pb2.DataSpec:
    return data.data_spec(data.data_request(fields), [])


def test_texts_of_forms_are_values() -> None:
    made = spec(
        image_quality="75",
        use_cache="True",
        use_zip_chunks="False",
        chunk_size="",
        start_frame="2",
        stop_frame="0",
        frame_filter="every frame with step = 3",
        sorting_method="natural",
        use_something="new",
    )
    wanted = media_pb2.DataSpec(
        image_quality=75,
        use_cache=True,
        use_zip_chunks=False,
        start_frame=2,
        stop_frame=0,
        frame_step=3,
        sorting=media_pb2.SORTING_METHOD_NATURAL,
        copy_data=False,
    )
    assert made == wanted


def test_what_is_absent_or_null_takes_the_defaults_of_clients() -> None:
    made = spec(chunk_size=None, cloud_storage_id=None, job_file_mapping=[], frame_filter=None)
    assert made == spec()
    assert (made.image_quality, made.use_cache, made.use_zip_chunks) == (70, False, False)
    assert not made.HasField("stop_frame")


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(errors.InvalidArgument) as told:
        data.data_request({"start_frame": "x", "copy_data": 7, "validation_params": {"mode": "gt"}})
    assert {fault.field for fault in told.value.violations} == {
        "start_frame",
        "copy_data",
        "validation_params",
    }


def paths(shares: list[str], **fields: object) -> dict[str, tuple[list[str], list[str]]]:
    sources = data.share_sources(data.data_request(fields), shares)
    return {source.share.share: ([*source.share.paths], [*source.share.exclude]) for source in sources}


def test_paths_are_found_in_their_shares() -> None:
    given_paths = ["/nas/a/1.jpg", "nas/b/", "tape/c.mp4"]
    found = paths(["nas", "tape"], server_files=given_paths, server_files_exclude=["nas/b/x*"])
    assert found == {"nas": (["a/1.jpg", "b/"], ["b/x*"]), "tape": (["c.mp4"], [])}
    assert paths(["nas"], server_files="a/1.jpg") == {"nas": (["a/1.jpg"], [])}
    assert paths(["nas"], server_files=["nas/"]) == {"nas": (["/"], [])}
    with pytest.raises(errors.InvalidArgument) as told:
        paths(["nas", "tape"], server_files=["other/a.png", "nas/a.png", "b.png"])
    assert [fault.field for fault in told.value.violations] == ["server_files.0", "server_files.2"]
    with pytest.raises(errors.InvalidArgument) as told:
        paths(["nas", "tape"], server_files=["nas/"], server_files_exclude=["nas/x", "b.png"])
    assert [fault.field for fault in told.value.violations] == ["server_files_exclude.1"]


@given(st.sets(st.integers(0, 60)))
def test_runs_are_the_same_frames(frames: set[int]) -> None:
    runs = meta.runs_of(frames)
    assert set(meta.frames_of(runs)) == frames
    assert all(before.last + 1 < after.first for before, after in pairwise(runs))
    assert meta.runs_of([3, 2, 3]) == [FrameRange(first=2, last=3)]


@pytest.mark.parametrize(
    ("told", "name"),
    [("/home/u/a.png", "a.png"), ("C:\\u\\b ü.png", "b ü.png"), ("..x", "..x"), ("c", "c")],
)
def test_names_lose_the_folders_of_the_client(told: str, name: str) -> None:
    assert base_name(told, "f") == name


@given(st.text(max_size=40))
def test_no_name_leads_anywhere(told: str) -> None:
    try:
        name = base_name(told, "f")
    except errors.InvalidArgument:
        return
    assert name not in ("", ".", "..")
    assert not set(name) & {"/", "\\", "\0", "\n", "\r", "\x7f"}
