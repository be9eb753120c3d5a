from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from frameyard.media.v1 import media_pb2
from frameyard.media.v1 import media_service_pb2 as messages
from frameyard.media.v1.media_events_pb2 import MediaFailed
from frameyard.task.v1.task_events_pb2 import MediaRequestCancelled
from yard.media.hard_clips import FRAMES
from yard.media_ingest.domain.uploads import MIB
from yard.media_ingest.settings import Settings
from yard.runtime import app, auth, clock, errors
from yard.testkit import eventually
from yard.testkit.fixtures import SettingsFor

from libs.runtime.tests.web import Asked, Web, serving
from services.media_ingest.tests.contents import clip, photo
from services.media_ingest.tests.neighbours import Client, TaskSide
from services.media_ingest.tests.plans import Plan, read_plan
from services.media_ingest.tests.remote import PART, files, long_clip, objects, remote

pytestmark = pytest.mark.usefixtures("running")


@pytest.fixture
def settings(settings_for: SettingsFor, issuer: auth.TokenIssuer) -> Settings:
    return settings_for(
        Settings,
        jwks=issuer.jwks,
        egress_networks=("127.0.0.0/8",),
        remote_retry_delay_s=0.01,
        remote_tries=3,
        remote_max_bytes=40 * MIB,
        remote_total_max_bytes=50 * MIB,
    )


@pytest.fixture
async def web() -> AsyncIterator[Web]:
    async with serving(files({})) as web:
        yield web


async def test_images_are_fetched_into_packs(
    web: Web, task: TaskSide, running: app.Running[Settings]
) -> None:
    contents = {f"/{number}.jpg": photo(number) for number in range(5)}
    web.handler = files(contents)
    urls = [web.url(f"{path}?token=secret") for path in contents]
    media = await task.media(sources=[remote(*urls)])
    plan = await read_plan(running, media)
    assert plan.names == [path[1:] for path in contents]
    assert len({source.key for source in plan.head.sources}) == 1
    assert plan.head.sources[0].key.startswith(f"media/{media.id}/packs/")
    assert await stored_images(running, plan) == {path[1:]: content for path, content in contents.items()}
    assert await running.runtime.db.fetchval("SELECT count(*) FROM remote_file") == 0
    told = [operation.progress for operation in task.progress]
    assert told == sorted(told)
    assert any("addresses are fetched" in operation.message for operation in task.progress)


async def stored_images(running: app.Running[Settings], plan: Plan) -> dict[str, bytes]:
    """Each frame's bytes by its name, as chunking would read them."""
    found = {}
    for image in plan.images:
        source = plan.head.sources[image.source]
        offset = source.offset + image.offset
        found[image.name] = await running.runtime.blobs.get(source.key, offset=offset, length=image.size)
    return found


@pytest.mark.parametrize("size", [0, 20 * MIB, 2 * PART])
async def test_a_video_is_an_object_of_its_own(
    size: int, web: Web, task: TaskSide, running: app.Running[Settings]
) -> None:
    content = long_clip(size) if size else clip()
    web.handler = files({"/film": content}, Content_Disposition='attachment; filename="a film.mp4"')
    media = await task.media(sources=[remote(web.url("/film"))])
    [source] = (await read_plan(running, media)).head.sources
    assert (media.size, source.name, source.size_bytes) == (FRAMES, "a film.mp4", len(content))
    assert source.key.startswith(f"media/{media.id}/source/")
    assert await running.runtime.blobs.get(source.key) == content
    assert len(web.asked) == 1


async def test_a_download_goes_on_where_it_was_cut(
    web: Web, task: TaskSide, running: app.Running[Settings]
) -> None:
    content, sent = long_clip(20 * MIB), 0

    async def cutting(asked: Asked) -> None:
        nonlocal sent
        first = asked.first
        headers = {"Content_Length": str(len(content) - first), "ETag": '"1"'}
        if first:
            assert asked.headers["if-range"] == '"1"'
            headers["Content_Range"] = f"bytes {first}-{len(content) - 1}/{len(content)}"
        asked.head("206 Partial Content" if first else "200 OK", **headers)
        piece = content[first : first + 3 * MIB]
        sent += len(piece)
        asked.send(piece)
        await asked.cut()

    web.handler = cutting
    media = await task.media(sources=[remote(web.url("/film.mp4"))])
    [source] = (await read_plan(running, media)).head.sources
    assert await running.runtime.blobs.get(source.key) == content
    assert len(web.asked) == 7
    assert sent == len(content)


