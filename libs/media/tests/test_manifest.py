import io
import json
import time
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from yard.media.errors import MediaError
from yard.media.manifest import (
    LONGEST_LINE,
    Manifest,
    ManifestImage,
    ManifestKeyframe,
    ManifestVideo,
    write_images,
    write_video,
)

IMAGES = [
    ManifestImage(name="folder/0001.jpg", width=640, height=480),
    ManifestImage(name="grün/日本.tar.png", width=1, height=1, checksum="0" * 32, related=("a/b.png",)),
    None,
    ManifestImage(name="folder.x/without"),
    ManifestImage(name=".hidden"),
]
VIDEO = ManifestVideo(name="clip.mp4", width=640, height=480, frames=300)
KEYFRAMES = [
    ManifestKeyframe(number=0, pts=-512, checksum="1" * 32),
    ManifestKeyframe(number=250, pts=128_000),
]
HEAD = b'{"version":"1.1"}\n{"type":"images"}\n'
VIDEO_HEAD = b"".join(write_video(VIDEO, []))


def manifest(content: bytes) -> Manifest:
    return Manifest(io.BytesIO(content))


def images(content: bytes) -> list[ManifestImage | None]:
    return [*manifest(content).images()]


def test_images_come_back_as_they_were_written() -> None:
    read = manifest(b"".join(write_images(IMAGES)))
    assert (read.version, read.kind, read.video) == ("1.1", "images", None)
    assert [*read.images()] == IMAGES


def test_a_video_comes_back_as_it_was_written() -> None:
    read = manifest(b"".join(write_video(VIDEO, KEYFRAMES)))
    assert (read.kind, read.video) == ("video", VIDEO)
    assert [*read.keyframes()] == KEYFRAMES


def test_the_lines_are_those_that_others_read() -> None:
    lines = b"".join(write_images(IMAGES[:3])).decode().splitlines()
    assert lines == [
        '{"version":"1.1"}',
        '{"type":"images"}',
        '{"name":"folder/0001","extension":".jpg","width":640,"height":480}',
        '{"name":"grün/日本.tar","extension":".png","width":1,"height":1,'
        '"meta":{"related_images":["a/b.png"]},"checksum":"' + "0" * 32 + '"}',
        "{}",
    ]
    assert b"".join(write_video(VIDEO, KEYFRAMES)).decode().splitlines()[2:] == [
        '{"properties":{"name":"clip.mp4","resolution":[640,480],"length":300}}',
        '{"number":0,"pts":-512,"checksum":"' + "1" * 32 + '"}',
        '{"number":250,"pts":128000}',
    ]


def test_the_first_version_with_blank_lines_and_a_mark_of_byte_order() -> None:
    content = (
        b'\xef\xbb\xbf{"version": "1.0"}\r\n\r\n{"type": "images"}\r\n{"name": "a", "extension": ".jpg"}'
    )
    read = manifest(content)
    assert read.version == "1.0"
    assert [*read.images()] == [ManifestImage(name="a.jpg")]


def test_unknown_keys_and_empty_values_are_fine() -> None:
    line = {"name": "a", "extension": "", "checksum": None, "meta": {"related_images": None}, "more": [1]}
    assert images(HEAD + json.dumps(line).encode()) == [ManifestImage(name="a")]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "manifest.jsonl: line 1: expected 'version'"),
        (b'{"version":"2.0"}\n', "line 1: expected version 1.0 or 1.1, got '2.0'"),
        (b'{"version":["1.0"]}\n', "line 1: expected version"),
        (b'{"version":"1.1"}\n\n{"type":"3d"}', "line 3: expected type images or video, got '3d'"),
        (b'{"version":"1.1"}\n{"kind":"images"}', "line 2: expected 'type'"),
        (b'{"version":"1.1"}\n{"type":{}}', "line 2: expected type"),
        (b"\xff\xd8\xff\xe0", "line 1: is not JSON in UTF-8"),
        (b"[" * 50_000, "line 1: is not JSON"),
        (b'{"version":' + b" " * LONGEST_LINE, "line 1: is longer than 65536 bytes"),
        (HEAD + b'{"name":"a","extension":".jpg"}\n[]', "line 4: is not a JSON object"),
        (HEAD + b'{"name":"a","extension":".jpg"}\n{"name":"b"}', "line 4: expected 'extension' as a text"),
        (HEAD + b'{"name":"","extension":".jpg"}', "line 3: expected 'name' as a text"),
        (HEAD + b'{"name":7,"extension":".jpg"}', "line 3: expected 'name' as a text"),
        (HEAD + b'{"name":"a","extension":"","width":5}', "line 3: expected 'height' as an integer"),
        (HEAD + b'{"name":"a","extension":"","width":0,"height":5}', "expected 'width' as an integer from 1"),
        (HEAD + b'{"name":"a","extension":"","width":true,"height":5}', "expected 'width' as an integer"),
        (HEAD + b'{"name":"a","extension":"","width":1e3,"height":5}', "expected 'width' as an integer"),
        (HEAD + b'{"name":"a","extension":"","width":NaN,"height":5}', "line 3: is not JSON"),
        (HEAD + b'{"name":"a","extension":"","meta":[1]}', "related_images in an object meta"),
        (HEAD + b'{"name":"a","extension":"","meta":{"related_images":[1]}}', "names of related_images"),
        (HEAD + b'{"name":"a","extension":"","checksum":5}', "expected 'checksum' as a text"),
    ],
)
def test_faults_of_images_name_the_line(content: bytes, message: str) -> None:
    with pytest.raises(MediaError, match=message) as caught:
        images(content)
    assert caught.value.code == "invalid_media"


