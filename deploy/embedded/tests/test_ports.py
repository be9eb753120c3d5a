import socket
import subprocess
import sys
from pathlib import Path

from yard.embedded.ports import Ports, free_port, is_free
from yard.embedded.servers.s3 import GRPC_OFFSET

# Takes the one port that is left to choose from, or says that there is none.
TAKES = """
import sys
from yard.embedded import ports
ports._FIRST, ports._LAST = int(sys.argv[1]), int(sys.argv[1]) + 1
try:
    print(ports.free_port())
except OSError as fault:
    print(fault)
"""


def ports(folder: Path, said: list[str]) -> Ports:
    return Ports(folder / "ports.json", said.append)


def test_ports_are_remembered_from_run_to_run(tmp_path: Path) -> None:
    said: list[str] = []
    first = [ports(tmp_path, said).claim(name) for name in ("task", "export")]
    assert len(set(first)) == 2
    assert [ports(tmp_path, said).claim(name) for name in ("task", "export")] == first
    assert said == []


def test_a_taken_port_is_named_and_another_is_taken(tmp_path: Path) -> None:
    said: list[str] = []
    known = ports(tmp_path, said).claim("task")
    with socket.create_server(("127.0.0.1", known)):
        moved = ports(tmp_path, said).claim("task")
    assert moved != known
    assert said == [f"port {known} of task is taken by another program: task moves to {moved}"]
    assert ports(tmp_path, said).claim("task") == moved


def test_a_pair_is_free_in_both_halves() -> None:
    port = free_port(paired=True)
    with socket.create_server(("127.0.0.1", port + GRPC_OFFSET)):
        assert is_free(port)
        assert not is_free(port + GRPC_OFFSET)


def test_a_pair_moves_when_its_second_half_is_taken(tmp_path: Path) -> None:
    said: list[str] = []
    known = ports(tmp_path, said).claim("s3", paired=True)
    with socket.create_server(("127.0.0.1", known + GRPC_OFFSET)):
        assert ports(tmp_path, said).claim("s3", paired=True) != known
    assert len(said) == 1


def test_a_port_is_given_to_one_process_though_nobody_listens_yet() -> None:
    port = free_port()
    other = [sys.executable, "-c", TAKES, str(port)]
    found = subprocess.run(other, capture_output=True, text=True, check=True)
    assert found.stdout.startswith("no free port")