async def test_a_file_that_changes_is_fetched_from_its_start(
    web: Web, task: TaskSide, running: app.Running[Settings]
) -> None:
    old, new = long_clip(20 * MIB), long_clip(17 * MIB)

    async def changing(asked: Asked) -> None:
        if len(web.asked) == 1:
            asked.head(Content_Length=str(len(old)), ETag='"old"')
            asked.send(old[: 10 * MIB])
            await asked.cut()
        else:
            asked.serve(new, ETag='"new"')

    web.handler = changing
    media = await task.media(sources=[remote(web.url("/film.mp4"))])
    [source] = (await read_plan(running, media)).head.sources
    assert await running.runtime.blobs.get(source.key) == new
    assert web.asked[1].headers["if-range"] == '"old"'
    assert len(web.asked) == 2


@pytest.mark.parametrize(
    ("status", "span"),
    [
        ("206 Partial Content", "bytes 5-9/10"),
        ("206 Partial Content", "nonsense"),
        ("206 Partial Content", ""),
        ("416 Range Not Satisfiable", "bytes */5"),
    ],
)
async def test_another_part_than_was_asked_for_is_not_taken(
    status: str, span: str, web: Web, task: TaskSide, running: app.Running[Settings]
) -> None:
    content = photo(size=(640, 480))

    async def confused(asked: Asked) -> None:
        if asked.first:
            asked.reply(bytes(5), status=status, Content_Range=span, ETag='"1"')
        elif len(web.asked) == 1:
            asked.head(Content_Length=str(len(content)), ETag='"1"')
            asked.send(content[:1000])
            await asked.cut()
        else:
            asked.serve(content, ETag='"1"')

    web.handler = confused
    media = await task.media(sources=[remote(web.url("/a.jpg"))])
    [source] = (await read_plan(running, media)).head.sources
    assert await running.runtime.blobs.get(source.key) == content
    assert [asked.first for asked in web.asked] == [0, 1000, 0]


async def test_busy_servers_are_asked_again_and_others_not(web: Web, task: TaskSide) -> None:
    async def busy(asked: Asked) -> None:
        asks = [each.path for each in web.asked].count(asked.path)
        if asked.path == "/gone.jpg":
            asked.reply(status="410 Gone")
        elif asks < 3:
            asked.reply(status="503 Busy", Retry_After="0")
        else:
            asked.reply(photo())

    web.handler = busy
    fault = await task.refusal(sources=[remote(web.url("/a.jpg"), web.url("/gone.jpg"))])
    assert "answers 410 Gone" in fault.message
    paths = [asked.path for asked in web.asked]
    assert (paths.count("/a.jpg"), paths.count("/gone.jpg")) == (3, 1)


async def short(asked: Asked) -> None:
    asked.head(Content_Length="5000")
    asked.send(photo()[:400])
    await asked.cut()


async def endless(asked: Asked) -> None:
    asked.head(Connection="close")
    while not asked.writer.is_closing():
        asked.send(bytes(MIB))
        await asked.writer.drain()


ANSWERS: dict[str, Callable[[Asked], Any]] = {
    "/good.jpg": lambda asked: asked.reply(photo()),
    "/page.jpg": lambda asked: asked.reply(b"<!doctype html><p>Please log in", Content_Type="text/html"),
    "/inside.jpg": lambda asked: asked.redirect("http://169.254.169.254/latest/meta-data"),
    "/loop.jpg": lambda asked: asked.redirect("/loop.jpg"),
    "/short.jpg": short,
    "/long.jpg": lambda asked: asked.head(Content_Length=str(1 << 40)),
    "/endless.jpg": endless,
    "/packed.jpg": lambda asked: asked.reply(photo(), Content_Encoding="br"),
    "/busy.jpg": lambda asked: asked.reply(status="500 Oh"),
    "/missing.jpg": lambda asked: asked.reply(status="404 Not Found"),
}


async def bad(asked: Asked) -> None:
    """A server with every fault."""
    answered = ANSWERS[asked.path](asked)
    if answered is not None:
        await answered


