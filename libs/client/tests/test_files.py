import hashlib
from pathlib import Path

import pytest
from yard.client.failures import ClientError
from yard.client.files import PartialFile, folder_of, place_of, safe_file_name


@pytest.mark.parametrize(
    ("offered", "safe"),
    [
        ("task-5 COCO 1.0.zip", "task-5 COCO 1.0.zip"),
        ("../../etc/passwd", "passwd"),
        ("/etc/passwd", "passwd"),
        ("..\\..\\windows\\win.ini", "win.ini"),
        ("C:\\x:stream", "x_stream"),
        (".bashrc", "bashrc"),
        ("..", "default.zip"),
        ("", "default.zip"),
        ("folder/", "default.zip"),
        ("a\x1b]0;title\x07.zip", "a]0;title.zip"),
        ("exe\u202epiz.zip", "exepiz.zip"),
        ("x" * 300, "default.zip"),
        ("Straße.zip", "Straße.zip"),
    ],
)
def test_a_name_from_the_other_side_stays_in_the_folder(offered: str, safe: str) -> None:
    assert safe_file_name(offered, "default.zip") == safe


def test_a_file_appears_when_it_is_placed(tmp_path: Path) -> None:
    target = tmp_path / "x.zip"
    with PartialFile(tmp_path, "key") as partial:
        partial.write(b"abc")
        partial.write(b"def")
        assert not target.exists()
        assert (partial.size_bytes, partial.sha256) == (6, hashlib.sha256(b"abcdef").hexdigest())
        assert partial.place(target, replace=False) == target
    assert target.read_bytes() == b"abcdef"
    assert list(tmp_path.iterdir()) == [target]


def test_what_did_not_arrive_leaves_nothing(tmp_path: Path) -> None:
    with PartialFile(tmp_path, "key") as partial:
        partial.write(b"abc")
    assert list(tmp_path.iterdir()) == []


def test_what_can_go_on_is_kept_under_a_name_that_looks_unfinished(tmp_path: Path) -> None:
    with PartialFile(tmp_path, "key", is_resumable=True) as partial:
        partial.write(b"abc")
    assert [path.name for path in tmp_path.iterdir()] == [".frameyard-key.part"]
    with PartialFile(tmp_path, "key", is_resumable=True) as partial:
        assert partial.size_bytes == 3
        partial.write(b"def")
        assert partial.sha256 == hashlib.sha256(b"abcdef").hexdigest()
        partial.place(tmp_path / "x", replace=False)
    assert (tmp_path / "x").read_bytes() == b"abcdef"


def test_nothing_is_kept_of_a_restart(tmp_path: Path) -> None:
    with PartialFile(tmp_path, "key", is_resumable=True) as partial:
        partial.write(b"abc")
        partial.restart()
        assert partial.sha256 == hashlib.sha256().hexdigest()
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_there_stays_unless_told(tmp_path: Path) -> None:
    target = tmp_path / "x"
    target.write_text("old")
    with pytest.raises(ClientError, match="is there already"), PartialFile(tmp_path, "key") as partial:
        partial.place(target, replace=False)
    assert target.read_text() == "old"
    with PartialFile(tmp_path, "key") as partial:
        partial.write(b"new")
        partial.place(target, replace=True)
    assert target.read_text() == "new"


def test_a_planted_link_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    folder = tmp_path / "shared"
    folder.mkdir()
    (folder / ".frameyard-key.part").symlink_to(victim)
    with pytest.raises(OSError, match="symbolic links"):
        PartialFile(folder, "key")
    assert victim.read_text() == "mine"


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ClientError, match="nowhere: no such folder"):
        PartialFile(tmp_path / "nowhere", "key")


def test_targets_are_files_or_folders(tmp_path: Path) -> None:
    assert folder_of(tmp_path) == folder_of(tmp_path / "x.zip") == tmp_path
    assert place_of(tmp_path, "a.zip") == tmp_path / "a.zip"
    assert place_of(tmp_path / "x.zip", "a.zip") == tmp_path / "x.zip"
