"""The installed `frameyard` command as a person runs it: a process, a home, exit codes."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from yard.testkit.platform import Platform

PROGRAM = Path(sys.executable).parent / "frameyard"
TIMEOUT_S = 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a run ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed."""
        return json.loads(self.out)


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandLine:
    """Runs with a home of its own; `folder` is the present folder of the command."""

    platform: Platform
    folder: Path
    profile: str = "default"

    def run(self, *arguments: object, text: str = "") -> Ended:
        """Whatever it ends with; nothing it prints may act on a terminal."""
        done = subprocess.run(
            [PROGRAM, *map(str, arguments)],
            cwd=self.folder,
            env=self._environment(),
            input=text,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
        assert "Traceback" not in done.stderr
        assert "\x1b" not in done.stdout + done.stderr
        return Ended(code=done.returncode, out=done.stdout, err=done.stderr)

    def good(self, *arguments: object, text: str = "") -> Ended:
        """Must succeed."""
        ended = self.run(*arguments, text=text)
        assert ended.code == 0, ended
        return ended

    def json(self, *arguments: object, text: str = "") -> Any:
        """Must succeed and print JSON."""
        return self.good(*arguments, "--json", text=text).json

    def fails(self, *arguments: object, text: str = "") -> str:
        """Must end with 1 and print no result; returns what it complains of."""
        ended = self.run(*arguments, text=text)
        assert (ended.code, ended.out) == (1, ""), ended
        return ended.err

    def login(self, username: str, password: str) -> Ended:
        """With the addresses of the platform, which the session keeps."""
        file = self.platform.data / "endpoints.json"
        return self.run("--endpoints", file, "login", username, "--password", password)

    def _environment(self) -> dict[str, str]:
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        return {
            "PATH": os.defpath,
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "FRAMEYARD_PROFILE": self.profile,
            "FRAMEYARD_DATA_DIR": str(self.platform.data),
        }
