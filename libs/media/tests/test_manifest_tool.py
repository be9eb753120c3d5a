"""The tool that makes manifests of local files."""

import io
from pathlib import Path

import pytest
from PIL import Image
from yard.media.hard_clips import make_clip
from yard.media.manifest import Manifest
from yard.media.manifest_tool import main


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "set"
    for number, name in enumerate(("10.jpg", "9.png", "d/1.jpg")):
        path = root / name
        path.parent.mkdir(exist_ok=True, parents=True)
        Image.new("RGB", (64 + number, 48)).save(path)
    pages = [Image.new("L", (32, 24), 80 * page) for page in range(2)]
    pages[0].save(root / "e.gif", save_all=True, append_images=pages[1:])
    (root / "notes.txt").write_text("words")
    (root / "broken.jpg").write_bytes(b"\xff\xd8\xff nothing")
    return root


def written(*arguments: object, capfd: pytest.CaptureFixture[str]) -> list[tuple[str, int, int]]:
    assert main([str(argument) for argument in arguments]) == 0
    manifest = Manifest(io.BytesIO(capfd.readouterr().out.encode()))
    return [(image.name, image.width, image.height) for image in manifest.images() if image]


def test_images_of_a_folder_are_named_from_it(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert written(folder, "--sorting", "natural", capfd=capfd) == [
        ("9.png", 65, 48),
        ("10.jpg", 64, 48),
        ("d/1.jpg", 66, 48),
        ("e.gif/000000.png", 32, 24),
        ("e.gif/000001.png", 32, 24),
    ]


def test_several_paths_are_named_as_an_upload_names_them(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    found = written(folder / "9.png", folder / "d", capfd=capfd)
    assert [name for name, _, _ in found] == ["9.png", "d/1.jpg"]


def test_what_is_left_out_is_told(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main([str(folder), "-o", str(folder / "manifest.jsonl")]) == 0
    said = capfd.readouterr().err
    assert "skipped: notes.txt: is no image" in said
    assert "skipped: broken.jpg: " in said
    first = (folder / "manifest.jsonl").read_bytes()
    assert main([str(folder), "-o", str(folder / "manifest.jsonl")]) == 0
    assert (folder / "manifest.jsonl").read_bytes() == first


def test_a_video_has_its_key_frames(tmp_path: Path) -> None:
    clip = make_clip("b_frames", tmp_path, 40)
    out = tmp_path / "manifest.jsonl"
    assert main([str(clip), "-o", str(out)]) == 0
    manifest = Manifest(io.BytesIO(out.read_bytes()))
    assert manifest.video is not None
    assert (manifest.video.name, manifest.video.frames) == (clip.name, 40)
    assert next(manifest.keyframes()).number == 0


def test_without_media_nothing_is_written(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    out = folder / "out.jsonl"
    for paths in ([folder / "notes.txt"], [folder / "none.jpg"]):
        assert main([*map(str, paths), "-o", str(out)]) == 1
        assert "error: " in capfd.readouterr().err
    assert not out.exists()
