"""Media from shares, from addresses and by manifests, through the installed command."""

import io
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.request import urlopen

import numpy as np
import pytest
from PIL import Image
from yard.media import synthetic
from yard.testkit.platform import Platform

from tests.e2e.command_line import CommandLine

PREDEFINED = ("--sorting", "predefined", "--label", "car", "--wait")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Numbered pictures: 2.png shows 2."""
    folder = tmp_path / "photos"
    write_photos(folder)
    return folder


def write_photos(folder: Path) -> None:
    folder.mkdir()
    for number in range(3):
        scene = synthetic.numbered_scene(number, (320, 240))
        Image.fromarray(scene).save(folder / f"{number}.png")


def numbers(command: CommandLine, task_id: object) -> list[int]:
    """What the frames show, in their order."""
    command.good("chunk", "get", "--task", task_id, 0, "-o", "chunk.zip", "--force")
    with zipfile.ZipFile(command.folder / "chunk.zip") as archive:
        pictures = [Image.open(io.BytesIO(archive.read(name))) for name in sorted(archive.namelist())]
        return [synthetic.read(np.asarray(picture.convert("RGB"))) for picture in pictures]


def reversed_lines(manifest: Path) -> None:
    head, lines = manifest.read_text().splitlines()[:2], manifest.read_text().splitlines()[2:]
    manifest.write_text("\n".join([*head, *reversed(lines), ""]))


def test_a_manifest_of_an_upload_orders_its_files(command: CommandLine, photos: Path) -> None:
    command.good("manifest", "create", photos, "-o", "made.jsonl")
    reversed_lines(command.folder / "made.jsonl")
    made = command.json("task", "create", "album", photos, "--manifest", "made.jsonl", *PREDEFINED)
    assert numbers(command, made["id"]) == [2, 1, 0]
    listed = command.json("task", "files", made["id"])
    assert {file["outcome"] for file in listed} == {"FILE_OUTCOME_TAKEN"}
    assert sorted(file["name"] for file in listed) == [
        "photos/0.png",
        "photos/1.png",
        "photos/2.png",
        "photos/manifest.jsonl",
    ]
    command.good("manifest", "export", "--task", made["id"], "-o", "again.jsonl")
    again = command.json("task", "create", "again", photos, "--manifest", "again.jsonl", *PREDEFINED)
    assert numbers(command, again["id"]) == [2, 1, 0]


def test_a_large_file_goes_to_the_store_itself(
    command: CommandLine, platform: Platform, photos: Path
) -> None:
    noise = np.random.default_rng(5).integers(0, 256, (1800, 1800, 3), np.uint8)
    Image.fromarray(noise).save(photos / "9.png", compress_level=1)
    before = received(platform)
    upload = command.json("upload", "create", photos, "--direct")["id"]
    options = ("--sorting", "predefined", "--label", "car", "--wait")
    first = command.json("task", "create", "wide", "--upload", upload, *options)
    again = command.json("task", "create", "again", photos, "--direct", *options)
    sizes = {path.name: path.stat().st_size for path in photos.iterdir()}
    large = sizes.pop("9.png")
    now = received(platform)
    assert now["store"] - before["store"] == 2 * large
    assert now["upload"] - before["upload"] == 2 * sum(sizes.values())
    for task in (first["id"], again["id"]):
        command.good("frame", "get", "--task", task, 3, "--original", "-o", f"{task}.png")
        assert (command.folder / f"{task}.png").read_bytes() == (photos / "9.png").read_bytes()


def received(platform: Platform) -> dict[str, float]:
    """Bytes that came in, by the way they took."""
    port = platform.port("media_ingest.metrics")
    with urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        lines = answer.read().decode().splitlines()
    name = "frameyard_media_received_bytes_total"
    return {line.split('"')[1]: float(line.split()[-1]) for line in lines if line.startswith(name)}


def test_a_lie_of_a_manifest_is_told_with_the_file(command: CommandLine, photos: Path) -> None:
    command.good("manifest", "create", photos, "-o", "made.jsonl")
    lie = (command.folder / "made.jsonl").read_text().replace('"width":320', '"width":321')
    (command.folder / "made.jsonl").write_text(lie)
    made = command.json("task", "create", "liar", photos, "--manifest", "made.jsonl", *PREDEFINED)
    said = command.fails("frame", "get", "--task", made["id"], 0)
    assert "photos/0.png: is 320x240 pixels, but the manifest says 321x240" in said


def test_a_folder_of_a_share_is_taken_by_its_manifest(command: CommandLine, nas: Path) -> None:
    folder = nas / "by-manifest"
    write_photos(folder)
    command.good("manifest", "create", folder, "-o", folder)
    reversed_lines(folder / "manifest.jsonl")
    made = command.json("task", "create", "shared", "--share", "nas:by-manifest/", *PREDEFINED)
    assert numbers(command, made["id"]) == [2, 1, 0]


def test_a_share_without_some_of_its_files(command: CommandLine, nas: Path) -> None:
    write_photos(nas / "plain")
    (nas / "plain" / "notes.txt").write_text("words")
    options = ("--exclude", "1.png", "--label", "car", "--wait")
    made = command.json("task", "create", "part", "--share", "nas:plain", *options)
    assert numbers(command, made["id"]) == [0, 2]
    [left] = command.json("task", "files", made["id"], "--outcome", "skipped")
    assert left["name"] == "plain/notes.txt"


@pytest.fixture
def address(photos: Path) -> Iterator[str]:
    """A web server of the photos."""

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the base
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=photos)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_files_behind_addresses(command: CommandLine, address: str) -> None:
    urls = [option for number in (0, 2) for option in ("--url", f"{address}/{number}.png")]
    made = command.json("task", "create", "web", *urls, "--label", "car", "--wait")
    assert numbers(command, made["id"]) == [0, 2]
    listed = command.json("task", "files", made["id"])
    assert [file["url"] for file in listed] == [f"{address}/0.png", f"{address}/2.png"]
    empty = command.json("task", "create", "later", "--label", "car")
    command.fails("task", "attach", empty["id"], "--url", f"{address}/none.png", "--wait")
    [refused] = command.json("task", "files", empty["id"])
    assert refused["outcome"] == "FILE_OUTCOME_REFUSED"