FAULTS = {
    "/page.jpg": "answers with a web page, not with a file",
    "/inside.jpg": "leads to an address that is not public",
    "/loop.jpg": "redirects more than 3 times",
    "/short.jpg": "ends its answer too early",
    "/long.jpg": "longer than",
    "/endless.jpg": "longer than",
    "/packed.jpg": "in the encoding 'br'",
    "/busy.jpg": "answers 500 Internal Server Error, 3 times in a row",
    "/missing.jpg": "answers 404 Not Found",
}


async def test_all_urls_that_cannot_be_had_are_named_at_once(
    web: Web, task: TaskSide, export: Client, running: app.Running[Settings]
) -> None:
    web.handler = bad
    paths = ["/good.jpg", *FAULTS]
    media_id = await task.request(sources=[remote(*(web.url(f"{path}?key=secret") for path in paths))])
    event = await task.outcome(media_id)
    assert isinstance(event, MediaFailed), event
    fault = errors.from_status(event.error)
    assert isinstance(fault, errors.InvalidArgument)
    assert fault.reason == "MEDIA_UNUSABLE"
    named = {violation.field: violation.description for violation in fault.violations}
    for number, (path, words) in enumerate(FAULTS.items(), 1):
        description = named.pop(f"data.sources[0].remote.urls[{number}]")
        assert description.startswith(f"{web.url(path)} ")
        assert words in description
    assert named == {}
    assert "secret" not in str(event)
    await eventually(lambda: is_free(running, media_id))
    await check_results(export, media_id, [web.url(path) for path in paths])


async def check_results(export: Client, media_id: str, urls: list[str]) -> None:
    """One result for each URL in the order given, the query left out."""
    request = messages.ListFileResultsRequest(media_id=media_id)
    results = (await export.media.ListFileResults(request)).results
    assert [result.url for result in results] == urls
    assert [result.name for result in results] == [url.rpartition("/")[2] for url in urls]
    outcomes = [media_pb2.FileOutcome.Name(result.outcome) for result in results]
    assert outcomes == ["FILE_OUTCOME_SKIPPED"] + ["FILE_OUTCOME_REFUSED"] * len(FAULTS)
    for result, words in zip(results[1:], FAULTS.values(), strict=True):
        assert words in result.reason


async def is_free(running: app.Running[Settings], media_id: str) -> bool:
    """Nothing is left but what tells of the files."""
    rows = await running.runtime.db.fetchval("SELECT count(*) FROM remote_file")
    return not rows and set(await objects(running, media_id)) <= {"results"}


async def test_urls_must_be_urls(task: TaskSide) -> None:
    urls = ["http://example.org:25/", "http://user:pw@example.org/a", "http://example.org/a", "/etc/passwd"]
    fault = await task.refusal(sources=[remote(*urls)], image_quality=4)
    assert isinstance(fault, errors.InvalidArgument)
    assert sorted(violation.field for violation in fault.violations) == [
        "data.image_quality",
        "data.sources[0].remote.urls[0]",
        "data.sources[0].remote.urls[1]",
        "data.sources[0].remote.urls[3]",
    ]


async def test_equal_names_do_not_collide(web: Web, task: TaskSide, running: app.Running[Settings]) -> None:
    web.handler = files({f"/{number}/a.jpg": photo(number) for number in range(3)})
    urls = [web.url(f"/{number}/a.jpg") for number in range(3)]
    media = await task.media(sources=[remote(*urls)])
    plan = await read_plan(running, media)
    assert sorted(plan.names) == ["a (2).jpg", "a (3).jpg", "a.jpg"]
    assert (await stored_images(running, plan))["a (2).jpg"] == photo(1)


async def test_what_is_no_media_is_left_out(web: Web, task: TaskSide, export: Client) -> None:
    web.handler = files({"/a.jpg": photo(), "/list.txt": b"just a text", "/empty.jpg": b""})
    urls = [web.url(path) for path in ("/a.jpg", "/list.txt", "/empty.jpg")]
    media = await task.media(sources=[remote(*urls)])
    assert (media.size, media.skipped_count) == (1, 2)
    assert {skipped.name for skipped in media.skipped} == {"list.txt", "empty.jpg"}
    request = messages.ListFileResultsRequest(media_id=media.id)
    results = (await export.media.ListFileResults(request)).results
    assert [(result.url, result.frame_count) for result in results] == [
        (url, int(url.endswith("a.jpg"))) for url in urls
    ]


