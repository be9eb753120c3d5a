from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from yard.repo_sync.handlers.files import room
from yard.repo_sync.handlers.scratch import Scratch
from yard.runtime import errors


async def test_what_a_dead_process_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    root = tmp_path / "root"
    dead, living = Scratch(root), Scratch(root)
    with dead.fresh() as folder, living.fresh() as theirs:
        (folder / "token").write_text("secret")
        (theirs / "token").write_text("secret")
        os.close(dead._held)
        following = Scratch(root)
        assert not dead.folder.exists()
        assert (theirs / "token").exists()
        assert stat.S_IMODE(root.stat().st_mode) == stat.S_IMODE(following.folder.stat().st_mode) == 0o700
    for one in (living, following):
        await one.close()
    assert [path.name for path in root.iterdir()] == ["lock"]


def test_a_folder_goes_with_its_block(tmp_path: Path) -> None:
    with Scratch(tmp_path / "root").fresh() as folder:
        (folder / "deep").mkdir()
    assert not folder.exists()


def test_a_full_disk_is_named() -> None:
    with pytest.raises(errors.Unavailable) as full, room():
        Path("/dev/full").write_bytes(b"annotations")
    assert full.value.reason == "NO_ROOM"


def test_a_folder_that_somebody_else_has_laid_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "root").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(PermissionError):
        Scratch(tmp_path / "root")
