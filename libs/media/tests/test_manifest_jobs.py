"""Manifests read as jobs do it, in this process."""

import io
import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from yard.media import manifest_jobs
from yard.media.batch_stream import BatchStream, IndexedBatch
from yard.media.claims import CLAIMED, confirmed
from yard.media.errors import MediaError
from yard.media.hard_clips import make_clip
from yard.media.index_block import ImageAddress, decode_frames, encode_video
from yard.media.manifest import ManifestImage, ManifestKeyframe, ManifestVideo, write_images, write_video
from yard.media.name_order import arranged, natural_key
from yard.media.video_index import VideoIndex, index_video

from libs.media.tests.hosts import MemoryHost

NAMES = ["b/10.jpg", "b/9.jpg", "a.jpg"]


def images(names: Iterable[str | None], width: int = 64, height: int = 48) -> bytes:
    lines = (name and ManifestImage(name=name, width=width, height=height) for name in names)
    return b"".join(write_images(line or None for line in lines))


def read(content: bytes, most: int = 100_000) -> tuple[dict[str, Any], bytes]:
    """The first step: the lines in batches."""
    host = MemoryHost({"manifest": content})
    result = manifest_jobs.read_images({"name": "m.jsonl", "most": most, "behind": None}, host)
    return result, bytes(host.emitted)


def described(
    content: bytes,
    files: Sequence[str] | None = None,
    form: str = "jpeg",
    most: int = 100_000,
    **changes: Any,
) -> tuple[dict[str, Any], list[ImageAddress]]:
    read_result, lines = read(content, most)
    sources = {"lines": lines}
    if files is not None:
        rows = (json.dumps([name, 10 + number, form]) for number, name in enumerate(files))
        sources["files"] = "\n".join(rows).encode()
    host = MemoryHost(sources)
    arguments = {"name": "m.jsonl", "folder": "", "sorting": "predefined", "seed": 0}
    selection = {"start": 0, "stop": None, "step": 1}
    job = manifest_jobs.describe_tree if files is None else manifest_jobs.describe_files
    result = {**read_result, **job({**arguments, **selection, **changes}, host)}
    found: list[ImageAddress] = []
    start = 0
    for length in result.get("lengths", []):
        found += decode_frames(bytes(host.emitted[start : start + length]))
        start += length
    return result, found


def fault(*arguments: Any, **changes: Any) -> str:
    with pytest.raises(MediaError) as caught:
        described(*arguments, **changes)
    return str(caught.value)


def test_files_come_in_the_order_of_the_manifest_with_their_sizes() -> None:
    result, found = described(images(NAMES), sorted(NAMES))
    assert (result["kind"], result["count"], result["unsized"]) == ("images", 3, 0)
    assert [(image.name, image.source, image.size, image.order) for image in found] == [
        ("b/10.jpg", 1, 11, 0),
        ("b/9.jpg", 2, 12, 1),
        ("a.jpg", 0, 10, 2),
    ]
    assert {(image.width, image.height, image.method, image.orientation) for image in found} == {
        (64, 48, "whole", CLAIMED)
    }


@pytest.mark.parametrize(
    ("sorting", "expected"),
    [
        ("lexicographical", ["a.jpg", "b/10.jpg", "b/9.jpg"]),
        ("natural", ["a.jpg", "b/9.jpg", "b/10.jpg"]),
        ("predefined", NAMES),
    ],
)
def test_the_chosen_sorting_holds(sorting: str, expected: list[str]) -> None:
    for files in (NAMES, None):
        _, found = described(images(NAMES), files, sorting=sorting)
        assert [image.name for image in found] == expected


def test_names_are_looked_for_beside_the_manifest_first() -> None:
    files = ["d/a.jpg", "a.jpg"]
    _, found = described(images(["a.jpg", "d/a.jpg"]), ["x/a.jpg", "d/a.jpg"], folder="x/")
    assert [(image.source, image.name) for image in found] == [(0, "x/a.jpg"), (1, "d/a.jpg")]
    assert "1 file is not in it: a.jpg" in fault(images(["a.jpg"]), files, folder="d/")


