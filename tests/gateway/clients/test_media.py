"""Tasks with files of all kinds, made by CVAT's SDK; what comes out is compared with what went in."""

import functools
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import av
import pytest
from PIL import Image
from yard.media import synthetic

from tests.gateway.clients.conftest import Drive
from tests.gateway.sending import picture


def write_pictures(folder: Path, count: int) -> list[Path]:
    folder.mkdir(parents=True)
    paths = [folder / f"{number}.png" for number in range(count)]
    for number, path in enumerate(paths):
        path.write_bytes(picture(number))
    return paths


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """Of a server that has the files of the folder `there`."""
    handler = functools.partial(SimpleHTTPRequestHandler, directory=str(tmp_path / "there"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_pictures_come_and_go(drive: Drive) -> None:
    assert drive("media.local_images") == [f"ä p{number:02}.png" for number in range(9)]


def test_files_keep_the_order_in_which_they_were_given(drive: Drive) -> None:
    assert drive("media.in_given_order") == ["p02.png", "big.bmp", "p00.png", "p03.png", "p01.png"]


def test_archives_are_opened(drive: Drive) -> None:
    assert drive("media.local_archive") == [f"a/p{number:02}.png" for number in range(5)]


@pytest.mark.parametrize("step", [1, 3])
def test_videos_are_shown_frame_by_frame(drive: Drive, tmp_path: Path, step: int) -> None:
    video = synthetic.make_demo_video(tmp_path / "film.mp4", seconds=1, size=(320, 240), fps=24)
    frames = []
    with av.open(str(video)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            frames.append(tmp_path / f"decoded-{number}.png")
            Image.fromarray(frame.to_ndarray(format="rgb24")).save(frames[-1])
    found = drive("media.local_video", video=str(video), frames=[str(path) for path in frames], step=step)
    assert len(found["names"]) == len(frames[::step])
    assert found["filter"] == ("" if step == 1 else "step=3")


def test_shares_are_listed_and_used(drive: Drive, nas: Path) -> None:
    sources = write_pictures(nas / "for-clients", 3)
    directory = "nas/for-clients"
    found = drive("media.share", directory=directory, sources=[str(path) for path in sources])
    assert [Path(name).name for name in found] == ["0.png", "1.png", "2.png"]


def test_addresses_are_fetched(drive: Drive, tmp_path: Path, address: str) -> None:
    sources = write_pictures(tmp_path / "there", 3)
    found = drive("media.remote", address=address, sources=[str(path) for path in sources])
    assert found == ["0.png", "1.png", "2.png"]


def test_people_are_told_what_is_wrong_with_their_files(drive: Drive) -> None:
    broken, empty = drive("media.without_pictures")
    assert "a.png" in broken
    assert "No media data found" in empty
