"""Secrets that are kept for others: encrypted with a key of the operator, bound to what they belong to."""

import base64
import binascii
import hashlib
import hmac
import secrets
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from google.protobuf.message import Message
from yard.runtime import errors

KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12


class Secrets:
    """Seals and opens them (AES-256-GCM); what was sealed for one thing does not open for another."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)
        self._digest_key = hmac.digest(key, b"digests of requests", "sha256")

    def seal(self, belongs_to: str, secret: bytes) -> bytes:
        """As it is stored: never twice the same."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, secret, belongs_to.encode())

    def unseal(self, belongs_to: str, stored: bytes) -> bytes:
        """The secret; FailedPrecondition if another key has sealed it, or for something else."""
        nonce, sealed = stored[:_NONCE_BYTES], stored[_NONCE_BYTES:]
        try:
            return self._cipher.decrypt(nonce, sealed, belongs_to.encode())
        except (InvalidTag, ValueError):
            raise errors.FailedPrecondition(
                "the secret cannot be read with the present key: set it again", reason="SECRET_LOST"
            ) from None

    def digest(self, request: Message) -> bytes:
        """Tells requests apart without letting anybody guess the secret that one holds."""
        return hmac.digest(self._digest_key, request.SerializeToString(deterministic=True), hashlib.sha256)


def parse_key(text: str) -> bytes:
    """A key of the operator; ValueError, which does not quote it, unless it is 32 bytes in base64."""
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise ValueError(f"expected {KEY_BYTES} bytes in base64, got <hidden>")
    return key
