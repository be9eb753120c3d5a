import pytest
from frameyard.media.v1 import media_pb2
from frameyard.media.v1.upload_service_pb2 import NewUploadFile
from hypothesis import given
from hypothesis import strategies as st
from yard.media.frame_table import FrameTable
from yard.media.index_block import ImageAddress, decode_frames, encode_frames
from yard.media_ingest.domain import parameters
from yard.media_ingest.domain.files import GivenFile, Place, Skipped, choose
from yard.media_ingest.domain.picking import Picked, pick
from yard.media_ingest.domain.sorting import ordered
from yard.media_ingest.domain.uploads import MIB, PART_BYTES, parse_files, part_bytes
from yard.runtime.errors import InvalidArgument

MOST = 1_000


def fields(fault: InvalidArgument) -> list[str]:
    return [violation.field for violation in fault.violations]


def file(name: str, family: str = "image", size: int = 10) -> GivenFile:
    return GivenFile(
        name=name,
        size_bytes=size,
        place=Place(key=f"uploads/{name}", size_bytes=size),
        sha256="",
        family=family,
        format={"image": "jpeg", "video": "mp4", "archive": "zip", "document": "pdf"}.get(family, ""),
    )


def test_files_are_numbered_in_the_order_given() -> None:
    parsed = parse_files(
        [NewUploadFile(name="b/2.jpg", size_bytes=5, sha256="AB" * 32), NewUploadFile(name="a.jpg")], MOST
    )
    assert [(new.number, new.name, new.size_bytes, new.sha256) for new in parsed] == [
        (0, "b/2.jpg", 5, "ab" * 32),
        (1, "a.jpg", 0, ""),
    ]


def test_all_that_is_wrong_with_new_files_is_told_at_once() -> None:
    wrong = [
        NewUploadFile(name="", size_bytes=-1),
        NewUploadFile(name="same", size_bytes=MOST + 1),
        NewUploadFile(name="same", sha256="xyz"),
        NewUploadFile(name="../out"),
        NewUploadFile(name="/rooted"),
        NewUploadFile(name="nul\0"),
        NewUploadFile(name="x" * 1025),
    ]
    with pytest.raises(InvalidArgument) as caught:
        parse_files(wrong, MOST)
    assert sorted(fields(caught.value)) == [
        "files[0].name",
        "files[0].size_bytes",
        "files[1].size_bytes",
        "files[2].name",
        "files[2].sha256",
        "files[3].name",
        "files[4].name",
        "files[5].name",
        "files[6].name",
    ]


def test_an_upload_has_files_and_the_list_of_faults_ends() -> None:
    with pytest.raises(InvalidArgument) as nothing:
        parse_files([], MOST)
    assert fields(nothing.value) == ["files"]
    with pytest.raises(InvalidArgument) as many:
        parse_files([NewUploadFile(name="x", size_bytes=-1)] * 500, MOST)
    assert len(many.value.violations) == 100


