"""Giftless, an LFS server that nobody here wrote, behind a real web server with TLS and basic auth."""

from __future__ import annotations

import base64
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cheroot.ssl.builtin import BuiltinSSLAdapter
from cheroot.wsgi import Server
from flask import Request
from giftless.app import init_app
from giftless.auth.identity import DefaultIdentity, Permission

from services.repo_sync.tests.peers.web import TOKEN, USER, Asked, Reply

MEDIA_TYPE = "application/vnd.git-lfs+json"
_GIVEN = "Basic " + base64.b64encode(f"{USER}:{TOKEN}".encode()).decode()


def basic(request: Request) -> DefaultIdentity | None:
    """Giftless asks this whom a request comes from, after it has looked for a grant of its own."""
    if request.headers.get("Authorization") != _GIVEN:
        return None
    identity = DefaultIdentity(name=USER, id=USER)
    identity.allow(permissions=Permission.all())
    return identity


@dataclass(slots=True, kw_only=True)
class Lfs:
    """`reply` answers instead of giftless, if it gives something."""

    root: Path
    port: int = 0
    asked: list[Asked] = field(default_factory=list)
    reply: Callable[[Asked], Reply | None] = lambda _: None
    app: Any = None

    def url(self, name: str, host: str = "lfs.test") -> str:
        return f"https://{host}:{self.port}/team/{name}"

    def held(self, sha256: str) -> bytes:
        [file] = self.root.rglob(sha256)
        return file.read_bytes()

    def uploads(self) -> list[Asked]:
        return [asked for asked in self.asked if asked.method == "PUT"]

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        asked = Asked(
            method=environ["REQUEST_METHOD"],
            path=environ["PATH_INFO"],
            headers={
                name.removeprefix("HTTP_").replace("_", "-").lower(): value
                for name, value in environ.items()
                if name.startswith("HTTP_") or name in ("CONTENT_TYPE", "CONTENT_LENGTH")
            },
        )
        self.asked.append(asked)
        reply = self.reply(asked)
        if reply is None:
            answer: Iterable[bytes] = self.app(environ, start_response)
            return answer
        while environ["wsgi.input"].read(65_536):
            pass  # else the connection is reset before the answer is read
        headers = {"Content-Length": str(len(reply.body)), **reply.headers}
        start_response(f"{reply.status} So", list(headers.items()))
        return [reply.body]


def made(root: Path) -> Lfs:
    """The application alone, for a web server that has other things too."""
    root.mkdir()
    options = {"storage_options": {"path": str(root)}}
    peer = Lfs(root=root)
    peer.app = init_app(
        additional_config={
            "LEGACY_ENDPOINTS": False,
            "AUTH_PROVIDERS": [f"{__name__}:basic"],
            "TRANSFER_ADAPTERS": {"basic": {"options": options}},
            "PRE_AUTHORIZED_ACTION_PROVIDER": {"options": {"private_key": "k" * 32}},
        }
    )
    return peer


@contextmanager
def serving(root: Path, tls: ssl.SSLContext, pem: Path) -> Iterator[Lfs]:
    """`pem` holds the key and the certificate of `tls`."""
    peer = made(root)
    server = Server(("127.0.0.1", 0), peer, numthreads=4)
    server.ssl_adapter = BuiltinSSLAdapter(str(pem), str(pem))
    server.ssl_adapter.context = tls
    server.prepare()
    peer.port = server.bind_addr[1]
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        yield peer
    finally:
        server.stop()
        thread.join()
