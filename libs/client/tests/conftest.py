"""The command line in this process, with a home of its own."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from yard.client.cli import main

from libs.client.tests.command import Run


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home and an empty present folder."""
    folder = tmp_path / "home"
    folder.mkdir()
    for name in ("FRAMEYARD_ENDPOINTS", "FRAMEYARD_PROFILE", "FRAMEYARD_PASSWORD", "FRAMEYARD_DATA_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder / "config"))
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def run(home: Path) -> Run:
    """Runs the command with these arguments."""
    return lambda *arguments, **options: CliRunner().invoke(
        main, list(arguments), prog_name="frameyard", **options
    )
