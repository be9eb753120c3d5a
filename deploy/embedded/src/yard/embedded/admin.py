"""Commands of one service, run beside it with the settings that the supervisor gave it."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from yard.embedded.services import ENVIRONMENT_FILE
from yard.embedded.speech import complain


def dead_letters(data: Path, service: str, arguments: Sequence[str]) -> int:
    """`python -m yard.<service> dead-letters ...`; returns its exit status, 1 if there is no such service."""
    known = {file.parent.name: file for file in (data / "services").glob(f"*/{ENVIRONMENT_FILE}")}
    if service not in known:
        # What is printed otherwise is for programs too.
        complain(f"no service {service!r} in {data}; there are: {', '.join(sorted(known)) or 'none'}")
        return 1
    command = [sys.executable, "-m", f"yard.{service}", "dead-letters", *arguments]
    environment = json.loads(known[service].read_text())
    return subprocess.run(command, env=environment, check=False).returncode
