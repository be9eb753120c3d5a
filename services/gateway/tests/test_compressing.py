"""ETags of compressed answers and of the others."""

import gzip
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from yard.gateway.edge.compressing import Compressed
from yard.gateway.edge.objects import is_known

BODY = b'{"a": ' + b"1" * 5_000 + b"}"


def client(tag: str, seen: list[Any]) -> httpx.AsyncClient:
    async def answering(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        seen.append(request.headers.get("if-match"))
        headers = {"ETag": tag}
        is_there = is_known(request, tag)
        answer = Response(status_code=304, headers=headers) if is_there else Response(BODY, 200, headers)
        if not is_there:
            answer.headers["Content-Type"] = "application/json"
        await answer(scope, receive, send)

    transport = httpx.ASGITransport(Compressed(answering))
    return httpx.AsyncClient(
        transport=transport, base_url="http://a", headers={"Accept-Encoding": "identity"}
    )


async def test_either_form_has_its_tag_and_is_known_by_it() -> None:
    asking = {"Accept-Encoding": "gzip"}
    async with client('"7"', []) as http:
        plain, packed = await http.get("/"), await http.get("/", headers=asking)
        assert (plain.headers["etag"], packed.headers["etag"]) == ('"7"', '"7-gzip"')
        assert packed.headers["content-encoding"] == "gzip"
        assert gzip.decompress(gzip.compress(plain.content)) == packed.content == BODY
        for answer, headers in ((plain, {}), (packed, asking)):
            tag = answer.headers["etag"]
            known = await http.get("/", headers=headers | {"If-None-Match": f'"6", {tag}'})
            assert (known.status_code, known.headers["etag"], known.content) == (304, tag, b"")
        other = await http.get("/", headers=asking | {"If-None-Match": '"6-gzip"'})
        assert other.status_code == 200


async def test_weak_tags_are_of_both() -> None:
    async with client('W/"7"', []) as http:
        packed = await http.get("/", headers={"Accept-Encoding": "gzip"})
        assert packed.headers["etag"] == 'W/"7"'


@pytest.mark.parametrize("given", ['"7-gzip"', '"7"'])
async def test_changes_may_be_based_on_either(given: str) -> None:
    seen: list[Any] = []
    async with client('"7"', seen) as http:
        await http.put("/", headers={"If-Match": given})
    assert seen == ['"7"']
