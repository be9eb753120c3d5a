"""Builds the package: compiles `c/` into a library beside the Python sources; uv_build does the rest.

The compiler is the machine's own `cc`; where there is none, zig's, which comes as a wheel. The library knows
nothing of Python, so that one fits each version.
"""

import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

_ROOT = Path(__file__).parent
_LIBRARY = _ROOT / "src/yard/native/_frameyard.so"
_FLAGS = ("-std=c11", "-O3", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared", "-fvisibility=hidden")

_Settings = dict[str, object] | None


def compiler() -> list[str]:
    """The command that compiles C."""
    # That of zig would use all that this machine's processor knows, which others may not.
    return ["cc"] if shutil.which("cc") else [sys.executable, "-m", "ziglang", "cc", "-mcpu=baseline"]


def compile_library(command: list[str], target: Path, *flags: str) -> None:
    """Compiles `c/` with the compiler and flags besides our own."""
    sources = sorted(str(path) for path in (_ROOT / "c").glob("*.c"))
    # Under another name first: a process that uses the old one keeps it.
    fresh = target.with_suffix(".new")
    subprocess.run([*command, *_FLAGS, *flags, "-o", str(fresh), *sources], check=True)
    fresh.replace(target)


def get_requires_for_build_wheel(config_settings: _Settings = None) -> list[str]:
    """What PEP 517 asks for: a compiler, if the machine has none."""
    return [] if compiler() == ["cc"] else ["ziglang"]


def get_requires_for_build_editable(config_settings: _Settings = None) -> list[str]:
    """The same for an editable install (PEP 660)."""
    return get_requires_for_build_wheel(config_settings)


def build_wheel(
    wheel_directory: str, config_settings: _Settings = None, metadata_directory: str | None = None
) -> str:
    """Compiles, and names the platform in the wheel (PEP 517)."""
    import uv_build

    compile_library(compiler(), _LIBRARY)
    name: str = uv_build.build_wheel(wheel_directory, config_settings, metadata_directory)
    platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
    command = [sys.executable, "-m", "wheel", "tags", "--remove", "--platform-tag", platform, name]
    tagged = subprocess.run(command, check=True, capture_output=True, text=True, cwd=wheel_directory)
    return tagged.stdout.split()[-1]


def build_editable(
    wheel_directory: str, config_settings: _Settings = None, metadata_directory: str | None = None
) -> str:
    """Compiles where the sources lie (PEP 660)."""
    import uv_build

    compile_library(compiler(), _LIBRARY)
    name: str = uv_build.build_editable(wheel_directory, config_settings, metadata_directory)
    return name


def build_sdist(sdist_directory: str, config_settings: _Settings = None) -> str:
    """Sources only (PEP 517)."""
    import uv_build

    name: str = uv_build.build_sdist(sdist_directory, config_settings)
    return name
