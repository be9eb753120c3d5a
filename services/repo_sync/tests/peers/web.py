"""`git http-backend` behind a real web server with TLS and basic auth, as bad a one as a test wants."""

from __future__ import annotations

import base64
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast
from wsgiref.handlers import SimpleHandler

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

USER, TOKEN = "ann", "s3cret-t0ken/with+signs=%41"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    method: str
    path: str
    headers: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(slots=True, kw_only=True)
class GitWeb:
    """`reply` answers instead of git, if it gives something; `gate` holds answers back while it is clear.

    `lfs` is the application for what LFS clients ask, with its own look at credentials.
    """

    root: Path
    port: int = 0
    is_open: bool = False
    reads_openly: bool = False
    asked: list[Asked] = field(default_factory=list)
    reply: Callable[[Asked], Reply | None] = lambda _: None
    cut_after: int | None = None
    lfs: WSGIApplication | None = None
    gate: threading.Event = field(default_factory=threading.Event)

    def url(self, name: str, host: str = "git.test") -> str:
        return f"https://{host}:{self.port}/team/{name}"

    def repository(self, name: str) -> Path:
        return self.root / "team" / name


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    peer: GitWeb

    def handle_error(self, *_: Any) -> None:
        pass


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        peer = self.server.peer
        asked = Asked(
            method=self.command, path=self.path, headers={k.lower(): v for k, v in self.headers.items()}
        )
        peer.asked.append(asked)
        peer.gate.wait(30)
        application = peer.lfs if "/info/lfs/" in asked.path else None
        reply = peer.reply(asked) or (None if application else self._challenge(asked))
        if reply is not None:
            self._send(reply)
        elif application is not None:
            self._lfs(asked, application)
        else:
            self._git(asked)

    do_POST = do_PUT = do_GET  # noqa: N815 - the server calls them so

    def log_message(self, *_: Any) -> None:
        pass

    def _challenge(self, asked: Asked) -> Reply | None:
        peer = self.server.peer
        given = base64.b64encode(f"{USER}:{TOKEN}".encode()).decode()
        if peer.is_open or asked.headers.get("authorization") == f"Basic {given}":
            return None
        if peer.reads_openly and "receive-pack" not in asked.path:
            return None
        return Reply(status=401, headers={"WWW-Authenticate": 'Basic realm="git"'})

    def _send(self, reply: Reply) -> None:
        self.close_connection = True  # what was asked is not read to its end
        self.send_response(reply.status)
        for name, value in {
            "Content-Length": str(len(reply.body)),
            "Connection": "close",
            **reply.headers,
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.body)

    def _lfs(self, asked: Asked, application: WSGIApplication) -> None:
        path, _, query = asked.path.partition("?")
        environment = {
            "HTTPS": "on",
            "REQUEST_METHOD": asked.method,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_TYPE": asked.headers.get("content-type", ""),
            "CONTENT_LENGTH": asked.headers.get("content-length", "0"),
            "SERVER_NAME": "git.test",
            "SERVER_PORT": str(self.server.peer.port),
            "SERVER_PROTOCOL": "HTTP/1.1",
            **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in asked.headers.items()},
        }
        body = BytesIO(b"".join(self._body()))
        self.close_connection = True
        SimpleHandler(body, cast("IO[bytes]", self.wfile), sys.stderr, environment).run(application)

    def _git(self, asked: Asked) -> None:
        path, _, query = asked.path.partition("?")
        environment = {
            "PATH": "/usr/bin:/bin",
            "GIT_PROJECT_ROOT": str(self.server.peer.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": str(self.server.peer.root / "gitconfig"),
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": asked.method,
            "CONTENT_TYPE": asked.headers.get("content-type", ""),
            "HTTP_CONTENT_ENCODING": asked.headers.get("content-encoding", ""),
            "GIT_PROTOCOL": asked.headers.get("git-protocol", ""),
            "REMOTE_USER": USER,
            "REMOTE_ADDR": "127.0.0.1",
        }
        with subprocess.Popen(
            ["git", "http-backend"],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as process:
            assert process.stdin
            assert process.stdout
            feeding = threading.Thread(target=self._feed, args=(process.stdin,))
            feeding.start()
            self._answer(process.stdout)
            feeding.join()

    def _feed(self, into: IO[bytes]) -> None:
        try:
            for block in self._body():
                into.write(block)
            into.close()
        except OSError:
            pass

    def _body(self) -> Iterator[bytes]:
        if self.headers.get("transfer-encoding") != "chunked":
            yield self.rfile.read(int(self.headers.get("content-length", 0)))
            return
        while size := int(self.rfile.readline().split(b";")[0], 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def _answer(self, output: IO[bytes]) -> None:
        headers: dict[str, str] = {}
        while line := output.readline().strip():
            name, _, value = line.decode().partition(": ")
            headers[name] = value
        self.close_connection = True
        self.send_response(int(headers.pop("Status", "200 OK").split()[0]))
        for name, value in {**headers, "Connection": "close", "Transfer-Encoding": "chunked"}.items():
            self.send_header(name, value)
        self.end_headers()
        left = self.server.peer.cut_after
        while block := output.read1(65536):  # type: ignore[attr-defined]
            self.wfile.write(b"%x\r\n%s\r\n" % (len(block), block) if left is None else block[:left])
            if left is not None:
                return
        self.wfile.write(b"0\r\n\r\n")


@contextmanager
def serving(root: Path, tls: ssl.SSLContext) -> Iterator[GitWeb]:
    (root / "team").mkdir(parents=True)
    (root / "gitconfig").write_text(
        "[http]\n\treceivepack = true\n[uploadpack]\n\tallowFilter = true\n[safe]\n\tdirectory = *\n"
    )
    peer = GitWeb(root=root)
    peer.gate.set()
    server = _Server(("127.0.0.1", 0), _Handler)
    server.peer = peer
    server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    peer.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield peer
    finally:
        peer.gate.set()
        server.shutdown()
        server.server_close()
        thread.join()
