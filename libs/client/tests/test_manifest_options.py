"""The manifest of an upload, and the command that makes one."""

import asyncio
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from yard.client.cli import main
from yard.client.cli.attaching import local_files
from yard.client.cli.data import MediaOptions


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "photos"
    root.mkdir()
    (root / "a.jpg").write_bytes(b"a")
    (root / "manifest.jsonl").write_bytes(b"old")
    (tmp_path / "m.jsonl").write_bytes(b"new")
    return root


def sent(media: MediaOptions) -> list[tuple[str, str]]:
    return [(file.name, file.path.name) for file in asyncio.run(local_files(media))]


def test_a_manifest_goes_with_the_files_that_it_describes(folder: Path) -> None:
    manifest = folder.parent / "m.jsonl"
    assert sent(MediaOptions(paths=[folder], manifest=manifest)) == [
        ("photos/a.jpg", "a.jpg"),
        ("photos/manifest.jsonl", "m.jsonl"),
    ]
    assert sent(MediaOptions(paths=[folder / "a.jpg"], manifest=manifest)) == [
        ("a.jpg", "a.jpg"),
        ("manifest.jsonl", "m.jsonl"),
    ]
    assert sent(MediaOptions(shares=["nas:x"], manifest=manifest)) == [("manifest.jsonl", "m.jsonl")]
    assert sent(MediaOptions(shares=["nas:x"])) == []


def test_a_manifest_alone_describes_nothing(folder: Path) -> None:
    manifest = folder.parent / "m.jsonl"
    for media in (MediaOptions(manifest=manifest), MediaOptions(manifest=manifest, upload_id="x")):
        with pytest.raises(click.UsageError):
            media.check()


def test_a_file_that_is_there_is_not_replaced(folder: Path) -> None:
    result = CliRunner().invoke(main, ["manifest", "create", str(folder), "-o", str(folder)])
    assert result.exit_code == 1
    assert "is there already" in result.output
    assert (folder / "manifest.jsonl").read_bytes() == b"old"
