"""What the documents say is what the code does."""

import importlib
import re
import shlex
from pathlib import Path

import click
import pytest
from yard.client.cli import main
from yard.embedded.demo.story import commands_for
from yard.runtime import metrics
from yard.runtime.settings import RuntimeSettings, SettingDoc, describe

SERVICES = sorted(path.parent.name for path in Path("services").glob("*/pyproject.toml"))
# The gateway keeps nothing, hears no events and answers HTTP: docs/openapi.json lists what.
EDGES = {"gateway"}
KEEPING = [service for service in SERVICES if service not in EDGES]
SECTIONS = ["Owns", "Consumes", "Emits", "RPCs", "Settings"]
SHARED = {setting.env for setting in describe(RuntimeSettings)}


def readme(service: str) -> str:
    return Path(f"services/{service}/README.md").read_text()


@pytest.mark.parametrize("service", KEEPING)
def test_readme_has_the_sections_in_order(service: str) -> None:
    assert re.findall(r"(?m)^## (.+)$", readme(service)) == SECTIONS


def settings_of(service: str) -> list[SettingDoc]:
    return describe(importlib.import_module(f"yard.{service}.settings").Settings)


def rows(text: str) -> dict[str, str]:
    """Variable -> default of the settings tables in a document."""
    return dict(re.findall(r"(?m)^\| `(FRAMEYARD_[A-Z0-9_]+)` \| ([^|]+) \|", text))


def default_cell(setting: SettingDoc) -> str:
    if setting.default is None:
        cell = "required"
    else:
        cell = f"`{setting.default}`" if setting.default else "none"
    return plain(f"{cell}, secret" if setting.secret else cell)


def plain(cell: str) -> str:
    """600.0 and 600 are the same to a reader."""
    return re.sub(r"^`(-?[0-9]+)[.]0`", r"`\1`", cell)


@pytest.mark.parametrize("service", SERVICES)
def test_readme_lists_every_own_setting_with_its_default(service: str) -> None:
    own = {one.env: default_cell(one) for one in settings_of(service) if one.env not in SHARED}
    listed = rows(readme(service).split("## Settings")[1])
    assert {name: plain(cell) for name, cell in listed.items()} == own


def test_operations_guide_lists_every_shared_setting_with_its_default() -> None:
    listed = rows(Path("docs/operations.md").read_text())
    expected = {one.env: default_cell(one) for one in describe(RuntimeSettings)}
    assert {name: plain(cell) for name, cell in listed.items()} == expected


def test_operations_guide_lists_every_metric() -> None:
    known = {value for value in vars(metrics).values() if str(value).startswith("frameyard_")}
    listed = set(re.findall(r"`(frameyard_\w+)`", Path("docs/operations.md").read_text()))
    assert listed == known


@pytest.mark.parametrize("service", SERVICES)
def test_every_setting_says_what_it_is_for(service: str) -> None:
    assert [one.name for one in settings_of(service) if not re.search(r"\w.*\.$", one.doc)] == []


PROTOS = {
    "identity": ["identity"],
    "task": ["task", "annotation"],
    "media_ingest": ["media"],
    "chunking": ["chunk"],
    "export": ["export"],
    "webhook": ["webhook"],
    "repo_sync": ["sync"],
}


def declared(service: str, pattern: str, files: str) -> set[str]:
    """What the contracts of a service declare, by the first group of `pattern`."""
    paths = [path for domain in PROTOS[service] for path in Path(f"proto/frameyard/{domain}").rglob(files)]
    return {found for path in paths for found in re.findall(pattern, path.read_text())}


@pytest.mark.parametrize("service", KEEPING)
def test_readme_lists_every_method(service: str) -> None:
    section = readme(service).split("## RPCs")[1].split("## Settings")[0]
    methods = declared(service, r"(?m)^  rpc (\w+)\(", "*_service.proto")
    named = {name.rpartition("/")[2] for name in re.findall(r"`([\w./]+)`", section)}
    assert methods - named == set()


@pytest.mark.parametrize("service", KEEPING)
def test_readme_lists_every_event_that_is_emitted(service: str) -> None:
    section = readme(service).split("## Emits")[1].split("## RPCs")[0]
    events = declared(service, r"(?m)^message (\w+)", "*_events.proto")
    assert set(re.findall(r"`frameyard\.\w+\.v1\.(\w+)`", section)) == events


@pytest.mark.parametrize("service", KEEPING)
def test_readme_lists_every_event_that_is_listened_to(service: str) -> None:
    module = importlib.import_module(f"yard.{service}.subscriptions")
    text = Path(str(module.__file__)).read_text()
    heard = set(re.findall(r"\bsubscribe\(\s*(\w+)", text))
    section = readme(service).split("## Consumes")[1].split("## Emits")[0]
    assert set(re.findall(r"`frameyard\.\w+\.v1\.(\w+)`", section)) == heard


def test_readme_stays_short_and_names_real_targets() -> None:
    text = Path("README.md").read_text()
    assert text.count("\n") <= 150
    heads = re.findall(r"(?m)^([a-z][a-z %-]*):", Path("Makefile").read_text())
    targets = {target for head in heads for target in head.split()}
    named = set(re.findall(r"`make ([a-z-]+)", text + Path("CONTRIBUTING.md").read_text()))
    patterns = tuple(target.removesuffix("%") for target in targets if target.endswith("%"))
    assert {name for name in named if name not in targets and not name.startswith(patterns)} == set()


def test_decisions_are_numbered() -> None:
    files = sorted(Path("docs/adr").glob("*.md"))
    assert [int(path.name[:4]) for path in files] == list(range(1, len(files) + 1))
    for path in files:
        assert re.findall(r"(?m)^## (.+)$", path.read_text()) == ["Context", "Decision", "Consequences"], path


DOCUMENTS = ["README.md", "docs/operations.md", "docs/annotating.md"]


def documented_commands() -> list[str]:
    """What the documents and the demonstration tell people to type."""
    texts = [Path(name).read_text() for name in DOCUMENTS]
    fenced = [block for text in texts for block in re.findall(r"(?s)```\n(.*?)```", text)]
    lines = [line.partition(" #")[0] for block in fenced for line in block.splitlines()]
    found = [line.removeprefix(".venv/bin/") for line in lines]
    return [*commands_for(1), *(line for line in found if line.startswith("frameyard "))]


@pytest.mark.parametrize("line", documented_commands())
def test_documented_commands_exist(line: str) -> None:
    command: click.Command = main
    arguments = shlex.split(line)[1:]
    while isinstance(command, click.Group):
        command = command.commands[arguments.pop(0)]
    command.make_context("frameyard", arguments)