@given(st.integers(0, 50_000 * PART_BYTES))
def test_a_file_has_parts_that_the_store_takes(size: int) -> None:
    part = part_bytes(size)
    assert part % MIB == 0
    assert part >= PART_BYTES
    assert -(-size // part) <= 9_000


def test_one_video_is_a_video_and_the_rest_is_left_out() -> None:
    choice = choose([file("notes.txt", ""), file("a.mp4", "video"), file("empty.jpg", "", 0)])
    assert (choice.material, [given.name for given in choice.files]) == ("video", ["a.mp4"])
    assert choice.skipped == (
        Skipped(name="notes.txt", reason="is neither an image nor a video"),
        Skipped(name="empty.jpg", reason="is empty"),
    )


@pytest.mark.parametrize(
    ("family", "kind"), [("video", "video"), ("archive", "images"), ("document", "images")]
)
def test_one_file_may_hold_all(family: str, kind: str) -> None:
    choice = choose([file("all", family)])
    assert (choice.material, choice.kind, [given.name for given in choice.files]) == (
        family,
        kind,
        ["all"],
    )


def test_images_keep_their_order() -> None:
    choice = choose([file("b.jpg"), file("x.txt", ""), file("a.jpg")])
    assert (choice.kind, [given.name for given in choice.files]) == ("images", ["b.jpg", "a.jpg"])


@pytest.mark.parametrize(
    ("files", "named", "words"),
    [
        ([file("a.mp4", "video"), file("b.mp4", "video")], ["b.mp4"], "second video"),
        ([file("a.jpg"), file("b.mp4", "video")], ["b.mp4"], "video among images"),
        ([file("a.jpg"), file("b.zip", "archive")], ["b.zip"], "an archive among images"),
        ([file("a.pdf", "document"), file("a.jpg")], ["a.pdf"], "a PDF among images"),
        ([file("a.zip", "archive"), file("b.tar", "archive")], ["b.tar"], "a second archive besides a.zip"),
        (
            [file("a.mp4", "video"), file("b.pdf", "document"), file("c.zip", "archive")],
            ["b.pdf", "c.zip"],
            "a PDF besides a.mp4",
        ),
        ([file("a.jpg"), file("a.jpg")], ["a.jpg"], "two files"),
        ([file("a.mp4", "", 0)], ["a.mp4"], "is empty"),
        ([file("a.mp4", ""), file("b", "")], ["a.mp4", "b"], "neither an image nor a video"),
    ],
)
def test_what_does_not_fit_is_named(files: list[GivenFile], named: list[str], words: str) -> None:
    with pytest.raises(InvalidArgument, match=words) as caught:
        choose(files)
    assert fields(caught.value) == named
    assert all(name in caught.value.message for name in named)
    assert caught.value.metadata["file"] == named[0]


NAMES = ["10.jpg", "9.jpg", "B.jpg", "a/2.jpg", "a/10.jpg", "a/02.jpg", "ä.jpg"]


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        (
            media_pb2.SORTING_METHOD_LEXICOGRAPHICAL,
            ["10.jpg", "9.jpg", "B.jpg", "a/02.jpg", "a/10.jpg", "a/2.jpg", "ä.jpg"],
        ),
        (
            media_pb2.SORTING_METHOD_NATURAL,
            ["9.jpg", "10.jpg", "B.jpg", "a/02.jpg", "a/2.jpg", "a/10.jpg", "ä.jpg"],
        ),
        (media_pb2.SORTING_METHOD_PREDEFINED, NAMES),
    ],
)
def test_orders(method: media_pb2.SortingMethod.ValueType, expected: list[str]) -> None:
    assert [*ordered(NAMES, method, 0, str)] == expected


@given(st.lists(st.text(alphabet="a1/0", max_size=6), unique=True))
def test_natural_order_compares_any_names(names: list[str]) -> None:
    arranged = [*ordered(names, media_pb2.SORTING_METHOD_NATURAL, 0, str)]
    assert sorted(arranged) == sorted(names)


def test_random_order_is_that_of_the_seed_and_not_that_of_the_upload() -> None:
    method = media_pb2.SORTING_METHOD_RANDOM
    shuffled = [*ordered(NAMES, method, 5, str)]
    assert shuffled == [*ordered(NAMES[::-1], method, 5, str)]
    assert sorted(shuffled) == sorted(NAMES)
    assert len({tuple(ordered(NAMES, method, seed, str)) for seed in range(10)}) > 5


def test_defaults() -> None:
    parsed = parameters.parse(media_pb2.DataSpec())
    assert parsed == parameters.Parameters(
        quality=70,
        start=0,
        stop=None,
        step=1,
        chunk_size=None,
        use_zip_chunks=True,
        use_cache=True,
        sorting=media_pb2.SORTING_METHOD_LEXICOGRAPHICAL,
        pdf_dpi=150,
        copy_data=False,
    )


def test_zero_is_a_frame_and_false_is_an_answer() -> None:
    parsed = parameters.parse(media_pb2.DataSpec(stop_frame=0, use_cache=False, use_zip_chunks=False))
    assert (parsed.stop, parsed.use_cache, parsed.use_zip_chunks) == (0, False, False)


def test_all_violations_of_parameters_are_told_at_once() -> None:
    unknown = media_pb2.DataSpec.FromString(b"\x48\x63")  # sorting 99
    unknown.MergeFrom(
        media_pb2.DataSpec(image_quality=4, start_frame=-1, stop_frame=-2, frame_step=0, chunk_size=10_001)
    )
    with pytest.raises(InvalidArgument) as caught:
        parameters.parse(unknown)
    assert fields(caught.value) == [
        "data.image_quality",
        "data.start_frame",
        "data.stop_frame",
        "data.frame_step",
        "data.chunk_size",
        "data.sorting",
    ]


