"""A real sshd with keys of its own, behind which git is all that can be run."""

from __future__ import annotations

import getpass
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from yard.testkit.eventually import eventually

READ_ONLY = "ERROR: The key you are authenticating with has been marked as read only."

_CONFIG = """\
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/authorized_keys
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
PermitUserEnvironment no
AcceptEnv GIT_PROTOCOL
ForceCommand {folder}/only_git
"""
# What a host that keeps repositories lets people do; the file `asked` has what they wanted.
_ONLY_GIT = """\
#!/bin/sh
echo "$SSH_ORIGINAL_COMMAND" >> {folder}/asked
case "$SSH_ORIGINAL_COMMAND" in git-lfs-authenticate*) cat {folder}/answer; exit 0;; esac
if [ -e {folder}/read_only ]; then
  case "$SSH_ORIGINAL_COMMAND" in git-receive-pack*) echo "{read_only}" >&2; exit 1;; esac
fi
export GIT_CONFIG_GLOBAL={folder}/gitconfig
exec git-shell -c "$SSH_ORIGINAL_COMMAND"
"""


def key_pair() -> tuple[str, str]:
    """A private key in the form of OpenSSH, and its public half."""
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()
    return private, key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


@dataclass(slots=True, kw_only=True)
class GitShell:
    """`host_key` is its public half, as `type base64`."""

    folder: Path
    port: int
    host_key: str
    process: subprocess.Popen[bytes]

    def url(self, name: str) -> str:
        return f"ssh://{getpass.getuser()}@git.test:{self.port}{self.repository(name)}"

    def repository(self, name: str) -> Path:
        return self.folder / "team" / name

    def admit(self, public_key: str) -> None:
        (self.folder / "authorized_keys").write_text(public_key + "\n")

    def read_only(self) -> None:
        (self.folder / "read_only").touch()

    @property
    def asked(self) -> list[str]:
        return (self.folder / "asked").read_text().splitlines()

    def change_host_key(self) -> None:
        self.host_key = _new_host_key(self.folder)
        _stop(self.process)
        self.process = _start(self.folder)


@contextmanager
def serving(folder: Path) -> Iterator[GitShell]:
    folder.mkdir()
    port = _free_port()
    (folder / "sshd_config").write_text(_CONFIG.format(folder=folder, port=port))
    (folder / "gitconfig").write_text("[uploadpack]\n\tallowFilter = true\n[safe]\n\tdirectory = *\n")
    script = folder / "only_git"
    script.write_text(_ONLY_GIT.format(folder=folder, read_only=READ_ONLY))
    script.chmod(0o755)
    (folder / "authorized_keys").touch()
    peer = GitShell(folder=folder, port=port, host_key=_new_host_key(folder), process=_start(folder))
    try:
        yield peer
    finally:
        _stop(peer.process)


async def listening(peer: GitShell) -> None:
    """Once it greets."""

    def greets() -> bool:
        try:
            with socket.create_connection(("127.0.0.1", peer.port), timeout=1) as connection:
                return connection.recv(4) == b"SSH-"
        except OSError:
            return False

    await eventually(greets)


def _new_host_key(folder: Path) -> str:
    private, public = key_pair()
    file = folder / "host_key"
    file.write_text(private)
    file.chmod(0o600)
    return public


def _start(folder: Path) -> subprocess.Popen[bytes]:
    program = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/sbin")
    assert program, "there is no sshd: run `make system-packages`, or install openssh-server"
    Path("/run/sshd").mkdir(exist_ok=True)
    log = str(folder / "log")
    return subprocess.Popen([program, "-D", "-E", log, "-f", str(folder / "sshd_config")])


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    process.wait(10)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
