"""An upload over gRPC, large or of many files, beside the same bytes written to the same S3 server."""

import asyncio
import io
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from minio import Minio
from yard.client import Client, Endpoints, uploads
from yard.client.session import Tokens
from yard.embedded.servers.s3 import REGION, S3
from yard.runtime import clock
from yard.runtime.auth import Principal, TokenIssuer
from yard.testkit.process import Program
from yard.testkit.servers import started_s3
from yard.testkit.service_program import address_of

from benchmarks.report import Aim, Row, row
from benchmarks.servers import Servers

ROOT: Final = Path(__file__).resolve().parents[1]
MIB: Final = 1024 * 1024
SIZE_MIB: Final = 1024
SMALL: Final = 1_000
SMALL_BYTES: Final = 20 * 1024
REPETITIONS: Final = 3
BUCKET: Final = "bench"
CALLER: Final = Principal(user_id=1, username="bench", role="user")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """Two ways of one file, or of a folder of small ones, into one S3 server."""

    file: Path
    folder: Path
    service: Program
    client: Client
    s3: Minio


async def measure_upload(servers: Servers, size_mib: int = SIZE_MIB) -> list[Row]:
    """Both ways in turns, and the memory of the service."""
    large: dict[str, list[float]] = {"ours": [], "direct": []}
    small: dict[str, list[float]] = {"ours": [], "direct": []}
    async with _ways(servers, size_mib) as ways:
        at_rest = _memory_mib(ways.service, "VmRSS")
        for _ in range(REPETITIONS):
            large["ours"].append(size_mib / await _ours(ways, ways.file))
            large["direct"].append(size_mib / await _direct(ways))
            small["ours"].append(SMALL / await _ours(ways, ways.folder))
            small["direct"].append(SMALL / await _direct_small(ways))
        peak = _memory_mib(ways.service, "VmHWM")
    what = f"upload of {size_mib} MiB over gRPC"
    aims = (Aim(of="ratio", relation=">=", value=0.6), Aim(of="ours", relation="<", value=300))
    return [
        row(f"{what} beside S3 itself", "MiB/s", large["ours"], large["direct"], aims[0]),
        row(f"{what}: memory, beside none", "MiB", [peak], [at_rest], aims[1]),
        row(f"{SMALL:,} files of 20 KiB beside an object each", "1/s", small["ours"], small["direct"]),
    ]


async def _ours(ways: Ways, path: Path) -> float:
    """Seconds from the first call to the closed upload, which is then dropped."""
    began = clock.monotonic()
    upload_id = await uploads.upload(ways.client, uploads.local_files([path]))
    took = clock.monotonic() - began
    await uploads.delete(ways.client, upload_id)
    return took


async def _direct(ways: Ways) -> float:
    """Seconds of the S3 client by its own defaults: parts of 8 MiB, three at the same time."""
    began = clock.monotonic()
    await asyncio.to_thread(ways.s3.fput_object, BUCKET, "direct", str(ways.file), part_size=8 * MIB)
    took = clock.monotonic() - began
    await asyncio.to_thread(ways.s3.remove_object, BUCKET, "direct")
    return took


async def _direct_small(ways: Ways) -> float:
    """Seconds of one call after the other, as a loop over a folder is written."""
    files = sorted(ways.folder.iterdir())

    def put() -> None:
        for file in files:
            ways.s3.put_object(BUCKET, f"small/{file.name}", io.BytesIO(file.read_bytes()), SMALL_BYTES)

    began = clock.monotonic()
    await asyncio.to_thread(put)
    took = clock.monotonic() - began
    for file in files:
        await asyncio.to_thread(ways.s3.remove_object, BUCKET, f"small/{file.name}")
    return took


def _memory_mib(program: Program, field: str) -> float:
    status = Path(f"/proc/{program.pid}/status").read_text()
    return int(re.findall(rf"{field}:\s+(\d+) kB", status)[0]) / 1024


@asynccontextmanager
async def _ways(servers: Servers, size_mib: int) -> AsyncIterator[Ways]:
    s3 = _s3_server(servers)
    issuer = TokenIssuer.generate()
    client = Minio(
        s3.address, access_key=s3.access_key, secret_key=s3.secret_key, secure=False, region=REGION
    )
    client.make_bucket(BUCKET)
    service = _service(servers, s3, issuer)
    try:
        endpoints = _everywhere(await address_of(service, servers.folder / "upload.port"))
        expires = clock.now() + timedelta(minutes=15)
        tokens = Tokens(access=issuer.issue(CALLER).token, refresh="", expire_time=expires)
        async with Client(endpoints, tokens=tokens) as ours:
            yield Ways(
                file=_file(servers.folder, size_mib),
                folder=_folder(servers.folder / "upload-small"),
                service=service,
                client=ours,
                s3=client,
            )
    finally:
        service.kill()
        s3.kill()


def _file(folder: Path, size_mib: int) -> Path:
    """Noise, which nothing on the way can pack."""
    path = folder / "large.bin"
    with path.open("wb") as file:
        for _ in range(size_mib):
            file.write(os.urandom(MIB))
    return path


def _folder(folder: Path) -> Path:
    folder.mkdir()
    for number in range(SMALL):
        (folder / f"{number:04d}.bin").write_bytes(os.urandom(SMALL_BYTES))
    return folder


def _s3_server(servers: Servers) -> S3:
    return started_s3(servers.folder / "upload-s3")


def _service(servers: Servers, s3: S3, issuer: TokenIssuer) -> Program:
    settings = {
        "DATABASE_URL": servers.databases.create("media_ingest", "yard.media_ingest.migrations"),
        "NATS_URL": servers.nats.url,
        "NATS_TOKEN": servers.nats.token,
        "S3_ENDPOINT": s3.address,
        "S3_ACCESS_KEY": s3.access_key,
        "S3_SECRET_KEY": s3.secret_key,
        "S3_BUCKET": BUCKET,
        "JWKS": issuer.jwks,
        "PORT_FILE": str(servers.folder / "upload.port"),
        "WORKER_PROCESSES": "1",
        "GRANT_KEYS": "bench-grant-key-of-32-characters-or-more",
    }
    environment = {f"FRAMEYARD_{name}": value for name, value in settings.items()}
    return Program(
        ["-m", "yard.media_ingest"],
        log=servers.folder / "upload.log",
        environment={"PYTHONPATH": str(ROOT), **environment},
    )


def _everywhere(address: str) -> Endpoints:
    return Endpoints(identity=address, task=address, media_ingest=address, chunking=address, export=address)
