"""Large bodies through the gateway, beside the same bytes from and to the S3 server itself."""

import base64
import io
import os
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import urllib3
from minio import Minio
from PIL import Image
from yard.embedded.servers.s3 import REGION
from yard.runtime import clock
from yard.testkit.platform import Platform

from benchmarks.peaks import peak_mib
from benchmarks.report import Aim, Row, row

MIB: Final = 1024 * 1024
BUCKET: Final = "frameyard"
PICTURES: Final = 32
IN_CHUNK: Final = 8
ROUNDS: Final = 16
AT_ONCE: Final = 4
SLOW: Final = 50
UPLOAD_MIB: Final = 1024
PIECE_MIB: Final = 10
REPETITIONS: Final = 3
WAIT_S: Final = 120.0
SLOW_S: Final = 5.0
TUS: Final = {"Tus-Resumable": "1.0.0"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """To the gateway, logged in, and to the store behind it."""

    platform: Platform
    url: str
    http: urllib3.PoolManager
    store: Minio

    def call(self, method: str, path: str, **more: Any) -> urllib3.BaseHTTPResponse:
        """One request; RuntimeError unless it succeeds."""
        url = path if path.startswith("http") else self.url + path
        headers = {**self.http.headers, **more.pop("headers", {})}
        answer = self.http.request(method, url, headers=headers, retries=False, **more)
        if answer.status >= 400:
            raise RuntimeError(f"{method} {path}: {answer.status} {answer.data[:200]!r}")
        return answer


@contextmanager
def ways_of(platform: Platform) -> Iterator[Ways]:
    """Both ways."""
    url = f"http://127.0.0.1:{platform.port('gateway')}"
    http = urllib3.PoolManager(maxsize=AT_ONCE)
    login = {"username": "admin", "password": platform.admin_password}
    key = http.request("POST", f"{url}/api/auth/login", json=login).json()["key"]
    http.headers = {"Authorization": f"Token {key}"}
    store = Minio(
        endpoint=f"127.0.0.1:{platform.port('s3')}",
        access_key=platform.secret("s3_access_key"),
        secret_key=platform.secret("s3_secret_key"),
        secure=False,
        region=REGION,
        http_client=urllib3.PoolManager(maxsize=AT_ONCE),
    )
    yield Ways(platform=platform, url=url, http=http, store=store)
    http.clear()


def measure_chunks(platform: Platform) -> list[Row]:
    """Built chunks, several at once, and readers that take nothing."""
    with ways_of(platform) as ways:
        task_id = _album(ways)
        path = f"/api/tasks/{task_id}/data?type=chunk&quality=compressed&number="
        numbers = range(PICTURES // IN_CHUNK)
        sizes = [_built(ways, f"{path}{number}") for number in numbers]
        keys = _keys(ways, sizes)
        ours: list[float] = []
        theirs: list[float] = []
        for _ in range(REPETITIONS):
            ours.append(_rate(sizes, lambda number: len(ways.call("GET", f"{path}{number}").data)))
            theirs.append(_rate(sizes, lambda number: _direct(ways, keys[number])))
        title = f"chunks of {sum(sizes) / len(sizes) / MIB:.1f} MiB, {AT_ONCE} at once"
        rows = [
            row(f"{title}, beside minio", "MiB/s", ours, theirs, Aim(of="ratio", relation=">=", value=0.6))
        ]
        return [*rows, _slow_readers(ways, f"{path}0")]


def _album(ways: Ways) -> int:
    """A task with pictures of noise, whose chunks are as large as their files."""
    task = ways.call("POST", "/api/tasks", json={"name": "bench", "labels": [{"name": "a"}]}).json()["id"]
    fields: dict[str, Any] = {"image_quality": "100", "chunk_size": str(IN_CHUNK), "use_cache": "True"}
    for number in range(PICTURES):
        noise = np.random.default_rng(number).integers(0, 256, (900, 1200, 3), np.uint8)
        out = io.BytesIO()
        Image.fromarray(noise).save(out, "JPEG", quality=90)
        fields[f"client_files[{number}]"] = (f"{number:03}.jpg", out.getvalue(), "image/jpeg")
    wait(ways, ways.call("POST", f"/api/tasks/{task}/data", fields=fields).json()["rq_id"])
    return int(task)


def wait(ways: Ways, rq_id: str) -> None:
    """Returns when long work has ended well; RuntimeError otherwise."""
    end = clock.monotonic() + WAIT_S
    pause = threading.Event()
    while clock.monotonic() < end:
        request = ways.call("GET", f"/api/requests/{rq_id}").json()
        if request["status"] == "finished":
            return
        if request["status"] == "failed":
            raise RuntimeError(request["message"])
        pause.wait(0.2)
    raise RuntimeError("the media is not ready")


def _built(ways: Ways, path: str) -> int:
    """Length of a chunk, once it is an object."""
    end = clock.monotonic() + WAIT_S
    while clock.monotonic() < end:
        answer = ways.call("GET", path)
        if not answer.headers["ETag"].startswith("W/"):
            return len(answer.data)
    raise RuntimeError("the chunk is not built")


def _keys(ways: Ways, sizes: list[int]) -> list[str]:
    """The objects of the chunks, by their length."""
    found = {item.size: str(item.object_name) for item in ways.store.list_objects(BUCKET, recursive=True)}
    return [found[size] for size in sizes]


def _direct(ways: Ways, key: str) -> int:
    answer = ways.store.get_object(BUCKET, key)
    try:
        return len(answer.read())
    finally:
        answer.close()
        answer.release_conn()


def _rate(sizes: list[int], read: Callable[[int], int]) -> float:
    """MiB a second; RuntimeError if a length is wrong."""
    wanted = [number % len(sizes) for number in range(ROUNDS * len(sizes))]
    began = clock.monotonic()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        read_bytes = [*pool.map(read, wanted)]
    took = clock.monotonic() - began
    if read_bytes != [sizes[number] for number in wanted]:
        raise RuntimeError("a chunk has another length")
    return sum(read_bytes) / MIB / took


def _slow_readers(ways: Ways, path: str) -> Row:
    """Memory of the gateway with many open answers that nobody reads, beside none."""
    pid = ways.platform.pid("gateway")
    with peak_mib(pid) as rest:
        threading.Event().wait(1.0)
    host, _, port = ways.url.removeprefix("http://").partition(":")
    lines = (
        f"GET {path} HTTP/1.1",
        f"Host: {host}",
        f"Authorization: {ways.http.headers['Authorization']}",
        "",
        "",
    )
    with ExitStack() as stack, peak_mib(pid) as peak:
        for _ in range(SLOW):
            connection = stack.enter_context(socket.create_connection((host, int(port))))
            connection.sendall("\r\n".join(lines).encode())
        threading.Event().wait(SLOW_S)
    aim = Aim(of="ours", relation="<", value=300)
    return row(f"memory of the gateway with {SLOW} readers that wait, beside none", "MiB", peak, rest, aim)


def measure_tus(platform: Platform) -> list[Row]:
    """One large file, in one piece and in pieces as CVAT's SDK sends them."""
    with ways_of(platform) as ways, tempfile.NamedTemporaryFile() as file:
        for _ in range(UPLOAD_MIB):
            file.write(os.urandom(MIB))
        file.flush()
        path = Path(file.name)
        whole: list[float] = []
        pieces: list[float] = []
        theirs: list[float] = []
        with peak_mib(ways.platform.pid("gateway")) as peak:
            for _ in range(REPETITIONS):
                whole.append(UPLOAD_MIB / _upload(ways, path, UPLOAD_MIB * MIB))
                pieces.append(UPLOAD_MIB / _upload(ways, path, PIECE_MIB * MIB))
                theirs.append(UPLOAD_MIB / _put(ways, path))
    title = f"upload of {UPLOAD_MIB} MiB by tus"
    half = Aim(of="ratio", relation=">=", value=0.5)
    return [
        row(f"{title}, beside S3 itself", "MiB/s", whole, theirs, half),
        row(f"{title} in pieces of {PIECE_MIB} MiB, beside S3 itself", "MiB/s", pieces, theirs, half),
        row(f"{title}: memory of the gateway", "MiB", peak, peak, Aim(of="ours", relation="<", value=300)),
    ]


def _upload(ways: Ways, path: Path, piece: int) -> float:
    """Seconds from the announcement to the last byte; the file is then taken back."""
    task = ways.call("POST", "/api/tasks", json={"name": "bench"}).json()["id"]
    name = base64.b64encode(b"large.bin").decode()
    size = path.stat().st_size
    began = clock.monotonic()
    announced = TUS | {"Upload-Length": str(size), "Upload-Metadata": f"filename {name}"}
    location = ways.call("POST", f"/api/tasks/{task}/data", headers=announced).headers["Location"]
    with path.open("rb") as file:
        for offset in range(0, size, piece):
            length = min(piece, size - offset)
            body: Any = file if length == size else file.read(length)
            headers = TUS | {
                "Upload-Offset": str(offset),
                "Content-Type": "application/offset+octet-stream",
                "Content-Length": str(length),
            }
            ways.call("PATCH", location, headers=headers, body=body)
    took = clock.monotonic() - began
    ways.call("DELETE", location, headers=TUS)
    return took


def _put(ways: Ways, path: Path) -> float:
    """Seconds of the S3 client by its own defaults: parts of 8 MiB, three at the same time."""
    began = clock.monotonic()
    ways.store.fput_object(BUCKET, "direct", str(path), part_size=8 * MIB)
    took = clock.monotonic() - began
    ways.store.remove_object(BUCKET, "direct")
    return took
