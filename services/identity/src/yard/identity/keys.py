"""Signing keys: made here, kept encrypted in the database, replaced by age.

A key is published ACTIVATION_S before it signs, so that whoever verifies has fetched it by then, and it stays
published until the last token that it signed has ended.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from yard.identity.store import signing_keys
from yard.identity.store.signing_keys import StoredKey
from yard.runtime import auth, clock, errors, telemetry
from yard.runtime.auth import IssuedToken, Principal, Secrets, TokenIssuer
from yard.runtime.db import Database, Transaction

ACTIVATION_S = 600
LEEWAY_S = 120

_log = telemetry.log(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRules:
    """How keys are kept and changed; `encryption_key` has 32 bytes, lives are in seconds."""

    encryption_key: bytes
    token_ttl_s: int
    replace_after_s: int


class SigningKeys:
    """The keys of all replicas, as they were at the last `refresh`."""

    def __init__(self, db: Database, rules: KeyRules) -> None:
        self._db = db
        self._rules = rules
        self._secrets = Secrets(rules.encryption_key)
        self._signing: tuple[str, bytes] | None = None

    async def refresh(self) -> None:
        """Takes over the keys of other replicas, makes the next one when it is due, retires old ones."""
        now = clock.now()
        async with self._db.transaction() as tx:
            await signing_keys.lock(tx)
            keys = await signing_keys.in_use(tx)
            usable = self._decrypt(keys)
            if not usable or usable[0][0].created_at <= now - timedelta(seconds=self._rules.replace_after_s):
                usable.insert(0, await self._add(tx, now))
            await signing_keys.retire(tx, self._outlived(keys, now), now)
        key, private = _in_force(usable, now)
        self._signing = key.kid, private

    async def jwks_json(self) -> str:
        """The public keys of all replicas, also of those that do not sign yet or any more."""
        keys = await signing_keys.in_use(self._db)
        return auth.jwks_of({key.kid: key.public_key for key in keys})

    def issue(self, principal: Principal, *, until: datetime | None = None) -> IssuedToken:
        """An access token, signed by the key in force, that does not outlive `until`."""
        if self._signing is None:
            raise errors.Unavailable("the signing keys are not loaded yet")
        kid, private = self._signing
        ttl_s = self._rules.token_ttl_s
        if until is not None:
            ttl_s = min(ttl_s, int((until - clock.now()).total_seconds()))
        return TokenIssuer(private, kid=kid, ttl_s=ttl_s).issue(principal)

    async def _add(self, tx: Transaction, now: datetime) -> tuple[StoredKey, bytes]:
        key = Ed25519PrivateKey.generate()
        public, private = key.public_key().public_bytes_raw(), key.private_bytes_raw()
        kid = auth.key_id(public)
        encrypted = self._secrets.seal(kid, private)
        stored = StoredKey(kid=kid, public_key=public, encrypted_private_key=encrypted, created_at=now)
        await signing_keys.insert(tx, stored)
        _log.info("signing_key_created", kid=kid)
        return stored, private

    def _decrypt(self, keys: Sequence[StoredKey]) -> list[tuple[StoredKey, bytes]]:
        """Those that our encryption key opens; others were made under one that was lost."""
        usable = []
        for key in keys:
            try:
                usable.append((key, self._secrets.unseal(key.kid, key.encrypted_private_key)))
            except errors.FailedPrecondition:
                _log.warning("signing_key_not_decrypted", kid=key.kid)
        return usable

    def _outlived(self, keys: Sequence[StoredKey], now: datetime) -> list[str]:
        """Keys whose successor has signed for longer than any token of theirs lives."""
        latest = now - timedelta(seconds=ACTIVATION_S + self._rules.token_ttl_s + LEEWAY_S)
        return [older.kid for newer, older in pairwise(keys) if newer.created_at <= latest]


def _in_force(usable: Sequence[tuple[StoredKey, bytes]], now: datetime) -> tuple[StoredKey, bytes]:
    """The newest that has been published long enough, else the oldest."""
    latest = now - timedelta(seconds=ACTIVATION_S)
    return next((pair for pair in usable if pair[0].created_at <= latest), usable[-1])
