"""A member of an archive that kills its child, or holds it up, is left out by name; the others are taken."""

from __future__ import annotations

import gzip
import tarfile
import zipfile
from collections.abc import Callable

import pytest
from yard.media_ingest.settings import Settings
from yard.runtime import app, auth, errors
from yard.testkit.fixtures import SettingsFor

from services.media_ingest.tests.contents import photo
from services.media_ingest.tests.hostile import tarred
from services.media_ingest.tests.neighbours import Client, TaskSide
from services.media_ingest.tests.test_archives import check_frames, zipped

REASON = "reading it takes too long or too much memory, or crashes"
PHOTOS = {f"{number}.jpg": photo(number) for number in range(12)}


@pytest.fixture
def settings(settings_for: SettingsFor, issuer: auth.TokenIssuer) -> Settings:
    return settings_for(
        Settings,
        jwks=issuer.jwks,
        index_batch_files=1,  # which is 20 members of an archive
        worker_memory_mib=224,
        worker_processes=1,
        worker_timeout_s=0.6,
        media_max_expansion=1_000_000,
    )


def greedy() -> bytes:
    """The decoder of AVIF takes in the whole file at once, which is more than a child may have here."""
    return b"\0\0\0\x20ftypavif\0\0\0\0avifmif1miafMA1B" + bytes(63 << 20)


def endless() -> bytes:
    """A GIF that is a long chain of blocks of one byte: more than a second, more than a member gets here."""
    return b"GIF89a" + bytes([8, 0, 8, 0, 0, 0, 0]) + b"\x21\xfe" + bytes([1, 0x2C]) * 3_900_000


def among(*deadly: bytes) -> dict[str, bytes]:
    """Photos with these between them, in the second batch and later."""
    files = {f"{group}/{name}": content for group in range(3) for name, content in PHOTOS.items()}
    return files | {f"1/{3 + 4 * number}.jpg": content for number, content in enumerate(deadly)}


# Made when they are wanted: every process that looks for tests imports this.
ARCHIVES: dict[str, Callable[[], bytes]] = {
    "stored and greedy": lambda: zipped(among(greedy())),
    "deflated and endless": lambda: zipped(among(endless()), zipfile.ZIP_DEFLATED),
    "tar": lambda: tarred(files=among(greedy())),
    "packed tar": lambda: gzip.compress(tarred(files=among(greedy())), 1),
}


@pytest.mark.parametrize("archive", ARCHIVES)
async def test_only_the_deadly_member_is_left_out(
    archive: str, ann: Client, task: TaskSide, running: app.Running[Settings]
) -> None:
    media = await task.media(await ann.upload({"set": ARCHIVES[archive]()}))
    assert [(file.name, file.reason) for file in media.skipped] == [("1/3.jpg", REASON)]
    assert await check_frames(running, media) == sorted(among().keys() - {"1/3.jpg"})


async def test_several_of_them_are_left_out(
    ann: Client, task: TaskSide, running: app.Running[Settings]
) -> None:
    media = await task.media(await ann.upload({"set": zipped(among(greedy(), greedy()))}))
    assert [file.name for file in media.skipped] == ["1/3.jpg", "1/7.jpg"]
    assert len(await check_frames(running, media)) == 34


async def test_so_many_that_it_is_no_accident_fail_the_archive(ann: Client, task: TaskSide) -> None:
    content = zipped({f"{number}.gif": endless() for number in range(12)}, zipfile.ZIP_DEFLATED)
    fault = await task.refusal(await ann.upload({"set.zip": content}))
    assert isinstance(fault, errors.WorkerCrashed)
    assert fault.message == f"set.zip: {REASON}"


async def test_an_archive_whose_structure_takes_too_long_fails_by_its_name(
    ann: Client, task: TaskSide
) -> None:
    folders = [tarfile.TarInfo(f"{number}") for number in range(120_000)]
    for folder in folders:
        folder.type = tarfile.DIRTYPE
    fault = await task.refusal(await ann.upload({"set.tgz": gzip.compress(tarred(*folders))}))
    assert isinstance(fault, errors.WorkerCrashed)
    assert fault.message == f"set.tgz: {REASON}"
