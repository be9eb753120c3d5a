"""All services as they run, connected to each other, and everybody's connections to them."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from yard.chunking.service import SERVICE as CHUNKING
from yard.export.service import SERVICE as EXPORT
from yard.identity.keys import KeyRules, SigningKeys
from yard.identity.service import SERVICE as IDENTITY
from yard.media_ingest.service import SERVICE as MEDIA_INGEST
from yard.repo_sync.service import SERVICE as REPO_SYNC
from yard.runtime import app, auth, rpc
from yard.runtime.app import Service
from yard.runtime.blobs import Blobs
from yard.runtime.db import Database
from yard.task.service import SERVICE as TASK
from yard.testkit.fixtures import SettingsFor
from yard.webhook.service import SERVICE as WEBHOOK

from tests.rights.people import Token, Who

if TYPE_CHECKING:
    from grpc.aio import Channel

SHARE: Final = "films"
_KEY: Final = bytes(range(32))
_SECRET: Final = "the-secret-of-all-services"
_RULES: Final = KeyRules(encryption_key=_KEY, token_ttl_s=900, replace_after_s=86_400)
_OF_PACKAGE: Final = {
    "identity": "identity",
    "task": "task",
    "annotation": "task",
    "media": "media_ingest",
    "chunk": "chunking",
    "export": "export",
    "sync": "repo_sync",
    "webhook": "webhook",
}


def services_of(method: str) -> tuple[str, ...]:
    """Those that answer a method: operations are answered by all."""
    package = method.split(".")[0]
    return tuple(_OF_PACKAGE.values())[1:] if package == "operation" else (_OF_PACKAGE[package],)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """What identity gives or gave an hour ago, and what somebody else has signed under the same key id."""

    valid: SigningKeys
    expired: SigningKeys
    forger: auth.TokenIssuer

    @classmethod
    async def of(cls, db: Database) -> Tokens:
        """With the keys of this identity."""
        valid = SigningKeys(db, _RULES)
        expired = SigningKeys(
            db, KeyRules(encryption_key=_KEY, token_ttl_s=-3_600, replace_after_s=_RULES.replace_after_s)
        )
        for keys in (valid, expired):
            await keys.refresh()
        kid = await db.fetchval("SELECT kid FROM signing_key")
        return cls(valid=valid, expired=expired, forger=auth.TokenIssuer(_KEY, kid=kid))

    def issue(self, principal: auth.Principal, kind: Token) -> str | None:
        """A token of a kind; None is none."""
        makers: dict[Token, SigningKeys | auth.TokenIssuer]
        makers = {"valid": self.valid, "expired": self.expired, "forged": self.forger}
        return None if kind == "none" else makers[kind].issue(principal).token


class Cancellable(Protocol):
    """A call that goes on."""

    def cancel(self) -> bool:
        """Ends it."""


@dataclass(slots=True, kw_only=True)
class Platform:
    """Services by name; `media` has 20 frames, `film` more. `readers` are ended at the end."""

    tokens: Tokens
    running: dict[str, app.Running[Any]]
    media: str = ""
    film: str = ""
    channels: dict[tuple[str, str], Channel] = field(default_factory=dict)
    readers: list[Cancellable] = field(default_factory=list)

    def channel(self, service: str, who: Who) -> Channel:
        """A connection to a service that speaks for somebody."""
        key = (service, who.key)
        if key not in self.channels:
            token = self.tokens.issue(who.principal, who.token)
            self.channels[key] = rpc.channel(self.running[service].address, token=token)
        return self.channels[key]

    def db(self, service: str) -> Database:
        """The schema of a service."""
        found: Database = self.running[service].runtime.db
        return found

    @property
    def blobs(self) -> Blobs:
        """The bucket that all services share."""
        found: Blobs = self.running["media_ingest"].runtime.blobs
        return found


@asynccontextmanager
async def all_services(settings_for: SettingsFor, share: Path) -> AsyncIterator[Platform]:
    """In this process, with real servers behind them; `share` is a folder that media_ingest offers."""
    async with AsyncExitStack() as stack:
        running: dict[str, app.Running[Any]] = {}
        wired: dict[str, Any] = {"service_secret": _SECRET}

        async def start(service: Service[Any], **settings: Any) -> None:
            wanted = settings_for(service.settings, **{**wired, **settings})
            wired["s3_bucket"] = wanted.s3_bucket
            running[service.name] = await stack.enter_async_context(app.serving(service, wanted))
            wired["identity_address"] = running["identity"].address

        await start(
            IDENTITY,
            admin_password="",
            service_accounts=dict.fromkeys(("export", "chunking", "webhook", "repo_sync"), _SECRET),
            key_encryption_key=base64.b64encode(_KEY).decode(),
        )
        await start(TASK)
        store = running["task"].runtime.settings.s3_endpoint
        offered = {"upload_s3_address": f"http://{store}", "shares": (f"{SHARE}={share}",)}
        await start(MEDIA_INGEST, worker_processes=1, **offered)
        await start(CHUNKING, worker_processes=1)
        addresses = {
            f"{name}_address": running[name].address for name in ("task", "media_ingest", "chunking")
        }
        await start(EXPORT, **addresses)
        caller = {
            "task_address": addresses["task_address"],
            "key_encryption_key": base64.b64encode(_KEY).decode(),
        }
        await start(WEBHOOK, **caller)
        await start(REPO_SYNC, export_address=running["export"].address, **caller)
        platform = Platform(tokens=await Tokens.of(running["identity"].runtime.db), running=running)
        yield platform
        for reader in platform.readers:
            reader.cancel()
        for channel in platform.channels.values():
            await channel.close()
