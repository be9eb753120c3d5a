"""Uploads by tuspy, a client of the tus protocol."""

from pathlib import Path
from typing import Any

from cvat_sdk import Client
from tusclient.client import TusClient

PIECE = 1_000_000


def client_of(headers: dict[str, str], url: str) -> Any:
    return TusClient(url, headers=headers)


def begun(client: Client, folder: Path, *, url: str, headers: dict[str, str], file: str, until: int) -> str:
    """Where the file is, after so many bytes of it were sent."""
    metadata = {"filename": Path(file).name}
    uploader = client_of(headers, url).uploader(file, chunk_size=PIECE, metadata=metadata)
    uploader.upload(stop_at=until)
    return str(uploader.url)


def gone_on(
    client: Client, folder: Path, *, url: str, headers: dict[str, str], file: str, at: str
) -> list[int]:
    """Where it went on, and where it ended: another process asks the server."""
    uploader = client_of(headers, url).uploader(file, chunk_size=PIECE, url=at)
    start = int(uploader.offset)
    uploader.upload()
    return [start, int(uploader.get_offset())]
