from __future__ import annotations

import pytest
from yard.media_ingest.settings import Settings
from yard.runtime import auth, errors
from yard.testkit.fixtures import SettingsFor

from services.media_ingest.tests.contents import animation, photo, photos
from services.media_ingest.tests.neighbours import Client, TaskSide
from services.media_ingest.tests.test_archives import document, zipped


@pytest.fixture
def settings(settings_for: SettingsFor, issuer: auth.TokenIssuer) -> Settings:
    return settings_for(
        Settings,
        jwks=issuer.jwks,
        media_max_files=6,
        media_max_frames=5,
        media_max_bytes=40_000,
        media_max_pixels=64 * 48,
        media_max_pages=3,
        media_max_image_bytes=20_000,
    )


LARGE = photo(1, (65, 48))
REFUSALS: list[tuple[dict[str, bytes], str, str]] = [
    (photos(*(f"{number}.jpg" for number in range(7))), "data.sources", "lead to 7 files, more than 6"),
    ({"a.jpg": photo() + bytes(40_000)}, "data.sources", "more than 40000"),
    (photos(*(f"{number}.jpg" for number in range(6))), "0.jpg", "leads to more than 5 frames"),
    ({"a.zip": zipped(photos(*"abcdef"))}, "a.zip", "leads to more than 5 frames"),
    ({"a.zip": zipped(photos(*"abcdefg"))}, "a.zip", "the archive has more than 6 members"),
    ({"a.zip": zipped({"a.jpg": LARGE})}, "a.jpg", "has 65x48 pixels, more than 3072"),
    ({"a.jpg": LARGE}, "a.jpg", "has 65x48 pixels, more than 3072"),
    ({"a.zip": zipped({"a.gif": animation(4)})}, "a.gif", "has more than 3 pages"),
    ({"a.gif": animation(4)}, "a.gif", "has more than 3 pages"),
    ({"a.zip": zipped({"a.jpg": photo() + bytes(20_000)})}, "a.jpg", "more than 20000"),
    ({"a.pdf": document(4)}, "a.pdf", "is a PDF of 4 pages, 1 to 3 are allowed"),
    ({"a.pdf": document(1)}, "a.pdf", "pixels on page 1, more than 3072"),
]


async def test_what_is_beyond_a_limit_is_named(ann: Client, task: TaskSide) -> None:
    for files, name, words in REFUSALS:
        fault = await task.refusal(await ann.upload(files))
        assert isinstance(fault, errors.InvalidArgument), (name, words)
        assert [violation.field for violation in fault.violations] == [name]
        assert words in fault.message


async def test_what_is_within_all_limits_is_taken(ann: Client, task: TaskSide) -> None:
    files = {**photos(*"ab"), "c.gif": animation(3)}
    assert (await task.media(await ann.upload(files))).size == 5
    assert (await task.media(await ann.upload({"a.zip": zipped(files)}))).size == 5
