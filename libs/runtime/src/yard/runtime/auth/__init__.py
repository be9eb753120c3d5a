"""Who calls: tokens of people and services, grants on pixels, and secrets that are kept for others."""

from yard.runtime.auth.grants import Grants, MediaGrant
from yard.runtime.auth.principal import Principal, Role, acting_as, current
from yard.runtime.auth.secrets import Secrets, parse_key
from yard.runtime.auth.tokens import IssuedToken, TokenIssuer, jwks_of, key_id
from yard.runtime.auth.verifier import TokenVerifier

__all__ = [
    "Grants",
    "IssuedToken",
    "MediaGrant",
    "Principal",
    "Role",
    "Secrets",
    "TokenIssuer",
    "TokenVerifier",
    "acting_as",
    "current",
    "jwks_of",
    "key_id",
    "parse_key",
]
