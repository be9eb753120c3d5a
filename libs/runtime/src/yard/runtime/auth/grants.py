"""Media grants: `task` knows who may see frames, and says so to the services that hold them."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import jwt
from jwt.types import Options
from yard.runtime import clock, errors

ALGORITHM: Final = "HS256"
AUDIENCE: Final = "frameyard-media"
TTL_S: Final = 900
LEEWAY_S: Final = 60
SHORTEST_KEY: Final = 32
LONGEST_TOKEN: Final = 2048


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaGrant:
    """User `user_id` may read the relative frames `first` to `last` (inclusive) of a media."""

    media_id: UUID
    first: int
    last: int
    user_id: int

    def covers(self, media_id: UUID, first: int, last: int) -> bool:
        """Whether all these frames may be read."""
        return self.media_id == media_id and self.first <= first <= last <= self.last


class Grants:
    """Signs with the first key, verifies with all; keys have 32 characters or more."""

    def __init__(self, keys: Sequence[str]) -> None:
        if any(len(key) < SHORTEST_KEY for key in keys):
            raise ValueError(f"expected keys of media grants of {SHORTEST_KEY} characters or more")
        self._keys = {hashlib.sha256(key.encode()).hexdigest()[:16]: key for key in keys}

    def sign(self, grant: MediaGrant, ttl_s: int = TTL_S) -> str:
        """A grant that ends `ttl_s` from now; FailedPrecondition if this process has no key."""
        if not self._keys:
            raise errors.FailedPrecondition("no key for media grants is set", reason="GRANT_KEYS_MISSING")
        kid, key = next(iter(self._keys.items()))
        claims = {
            "aud": AUDIENCE,
            "sub": str(grant.user_id),
            "media": str(grant.media_id),
            "first": grant.first,
            "last": grant.last,
            "exp": clock.now() + timedelta(seconds=ttl_s),
        }
        return jwt.encode(claims, key, algorithm=ALGORITHM, headers={"kid": kid})

    def verify(self, token: str) -> MediaGrant:
        """What was granted; PermissionDenied if it is not ours, was changed or has ended."""
        try:
            return _grant(self._decode(token))
        except (jwt.InvalidTokenError, KeyError, ValueError, TypeError) as fault:
            raise errors.PermissionDenied("the media grant is not valid", reason="GRANT_INVALID") from fault

    def _decode(self, token: str) -> dict[str, Any]:
        if len(token) > LONGEST_TOKEN:
            raise ValueError("too long")
        key = self._keys[jwt.get_unverified_header(token)["kid"]]
        required: Options = {"require": ["exp", "aud", "sub"]}
        claims: dict[str, Any] = jwt.decode(
            token, key, algorithms=[ALGORITHM], audience=AUDIENCE, leeway=LEEWAY_S, options=required
        )
        return claims


def _grant(claims: dict[str, Any]) -> MediaGrant:
    return MediaGrant(
        media_id=UUID(claims["media"]),
        first=int(claims["first"]),
        last=int(claims["last"]),
        user_id=int(claims["sub"]),
    )
