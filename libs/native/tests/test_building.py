import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

NATIVE = Path(__file__).parent.parent
ZIG = [sys.executable, "-m", "ziglang", "cc", "-mcpu=baseline"]


@pytest.fixture
def build() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_native", NATIVE / "build_native.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_compiler_is_wanted_only_where_there_is_none(
    build: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "cc").write_text("#!/bin/sh\n")
    (tmp_path / "cc").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert build.compiler() == ["cc"]
    assert build.get_requires_for_build_wheel() == build.get_requires_for_build_editable() == []
    (tmp_path / "cc").unlink()
    assert build.compiler() == ZIG
    assert build.get_requires_for_build_wheel() == build.get_requires_for_build_editable() == ["ziglang"]


def test_damaged_jpegs_do_no_harm_to_what_the_compiler_from_the_wheel_makes(
    build: ModuleType, tmp_path: Path
) -> None:
    """Undefined behaviour ends the program."""
    library = tmp_path / "checked.so"
    build.compile_library(ZIG, library, "-fsanitize=undefined", "-fsanitize-trap=undefined")
    command = [sys.executable, "-m", "libs.native.tests.damaging", str(library), "3000"]
    ended = subprocess.run(command, cwd=NATIVE.parent.parent, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    assert int(ended.stdout) > 300
