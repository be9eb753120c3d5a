"""Who may call whom, and whose tables are whose."""

import ast
import re
from pathlib import Path

import pytest

SERVICES = sorted(path.parent.name for path in Path("services").glob("*/pyproject.toml"))
# They keep nothing, and so have no statements.
EDGES = {"gateway"}
# Calls go one way, so no chain of waiting services can close into a ring.
MAY_CALL = {
    "identity": set[str](),
    "task": set[str](),
    "media_ingest": set[str](),
    "chunking": {"chunk"},  # its own replicas, of which none waits for another that waits for it
    "export": {"task", "annotation", "media", "chunk"},
    "webhook": {"task"},
    "repo_sync": {"task", "export", "operation"},
    "gateway": {"identity", "task", "annotation", "media", "chunk", "export", "operation", "webhook", "sync"},
}
SQL = re.compile(r"\b(SELECT|INSERT INTO|UPDATE|DELETE FROM|CREATE TABLE|ALTER TABLE|MERGE INTO|WITH)\b")


def sources(service: str) -> list[Path]:
    return sorted(Path(f"services/{service}/src").rglob("*.py"))


def stubs_of(path: Path) -> set[str]:
    """Domains of the `frameyard.<domain>.v1...` modules of which a file uses a stub."""
    text = path.read_text()
    modules = dict(re.findall(r"from frameyard\.(\w+)\.v1 import (\w+_pb2_grpc)\b", text))
    used = {domain for domain, module in modules.items() if re.search(rf"{module}\.\w+Stub\b", text)}
    named = re.findall(r"from frameyard\.(\w+)\.v1\.\w+_pb2_grpc import [^\n]*Stub\b", text)
    return used | set(named)


def strings_of(path: Path) -> list[str]:
    nodes = ast.walk(ast.parse(path.read_text()))
    return [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]


def test_every_service_has_its_place_in_the_order_of_calls() -> None:
    assert sorted(MAY_CALL) == SERVICES


@pytest.mark.parametrize("service", SERVICES)
def test_calls_go_one_way(service: str) -> None:
    used = {stub for path in sources(service) for stub in stubs_of(path)}
    assert used - MAY_CALL[service] == set()


@pytest.mark.parametrize("service", SERVICES)
def test_no_statement_names_the_schema_of_another_service(service: str) -> None:
    others = "|".join(other for other in SERVICES if other != service)
    foreign = re.compile(rf"\b(FROM|JOIN|INTO|UPDATE|TABLE|REFERENCES)\s+({others})\.", re.IGNORECASE)
    statements = [(path, text) for path in sources(service) for text in strings_of(path) if SQL.search(text)]
    assert statements or service in EDGES
    assert [f"{path}: {text}" for path, text in statements if foreign.search(text)] == []