def video(**properties: Any) -> bytes:
    fields = {"name": "a", "resolution": [5, 5], "length": 9, **properties}
    return b'{"version":"1.1"}\n{"type":"video"}\n' + json.dumps({"properties": fields}).encode() + b"\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"version":"1.1"}\n{"type":"video"}\n', "line 2: expected 'properties'"),
        (b'{"version":"1.1"}\n{"type":"video"}\n{"properties":5}', "line 3: expected an object"),
        (video(name=None), "line 3: expected 'name'"),
        (video(resolution=[5]), r"line 3: expected resolution as \[width, height\]"),
        (video(resolution=[5, -5]), "line 3: expected 'resolution' as an integer"),
        (video(length=0), "line 3: expected 'length' as an integer"),
        (VIDEO_HEAD, "line 3: expected key frames, got none"),
        (VIDEO_HEAD + b'{"number":0}', "line 4: expected 'pts' as an integer"),
        (VIDEO_HEAD + b"{}", "line 4: expected 'number' as an integer"),
        (VIDEO_HEAD + b'{"number":0,"pts":0}\n{"number":0,"pts":9}', "line 5: number and pts must rise"),
        (VIDEO_HEAD + b'{"number":0,"pts":0}\n{"number":5,"pts":0}', "line 5: number and pts must rise"),
        (VIDEO_HEAD + b'{"number":300,"pts":0}', "line 4: number must be less than the length 300"),
    ],
)
def test_faults_of_videos_name_the_line(content: bytes, message: str) -> None:
    with pytest.raises(MediaError, match=message):
        [*manifest(content).keyframes()]


@given(
    lines=st.lists(
        st.one_of(
            st.binary(max_size=40),
            st.recursive(
                st.none() | st.booleans() | st.integers() | st.text(max_size=5),
                lambda inner: (
                    st.dictionaries(
                        st.sampled_from(
                            ["name", "extension", "width", "height", "meta", "checksum", "number", "pts"]
                        ),
                        inner,
                    )
                    | st.lists(inner, max_size=3)
                ),
            ).map(lambda value: json.dumps(value).encode()),
        ),
        max_size=4,
    ),
    head=st.sampled_from([HEAD, VIDEO_HEAD, b""]),
)
@settings(max_examples=300, deadline=None)
def test_any_lines_are_items_or_faults(lines: list[bytes], head: bytes) -> None:
    try:
        read = manifest(head + b"\n".join(lines))
        _ = [*read.images()] if read.kind == "images" else [*read.keyframes()]
    except MediaError:
        return


class Endless(io.BytesIO):
    """Lines that are made as they are read."""

    def __init__(self, lines: Iterator[bytes]) -> None:
        super().__init__()
        self._lines = lines

    def readline(self, size: int | None = -1, /) -> bytes:
        return next(self._lines, b"")


def test_a_long_manifest_takes_little_memory_and_time() -> None:
    many = (ManifestImage(name=f"folder/{number:07d}.jpg", width=640, height=480) for number in range(50_000))
    pieces = write_images(many)
    lines = (line for piece in pieces for line in piece.splitlines(keepends=True))
    began = time.process_time()
    tracemalloc.start()
    try:
        assert sum(1 for _ in Manifest(Endless(lines)).images()) == 50_000
        assert tracemalloc.get_traced_memory()[1] < 2 << 20
    finally:
        tracemalloc.stop()
    assert time.process_time() - began < 10
