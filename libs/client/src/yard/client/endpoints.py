"""Where the services answer."""

import json
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path

from yard.client.failures import ClientError


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints:
    """host:port of each service, or https://host:port for TLS; behind one ingress all are the same.

    What has a default may be missing.
    """

    identity: str
    task: str
    media_ingest: str
    chunking: str
    export: str
    webhook: str = ""
    repo_sync: str = ""

    @classmethod
    def of(cls, addresses: Mapping[str, str]) -> "Endpoints":
        """From a map of service and address; ClientError names the missing ones."""
        given = {field.name: addresses.get(field.name) for field in fields(cls)}
        missing = [
            field.name
            for field in fields(cls)
            if field.default is MISSING and not (isinstance(given[field.name], str) and given[field.name])
        ]
        if missing:
            raise ClientError(f"no address given for {', '.join(missing)}", code="INVALID_ARGUMENT")
        return cls(**{name: address for name, address in given.items() if isinstance(address, str)})

    @classmethod
    def load(cls, file: Path) -> "Endpoints":
        """From the endpoints.json that the platform writes."""
        try:
            return cls.of(json.loads(file.read_text()))
        except (OSError, ValueError, AttributeError, ClientError) as fault:
            hint = "start the platform with make up, or name another file"
            raise ClientError(
                f"cannot read endpoints from {file}: {fault}", code="NOT_FOUND", hint=hint
            ) from fault
