"""Puts identity together."""

import asyncio
from collections.abc import Awaitable, Callable

from frameyard.identity.v1 import identity_service_pb2_grpc
from yard.identity.domain import NEW_PASSWORD_LENGTHS
from yard.identity.handlers import sessions, users
from yard.identity.handlers.context import Identity
from yard.identity.handlers.passwords import Passwords
from yard.identity.keys import KeyRules, SigningKeys
from yard.identity.rpc import PUBLIC_METHODS, SERVICE_NAME, IdentityServicer
from yard.identity.settings import Settings, check, key_of
from yard.identity.subscriptions import subscriptions
from yard.runtime import errors, telemetry
from yard.runtime.app import Parts, Runtime, Service

KEYS_REFRESH_S = 60.0
PURGE_EVERY_S = 3600.0
DAY_S = 86_400

_log = telemetry.log(__name__)


async def build(runtime: Runtime[Settings]) -> Parts:
    """Loads or makes the signing keys and the first administrator, then says what is served."""
    settings = runtime.settings
    check(settings, NEW_PASSWORD_LENGTHS)
    rules = KeyRules(
        encryption_key=key_of(settings),
        token_ttl_s=settings.access_token_ttl_s,
        replace_after_s=settings.signing_key_days * DAY_S,
    )
    keys = SigningKeys(runtime.db, rules)
    await keys.refresh()
    passwords = await Passwords.create(threads=settings.password_threads)
    identity = Identity(db=runtime.db, passwords=passwords, keys=keys, settings=settings)
    await users.create_first_admin(identity)

    add = identity_service_pb2_grpc.add_IdentityServiceServicer_to_server
    return Parts(
        servicers=[(add, IdentityServicer(identity), SERVICE_NAME)],
        subscriptions=subscriptions(),
        background=[
            ("refresh_keys", lambda: _repeat(keys.refresh, KEYS_REFRESH_S)),
            ("purge", lambda: _repeat(lambda: sessions.purge(identity), PURGE_EVERY_S)),
        ],
        public_methods=PUBLIC_METHODS,
        jwks=keys.jwks_json,
        on_close=[passwords.close],
    )


async def _repeat(run: Callable[[], Awaitable[None]], every_s: float) -> None:
    """Runs for ever; a database that is down now may be up at the next time."""
    while True:
        await asyncio.sleep(every_s)
        try:
            await run()
        except errors.Unavailable as fault:
            _log.warning("background_run_failed", reason=fault.reason)


SERVICE = Service(name="identity", settings=Settings, build=build, migrations="yard.identity.migrations")