def test_what_is_missing_and_what_is_extra_is_named_and_counted() -> None:
    said = fault(images(f"{number}.jpg" for number in range(9)), ["0.jpg", "x.jpg"])
    assert said == (
        "m.jsonl: 8 images are not among the files: 1.jpg, 2.jpg, 3.jpg, 4.jpg, 5.jpg and 3 more; "
        "1 file is not in it: x.jpg"
    )


def test_frames_that_are_not_described_may_not_be_selected() -> None:
    lines = images(["a.jpg", None, "c.jpg"])
    files = ["a.jpg", "b.jpg", "c.jpg"]
    result, found = described(lines, files, step=2)
    assert result["count"] == 3
    assert [found[frame].name for frame in (0, 2)] == ["a.jpg", "c.jpg"]
    assert fault(lines, files) == "m.jsonl: does not describe frame 1"
    assert "not in it" in fault(lines, [*files, "d.jpg"], step=2)


def test_pages_of_files_have_names_of_their_own() -> None:
    _, found = described(images(["x.gif/000000.png", "x.gif/000001.png"]), ["x.gif"], "gif")
    assert [(image.source, image.method, image.page, image.size) for image in found] == [
        (0, "page", 0, 0),
        (0, "page", 1, 0),
    ]
    assert "not among the files" in fault(images(["x.jpg/000000.png"]), ["x.jpg"])


def test_of_a_tree_only_selected_frames_are_made() -> None:
    names = [f"{number:05d}.jpg" for number in range(25_000)]
    result, found = described(images(names), start=1, step=2)
    assert (result["count"], result["size"], len(result["lengths"])) == (25_000, 12_500, 2)
    assert [image.name for image in found] == names[1::2]
    assert [image.order for image in found] == [*range(1, 25_000, 2)]
    assert result["ends"][1] == {"name": "24999.jpg", "width": 64, "height": 48}
    assert described(images(names), start=25_000)[0]["size"] == 0


@pytest.mark.parametrize("name", ["../a.jpg", "/a.jpg", "a//b.jpg", "./a.jpg", "a\\b.jpg", "a\x00.jpg"])
def test_names_that_lead_out_of_a_tree_are_refused_by_line(name: str) -> None:
    assert fault(images(["ok.jpg", name])).startswith("m.jsonl: line 4: ")


def test_files_of_a_tree_are_named_from_the_root_of_the_share() -> None:
    for names in (["a.jpg", "b/a.jpg"], ["x/y/a.jpg", "x/y/b/a.jpg"]):
        _, found = described(images(names), folder="x/y/")
        assert [image.name for image in found] == ["x/y/a.jpg", "x/y/b/a.jpg"]
    assert "line 4: 'a.jpg' is not in the folder 'x/y/'" in fault(
        images(["x/y/a.jpg", "a.jpg"]), folder="x/y/"
    )


def test_a_name_comes_once() -> None:
    assert fault(images(["a.jpg", "a.jpg"])) == "m.jsonl: line 4: 'a.jpg' is described twice"
    assert "expected images" in fault(images([None]))
    assert "line 5: more than 2 frames" in fault(images(NAMES), most=2)


def test_reading_goes_on_behind_any_batch() -> None:
    content = images([f"{number}.jpg" if number % 7 else None for number in range(30_001)])
    content = content.replace(b"{}\n", b"\n{}\n\n")
    _, whole = read(content)
    batches = [batch for batch in BatchStream().feed(whole) if isinstance(batch, IndexedBatch)]
    assert [batch.result["frames"] for batch in batches] == [10_000, 20_000, 30_000, 30_001]
    assert [batch.result["is_last"] for batch in batches] == [False, False, False, True]
    for number, batch in enumerate(batches[:-1]):
        host = MemoryHost({"manifest": content})
        arguments = {"name": "m.jsonl", "most": 100_000, "behind": batch.result}
        manifest_jobs.read_images(arguments, host)
        assert list(BatchStream().feed(bytes(host.emitted))) == batches[number + 1 :]
        with pytest.raises(MediaError, match="more than 30000 frames"):
            manifest_jobs.read_images({**arguments, "most": 30_000}, MemoryHost({"manifest": content}))


