"""Access tokens: JWT signed with Ed25519 (RFC 8037), keys published as a JSON Web Key Set (RFC 7517)."""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from yard.runtime import clock
from yard.runtime.auth.principal import Principal

ALGORITHM: Final = "EdDSA"
ISSUER: Final = "frameyard"
TTL_S: Final = 900
SERVICE_PREFIX: Final = "service:"


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedToken:
    """A signed token; `expires_at` is in UTC."""

    token: str
    expires_at: datetime


class TokenIssuer:
    """Signs tokens with one Ed25519 key: its object, or its 32 raw bytes."""

    def __init__(
        self, private_key: Ed25519PrivateKey | bytes, *, kid: str | None = None, ttl_s: int = TTL_S
    ) -> None:
        if isinstance(private_key, bytes):
            private_key = Ed25519PrivateKey.from_private_bytes(private_key)
        self._key = private_key
        self._ttl = timedelta(seconds=ttl_s)
        self.public_key = self._key.public_key().public_bytes_raw()
        self.kid = kid or key_id(self.public_key)

    @classmethod
    def generate(cls, *, ttl_s: int = TTL_S) -> "TokenIssuer":
        """An issuer with a new key."""
        return cls(Ed25519PrivateKey.generate(), ttl_s=ttl_s)

    @property
    def jwks(self) -> str:
        """The key set that verifies what this issuer signs."""
        return jwks_of({self.kid: self.public_key})

    def issue(self, principal: Principal) -> IssuedToken:
        """A token for `principal` that is valid from now on."""
        now = clock.now()
        expires_at = now + self._ttl
        claims = {
            "iss": ISSUER,
            "sub": principal.subject,
            "username": principal.username,
            "role": principal.role,
            "iat": now,
            "exp": expires_at,
        }
        if principal.session:
            claims["sid"] = principal.session
        if principal.read_only:
            claims["ro"] = True
        token = jwt.encode(claims, self._key, algorithm=ALGORITHM, headers={"kid": self.kid})
        return IssuedToken(token=token, expires_at=expires_at.replace(microsecond=0))


def jwks_of(public_keys: Mapping[str, bytes]) -> str:
    """The key set of raw Ed25519 public keys by key id."""
    keys = [_jwk(kid, public_key) for kid, public_key in public_keys.items()]
    return json.dumps({"keys": keys})


def key_id(public_key: bytes) -> str:
    """The id of a raw public key: the start of its SHA-256."""
    return hashlib.sha256(public_key).hexdigest()[:16]


def _jwk(kid: str, public_key: bytes) -> dict[str, str]:
    x = base64.urlsafe_b64encode(public_key).rstrip(b"=").decode()
    return {"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": ALGORITHM, "kid": kid, "x": x}
