"""Downloads and uploads that are cut, damaged or misnamed."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from yard.client import Client, ClientError, exports, uploads

from libs.client.tests.far_side import ARCHIVE, FarSide, new_far_side, serving

OPERATION = "export/0197f2f0-7c3e-7d8b-9a45-2f0c0d9b6c11"
PARTIAL = ".frameyard-0197f2f0-7c3e-7d8b-9a45-2f0c0d9b6c11.part"


@pytest.fixture
def far_side() -> FarSide:
    return new_far_side()


@pytest.fixture
async def client(far_side: FarSide) -> AsyncIterator[Client]:
    async with serving(far_side) as endpoints, Client(endpoints) as client:
        yield client


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def test_a_download_that_is_cut_goes_on_where_it_stopped(
    client: Client, far_side: FarSide, tmp_path: Path
) -> None:
    far_side.cuts = 2
    told: list[int] = []
    file = await exports.download(client, OPERATION, tmp_path, told.append)
    assert file == tmp_path / "task-5.zip"
    assert file.read_bytes() == ARCHIVE
    assert far_side.offsets == [0, 100_000, 200_000]
    assert sum(told) == len(ARCHIVE)
    assert names(tmp_path) == ["task-5.zip"]


async def test_the_next_run_goes_on_as_well(client: Client, far_side: FarSide, tmp_path: Path) -> None:
    (tmp_path / PARTIAL).write_bytes(ARCHIVE[:70_000])
    file = await exports.download(client, OPERATION, tmp_path / "mine.zip")
    assert file.read_bytes() == ARCHIVE
    assert far_side.offsets == [70_000]
    assert names(tmp_path) == ["mine.zip"]


async def test_what_is_left_of_a_longer_file_is_forgotten(
    client: Client, far_side: FarSide, tmp_path: Path
) -> None:
    (tmp_path / PARTIAL).write_bytes(ARCHIVE + b"more")
    file = await exports.download(client, OPERATION, tmp_path)
    assert file.read_bytes() == ARCHIVE
    assert far_side.offsets == [len(ARCHIVE) + 4, 0]


async def test_damage_is_found_and_leaves_nothing(client: Client, tmp_path: Path) -> None:
    (tmp_path / PARTIAL).write_bytes(b"not the beginning")
    with pytest.raises(ClientError, match="damaged"):
        await exports.download(client, OPERATION, tmp_path)
    assert names(tmp_path) == []
    assert (await exports.download(client, OPERATION, tmp_path)).read_bytes() == ARCHIVE


@pytest.mark.parametrize("offered", ["../../evil.zip", "/evil.zip", "..\\evil.zip", ".evil.zip"])
async def test_a_hostile_name_stays_in_the_folder(
    client: Client, far_side: FarSide, tmp_path: Path, offered: str
) -> None:
    far_side.file_name = offered
    folder = tmp_path / "inner" / "folder"
    folder.mkdir(parents=True)
    assert await exports.download(client, OPERATION, folder) == folder / "evil.zip"
    assert names(tmp_path) == ["inner"]


async def test_a_file_that_is_there_is_not_lost(client: Client, tmp_path: Path) -> None:
    (tmp_path / "task-5.zip").write_text("mine")
    with pytest.raises(ClientError, match="is there already"):
        await exports.download(client, OPERATION, tmp_path, replace=False)
    assert (tmp_path / "task-5.zip").read_text() == "mine"


async def test_what_is_gone_leaves_nothing(client: Client, tmp_path: Path) -> None:
    with pytest.raises(ClientError, match="no such export"):
        await exports.download(client, "export/gone", tmp_path)
    assert names(tmp_path) == []


async def test_an_upload_that_is_cut_goes_on_where_it_stopped(
    client: Client, far_side: FarSide, tmp_path: Path
) -> None:
    content = ARCHIVE * 20
    far_side.size_bytes, far_side.cut_after, far_side.cuts = len(content), 2 << 20, 2
    (tmp_path / "long.mp4").write_bytes(content)
    told: list[int] = []
    await uploads.resume(client, "an-id", uploads.local_files([tmp_path / "long.mp4"]), told.append)
    assert bytes(far_side.received) == content
    assert far_side.offsets == [0, 2 << 20, 4 << 20]
    assert sum(told) == len(content)


async def test_a_file_that_shrank_ends_the_upload(client: Client, far_side: FarSide, tmp_path: Path) -> None:
    file = tmp_path / "long.mp4"
    file.write_bytes(ARCHIVE)
    files = uploads.local_files([file])
    file.write_bytes(ARCHIVE[:1000])
    far_side.received += ARCHIVE[:2000]
    with pytest.raises(ClientError, match=r"long\.mp4: is shorter than the 256000 bytes"):
        await uploads.resume(client, "an-id", files)


async def test_another_file_is_not_sent_into_an_upload(client: Client, tmp_path: Path) -> None:
    (tmp_path / "long.mp4").write_bytes(b"another")
    with pytest.raises(ClientError, match=r"long\.mp4: not the file of 256000 bytes"):
        await uploads.resume(client, "an-id", uploads.local_files([tmp_path / "long.mp4"]))


async def test_a_file_that_grew_is_sent_up_to_its_declared_length(
    client: Client, far_side: FarSide, tmp_path: Path
) -> None:
    file = tmp_path / "long.mp4"
    file.write_bytes(ARCHIVE)
    files = uploads.local_files([file])
    file.write_bytes(ARCHIVE + b"more")
    await uploads.resume(client, "an-id", files)
    assert bytes(far_side.received) == ARCHIVE
