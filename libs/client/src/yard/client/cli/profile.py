"""The kept session of a profile: a file that its owner alone can read."""

import fcntl
import json
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from yard.client.endpoints import Endpoints
from yard.client.failures import ClientError
from yard.client.session import Tokens

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class Profile:
    """Tokens, and the platform that they are for, between commands."""

    def __init__(self, folder: Path, name: str) -> None:
        if not _NAME.fullmatch(name):
            raise ClientError(f"{name!r} is not the name of a profile", code="INVALID_ARGUMENT")
        self._file = folder / f"{name}.json"
        self._used: tuple[Endpoints, Path] | None = None
        self._content = self._read()

    @property
    def endpoints(self) -> Endpoints | None:
        """Addresses of the last login."""
        try:
            return Endpoints.of(self._content["endpoints"])
        except (ClientError, KeyError, TypeError, AttributeError):
            return None

    @property
    def tokens(self) -> Tokens | None:
        """Of the session."""
        return _tokens(self._content)

    def endpoints_file(self) -> Path | None:
        """The file that the last login took the addresses from: it knows where they have moved since."""
        kept = self._content.get("endpoints_file")
        return Path(kept) if isinstance(kept, str) and kept else None

    def use(self, endpoints: Endpoints, file: Path) -> None:
        """The platform that tokens kept from now on are for."""
        self._used = (endpoints, file)

    def keep(self, tokens: Tokens | None) -> None:
        """Writes the session, at once and with mode 0600; without tokens only where the platform is."""
        endpoints, file = self._used or (None, None)
        self._content = {
            "endpoints": asdict(endpoints) if endpoints else None,
            "endpoints_file": str(file) if file else None,
            "tokens": _to_json(tokens) if tokens else None,
        }
        self._folder()
        descriptor, fresh = tempfile.mkstemp(dir=self._file.parent, prefix=".session-")
        with os.fdopen(descriptor, "w") as stream:
            json.dump(self._content, stream)
        Path(fresh).replace(self._file)

    def forget(self) -> None:
        """Removes the file."""
        self._content = {}
        self._file.unlink(missing_ok=True)

    @contextmanager
    def renewing(self) -> Iterator[Tokens | None]:
        """One process at a time; gives what another may have written meanwhile."""
        self._folder()
        with self._file.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield _tokens(self._read())

    def _folder(self) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)

    def _read(self) -> dict[str, Any]:
        try:
            content = json.loads(self._file.read_text())
        except (OSError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}


def _tokens(content: dict[str, Any]) -> Tokens | None:
    """None as well if the file is of another version, or damaged: one logs in again."""
    try:
        kept = content["tokens"]
        expires = datetime.fromisoformat(kept["expire_time"])
        return Tokens(access=str(kept["access"]), refresh=str(kept["refresh"]), expire_time=expires)
    except (KeyError, TypeError, ValueError):
        return None


def _to_json(tokens: Tokens) -> dict[str, str]:
    return {
        "access": tokens.access,
        "refresh": tokens.refresh,
        "expire_time": tokens.expire_time.isoformat(),
    }
