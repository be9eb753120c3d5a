from __future__ import annotations

from typing import Any

from frameyard.media.v1 import media_pb2
from frameyard.media.v1.media_pb2 import SortingMethod
from yard.media.hard_clips import FRAMES, HARD_CLIPS, SIZE
from yard.media_ingest.settings import Settings
from yard.runtime import app
from yard.testkit import eventually

from services.media_ingest.tests.contents import SIZE as SMALL
from services.media_ingest.tests.contents import animation, clip, photo, photos
from services.media_ingest.tests.neighbours import Client, TaskSide
from services.media_ingest.tests.plans import read_plan


async def test_a_video_is_counted_and_addressed(
    ann: Client, task: TaskSide, running: app.Running[Settings]
) -> None:
    upload = await ann.upload({"a/film.mp4": clip()})
    media = await task.media(upload)
    assert (media.kind, media.state) == (media_pb2.MEDIA_KIND_VIDEO, media_pb2.MEDIA_STATE_READY)
    assert (media.size, media.source_frames, media.width, media.height) == (FRAMES, FRAMES, *SIZE)
    assert media.data == media_pb2.DataParameters(
        image_quality=70,
        start_frame=0,
        stop_frame=FRAMES - 1,
        frame_step=1,
        chunk_size=72,
        chunk_format=media_pb2.CHUNK_FORMAT_ZIP,
        use_cache=True,
        sorting=media_pb2.SORTING_METHOD_LEXICOGRAPHICAL,
    )
    plan = await read_plan(running, media)
    assert (plan.head.kind, plan.head.size, plan.head.start, plan.head.step) == ("video", FRAMES, 0, 1)
    [source] = plan.head.sources
    assert (source.name, source.size_bytes) == ("a/film.mp4", len(clip()))
    assert await running.runtime.blobs.get(source.key) == clip()
    assert plan.video.frames == FRAMES


async def test_hard_videos_have_all_their_frames(
    ann: Client, task: TaskSide, running: app.Running[Settings]
) -> None:
    for name in HARD_CLIPS:
        media = await task.media(await ann.upload({"film": clip(name)}))
        assert (media.size, media.width, media.height) == (FRAMES, *SIZE), name
        assert (await read_plan(running, media)).video.frames == FRAMES, name


async def test_parameters_that_are_given_are_in_force(
    ann: Client, task: TaskSide, running: app.Running[Settings]
) -> None:
    media = await task.media(
        await ann.upload({"film.mp4": clip()}),
        image_quality=5,
        start_frame=3,
        stop_frame=20,
        frame_step=5,
        use_zip_chunks=False,
        use_cache=False,
    )
    assert media.data == media_pb2.DataParameters(
        image_quality=5,
        start_frame=3,
        stop_frame=18,
        frame_step=5,
        chunk_size=36,
        chunk_format=media_pb2.CHUNK_FORMAT_MP4,
        use_cache=False,
        sorting=media_pb2.SORTING_METHOD_LEXICOGRAPHICAL,
    )
    assert (media.size, media.source_frames) == (4, FRAMES)
    plan = await read_plan(running, media)
    assert (plan.head.size, plan.head.start, plan.head.step) == (4, 3, 5)
    assert plan.video.frames == FRAMES


SELECTIONS: list[tuple[dict[str, int], int, int]] = [
    ({"stop_frame": 0}, 1, 0),
    ({"start_frame": 0, "stop_frame": 0, "frame_step": 1}, 1, 0),
    ({"start_frame": FRAMES - 1}, 1, FRAMES - 1),
    ({"stop_frame": 1_000_000}, FRAMES, FRAMES - 1),
    ({"frame_step": 1_000_000}, 1, 0),
    ({"start_frame": 1, "frame_step": 7}, 6, 36),
]


async def test_zero_is_a_frame_like_any_other(ann: Client, task: TaskSide) -> None:
    upload = await ann.upload({"film.mp4": clip()})
    for selection, size, stop in SELECTIONS:
        media = await task.media(upload, **selection)
        assert (media.size, media.data.stop_frame) == (size, stop), selection


async def test_images_are_selected_like_frames(
    ann: Client, task: TaskSide, running: app.Running[Settings]
) -> None:
    names = [f"{number}.jpg" for number in range(9)]
    media = await task.media(await ann.upload(photos(*names)), start_frame=1, stop_frame=7, frame_step=3)
    assert (media.size, media.source_frames, media.data.stop_frame) == (3, 9, 7)
    plan = await read_plan(running, media)
    assert plan.names == ["1.jpg", "4.jpg", "7.jpg"]
    assert [address.order for address in plan.images] == [1, 4, 7]
    assert [plan.head.sources[address.source].name for address in plan.images] == plan.names
    stored = [await running.runtime.blobs.get(plan.head.sources[a.source].key) for a in plan.images]
    assert stored == [photo(1), photo(4), photo(7)]


async def test_images_of_several_uploads_and_kinds_are_one_media(
    ann: Client, task: TaskSide, running: app.Running[Settings]
) -> None:
    first = await ann.upload({"b.png": photo(1, (30, 20), "PNG"), "d.bmp": photo(3, form="BMP")})
    second = await ann.upload({"a.webp": photo(0, form="WEBP"), "c.jpeg": photo(2)})
    media = await task.media(first, second, use_zip_chunks=False)
    assert (media.kind, media.size) == (media_pb2.MEDIA_KIND_IMAGES, 4)
    assert (media.width, media.height) == SMALL
    assert (media.data.chunk_format, media.data.chunk_size) == (media_pb2.CHUNK_FORMAT_ZIP, 72)
    plan = await read_plan(running, media)
    assert plan.names == ["a.webp", "b.png", "c.jpeg", "d.bmp"]
    assert [(a.width, a.height) for a in plan.images] == [
        SMALL,
        (30, 20),
        SMALL,
        SMALL,
    ]


