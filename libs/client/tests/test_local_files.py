import os
from pathlib import Path

import pytest
from yard.client.failures import ClientError
from yard.client.uploads import local_files


def names(*paths: Path) -> list[str]:
    return [file.name for file in local_files(paths)]


def test_files_go_by_name_and_directories_with_their_folders(tmp_path: Path) -> None:
    (tmp_path / "photos" / "day 2").mkdir(parents=True)
    for name in ("video.mp4", "photos/b.jpg", "photos/a.jpg", "photos/day 2/c.jpg"):
        (tmp_path / name).write_bytes(b"x" * len(name))
    assert names(tmp_path / "video.mp4", tmp_path / "photos") == [
        "video.mp4",
        "photos/a.jpg",
        "photos/b.jpg",
        "photos/day 2/c.jpg",
    ]
    assert local_files([tmp_path / "video.mp4"])[0].size_bytes == len("video.mp4")


def test_a_directory_by_dots_goes_by_its_real_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "photos" / "inner").mkdir(parents=True)
    (tmp_path / "photos" / "a.jpg").touch()
    monkeypatch.chdir(tmp_path / "photos")
    assert names(Path()) == ["photos/a.jpg"]
    monkeypatch.chdir(tmp_path / "photos" / "inner")
    assert names(Path("..")) == ["photos/a.jpg"]


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ClientError, match=r"gone\.mp4: no such file"):
        local_files([tmp_path / "gone.mp4"])


def test_a_pipe_is_not_a_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ClientError, match="pipe: is not a file"):
        local_files([tmp_path / "pipe"])


def test_an_empty_directory_holds_nothing_to_upload(tmp_path: Path) -> None:
    with pytest.raises(ClientError, match="no file to upload"):
        local_files([tmp_path])


def test_two_files_of_one_name_are_both_named(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.jpg").touch()
    with pytest.raises(ClientError, match=r"b/x\.jpg and .*a/x\.jpg are both x\.jpg"):
        local_files(sorted(tmp_path.glob("*/x.jpg")))


def test_a_name_that_is_not_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"\xe9t\xe9.jpg")
    path.touch()
    with pytest.raises(ClientError, match="not UTF-8"):
        local_files([path])
