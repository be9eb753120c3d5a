"""Chunks, frames and previews by the installed command: cached or kept, original, damaged."""

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from yard.embedded.demo.pictures import pictures_of_mp4
from yard.media import synthetic
from yard.testkit import eventually

from tests.e2e.command_line import CommandLine

SIZE = (320, 240)


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return synthetic.make_demo_video(tmp_path / "street.mp4", seconds=4, size=SIZE, fps=10)


def task_of(command: CommandLine, *media: object) -> Any:
    return command.json("task", "create", "pixels", *media, "--label", "car", "--chunk-size", 10, "--wait")


def number_in(picture: bytes) -> int:
    with Image.open(io.BytesIO(picture)) as image:
        return synthetic.read(np.asarray(image.convert("RGB")))


async def test_a_task_is_cached_and_kept_by_turns(command: CommandLine, video: Path) -> None:
    task = task_of(command, video)["id"]

    def status() -> Any:
        return command.json("chunk", "status", "--task", task)

    def is_cached() -> bool:
        return bool(status().get("use_cache"))

    def is_built() -> bool:
        return not is_cached() and int(status().get("built_count", 0)) == 4

    for _ in range(2):
        assert command.json("task", "cache", task, "on")["data"]["use_cache"] is True
        await eventually(is_cached, timeout_s=30)
        assert not command.json("task", "cache", task, "off")["data"].get("use_cache")
        await eventually(is_built, timeout_s=60)
    assert "not found" in command.fails("task", "cache", 999_999, "on").lower()
    assert command.run("task", "cache", task, "maybe").code == 2


def test_originals_and_whole_groups_of_a_video(command: CommandLine, video: Path) -> None:
    task = task_of(command, video)["id"]
    get = ("chunk", "get", "--task", task, "--original", "--format", "mp4")
    command.good(*get, 1, "-o", "exact.mp4")
    assert shown(command.folder / "exact.mp4") == list(range(10, 20))
    said = command.good(*get, 1, "--whole-groups", "-o", "groups.mp4")
    numbers = shown(command.folder / "groups.mp4")
    assert set(range(10, 20)) <= set(numbers)
    begins = numbers.index(10)
    assert begins == 0 or f"chunk 1 begins at picture {begins} of the file" in said.err + said.out
    command.good("chunk", "get", "--task", task, 1, "--original", "-o", "one.zip")
    with zipfile.ZipFile(command.folder / "one.zip") as archive:
        names = sorted(archive.namelist())
        assert [number_in(archive.read(name)) for name in names] == list(range(10, 20))
    command.good("frame", "get", "--task", task, 33, "--original", "-o", "frame.png")
    picture = (command.folder / "frame.png").read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert number_in(picture) == 33


def shown(path: Path) -> list[int]:
    with path.open("rb") as file:
        return [synthetic.read(picture[: SIZE[1], : SIZE[0]]) for picture in pictures_of_mp4(file)]


def longest(path: Path) -> int:
    with Image.open(path) as picture:
        return max(picture.size)


def test_damaged_frames_are_listed_and_noted(command: CommandLine, tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(4):
        Image.fromarray(synthetic.numbered_scene(number, SIZE)).save(folder / f"{number}.png")
    whole = (folder / "2.png").read_bytes()
    (folder / "2.png").write_bytes(whole[: len(whole) // 2])
    task = task_of(command, folder)["id"]
    said = command.good("chunk", "get", "--task", task, 0, "-o", "chunk.zip")
    assert "chunk 0 has 1 damaged frames, the first is 2" in said.err + said.out
    [damaged] = command.json("frame", "damaged", "--task", task)
    assert int(damaged["frame"]) == 2
    assert "2.png" in damaged["reason"]
    assert "2.png" in command.good("frame", "damaged", "--task", task).out
    said = command.good("frame", "get", "--task", task, 2, "-o", "two.jpg")
    assert "frame 2 is damaged" in said.err + said.out
    saved = command.json("preview", "get", "--task", task, 0, 2, 3)
    assert [longest(command.folder / entry["file"]) for entry in saved] == [256, 256, 256]
    original = command.json("frame", "get", "--task", task, 3, "--original")
    assert (command.folder / original[0]["file"]).read_bytes() == (folder / "3.png").read_bytes()