async def test_a_thousand_addresses(web: Web, task: TaskSide, running: app.Running[Settings]) -> None:
    pictures = [photo(number) for number in range(10)]
    contents = {f"/{number:04d}.jpg": pictures[number % 10] for number in range(1000)}
    web.handler = files(contents)
    media_id = await task.request(sources=[remote(*map(web.url, contents))])
    await eventually(lambda: task.told(media_id), timeout_s=90.0)
    media = (await task.outcome(media_id)).media  # type: ignore[attr-defined]
    assert media.size == 1000
    assert len(web.asked) == 1000
    assert web.connections <= 8
    plan = await read_plan(running, media)
    assert plan.names == [path[1:] for path in contents]


async def test_a_cancelled_download_ends_and_leaves_nothing(
    web: Web, task: TaskSide, running: app.Running[Settings]
) -> None:
    released = asyncio.Event()

    async def slow(asked: Asked) -> None:
        asked.head(Content_Length=str(40 * MIB), ETag='"1"')
        asked.send(clip() + bytes(10 * MIB))
        await asked.writer.drain()
        await released.wait()

    web.handler = slow
    db = running.runtime.db
    media_id = await task.request(sources=[remote(web.url("/film.mp4"))])
    await eventually(lambda: db.fetchval("SELECT count(*) > 0 FROM remote_part"))
    row: Any = await db.fetchrow("SELECT blob_key, multipart_id FROM remote_file")
    began = clock.monotonic()
    await task.publish(MediaRequestCancelled(media_id=media_id, task_id=7), 7)
    await eventually(lambda: db.fetchval("SELECT state = 'CANCELLED' FROM operation"), timeout_s=20.0)
    assert clock.monotonic() - began < 5.0
    await eventually(lambda: is_free(running, media_id), timeout_s=20.0)
    released.set()
    with pytest.raises(errors.NotFound):
        await running.runtime.blobs.in_parts(row["blob_key"]).put(row["multipart_id"], 2, bytes(PART))
    assert task.told(media_id) == []


async def test_many_bytes_altogether_are_too_much(
    web: Web, task: TaskSide, running: app.Running[Settings]
) -> None:
    web.handler = files({f"/{number}.jpg": photo(number) + bytes(MIB) for number in range(60)})
    fault = await task.refusal(sources=[remote(*(web.url(f"/{number}.jpg") for number in range(60)))])
    assert isinstance(fault, errors.InvalidArgument)
    assert [violation.field for violation in fault.violations] == ["data.sources"]
    assert f"more than {50 * MIB} bytes" in fault.message


async def test_a_server_of_parts_only_is_read_part_by_part(
    web: Web, task: TaskSide, running: app.Running[Settings]
) -> None:
    """Some servers cap ranges: each answer brings us on."""
    content = long_clip(10 * MIB)

    async def capped(asked: Asked) -> None:
        first = asked.first
        if not first:
            asked.head(Content_Length=str(len(content)), ETag='"1"')
            asked.send(content[: 4 * MIB])
            await asked.cut()
            return
        piece = content[first : first + 2 * MIB]
        span = f"bytes {first}-{first + len(piece) - 1}/{len(content)}"
        asked.reply(piece, status="206 Partial Content", Content_Range=span, ETag='"1"')

    web.handler = capped
    media = await task.media(sources=[remote(web.url("/film.mp4"))])
    [source] = (await read_plan(running, media)).head.sources
    assert await running.runtime.blobs.get(source.key) == content


async def test_a_server_that_cannot_go_on_is_read_from_the_start(
    web: Web, task: TaskSide, running: app.Running[Settings]
) -> None:
    content = long_clip(10 * MIB)

    async def plain(asked: Asked) -> None:
        assert "range" not in asked.headers
        asked.head(Content_Length=str(len(content)), ETag='W/"1"')
        if len(web.asked) == 1:
            asked.send(content[: 9 * MIB])
            await asked.cut()
        else:
            asked.send(content)

    web.handler = plain
    media = await task.media(sources=[remote(web.url("/film.mp4"))])
    [source] = (await read_plan(running, media)).head.sources
    assert await running.runtime.blobs.get(source.key) == content
    assert len(web.asked) == 2
