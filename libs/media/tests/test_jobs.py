import io
from pathlib import Path

import pytest
from PIL import Image
from yard.media.errors import MediaError
from yard.media.hard_clips import FRAMES, make_clip
from yard.media.image_file import LARGEST_FILE_BYTES
from yard.media.index_block import FRAMES_PER_BLOCK, decode_frames, decode_video, frame_count
from yard.media.jobs import index_images, index_video

from libs.media.tests.hosts import MemoryHost


def jpeg(width: int, height: int) -> bytes:
    target = io.BytesIO()
    Image.new("RGB", (width, height)).save(target, "JPEG")
    return target.getvalue()


def gif(pages: int) -> bytes:
    target = io.BytesIO()
    images = [Image.new("L", (2, 2), number % 256) for number in range(pages)]
    images[0].save(target, "GIF", save_all=True, append_images=images[1:])
    return target.getvalue()


def call(files: list[tuple[str, bytes]], first: int = 0) -> tuple[dict[str, object], MemoryHost]:
    host = MemoryHost({str(number): content for number, (_, content) in enumerate(files)})
    described = [
        {"name": name, "source": first + number, "size": len(content), "file": str(number), "offset": 0}
        for number, (name, content) in enumerate(files)
    ]
    return index_images({"files": described}, host), host


def test_a_video_becomes_a_block_and_its_sums(tmp_path: Path) -> None:
    host = MemoryHost({"file": make_clip("rotated_90", tmp_path).read_bytes()})
    result = index_video({"name": "a.mp4"}, host)
    assert result == {"frames": FRAMES, "width": 320, "height": 240, "warnings": []}
    assert decode_video(bytes(host.emitted)).rotation == 90
    assert host.told
    assert all(0 < fraction < 1 for fraction in host.told)


def test_a_text_is_no_video_and_is_named() -> None:
    with pytest.raises(MediaError) as caught:
        index_video({"name": "notes.mp4"}, MemoryHost({"file": b"just a text\n" * 100}))
    assert (caught.value.code, caught.value.name) == ("invalid_media", "notes.mp4")


def test_images_become_a_block_that_names_their_sources() -> None:
    contents = [("b.jpg", jpeg(8, 6)), ("a.jpg", jpeg(5, 7))]
    result, host = call(contents, first=500)
    assert result == {"files": 2, "count": 2, "skipped": []}
    frames = decode_frames(bytes(host.emitted))
    assert [(f.order, f.name, f.source, f.width, f.height, f.size, f.method) for f in frames] == [
        (0, "b.jpg", 500, 8, 6, len(contents[0][1]), "whole"),
        (1, "a.jpg", 501, 5, 7, len(contents[1][1]), "whole"),
    ]


def test_files_that_are_no_images_are_left_out_with_a_reason() -> None:
    result, host = call([("cut.jpg", jpeg(8, 6)[:30]), ("a.jpg", jpeg(5, 7))])
    assert result == {
        "files": 2,
        "count": 1,
        "skipped": [{"name": "cut.jpg", "reason": "ends after 30 bytes, before what its header promises"}],
    }
    [frame] = decode_frames(bytes(host.emitted))
    assert (frame.name, frame.source) == ("a.jpg", 1)


def test_images_of_one_pack_are_read_in_its_order_and_told_in_ours() -> None:
    contents = [jpeg(8, 6), b"no image", gif(3), jpeg(5, 7)]
    offsets = [sum(map(len, contents[:number])) for number in range(4)]
    described = [
        {"name": str(n), "source": n, "size": len(contents[n]), "file": "pack", "offset": offsets[n]}
        for n in (3, 1, 0, 2)
    ]
    host = MemoryHost({"pack": b"".join(contents)})
    result = index_images({"files": described, "limits": {"pages": 3}}, host)
    assert result["skipped"] == [{"name": "1", "reason": "is not an image"}]
    frames = [(f.name, f.source, f.width, f.page) for f in decode_frames(bytes(host.emitted))]
    assert frames == [
        ("3", 3, 5, 0),
        ("0", 0, 8, 0),
        *((f"2/{page:06d}.png", 2, 2, page) for page in range(3)),
    ]


def test_a_file_that_nobody_could_decode_is_left_out_unread() -> None:
    described = [{"name": "a.bmp", "source": 0, "size": LARGEST_FILE_BYTES + 1, "file": "0", "offset": 0}]
    result = index_images({"files": described}, MemoryHost({"0": b""}))
    assert result["skipped"] == [{"name": "a.bmp", "reason": "is longer than 512 MiB"}]


def test_a_full_block_ends_the_batch_before_the_file_that_does_not_fit() -> None:
    pages = FRAMES_PER_BLOCK // 2 + 1
    animation = gif(pages)
    result, host = call([("a.gif", animation), ("b.jpg", jpeg(5, 7)), ("c.gif", animation)])
    assert result == {"files": 2, "count": pages + 1, "skipped": []}
    assert frame_count(bytes(host.emitted)) == pages + 1


def test_a_file_with_too_many_pages_is_left_out() -> None:
    result, _ = call([("a.gif", gif(FRAMES_PER_BLOCK + 1))])
    assert result["skipped"] == [{"name": "a.gif", "reason": f"has more than {FRAMES_PER_BLOCK} pages"}]
    assert result["files"] == 1