@given(st.lists(st.text(st.sampled_from("a0129/é"), min_size=1), unique=True))
def test_natural_order_is_that_of_numbers(names: list[str]) -> None:
    def expected(name: str) -> tuple[object, ...]:
        parts = re.split("([0-9]+)", name)
        return tuple(int(part) if place % 2 else part for place, part in enumerate(parts)), name

    assert sorted(names, key=lambda name: natural_key(name.encode())) == sorted(names, key=expected)


def test_random_order_is_repeated_by_its_seed() -> None:
    names = [str(number).encode() for number in range(50)]
    assert arranged(names, "random", 7) == arranged(names, "random", 7) != arranged(names, "random", 8)


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> VideoIndex:
    path = make_clip("b_frames", tmp_path_factory.mktemp("clips"), 40)
    return index_video(io.BytesIO(path.read_bytes()), "clip")


def checked(index: VideoIndex, claimed: ManifestVideo, keyframes: Sequence[ManifestKeyframe]) -> None:
    host = MemoryHost(
        {
            "manifest": b"".join(write_video(claimed, keyframes)),
            "index": encode_video(index),
        }
    )
    manifest_jobs.check_video({"name": "m.jsonl", "video": "clip.mp4"}, host)


def claims(index: VideoIndex, **changes: Any) -> ManifestVideo:
    fields = {"name": "clip.mp4", "width": index.width, "height": index.height, "frames": index.frames}
    return ManifestVideo(**{**fields, **changes})


def test_a_video_is_as_its_manifest_says(video: VideoIndex) -> None:
    first = ManifestKeyframe(number=0, pts=int(video.pts[0]))
    checked(video, claims(video), [first])
    for claimed, keyframes, said in (
        (claims(video, frames=41, width=1), [first], "it says 41 frames, there are 40; it says 1x240 pixels"),
        (claims(video), [ManifestKeyframe(number=0, pts=77_777)], "frame 0 has the time 77777"),
        (claims(video), [first, ManifestKeyframe(number=1, pts=int(video.pts[1]))], "it is none"),
    ):
        with pytest.raises(MediaError, match=said):
            checked(video, claimed, keyframes)


def test_a_manifest_of_images_is_none_of_a_video(video: VideoIndex) -> None:
    host = MemoryHost({"manifest": images(["a.jpg"]), "index": encode_video(video)})
    with pytest.raises(MediaError, match=r"describes images, but clip\.mp4 is a video"):
        manifest_jobs.check_video({"name": "m.jsonl", "video": "clip.mp4"}, host)
    assert read(b"".join(write_video(claims(video), []))) == ({"kind": "video"}, b"")


def picture(size: tuple[int, int], orientation: int = 1) -> bytes:
    target = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.new("RGB", size).save(target, "JPEG", exif=exif)
    return target.getvalue()


def claimed_address(**fields: Any) -> ImageAddress:
    return ImageAddress(**{"name": "a.jpg", "orientation": CLAIMED, **fields})


def test_claims_become_what_the_header_says() -> None:
    found = confirmed(picture((64, 48), 6), claimed_address(width=48, height=64))
    assert (found.width, found.height, found.orientation) == (48, 64, 6)
    found = confirmed(picture((64, 48)), claimed_address())
    assert (found.width, found.height, found.orientation) == (64, 48, 1)
    known = ImageAddress(name="a.jpg", width=1, height=1)
    assert confirmed(b"", known) is known


def test_a_lie_names_the_file_and_both_sizes() -> None:
    with pytest.raises(MediaError, match=r"a\.jpg: is 64x48 pixels, but the manifest says 64x49"):
        confirmed(picture((64, 48)), claimed_address(width=64, height=49))
    with pytest.raises(MediaError, match="knows page 3"):
        confirmed(picture((64, 48)), claimed_address(page=3, method="page"))
    with pytest.raises(MediaError, match=r"a\.jpg: is not an image"):
        confirmed(b"no image", claimed_address())


def test_names_are_any_text() -> None:
    assert [image.name for image in described(images(["grün/日本.png"]))[1]] == ["grün/日本.png"]
