"""A client of its own that can be killed: `python direct_client.py ADDRESS TOKEN UPLOAD PATH`."""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta
from pathlib import Path

from yard.client import Client, Endpoints, uploads
from yard.client.session import Tokens
from yard.runtime import clock


async def main(address: str, token: str, upload_id: str, path: str) -> None:
    endpoints = Endpoints(
        identity=address, task=address, media_ingest=address, chunking=address, export=address
    )
    tokens = Tokens(access=token, refresh="", expire_time=clock.now() + timedelta(minutes=15))
    async with Client(endpoints, tokens=tokens) as client:
        await uploads.resume(client, upload_id, uploads.local_files([Path(path)]), direct=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