async def test_the_first_selected_frame_decides_on_the_chunk_size(ann: Client, task: TaskSide) -> None:
    files = {"0.jpg": photo(0, (16, 16)), "1.jpg": photo(1, (2560, 1440))}
    upload = await ann.upload(files)
    assert (await task.media(upload)).data.chunk_size == 72
    assert (await task.media(upload, start_frame=1)).data.chunk_size == 36 * 1920 * 1080 // (2560 * 1440)
    assert (await task.media(upload, chunk_size=7)).data.chunk_size == 7


ORDERS: dict[SortingMethod.ValueType, list[str]] = {
    media_pb2.SORTING_METHOD_UNSPECIFIED: ["a10.jpg", "a9.jpg", "b.jpg"],
    media_pb2.SORTING_METHOD_LEXICOGRAPHICAL: ["a10.jpg", "a9.jpg", "b.jpg"],
    media_pb2.SORTING_METHOD_NATURAL: ["a9.jpg", "a10.jpg", "b.jpg"],
    media_pb2.SORTING_METHOD_PREDEFINED: ["b.jpg", "a10.jpg", "a9.jpg"],
}


async def test_images_have_an_order(ann: Client, task: TaskSide, running: app.Running[Settings]) -> None:
    upload = await ann.upload(photos("b.jpg", "a10.jpg", "a9.jpg"))
    for sorting, names in ORDERS.items():
        media = await task.media(upload, sorting=sorting)
        assert (await read_plan(running, media)).names == names
        assert not media.data.HasField("random_seed")


async def test_a_random_order_can_be_repeated(
    ann: Client, task: TaskSide, running: app.Running[Settings]
) -> None:
    names = [f"{number}.jpg" for number in range(10)]
    upload = await ann.upload(photos(*names))
    shuffled: dict[str, Any] = {"sorting": media_pb2.SORTING_METHOD_RANDOM}
    first = await task.media(upload, **shuffled)
    order = (await read_plan(running, first)).names
    assert sorted(order) == names
    again = await task.media(upload, **shuffled, random_seed=first.data.random_seed)
    assert (await read_plan(running, again)).names == order
    other = await task.media(upload, **shuffled, random_seed=0)
    assert other.data.HasField("random_seed")
    assert other.data.random_seed == 0


async def test_many_images_keep_their_order_over_all_batches(
    ann: Client, task: TaskSide, running: app.Running[Settings]
) -> None:
    names = [f"{number:03d}.jpg" for number in range(11)]
    assert running.runtime.settings.index_batch_files == 4
    media = await task.media(await ann.upload(photos(*names)))
    assert (await read_plan(running, media)).names == names
    left = [found.key async for found in running.runtime.blobs.list(f"media/{media.id}/")]
    assert left == [media.plan.key, f"media/{media.id}/results"]
    assert await running.runtime.db.fetchval("SELECT count(*) FROM index_batch") == 0


async def test_every_picture_of_a_gif_is_a_frame(
    ann: Client, task: TaskSide, running: app.Running[Settings]
) -> None:
    media = await task.media(await ann.upload({"b.jpg": photo(), "a.gif": animation(6)}))
    assert media.size == 7
    plan = await read_plan(running, media)
    assert plan.names == [*(f"a.gif/{page:06d}.png" for page in range(6)), "b.jpg"]
    assert [(a.page, a.method) for a in plan.images[4:]] == [(4, "page"), (5, "page"), (0, "whole")]


async def test_files_that_are_no_media_are_left_out_and_listed(ann: Client, task: TaskSide) -> None:
    files = {"notes.txt": b"hello", "b.jpg": photo(), "empty.jpg": b"", "cut.jpg": photo()[:40]}
    media = await task.media(await ann.upload(files))
    assert media.size == 1
    assert media.skipped_count == 3
    assert [(file.name, file.reason) for file in media.skipped] == [
        ("notes.txt", "is neither an image nor a video"),
        ("empty.jpg", "is empty"),
        ("cut.jpg", "ends after 40 bytes, before what its header promises"),
    ]


async def test_a_file_is_what_its_bytes_say(ann: Client, task: TaskSide) -> None:
    media = await task.media(await ann.upload({"film.jpg": clip(), "photo.mp4": b"just a text"}))
    assert media.kind == media_pb2.MEDIA_KIND_VIDEO
    assert [file.name for file in media.skipped] == ["photo.mp4"]


async def test_a_video_that_is_cut_keeps_what_decodes_and_says_so(
    ann: Client, task: TaskSide, running: app.Running[Settings]
) -> None:
    whole = clip("transport_stream")
    media = await task.media(await ann.upload({"cut.ts": whole[: len(whole) * 2 // 3 - 10]}))
    assert 10 < media.size < FRAMES
    assert media.size == (await read_plan(running, media)).video.frames
    [warning] = media.warnings
    assert f"{media.size} frames are usable" in warning


async def test_the_task_hears_how_far_it_is(ann: Client, task: TaskSide) -> None:
    await task.media(await ann.upload(photos(*(f"{number}.jpg" for number in range(9)))))
    await eventually(lambda: task.progress)
    assert {operation.name.split("/")[0] for operation in task.progress} == {"task"}
    assert all(0 <= operation.progress < 1 for operation in task.progress)
