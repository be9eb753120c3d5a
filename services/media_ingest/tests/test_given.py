"""Services are told the files that media was made of, and nobody else is."""

from __future__ import annotations

from pathlib import Path

import grpc
import grpc.aio
import pytest
from frameyard.media.v1 import media_pb2
from frameyard.media.v1 import media_service_pb2 as messages
from frameyard.media.v1.media_pb2 import MediaSource, ShareSource
from yard.media_ingest.settings import Settings
from yard.runtime import app, auth, errors, rpc
from yard.testkit.fixtures import SettingsFor

from services.media_ingest.tests.contents import photo, photos
from services.media_ingest.tests.neighbours import Client, TaskSide

Told = dict[tuple[int, str], bytes]


@pytest.fixture
def settings(settings_for: SettingsFor, issuer: auth.TokenIssuer, nas: Path) -> Settings:
    return settings_for(Settings, jwks=issuer.jwks, index_batch_files=4, shares=(f"nas={nas}",))


def write(nas: Path, contents: dict[str, bytes]) -> None:
    for path, content in contents.items():
        (nas / path).parent.mkdir(parents=True, exist_ok=True)
        (nas / path).write_bytes(content)


def of(*paths: str) -> MediaSource:
    return MediaSource(share=ShareSource(share="nas", paths=paths))


async def told(
    client: Client, running: app.Running[Settings], media: media_pb2.Media, *, without_remote: bool = False
) -> tuple[media_pb2.DataSpec, Told]:
    """The parameters, and the bytes of each file by source and name."""
    request = messages.StreamMediaFilesRequest(media_id=media.id, without_remote=without_remote)
    data, found, last, total = media_pb2.DataSpec(), Told(), (0, ""), 0
    async for part in client.media.StreamMediaFiles(request):
        if part.HasField("data"):
            data, total = part.data, part.total_bytes
        elif part.HasField("file"):
            last = (part.file.source, part.file.name)
            found[last] = b""
            if part.file.key:
                found[last] = await running.runtime.blobs.get(
                    part.file.key, offset=part.file.offset, length=part.file.size_bytes
                )
        else:
            found[last] += part.content
    assert total == sum(map(len, found.values()))
    return data, found


async def test_all_files_of_an_upload_are_told(
    ann: Client, export: Client, task: TaskSide, running: app.Running[Settings]
) -> None:
    given = {**photos("b.jpg", "a.jpg"), "notes.txt": b"words", "empty": b""}
    upload = await ann.upload(given)
    media = await task.media(upload, sorting=media_pb2.SORTING_METHOD_RANDOM, frame_step=2, image_quality=50)
    data, found = await told(export, running, media)
    assert found == {(0, name): content for name, content in given.items()}
    assert data.random_seed == media.data.random_seed
    assert (data.frame_step, data.image_quality, data.stop_frame) == (2, 50, media.data.stop_frame)
    assert data.sources[0].upload.upload_id == upload.id


@pytest.mark.parametrize("copies", [False, True])
async def test_of_shares_what_the_media_needs_is_told_with_its_bytes(
    copies: bool,
    ann: Client,
    export: Client,
    task: TaskSide,
    running: app.Running[Settings],
    nas: Path,
) -> None:
    write(nas, {**photos("x/1.jpg", "x/2.jpg"), "x/notes.txt": b"words", "y/3.jpg": photo(3)})
    upload = await ann.upload({"u.jpg": photo(9)})
    media = await task.media(upload, sources=[of("x"), of("y/3.jpg")], copy_data=copies)
    write(nas, {"x/4.jpg": photo(4)})
    expected = {
        (0, "u.jpg"): photo(9),
        (1, "x/1.jpg"): (nas / "x/1.jpg").read_bytes(),
        (1, "x/2.jpg"): (nas / "x/2.jpg").read_bytes(),
        (2, "y/3.jpg"): photo(3),
    }
    if copies:
        (nas / "x/1.jpg").unlink()
    assert (await told(export, running, media))[1] == expected
    named = (await told(export, running, media, without_remote=True))[1]
    assert named == {(0, "u.jpg"): photo(9)}


async def test_a_file_of_a_share_that_has_changed_is_named(
    export: Client, task: TaskSide, running: app.Running[Settings], nas: Path
) -> None:
    write(nas, photos("x/1.jpg", "x/2.jpg"))
    media = await task.media(sources=[of("x")])
    (nas / "x/2.jpg").unlink()
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await told(export, running, media)
    fault = rpc.errors_from_rpc(refused.value)
    assert isinstance(fault, errors.FailedPrecondition)
    assert fault.metadata["file"] == "x/2.jpg"


async def test_it_is_for_services_only(
    ann: Client, export: Client, task: TaskSide, running: app.Running[Settings]
) -> None:
    media = await task.media(await ann.upload({"a.jpg": photo()}))
    absent = media_pb2.Media(id="00000000-0000-7000-8000-000000000001")
    for who, asked in ((ann, media), (ann, absent), (export, absent)):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await told(who, running, asked)
        assert refused.value.code() is grpc.StatusCode.NOT_FOUND
