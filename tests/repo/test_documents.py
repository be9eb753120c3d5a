"""What the documents say is what the code does."""

import importlib
import re
from pathlib import Path

import pytest
from yard.runtime.settings import RuntimeSettings, describe

SERVICES = sorted(path.parent.name for path in Path("services").glob("*/pyproject.toml"))
SECTIONS = ["Owns", "Consumes", "Emits", "RPCs", "Settings"]
SHARED = {setting.env for setting in describe(RuntimeSettings)}


def readme(service: str) -> str:
    return Path(f"services/{service}/README.md").read_text()


@pytest.mark.parametrize("service", SERVICES)
def test_readme_has_the_sections_in_order(service: str) -> None:
    assert re.findall(r"(?m)^## (.+)$", readme(service)) == SECTIONS


@pytest.mark.parametrize("service", SERVICES)
def test_readme_lists_every_own_setting(service: str) -> None:
    own = {s.env for s in describe(importlib.import_module(f"yard.{service}.settings").Settings)} - SHARED
    listed = set(re.findall(r"`(FRAMEYARD_[A-Z0-9_]+)`", readme(service).split("## Settings")[1]))
    assert listed - SHARED == own


def test_operations_guide_lists_every_shared_setting() -> None:
    text = Path("docs/operations.md").read_text()
    assert set(re.findall(r"`(FRAMEYARD_[A-Z0-9_]+)`", text)) >= SHARED


def test_readme_stays_short_and_names_real_targets() -> None:
    text = Path("README.md").read_text()
    assert text.count("\n") <= 150
    targets = set(re.findall(r"(?m)^([a-z-]+):", Path("Makefile").read_text()))
    targets |= set(re.findall(r"(?m)^([a-z -]+):", Path("Makefile").read_text())[0].split())
    named = set(re.findall(r"`make ([a-z-]+)", text + Path("CONTRIBUTING.md").read_text()))
    assert named - targets == set()


def test_decisions_are_numbered() -> None:
    files = sorted(Path("docs/adr").glob("*.md"))
    assert [int(path.name[:4]) for path in files] == list(range(1, len(files) + 1))
    for path in files:
        assert re.findall(r"(?m)^## (.+)$", path.read_text()) == ["Context", "Decision", "Consequences"], path
