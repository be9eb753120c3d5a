"""Every secret of an installation: made once, kept in one private file."""

import base64
import json
import secrets
from collections.abc import Iterable
from pathlib import Path

from yard.embedded.servers.server import write_private


class Credentials(dict[str, str]):
    """Secrets by name, as `<data>/secrets.json` (0600) holds them."""

    @classmethod
    def load(cls, file: Path, services: Iterable[str]) -> "Credentials":
        """Reads the file and makes what is missing, so that a new service finds its secrets too."""
        known: dict[str, str] = json.loads(file.read_text()) if file.exists() else {}
        fresh = cls({**_make(services), **known})
        if fresh != known:
            write_private(file, json.dumps(fresh, indent=2, sort_keys=True))
        return fresh


def _make(services: Iterable[str]) -> dict[str, str]:
    made = {
        name: secrets.token_urlsafe(32) for name in ("postgres", "nats_token", "s3_secret_key", "grant_key")
    }
    made["s3_access_key"] = secrets.token_hex(10)
    made["admin_password"] = secrets.token_urlsafe(12)
    for name in ("key_encryption_key", "webhook_encryption_key", "repo_sync_encryption_key"):
        made[name] = base64.b64encode(secrets.token_bytes(32)).decode()
    for service in services:
        made[f"database_{service}"] = secrets.token_urlsafe(32)
        made[f"service_secret_{service}"] = secrets.token_urlsafe(32)
    return made