def test_a_stop_before_the_start_names_the_stop() -> None:
    with pytest.raises(InvalidArgument) as caught:
        parameters.parse(media_pb2.DataSpec(start_frame=5, stop_frame=4))
    assert fields(caught.value) == ["data.stop_frame"]


@pytest.mark.parametrize(
    ("start", "stop", "step", "frames", "size", "last"),
    [
        (0, None, 1, 10, 10, 9),
        (2, 7, 2, 10, 3, 6),
        (0, 100, 3, 10, 4, 9),
        (9, None, 5, 10, 1, 9),
        (0, 0, 1, 10, 1, 0),
    ],
)
def test_selections(start: int, stop: int | None, step: int, frames: int, size: int, last: int) -> None:
    spec = media_pb2.DataSpec(start_frame=start, stop_frame=stop, frame_step=step)
    selected = parameters.select(parameters.parse(spec), frames)
    assert (selected.size, selected.stop) == (size, last)


def test_an_empty_selection_names_all_that_made_it() -> None:
    wanted = parameters.parse(media_pb2.DataSpec(start_frame=10, stop_frame=20, frame_step=3))
    with pytest.raises(
        InvalidArgument, match="start=10, stop=20, step=3 select nothing of 10 source"
    ) as caught:
        parameters.select(wanted, 10)
    assert fields(caught.value) == ["data.start_frame"]


@pytest.mark.parametrize(
    ("width", "height", "size"),
    [(640, 480, 72), (1280, 720, 72), (1920, 1080, 36), (2560, 1440, 20), (3840, 2160, 9), (7680, 4320, 2)],
)
def test_default_chunk_size_by_area(width: int, height: int, size: int) -> None:
    assert parameters.default_chunk_size(media_pb2.CHUNK_FORMAT_ZIP, width, height) == size
    assert parameters.default_chunk_size(media_pb2.CHUNK_FORMAT_MP4, width, height) == 36


def test_parameters_in_force() -> None:
    spec = media_pb2.DataSpec(
        start_frame=1, frame_step=2, use_zip_chunks=False, sorting=media_pb2.SORTING_METHOD_RANDOM
    )
    wanted = parameters.parse(spec)
    selected = parameters.select(wanted, 10)
    video = parameters.in_force(wanted, "video", selected, (640, 480), 5)
    images = parameters.in_force(wanted, "images", selected, (640, 480), 5)
    assert (video.chunk_format, video.chunk_size) == (media_pb2.CHUNK_FORMAT_MP4, 36)
    assert not video.HasField("random_seed")
    assert (images.chunk_format, images.chunk_size) == (media_pb2.CHUNK_FORMAT_ZIP, 72)
    assert (images.random_seed, images.start_frame, images.stop_frame, images.frame_step) == (5, 1, 9, 2)


def test_media_needs_a_source_and_each_an_origin() -> None:
    spec = media_pb2.DataSpec(
        sources=[media_pb2.MediaSource(upload=media_pb2.UploadSource(upload_id="x")), media_pb2.MediaSource()]
    )
    assert [v.field for v in parameters.unsupported_sources(spec)] == ["data.sources[1]"]
    assert [v.field for v in parameters.unsupported_sources(media_pb2.DataSpec())] == ["data.sources"]


def picked(
    addresses: list[ImageAddress], files: list[GivenFile], order: list[int] | None = None, **spec: int
) -> Picked:
    frames = FrameTable()
    for first in range(0, len(addresses), 9_000):
        frames.add(encode_frames(addresses[first : first + 9_000]))
    wanted = parameters.parse(media_pb2.DataSpec(**spec))  # type: ignore[arg-type]
    return pick(frames, order, files, parameters.select(wanted, len(addresses)))


