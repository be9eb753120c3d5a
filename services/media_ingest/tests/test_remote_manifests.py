"""A manifest among URLs, and URLs of servers whose certificates an operator's own authority has signed."""

from __future__ import annotations

from pathlib import Path

import pytest
from frameyard.media.v1 import media_pb2
from yard.media.claims import CLAIMED
from yard.media.manifest import ManifestImage, write_images
from yard.media_ingest.service import SERVICE
from yard.media_ingest.settings import Settings
from yard.runtime import app, auth, errors
from yard.testkit.fixtures import SettingsFor

from libs.runtime.tests.authority import Authority
from libs.runtime.tests.web import serving
from services.media_ingest.tests.contents import clip, photo
from services.media_ingest.tests.neighbours import Client, TaskSide
from services.media_ingest.tests.plans import read_plan
from services.media_ingest.tests.remote import files, remote
from services.media_ingest.tests.test_results import brief, results

PREDEFINED = media_pb2.SORTING_METHOD_PREDEFINED
TAKEN = media_pb2.FILE_OUTCOME_TAKEN
NAMES = ["c.jpg", "a.jpg", "b.jpg"]
PICTURES = {f"/{name}": photo(number) for number, name in enumerate(sorted(NAMES))}


@pytest.fixture
def settings(settings_for: SettingsFor, issuer: auth.TokenIssuer) -> Settings:
    return settings_for(
        Settings, jwks=issuer.jwks, egress_networks=("127.0.0.0/8", "::1/128"), remote_retry_delay_s=0.01
    )


def described(*names: str) -> bytes:
    return b"".join(write_images(ManifestImage(name=name, width=640, height=480) for name in names))


async def test_a_manifest_among_urls_says_the_order(
    export: Client, task: TaskSide, running: app.Running[Settings]
) -> None:
    contents = {**PICTURES, "/set/manifest.jsonl": described(*NAMES)}
    async with serving(files(contents)) as web:
        urls = [web.url(path) for path in contents]
        media = await task.media(sources=[remote(*urls)], sorting=PREDEFINED)
    plan = await read_plan(running, media)
    assert plan.names == NAMES
    assert {(image.width, image.height, image.orientation) for image in plan.images} == {(640, 480, CLAIMED)}
    for image in plan.images:
        source = plan.head.sources[image.source]
        offset = source.offset + image.offset
        content = await running.runtime.blobs.get(source.key, offset=offset, length=image.size)
        assert content == PICTURES[f"/{image.name}"]
    assert ("manifest.jsonl", TAKEN, 0) in brief(await results(export, media.id))


async def test_a_manifest_among_urls_must_fit(task: TaskSide, running: app.Running[Settings]) -> None:
    contents = {**PICTURES, "/manifest.jsonl": described("a.jpg", "b.jpg", "x.jpg")}
    async with serving(files(contents)) as web:
        fault = await task.refusal(sources=[remote(*map(web.url, contents))])
    assert "1 image is not among the files: x.jpg; 1 file is not in it: c.jpg" in fault.message
    assert fault.metadata["file"] == "manifest.jsonl"


@pytest.mark.parametrize("is_trusted", [True, False])
async def test_an_authority_of_the_operator_is_trusted_if_the_service_is_told_of_it(
    is_trusted: bool, settings_for: SettingsFor, issuer: auth.TokenIssuer, task: TaskSide, tmp_path: Path
) -> None:
    authority = Authority(tmp_path)
    settings = settings_for(
        Settings,
        jwks=issuer.jwks,
        egress_networks=("127.0.0.0/8", "::1/128"),
        egress_ca_file=str(authority.file) if is_trusted else "",
        remote_retry_delay_s=0.01,
    )
    async with (
        serving(files({"/film.mp4": clip()}), tls=authority.tls("localhost")) as web,
        app.serving(SERVICE, settings) as running,
    ):
        source = remote(web.url("/film.mp4", "localhost"))
        assert source.remote.urls[0].startswith("https://")
        if is_trusted:
            media = await task.media(sources=[source])
            [stored] = (await read_plan(running, media)).head.sources
            assert await running.runtime.blobs.get(stored.key) == clip()
        else:
            fault = await task.refusal(sources=[source])
            assert isinstance(fault, errors.InvalidArgument)
            assert "certificate" in fault.message
