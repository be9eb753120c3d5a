"""Writes the lock: one resolution in two files, what runs and what the tests need besides.

The resolution covers every member of the workspace. `requirements.lock` holds what the platform runs on,
`requirements-test.lock` the rest. `requirements-oracles.lock` is a resolution of its own: readers of exchange
formats that nobody here wrote, and that tests run apart because they pin what the platform has newer.
`requirements-clients.lock` and `requirements-fiftyone.lock` are those of clients that nobody here wrote,
`requirements-tensorflow.lock` is one for the baseline of one benchmark. `requirements-build.lock` is what
builds the members themselves. All hold names, versions and hashes, and no address of a registry.
"""

import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RUN_LOCK, TEST_LOCK = "requirements.lock", "requirements-test.lock"
# Locks of environments apart, by the group of requirements that each is for.
APART = {
    "build": "requirements-build.lock",
    "oracles": "requirements-oracles.lock",
    "clients": "requirements-clients.lock",
    "fiftyone": "requirements-fiftyone.lock",
    "tensorflow": "requirements-tensorflow.lock",
}
# The first needs the libraries of a desktop and has the same files as opencv-python-headless; the second
# fetches a database from elsewhere when it is built, and a wheel that has it stands in its place.
NOT_APART = "opencv-python\nfiftyone-db"
TEST_ONLY_MEMBERS = {"frameyard-testkit"}
OUR_PREFIX = "frameyard-"


def members() -> list[dict[str, object]]:
    """The project tables of every workspace member."""
    patterns = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["uv"]["workspace"]["members"]
    files = sorted(file for pattern in patterns for file in ROOT.glob(f"{pattern}/pyproject.toml"))
    return [tomllib.loads(file.read_text())["project"] for file in files]


def inputs() -> tuple[set[str], set[str]]:
    """External requirements of what runs, and of the tests besides."""
    root = tomllib.loads((ROOT / "pyproject.toml").read_text())
    run, test = set(root["project"]["dependencies"]), set(root["dependency-groups"]["test"])
    for member in members():
        (test if member["name"] in TEST_ONLY_MEMBERS else run).update(member["dependencies"])  # type: ignore[arg-type]
    return {r for r in run if not r.startswith(OUR_PREFIX)}, {r for r in test if not r.startswith(OUR_PREFIX)}


def group(name: str) -> set[str]:
    """The requirements of an environment apart."""
    root = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return set(root["dependency-groups"][name])


def compile_lock(requirements: set[str], constraints: str, excluded: str = "") -> str:
    """The text that `uv pip compile` writes for the requirements under the constraints."""
    with tempfile.TemporaryDirectory() as folder:
        source, held, left_out = (Path(folder, name) for name in ("requirements.in", "held.txt", "out.txt"))
        source.write_text("\n".join(sorted(requirements)))
        held.write_text(constraints)
        left_out.write_text(excluded)
        command = [
            "uv",
            "pip",
            "compile",
            "--universal",
            "--python-version",
            "3.11",
            "--generate-hashes",
            "--quiet",
            "--no-annotate",
            "--no-header",
            "--no-emit-index-url",
            "-c",
            str(held),
            "--excludes",
            str(left_out),
            str(source),
        ]
        return subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout


def blocks(lock: str) -> dict[str, str]:
    """A lock's entries by their requirement line."""
    entries = re.split(r"(?m)^(?=[a-z0-9])", lock)
    return {entry.split(" \\")[0].strip(): entry for entry in entries if entry.strip()}


def versions_only(lock: str) -> str:
    """The lock as constraints: no hashes, so that a resolution may keep every version."""
    return "\n".join(blocks(lock))


def kept(*names: str) -> str:
    """Constraints that keep what the locks hold, unless newer versions are wanted."""
    if "--upgrade" in sys.argv:
        return ""
    return "\n".join(versions_only((ROOT / name).read_text()) for name in names if (ROOT / name).exists())


def main() -> None:
    """Resolve again, keeping every locked version that still fits unless `--upgrade` is given."""
    run, test = inputs()
    everything = compile_lock(run | test, kept(RUN_LOCK, TEST_LOCK))
    running = blocks(compile_lock(run, versions_only(everything)))
    rest = {name: block for name, block in blocks(everything).items() if name not in running}
    (ROOT / RUN_LOCK).write_text("".join(running.values()))
    (ROOT / TEST_LOCK).write_text("".join(rest.values()))
    for name, lock in APART.items():
        (ROOT / lock).write_text(compile_lock(group(name), kept(lock), NOT_APART))


if __name__ == "__main__":
    main()
