"""The rules of the house that no linter knows."""

import ast
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

SERVICES = sorted(path.parent.name for path in Path("services").glob("*/pyproject.toml"))
ROOMS = [
    "__init__",
    "__main__",
    "domain",
    "handlers",
    "migrations",
    "rpc",
    "service",
    "settings",
    "store",
    "subscriptions",
]
# They keep nothing, so they have other rooms, in an import contract of their own.
EDGES = {"gateway"}
KEEPING = [service for service in SERVICES if service not in EDGES]
FORBIDDEN_NAMES = re.compile(r"(^|_)(utils?|helpers?|common|misc|manager)$")
LONGEST_FILE, LONGEST_FUNCTION = 400, 60


def tracked(pattern: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", pattern], check=True, capture_output=True, text=True
    )
    return [Path(name) for name in listed.stdout.split() if Path(name).exists()]


def own_python() -> list[Path]:
    return [path for path in tracked("*.py") if "libs/contracts/src" not in path.as_posix()]


@pytest.mark.parametrize("service", KEEPING)
def test_every_service_has_the_same_rooms(service: str) -> None:
    inside = {path.stem for path in Path(f"services/{service}/src/yard/{service}").iterdir()}
    assert set(ROOMS) <= inside
    assert list(Path(f"services/{service}/tests").glob("test_*.py"))


@pytest.mark.parametrize("service", SERVICES)
def test_the_entrance_is_three_lines(service: str) -> None:
    text = Path(f"services/{service}/src/yard/{service}/__main__.py").read_text()
    *imports, last = [line for line in text.splitlines() if line and not line.startswith('"""')]
    assert sorted(imports) == sorted(
        ["from yard.runtime.app import run", f"from yard.{service}.service import SERVICE"]
    )
    assert last == "run(SERVICE)"


@pytest.mark.parametrize("service", SERVICES)
def test_migrations_are_numbered_without_gaps(service: str) -> None:
    files = sorted(Path(f"services/{service}/src/yard/{service}/migrations").glob("[0-9]*.py"))
    assert [int(path.name[:4]) for path in files] == list(range(1, len(files) + 1))
    assert all(re.fullmatch(r"\d{4}_[a-z0-9_]+\.py", path.name) for path in files)


def test_services_stand_in_every_import_contract() -> None:
    contracts = tomllib.loads(Path("pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    text = {contract["name"]: str(contract) for contract in contracts}
    for name in (
        "libraries below services, services apart",
        "the same rooms in every service, entered from above",
        "domains are pure",
        "drivers only in the runtime",
    ):
        assert [s for s in KEEPING if f"yard.{s}" not in text[name]] == []
    assert "yard.gateway" in text["the rooms of the gateway, entered from above"]
    for name in ("libraries below services, services apart", "drivers only in the runtime"):
        assert all(f"yard.{edge}" in text[name] for edge in EDGES)


def test_no_drawer_for_odds_and_ends() -> None:
    assert [path for path in own_python() if FORBIDDEN_NAMES.search(path.stem)] == []


def test_files_can_be_read_in_one_go() -> None:
    too_long = {
        path.as_posix(): n for path in own_python() if (n := path.read_text().count("\n")) > LONGEST_FILE
    }
    assert too_long == {}


def test_functions_are_small() -> None:
    too_long = []
    for path in own_python():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > LONGEST_FUNCTION:
                    too_long.append(f"{path}:{node.lineno} {node.name}: {lines}")
    assert too_long == []


# Not awaited while a transaction holds its rows: other services, the bucket, child processes, threads.
OUTSIDE_OF_TRANSACTIONS = {"blobs", "channels", "workers", "to_thread"}


def opens_transaction(node: ast.AST) -> bool:
    return isinstance(node, ast.AsyncWith) and any(
        isinstance(item.context_expr, ast.Call)
        and isinstance(item.context_expr.func, ast.Attribute)
        and item.context_expr.func.attr in {"transaction", "finish"}
        for item in node.items
    )


def awaited_inside(node: ast.AST) -> set[str]:
    awaits = [inner.value for inner in ast.walk(node) if isinstance(inner, ast.Await)]
    names = {name for call in awaits for part in ast.walk(call) for name in names_of(part)}
    return names & OUTSIDE_OF_TRANSACTIONS


def names_of(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Attribute):
        return [node.attr]
    return [node.id] if isinstance(node, ast.Name) else []


@pytest.mark.parametrize("service", SERVICES)
def test_transactions_wait_for_nobody(service: str) -> None:
    blocks = [
        (path, node)
        for path in Path(f"services/{service}/src").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if opens_transaction(node)
    ]
    assert [f"{path}: {sorted(names)}" for path, node in blocks if (names := awaited_inside(node))] == []


def test_the_check_of_transactions_sees_a_call() -> None:
    text = (
        "async def f(db, blobs):\n async with db.transaction() as tx:\n  await self.blobs.get(await tx.x())"
    )
    (node,) = [node for node in ast.walk(ast.parse(text)) if opens_transaction(node)]
    assert awaited_inside(node) == {"blobs"}


FORBIDDEN_CALLS = {"time.sleep", "asyncio.sleep", "sleep", "pytest.skip"}


def calls(path: Path) -> list[tuple[int, str]]:
    tree = ast.walk(ast.parse(path.read_text()))
    return [(node.lineno, ast.unparse(node.func)) for node in tree if isinstance(node, ast.Call)]


def test_tests_neither_sleep_nor_skip() -> None:
    tests = [path for path in own_python() if "tests" in path.parts]
    assert [f"{path}:{line}" for path in tests for line, name in calls(path) if name in FORBIDDEN_CALLS] == []


def test_locks_name_no_registry() -> None:
    for name in tracked("requirements*.lock"):
        text = Path(name).read_text()
        assert "://" not in text
        entries = re.split(r"(?m)^(?=[a-z0-9])", text)
        assert all("--hash=sha256:" in entry for entry in entries if entry.strip())


def test_both_baselines_are_the_same_datumaro() -> None:
    """Or rows of `make bench-formats` that stand side by side would be beside different baselines."""
    found = [
        re.findall(r"(?m)^(?:datumaro|numpy)==\S+", Path(f"requirements-{group}.lock").read_text())
        for group in ("oracles", "tensorflow")
    ]
    assert len(found[0]) == 2
    assert found[0] == found[1]


def test_lock_covers_every_declared_dependency() -> None:
    locked = {
        line.split("==")[0].strip()
        for name in ("requirements.lock", "requirements-test.lock")
        for line in Path(name).read_text().splitlines()
        if "==" in line
    }
    for path in tracked("*pyproject.toml"):
        project = tomllib.loads(path.read_text())["project"]
        for requirement in project["dependencies"]:
            name = re.split(r"[\[=<>; ]", requirement)[0].lower().replace(".", "-")
            assert name in locked or name.startswith("frameyard-"), f"{path}: {requirement}"
