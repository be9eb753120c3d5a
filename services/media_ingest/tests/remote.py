"""Remote sources in tests: a server on the loopback, which the service is allowed to reach."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

from frameyard.media.v1 import media_pb2
from yard.media_ingest.domain.uploads import MIB
from yard.runtime import app

from libs.runtime.tests.web import Asked, Handler
from services.media_ingest.tests.contents import clip

PART = 8 * MIB


def remote(*urls: str) -> media_pb2.MediaSource:
    """A source of these URLs."""
    return media_pb2.MediaSource(remote=media_pb2.RemoteSource(urls=urls))


def long_clip(size: int) -> bytes:
    """A video of that many bytes: readers step over what is declared as free."""
    film = clip()
    free = size - len(film)
    padding = (bytes(range(256)) * (free // 256 + 1))[: free - 8]
    return film + struct.pack(">I4s", free, b"free") + padding


def files(contents: dict[str, bytes], **headers: str) -> Handler:
    """A good server with these files by path."""

    async def handler(asked: Asked) -> None:
        content = contents.get(asked.path)
        if content is None:
            asked.reply(b"<html>not here</html>", status="404 Not Found", Content_Type="text/html")
        else:
            asked.serve(content, **{"ETag": '"1"', **headers})

    return handler


async def objects(running: app.Running[Any], media_id: str) -> Sequence[str]:
    """Keys of what is in the bucket for media."""
    prefix = f"media/{media_id}/"
    return [found.key.removeprefix(prefix) async for found in running.runtime.blobs.list(prefix)]
