"""Videos that are made to harm: nothing but their own bytes is opened, and memory stays small."""

import io
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from yard.media import video_file
from yard.media.decode import VideoReader
from yard.media.errors import MediaError
from yard.media.hard_clips import make_clip
from yard.media.kind_clips import make_kind
from yard.media.video_index import index_video

REFERENCES = {
    "playlist": "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{file}\n#EXT-X-ENDLIST\n",
    "playlist of an address": "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{url}a.ts\n#EXT-X-ENDLIST\n",
    "playlist of a concatenation": "#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:10,\nconcat:{url}|file://{file}\n",
    "concatenation": "ffconcat version 1.0\nfile {file}\n",
    "session": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video {port} RTP/AVP 33\n",
    "dash": "<?xml version='1.0'?><MPD xmlns='urn:mpeg:dash:schema:mpd:2011' type='static'>"
    "<Period><AdaptationSet><Representation id='0'><BaseURL>{url}</BaseURL></Representation>"
    "</AdaptationSet></Period></MPD>",
    "rtsp": "[Reference]\nRef1={url}a.ts\n",
    "subtitle": "1\n00:00:00,000 --> 00:00:01,000\n<img src='{url}'>\n",
    "drawing": "<svg xmlns='http://www.w3.org/2000/svg'><image href='file://{file}'/></svg>",
    "script": "%!PS-Adobe-3.0 EPSF-3.0\n({file}) (r) file\n",
}


@pytest.fixture
def trap() -> Iterator[socket.socket]:
    """A server that nobody must speak to."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        yield server


@pytest.mark.parametrize("text", REFERENCES.values(), ids=REFERENCES)
def test_files_that_refer_to_others_are_refused_unfollowed(
    text: str, trap: socket.socket, tmp_path: Path
) -> None:
    port = trap.getsockname()[1]
    names = {
        "file": make_clip("transport_stream", tmp_path),
        "url": f"http://127.0.0.1:{port}/",
        "port": port,
    }
    with pytest.raises(MediaError) as caught:
        index_video(io.BytesIO(text.format(**names).encode()), "film.mp4")
    assert caught.value.name == "film.mp4"
    assert caught.value.code in {"unsupported", "invalid_media"}
    with pytest.raises(BlockingIOError):
        trap.accept()


def test_references_within_a_movie_are_not_followed(tmp_path: Path) -> None:
    """A mov whose samples lie in another file: its data reference names an address of this machine."""
    content = make_clip("b_frames", tmp_path).read_bytes()
    outside = content.replace(b"url \0\0\0\1", b"url \0\0\0\0")
    assert outside != content
    index = index_video(io.BytesIO(outside), "film.mov")
    assert index.frames == 40


@pytest.mark.parametrize("kind", ["mjpeg.avi", "mjpeg.mov", "mjpeg.mkv"])
def test_pictures_that_claim_to_be_huge_are_not_made(kind: str, tmp_path: Path) -> None:
    content = make_kind(kind, tmp_path, frames=3).read_bytes()
    inside = content.replace(
        b"\xff\xc0\x00\x11\x08" + struct.pack(">HH", 240, 320),
        b"\xff\xc0\x00\x11\x08" + struct.pack(">HH", 60_000, 65_000),
    )
    assert inside != content
    for hostile in (inside, inside.replace(struct.pack("<II", 320, 240), struct.pack("<II", 65_000, 60_000))):
        with pytest.raises(MediaError) as caught:
            index_video(io.BytesIO(hostile), "film")
        assert caught.value.code in {"limit", "invalid_media"}


def test_pictures_that_grow_within_an_indexed_video_are_not_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = make_clip("b_frames", tmp_path).read_bytes()
    index = index_video(io.BytesIO(content), "film")
    monkeypatch.setitem(video_file.DECODER_OPTIONS, "max_pixels", str(320 * 240 - 1))
    with VideoReader(io.BytesIO(content), index) as reader:
        assert [picture.is_missing for picture in reader.frames([0, 20])] == [True, True]


def test_a_video_of_too_many_pixels_is_refused_by_its_header(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(video_file, "LARGEST_PIXELS", 320 * 240 - 1)
    content = make_clip("b_frames", tmp_path).read_bytes()
    with pytest.raises(MediaError, match="film: has pictures of 320x240 pixels, more than") as caught:
        index_video(io.BytesIO(content), "film")
    assert caught.value.code == "limit"
