from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import Any

import pytest
from frameyard.media.v1 import share_service_pb2 as messages
from yard.media_ingest.settings import Settings, batch_files_of
from yard.runtime import auth, errors, paging
from yard.runtime.settings import SettingsError
from yard.testkit.fixtures import SettingsFor
from yard.testkit.refusals import refused

from services.media_ingest.tests.neighbours import Client

DIRECTORY, FILE = messages.SHARE_ENTRY_KIND_DIRECTORY, messages.SHARE_ENTRY_KIND_FILE


@pytest.fixture
def nas(tmp_path: Path) -> Path:
    root = tmp_path / "nas"
    (root / "films" / "old").mkdir(parents=True)
    (root / "films" / "b.mp4").write_bytes(b"12345")
    (root / "films" / "a.mp4").write_bytes(b"")
    (root / "readme.txt").write_bytes(b"1")
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "key.pem").write_bytes(b"private")
    return root


@pytest.fixture
def settings(settings_for: SettingsFor, issuer: auth.TokenIssuer, nas: Path) -> Settings:
    empty = nas.parent / "empty"
    empty.mkdir()
    return settings_for(Settings, jwks=issuer.jwks, shares=(f"nas={nas}", f"a-first={empty}"))


async def entries(client: Client, directory: str = "", **fields: Any) -> list[messages.ShareEntry]:
    request = messages.ListShareEntriesRequest(share="nas", directory=directory, **fields)
    found: list[messages.ShareEntry] = []
    while True:
        page = await client.shares.ListShareEntries(request)
        found += page.entries
        if not page.next_page_token:
            return found
        request.page_token = page.next_page_token


async def test_shares_are_listed_by_name_and_without_their_place(ann: Client) -> None:
    listed = await ann.shares.ListShares(messages.ListSharesRequest())
    assert listed.shares == [messages.Share(name="a-first"), messages.Share(name="nas")]


async def test_directories_come_before_files(ann: Client, nas: Path) -> None:
    os.utime(nas / "films" / "b.mp4", ns=(0, 1_700_000_000_000_000_000))
    found = await entries(ann, "films")
    assert [(entry.path, entry.kind, entry.size_bytes) for entry in found] == [
        ("films/old", DIRECTORY, 0),
        ("films/a.mp4", FILE, 0),
        ("films/b.mp4", FILE, 5),
    ]
    assert found[2].modify_time.seconds == 1_700_000_000
    assert [entry.path for entry in await entries(ann)] == ["films", "readme.txt"]
    assert await entries(ann, "films/old") == []


async def test_a_directory_is_listed_in_pages_and_by_the_beginning_of_names(ann: Client, nas: Path) -> None:
    names = [f"{number:02d}.jpg" for number in range(7)]
    for name in names:
        (nas / "films" / "old" / name).write_bytes(b"x")
    for page_size in (1, 3, 7, 5_000):
        found = await entries(ann, "films/old", page_size=page_size)
        assert [Path(entry.path).name for entry in found] == names
    assert [entry.path for entry in await entries(ann, "films", name_prefix="b")] == ["films/b.mp4"]


@pytest.mark.parametrize("values", [[], [1], ["a", "b"], [2, "a"], [True, "a"], [0, 1], [0, "a", 1]])
async def test_page_tokens_that_are_none_are_refused(ann: Client, values: list[object]) -> None:
    request = messages.ListShareEntriesRequest(share="nas", directory="films")
    request.page_token = paging.encode(values, request)
    fault = await refused(ann.shares.ListShareEntries(request))
    assert isinstance(fault, errors.InvalidArgument)
    assert [violation.field for violation in fault.violations] == ["page_token"]


HOSTILE = [
    "..",
    "../secret",
    "films/../../secret",
    "/etc",
    "/",
    "absent",
    "films/b.mp4",
    "films/b.mp4/x",
    "link",
    "link/deeper",
    "loop",
    "films\0",
    "x" * 5_000,
    "~root",
    "films//../..",
]


async def test_what_is_not_in_the_share_is_not_there(ann: Client, nas: Path) -> None:
    (nas / "link").symlink_to(nas.parent / "secret")
    (nas / "loop").symlink_to(nas / "loop")
    for directory in HOSTILE:
        fault = await refused(entries(ann, directory))
        assert isinstance(fault, errors.NotFound), directory
        assert fault.kind == "share entry"
        assert str(nas) not in fault.message


async def test_links_are_followed_inside_and_hidden_when_they_lead_out(ann: Client, nas: Path) -> None:
    (nas / "inside").symlink_to(nas / "films")
    (nas / "inside.mp4").symlink_to(nas / "films" / "b.mp4")
    (nas / "outside").symlink_to(nas.parent / "secret")
    (nas / "outside.pem").symlink_to(nas.parent / "secret" / "key.pem")
    (nas / "dangling").symlink_to(nas / "absent")
    (nas / "loop").symlink_to(nas / "loop")
    os.mkfifo(nas / "pipe")
    (nas / os.fsdecode(b"\xff.jpg")).write_bytes(b"x")
    assert [(entry.path, entry.size_bytes) for entry in await entries(ann)] == [
        ("films", 0),
        ("inside", 0),
        ("inside.mp4", 5),
        ("readme.txt", 1),
    ]
    assert len(await entries(ann, "inside")) == 3


async def test_an_unknown_share_is_not_there(ann: Client) -> None:
    for share in ("", "other", "nas/films", "../nas"):
        request = messages.ListShareEntriesRequest(share=share)
        fault = await refused(ann.shares.ListShareEntries(request))
        assert isinstance(fault, errors.NotFound), share


async def test_a_token_belongs_to_its_listing(ann: Client) -> None:
    request = messages.ListShareEntriesRequest(share="nas", directory="films", page_size=1)
    token = (await ann.shares.ListShareEntries(request)).next_page_token
    request.directory, request.page_token = "", token
    assert isinstance(await refused(ann.shares.ListShareEntries(request)), errors.InvalidArgument)


async def test_entries_are_selected_by_kind_suffix_and_length(ann: Client) -> None:
    async def names(**fields: Any) -> list[str]:
        return [entry.path for entry in await entries(ann, "films", page_size=1, **fields)]

    assert await names(kind=DIRECTORY) == ["films/old"]
    assert await names(kind=FILE) == ["films/a.mp4", "films/b.mp4"]
    assert await names(suffixes=[".MP4"], min_size_bytes=1) == ["films/old", "films/b.mp4"]
    assert await names(kind=FILE, suffixes=[".mov"]) == []
    assert await names(kind=FILE, max_size_bytes=0) == ["films/a.mp4"]


async def test_all_faults_of_a_selection_are_named(ann: Client) -> None:
    wrong: dict[str, Any] = {
        "kind": 7,
        "suffixes": ["", *[".x"] * 100],
        "min_size_bytes": -1,
        "max_size_bytes": -2,
    }
    fault = await refused(entries(ann, "films", **wrong))
    assert isinstance(fault, errors.InvalidArgument)
    fields = {violation.field for violation in fault.violations}
    assert fields == {"kind", "suffixes", "suffixes[0]", "min_size_bytes", "max_size_bytes"}


@pytest.mark.parametrize("number", [0, -1, 501])
def test_batches_have_bounds(number: int, settings: Settings) -> None:
    with pytest.raises(SettingsError, match="expected 1 to 500, got"):
        batch_files_of(dataclasses.replace(settings, index_batch_files=number))