def test_picked_images_keep_order_and_need_only_their_files() -> None:
    files = [file(f"{number}.jpg") for number in range(6)]
    good = [0, 1, 3, 4, 5]  # 2 does not decode
    addresses = [ImageAddress(name=f"{number}.jpg", width=number, source=number) for number in good]
    found = picked(addresses, files, start_frame=1, frame_step=2)
    [block] = found.blocks
    assert [(a.name, a.order, a.source, a.method) for a in decode_frames(block)] == [
        ("1.jpg", 1, 0, "whole"),
        ("4.jpg", 3, 1, "whole"),
    ]
    assert [source.name for source in found.sources] == ["1.jpg", "4.jpg"]
    assert found.width == 1


def test_picked_images_come_in_any_order() -> None:
    files = [file(f"{number}.jpg") for number in range(4)]
    addresses = [ImageAddress(name=f"{number}.jpg", width=9 - number, source=number) for number in range(4)]
    found = picked(addresses, files, [2, 0, 3, 1], start_frame=1)
    [block] = found.blocks
    assert [(a.name, a.order, a.source) for a in decode_frames(block)] == [
        ("0.jpg", 1, 0),
        ("3.jpg", 2, 1),
        ("1.jpg", 3, 2),
    ]
    assert [source.name for source in found.sources] == ["0.jpg", "3.jpg", "1.jpg"]
    assert found.width == 9


def test_picked_images_come_in_blocks_of_ten_thousand() -> None:
    found = picked([ImageAddress(name="many.gif", method="page")] * 20_001, [file("many.gif")])
    assert [len(decode_frames(block)) for block in found.blocks] == [10_000, 10_000, 1]
    assert len(found.sources) == 1


def at(name: str, place: Place) -> GivenFile:
    return GivenFile(
        name=name, size_bytes=place.size_bytes, place=place, sha256="", family="image", format="jpeg"
    )


def test_files_of_one_object_are_one_source() -> None:
    files = [
        at("a.jpg", Place(key="pack", offset=0, size_bytes=10)),
        at("b.gif", Place(key="pack", offset=10, size_bytes=20)),
        at("c.jpg", Place(key="own", size_bytes=30)),
        at("d.jpg", Place(key="other", offset=5, size_bytes=7)),
    ]
    addresses = [
        ImageAddress(name="a.jpg", source=0, size=10),
        ImageAddress(name="b.gif/0", source=1, method="page"),
        ImageAddress(name="b.gif/1", source=1, method="page", page=1),
        ImageAddress(name="c.jpg", source=2, size=30),
        ImageAddress(name="d.jpg", source=3, size=7),
    ]
    found = picked(addresses, files)
    [block] = found.blocks
    assert [(a.method, a.source, a.offset, a.length) for a in decode_frames(block)] == [
        ("stored", 0, 0, 10),
        ("stored_page", 0, 10, 20),
        ("stored_page", 0, 10, 20),
        ("whole", 1, 0, 0),
        ("whole", 2, 0, 0),
    ]
    assert [(source.key, source.offset, source.size_bytes) for source in found.sources] == [
        ("pack", 0, 30),
        ("own", 0, 30),
        ("other", 5, 7),
    ]


def test_files_of_a_share_are_one_tree() -> None:
    files = [
        at("x/a.jpg", Place(key="x/a.jpg", size_bytes=10, share="nas")),
        at("b.jpg", Place(key="y/b.jpg", size_bytes=10, share="nas")),
        at("x/c.gif", Place(key="x/c.gif", size_bytes=10, share="nas")),
        at("d.jpg", Place(key="yd.jpg", size_bytes=10, share="nas")),
        at("x/e.jpg", Place(key="x/e.jpg", size_bytes=10, share="nas")),
    ]
    addresses = [
        ImageAddress(name=file.name, source=number, method="page" if file.name.endswith("gif") else "whole")
        for number, file in enumerate(files)
    ]
    found = picked(addresses, files)
    [block] = found.blocks
    assert [(a.method, a.source) for a in decode_frames(block)] == [
        ("whole", 0),
        ("whole", 1),
        ("page", 2),
        ("whole", 3),
        ("whole", 0),
    ]
    assert [(source.key, source.is_tree, source.share) for source in found.sources] == [
        ("", True, "nas"),
        ("y/", True, "nas"),
        ("x/c.gif", False, "nas"),
        ("yd.jpg", False, "nas"),
    ]
