"""Programs that git starts: one answers what it asks for, one is ssh with our options; no shell between."""

import os
import sys
from pathlib import Path
from typing import Final

FOLDER_VARIABLE: Final = "FRAMEYARD_GIT_FOLDER"
USERNAME_FILE: Final = "username"
TOKEN_FILE: Final = "token"  # noqa: S105 - the name of a file
SSH_CONFIG_FILE: Final = "ssh_config"


def askpass() -> None:
    """Prints user name or token, by what git's prompt begins with."""
    name = USERNAME_FILE if sys.argv[1].startswith("Username") else TOKEN_FILE
    sys.stdout.write((_folder() / name).read_text())


def ssh() -> None:
    """Becomes ssh with the configuration of the connection and nothing of the system's or a user's."""
    try:
        os.execvp("ssh", ["ssh", "-F", str(_folder() / SSH_CONFIG_FILE), *sys.argv[1:]])  # noqa: S606
    except FileNotFoundError:
        sys.exit("there is no ssh on this server")


def _folder() -> Path:
    return Path(os.environ[FOLDER_VARIABLE])  # noqa: TID251 - git hands on its environment, and no more
