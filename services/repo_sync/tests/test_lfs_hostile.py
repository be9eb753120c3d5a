"""LFS servers that want to be used against others, or to hang us."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from yard.repo_sync.lfs import Door, Reach, send
from yard.runtime import errors

from libs.runtime.tests import web as webs
from libs.runtime.tests.authority import Authority
from services.repo_sync.tests.peers.lfs import MEDIA_TYPE, Lfs
from services.repo_sync.tests.peers.web import TOKEN, USER, Asked, Reply

CONTENT = b"annotations of the street" * 100
SHA256 = hashlib.sha256(CONTENT).hexdigest()
UNTOLD: Any = object()


class Batch:
    """Says to each question what the test gives, and takes what is sent then."""

    def __init__(self, lfs: Lfs, reach: Reach, folder: Path) -> None:
        self.lfs = lfs
        self.reach = reach
        self.file = folder / "export.zip"
        self.file.write_bytes(CONTENT)
        self.answers: list[Any] = []
        self.replies: dict[str, Reply] = {}
        lfs.reply = self.reply

    def reply(self, asked: Asked) -> Reply | None:
        if not asked.path.endswith("/objects/batch"):
            return self.replies.get(asked.path, Reply(status=200))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        return Reply(status=200, body=body, headers={"Content-Type": MEDIA_TYPE})

    def here(self, path: str) -> str:
        return f"https://lfs.test:{self.lfs.port}{path}"

    async def send(self, *answers: Any) -> bool:
        self.answers = list(answers)
        door = Door.over_https(self.lfs.url("a"), USER, TOKEN)
        return await send(door, self.file, SHA256, len(CONTENT), self._note, reach=self.reach)

    async def _note(self, _: int) -> None:
        pass

    async def fails(self, *answers: Any) -> errors.YardError:
        with pytest.raises(errors.YardError) as raised:
            await self.send(*answers)
        assert TOKEN not in raised.value.message
        return raised.value

    def paths(self) -> list[str]:
        return [asked.path for asked in self.lfs.asked if not asked.path.endswith("/objects/batch")]


def actions(href: object, **upload: object) -> dict[str, Any]:
    return {
        "objects": [{"oid": SHA256, "size": len(CONTENT), "actions": {"upload": {"href": href, **upload}}}]
    }


@pytest.fixture
def batch(lfs: Lfs, reach: Reach, tmp_path: Path) -> Batch:
    return Batch(lfs, reach, tmp_path)


@pytest.mark.parametrize(
    ("href", "reason"),
    [
        ("https://169.254.169.254/latest/meta-data", "LFS_ADDRESS"),
        ("https://[::1]/", "LFS_ADDRESS"),
        ("https://10.0.0.1/", "LFS_ADDRESS"),
        ("https://127.1/", "LFS_ANSWER"),
        ("https://lfs.test:22/", "LFS_ANSWER"),
        ("http://lfs.test/", "LFS_ADDRESS"),
        ("file:///etc/passwd", "LFS_ANSWER"),
        ("//lfs.test/", "LFS_ANSWER"),
        ("https://a:b@lfs.test/", "LFS_ANSWER"),
        ("https://lfs.test/\r\nHost: other", "LFS_ANSWER"),
        ("https://lfs.test/" + "a" * 9000, "LFS_ANSWER"),
        ("", "LFS_ANSWER"),
        (None, "LFS_ANSWER"),
        (["https://lfs.test/"], "LFS_ANSWER"),
    ],
)
@pytest.mark.parametrize("action", ["upload", "verify"])
async def test_addresses_are_hostile(batch: Batch, href: object, reason: str, action: str) -> None:
    answer = actions(batch.here("/up"))
    answer["objects"][0]["actions"][action] = {"href": href}
    assert (await batch.fails(answer)).reason == reason


async def test_names_that_lead_inside_are_refused(batch: Batch) -> None:
    async def resolve(host: str, _: int) -> list[str]:
        return ["127.0.0.1"] if host == "lfs.test" else ["203.0.113.1", "192.168.0.1"]

    batch.reach = replace(batch.reach, resolve=resolve)
    fault = await batch.fails(actions("https://store.test/up"))
    assert (fault.reason, "store.test" in fault.message) == ("LFS_ADDRESS", True)


@pytest.mark.parametrize("location", ["https://10.0.0.1/", "http://lfs.test/up", "ftp://lfs.test", "", "/up"])
async def test_redirects_are_checked_and_counted(batch: Batch, location: str) -> None:
    batch.replies["/up"] = Reply(status=307, headers={"Location": location})
    assert (await batch.fails(actions(batch.here("/up")))).reason in ("LFS_ADDRESS", "LFS_ANSWER")
    assert batch.paths().count("/up") <= 4


async def test_a_redirect_takes_the_file_but_no_header_elsewhere(batch: Batch) -> None:
    other = batch.here("/there").replace("lfs.test", "127.0.0.1")
    batch.replies["/up"] = Reply(status=307, headers={"Location": "/up2"})
    batch.replies["/up2"] = Reply(status=307, headers={"Location": other})
    fault = await batch.fails(actions(batch.here("/up"), header={"X-Grant": "g"}))
    assert fault.reason == "LFS_CERTIFICATE"  # of another name: nothing was sent
    assert [asked.headers.get("x-grant") for asked in batch.lfs.uploads()] == ["g", "g"]


async def test_the_credential_stays_with_its_server(
    batch: Batch, authority: Authority, tmp_path: Path, lfs: Lfs
) -> None:
    taken: list[webs.Asked] = []

    async def take(asked: webs.Asked) -> None:
        await asked.body()
        taken.append(asked)
        asked.reply(Connection="close")
        await asked.cut()

    (tmp_path / "other").mkdir()
    tls = authority.tls("store.test")
    async with webs.serving(take, tls=tls) as store:
        assert await batch.send(actions(store.url("/up", "store.test")))
        assert await batch.send(actions(store.url("/up", "store.test"), header={"authorization": "Own 1"}))
    assert [asked.headers.get("authorization") for asked in taken] == [None, "Own 1"]
    assert await batch.send(actions(batch.here("/up")))
    told = {**actions(batch.here("/up"))}
    told["objects"][0]["authenticated"] = True
    assert await batch.send(told)
    credentials = [asked.headers.get("authorization", "").partition(" ")[0] for asked in lfs.uploads()]
    assert credentials == ["Basic", ""]


async def test_headers_that_frame_a_request_are_ours(batch: Batch) -> None:
    wanted = {
        "Host": "other",
        "Transfer-Encoding": "chunked",
        "Content-Length": "1",
        "Connection": "keep-alive",
        "Proxy-Authorization": "x",
        "Expect": "100-continue",
        "Content-Type": "application/zip",
        "x-amz-acl": "private",
    }
    assert await batch.send(actions(batch.here("/up"), header=wanted))
    [sent] = batch.lfs.uploads()
    assert sent.headers["host"] == f"lfs.test:{batch.lfs.port}"
    assert sent.headers["content-length"] == str(len(CONTENT))
    assert (sent.headers["content-type"], sent.headers["x-amz-acl"]) == ("application/zip", "private")
    assert {"transfer-encoding", "proxy-authorization", "expect"}.isdisjoint(sent.headers)


@pytest.mark.parametrize(
    "header",
    [
        {"A": "b\r\nC: d"},
        {"A": "b\nc"},
        {"A\r\n": "b"},
        {"A B": "c"},
        {"": "a"},
        {"A": 1},
        {"A": None},
        {"A": "é"},
        {"A": "b" * 9000},
        {f"A{place}": "b" for place in range(33)},
        ["A"],
        "A: b",
    ],
)
async def test_headers_are_hostile(batch: Batch, header: object) -> None:
    assert (await batch.fails(actions(batch.here("/up"), header=header))).reason == "LFS_ANSWER"
    assert batch.paths() == []


def entry(**fields: object) -> dict[str, Any]:
    return {"objects": [{"oid": SHA256, "size": len(CONTENT), **fields}]}


@pytest.mark.parametrize(
    "answer",
    [
        b"{",
        b"{" * 200_000,
        b'{"objects": ' + b"[" * 100_000,
        b'{"size": ' + b"9" * 10_000 + b"}",
        b"\xff\xfe{}",
        b'{"objects": []}' + b" " * (1 << 20),
        b"{" + b" " * (10 << 20),
        {},
        {"objects": {}},
        {"objects": [1, {"oid": "0" * 64}]},
        {"transfer": "tus", **entry()},
        entry(actions=[1]),
        entry(actions={"upload": "https://lfs.test/"}),
        entry(error="no"),
    ],
)
async def test_answers_are_hostile(batch: Batch, answer: object) -> None:
    assert (await batch.fails(answer)).reason == "LFS_ANSWER"
    assert batch.paths() == []


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (404, "LFS_NOT_FOUND"),
        (409, "LFS_REJECTED"),
        (410, "LFS_REJECTED"),
        (413, "LFS_TOO_LARGE"),
        (422, "LFS_REJECTED"),
        (429, "LFS_UNREACHABLE"),
        (507, "LFS_QUOTA"),
        (509, "LFS_QUOTA"),
        ("many", "LFS_REJECTED"),
        (True, "LFS_REJECTED"),
        (10**40, "LFS_REJECTED"),
    ],
)
async def test_what_is_said_of_the_file_is_passed_on(batch: Batch, code: object, reason: str) -> None:
    fault = await batch.fails(entry(error={"code": code, "message": f"full {TOKEN} " + "x" * 10_000}))
    assert fault.reason == reason
    assert '("full … xxx' in fault.message
    assert len(fault.message) < 600


async def test_another_kind_of_hash_is_refused(batch: Batch) -> None:
    assert (await batch.fails({"hash_algo": "sha512", **entry()})).reason == "LFS_REJECTED"


@pytest.mark.parametrize("expiry", [{"expires_in": -5}, {"expires_at": "2016-11-10T15:29:07Z"}])
async def test_expired_addresses_are_asked_for_anew(batch: Batch, expiry: dict[str, Any]) -> None:
    old = actions(batch.here("/old"), **expiry)
    assert await batch.send(old, actions(batch.here("/new"), expires_in=900))
    assert batch.paths() == ["/new"]


async def test_clocks_that_differ_do_not_stop_an_upload(batch: Batch) -> None:
    assert await batch.send(actions(batch.here("/old"), expires_at="2016-11-10T15:29:07Z"))
    assert batch.paths() == ["/old"]


@pytest.mark.parametrize(
    "expiry",
    [
        {"expires_in": 10**30},
        {"expires_in": "soon"},
        {"expires_in": 1e300},
        {"expires_at": "tomorrow"},
        {"expires_at": "9999-12-31T23:59:59-14:00"},
        {"expires_at": "0001-01-01T00:00:00+14:00"},
        {"expires_at": 5},
        {"expires_at": "2099-01-01T00:00:00"},
    ],
)
async def test_strange_times_do_no_harm(batch: Batch, expiry: dict[str, Any]) -> None:
    assert await batch.send(actions(batch.here("/up"), **expiry))


async def drip(asked: webs.Asked) -> None:
    await asked.body()
    asked.head(Content_Type=MEDIA_TYPE)
    while not asked.writer.is_closing():
        asked.send(b" ")
        await asked.writer.drain()
        await asyncio.wait([asyncio.create_task(asyncio.Event().wait())], timeout=0.02)


async def stand(_: webs.Asked) -> None:
    await asyncio.Event().wait()


async def cut(asked: webs.Asked) -> None:
    await asked.body()
    asked.head(Content_Type=MEDIA_TYPE, Content_Length="5000")
    asked.send(b'{"objects": [')
    await asked.cut()


@pytest.mark.parametrize(
    ("handler", "timeout_s", "reason"),
    [(drip, 0.5, "LFS_SLOW"), (stand, 0.5, "LFS_SLOW"), (cut, 30, "LFS_UNREACHABLE")],
)
async def test_nobody_hangs_us(
    authority: Authority, batch: Batch, handler: Callable[..., Any], timeout_s: float, reason: str
) -> None:
    reach = replace(batch.reach, timeout_s=timeout_s)
    async with webs.serving(handler, tls=authority.tls("slow.test")) as web:
        door = Door.over_https(web.url("/team/a", "slow.test"), USER, TOKEN)
        with pytest.raises(errors.Unavailable) as raised:
            await send(door, batch.file, SHA256, len(CONTENT), batch._note, reach=reach)
    assert raised.value.reason == reason
