"""Clients that nobody here wrote, in an environment and a process of their own."""

import json
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from yard.testkit import apart

FLOWS = "tests.gateway.clients.flows"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Who drives a client, and where."""

    url: str
    username: str
    password: str


def run(flow: str, account: Account, folder: Path, **options: Any) -> Any:
    """What the function `flow` of a file of `flows`, named `file.function`, gives; it works in the folder."""
    return apart.ask("clients", FLOWS, flow, {**asdict(account), "folder": str(folder)}, **options)


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandLine:
    """The command line of CVAT, run in a folder."""

    account: Account
    folder: Path

    def run(self, *arguments: object, token: str = "") -> "subprocess.CompletedProcess[str]":
        """The finished process."""
        programs, account = apart.environment("clients"), self.account
        environment = {
            "HOME": str(self.folder),
            "PATH": f"{programs}:/usr/bin:/bin",
            "PASS": account.password,
        }
        if token:
            environment["CVAT_ACCESS_TOKEN"] = token
        who = [] if token else ["--auth", account.username]
        return subprocess.run(
            [programs / "cvat-cli", *who, "--server-host", account.url, *map(str, arguments)],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )

    def good(self, *arguments: object, token: str = "") -> str:
        """What it prints, once it has succeeded."""
        done = self.run(*arguments, token=token)
        if done.returncode:
            raise apart.ApartError(f"{arguments} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
        return done.stdout.strip()


def tus_js(**options: Any) -> "subprocess.Popen[str]":
    """An upload by tus-js-client that has begun; it tells of every piece in a line of JSON."""
    script = Path(__file__).parent / "tus_js/upload.mjs"
    command: list[str | Path] = [apart.environment("clients") / "node", script, json.dumps(options)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
