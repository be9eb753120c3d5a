"""Answers that are objects of the store: ranges, conditions, and the way to the store itself.

    blob = header.blob
    return await stored_answer(request, Stored(key=blob.key, size_bytes=blob.size_bytes, sha256=blob.sha256,
                                               media_type="application/zip", file_name="task 1.zip"))

Who asks must have been found to be allowed to; NotFound if the object is gone.
"""

import re
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Final

from fastapi import Request, Response
from yard.gateway.edge.relayed import Relayed
from yard.gateway.upstream.objects import ADDRESS_S, Objects

NEVER_CHANGES: Final = "private, max-age=31536000, immutable"
ASK_AGAIN: Final = "private, no-cache"
VARIES: Final = "Authorization, Cookie"

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
_UNSHOWN = re.compile(r"[^A-Za-z0-9_\-. ]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """An object; with a file name it is a download."""

    key: str
    size_bytes: int
    sha256: str
    media_type: str
    file_name: str = ""
    cache_control: str = ASK_AGAIN

    @property
    def tag(self) -> str:
        """Its ETag."""
        return f'"{self.sha256 or self.key}"'


async def stored_answer(request: Request, stored: Stored) -> Response:
    """The object, the asked range of it, 304, 416, or 307 to the store."""
    headers = _headers(stored)
    if is_known(request, stored.tag):
        return Response(status_code=304, headers=headers)
    objects: Objects = request.app.state.services.objects
    address = objects.address(stored.key, {"Content-Type": stored.media_type} | _named(stored))
    if address is not None:
        headers["Cache-Control"] = f"private, max-age={ADDRESS_S // 2}"
        return Response(status_code=307, headers=headers | {"Location": address})
    first, last = 0, stored.size_bytes - 1
    asked = _range_of(request, stored)
    if asked is not None:
        first, last = asked
        if not 0 <= first <= last:
            headers["Content-Range"] = f"bytes */{stored.size_bytes}"
            return Response(status_code=416, headers=headers)
        headers["Content-Range"] = f"bytes {first}-{last}/{stored.size_bytes}"
    headers["Content-Length"] = str(last - first + 1)
    body = await begun(objects.read(stored.key, first, last - first + 1))
    return Relayed(body, 206 if asked else 200, headers, stored.media_type)


async def begun(body: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    """The same, of which the first piece has come: what fails at once fails before there is a status."""
    return _following(await anext(body, b""), body)


async def _following(first: bytes, rest: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    try:
        if first:
            yield first
        async for piece in rest:
            yield piece
    finally:
        await rest.aclose()


def is_known(request: Request, tag: str) -> bool:
    """Whether the client has what this ETag names."""
    known = request.headers.get("if-none-match", "")
    tags = {part.strip().removeprefix("W/") for part in known.split(",")}
    return known.strip() == "*" or tag.removeprefix("W/") in tags


def _headers(stored: Stored) -> dict[str, str]:
    headers = {
        "ETag": stored.tag,
        "Accept-Ranges": "bytes",
        "Cache-Control": stored.cache_control,
        "Vary": VARIES,
    }
    return headers | _named(stored)


def _named(stored: Stored) -> dict[str, str]:
    return disposition(stored.file_name) if stored.file_name else {}


def disposition(file_name: str) -> dict[str, str]:
    """The header that names a download; clients of CVAT read plain names only."""
    shown = _UNSHOWN.sub("_", file_name).lstrip(".") or "download"
    return {"Content-Disposition": f'attachment; filename="{shown}"'}


def _range_of(request: Request, stored: Stored) -> tuple[int, int] | None:
    """First and last byte, maybe impossible ones; None: all of it is asked for."""
    match = _RANGE.fullmatch(request.headers.get("range", "").strip())
    if match is None or match[0] == "bytes=-" or request.headers.get("if-range", stored.tag) != stored.tag:
        return None
    last = stored.size_bytes - 1
    if not match[1]:
        length = min(int(match[2]), stored.size_bytes)
        return (last - length + 1, last) if length else (-1, -1)
    first = int(match[1])
    if match[2] and int(match[2]) < first:
        return None
    return first, min(int(match[2] or last), last)
