"""The words of the tus protocol, version 1.0, one by one: what must be answered to what is asked."""

import base64
from typing import Any

import httpx
import pytest

from tests.gateway.sending import BYTES, TUS, create, new_task

CONTENT = b"twelve bytes"
LENGTH = {"Upload-Length": str(len(CONTENT))}
NAME = {"Upload-Metadata": "filename " + base64.b64encode(b"a.png").decode()}

# Asked at the place of a task's data: method, headers, status, and headers of the answer.
CREATION: list[tuple[str, str, dict[str, str], int, dict[str, str]]] = [
    ("capabilities", "OPTIONS", {}, 204, {"Tus-Version": "1.0.0", "Tus-Extension": "creation,termination"}),
    ("creation", "POST", TUS | LENGTH | NAME, 201, TUS),
    ("a flag in the metadata", "POST", TUS | LENGTH | {"Upload-Metadata": "flag,filetype aW1n"}, 201, TUS),
    ("nothing to send", "POST", TUS | NAME | {"Upload-Length": "0"}, 201, TUS),
    ("another version", "POST", LENGTH | NAME | {"Tus-Resumable": "0.2.2"}, 412, {"Tus-Version": "1.0.0"}),
    ("a negative length", "POST", TUS | NAME | {"Upload-Length": "-1"}, 400, {}),
    ("a length that is none", "POST", TUS | NAME | {"Upload-Length": "many"}, 400, {}),
    ("a length that comes later", "POST", TUS | NAME | {"Upload-Defer-Length": "1"}, 400, {}),
    ("more than any file has", "POST", TUS | NAME | {"Upload-Length": str(10**17)}, 413, {}),
    ("metadata that is not base64", "POST", TUS | LENGTH | {"Upload-Metadata": "filename ?"}, 400, {}),
]

# Asked at the place of a file of which the first five bytes have come.
UPLOAD: list[tuple[str, str, dict[str, str], bytes, int, dict[str, str]]] = [
    ("how much has come", "HEAD", TUS, b"", 200, {"Upload-Offset": "5", "Cache-Control": "no-store"}),
    ("how long it is", "HEAD", TUS, b"", 200, LENGTH),
    ("the rest", "PATCH", BYTES | {"Upload-Offset": "5"}, CONTENT[5:], 204, {"Upload-Offset": "12"}),
    ("a part of it", "PATCH", BYTES | {"Upload-Offset": "5"}, CONTENT[5:7], 204, {"Upload-Offset": "7"}),
    ("no bytes", "PATCH", BYTES | {"Upload-Offset": "5"}, b"", 204, {"Upload-Offset": "5"}),
    ("a place that was left", "PATCH", BYTES | {"Upload-Offset": "0"}, CONTENT, 409, {"Upload-Offset": "5"}),
    ("a gap", "PATCH", BYTES | {"Upload-Offset": "6"}, CONTENT[6:], 409, {"Upload-Offset": "5"}),
    ("no place", "PATCH", BYTES, CONTENT[5:], 400, {}),
    ("more than was announced", "PATCH", BYTES | {"Upload-Offset": "5"}, CONTENT, 413, {}),
    ("another kind of body", "PATCH", TUS | {"Upload-Offset": "5"}, CONTENT[5:], 415, {}),
    ("another version", "PATCH", BYTES | {"Upload-Offset": "5", "Tus-Resumable": "2"}, b"x", 412, {}),
    ("another version", "HEAD", {"Tus-Resumable": "2"}, b"", 412, {"Tus-Version": "1.0.0"}),
    ("taking back", "DELETE", TUS, b"", 204, TUS),
]


def checked(answer: httpx.Response, status: int, headers: dict[str, str]) -> None:
    assert answer.status_code == status, answer.text
    assert {name: answer.headers.get(name) for name in headers} == headers
    if "OPTIONS" not in str(answer.request.method):
        assert answer.headers["Tus-Resumable"] == "1.0.0"


@pytest.mark.parametrize(("method", "sent", "status", "headers"), [row[1:] for row in CREATION])
async def test_creation(
    admin: httpx.AsyncClient, method: str, sent: dict[str, str], status: int, headers: dict[str, str]
) -> None:
    task_id = await new_task(admin)
    answer = await admin.request(method, f"/api/tasks/{task_id}/data/", headers=sent)
    checked(answer, status, headers)
    if status == 201:
        told = await admin.head(answer.headers["Location"], headers=TUS)
        assert (told.status_code, told.headers["Upload-Offset"]) == (200, "0")


@pytest.mark.parametrize(("method", "sent", "body", "status", "headers"), [row[1:] for row in UPLOAD])
async def test_upload(
    admin: httpx.AsyncClient, method: str, sent: dict[str, str], body: bytes, status: int, headers: Any
) -> None:
    at = await begun(admin)
    answer = await admin.request(method, at, headers=sent, content=body)
    checked(answer, status, headers)
    told = await admin.head(at, headers=TUS)
    if method == "DELETE":
        assert told.status_code in (404, 410)
    else:
        come = len(body) if status == 204 else 0
        assert told.headers["Upload-Offset"] == str(5 + come)


async def test_what_was_never_announced_is_not_there(admin: httpx.AsyncClient) -> None:
    at = await begun(admin)
    for place in (at[:-2] + "13", at.removesuffix(".0.12") + ".7.12"):
        for method in ("HEAD", "PATCH", "DELETE"):
            sent = BYTES | {"Upload-Offset": "5"}
            answer = await admin.request(
                method, place, headers=sent, content=b"x" if method == "PATCH" else b""
            )
            assert answer.status_code == 404


async def begun(http: httpx.AsyncClient) -> str:
    """The address of a file of which five bytes have come."""
    task_id = await new_task(http)
    made = await create(http, f"/api/tasks/{task_id}/data", "a.png", len(CONTENT))
    at = str(made.headers["Location"])
    first = await http.patch(at, headers=BYTES | {"Upload-Offset": "0"}, content=CONTENT[:5])
    assert first.status_code == 204, first.text
    return at
