"""The smallest service that the supervisor accepts: it answers /readyz and ends on SIGTERM."""

import json
import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path


class Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/readyz" else 404)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def main() -> None:
    settings = dict(os.environ)  # noqa: TID251 - a stand-alone program
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    host, _, port = settings["FRAMEYARD_METRICS_LISTEN"].rpartition(":")
    server = HTTPServer((host, int(port)), Page)
    sys.stdout.write(f"probe {sys.argv[1]} serves, level {settings['FRAMEYARD_LOG_LEVEL']}\n")
    sys.stdout.flush()
    ports = Path(settings["FRAMEYARD_PORT_FILE"])
    fresh = ports.with_suffix(".new")
    fresh.write_text(json.dumps({"metrics": port}))
    fresh.replace(ports)
    server.serve_forever()


main()
