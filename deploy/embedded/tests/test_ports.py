import socket
from pathlib import Path

from yard.embedded.ports import Ports, free_port, is_free
from yard.embedded.servers.s3 import GRPC_OFFSET


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
