"""Deploy keys: made here, or given and checked; and the keys by which ssh hosts are known."""

import base64
import binascii
import hashlib
from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_ssh_private_key,
)

LONGEST_KEY: Final = 16_384
SMALLEST_RSA_BITS: Final = 2_048
MOST_HOST_KEYS: Final = 20
LONGEST_HOST_KEY: Final = 4_096
HOST_KEY_TYPES: Final = frozenset(
    {"ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa"}
)
_CURVES: Final = frozenset({"secp256r1", "secp384r1", "secp521r1"})

Private = Ed25519PrivateKey | EllipticCurvePrivateKey | RSAPrivateKey


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPair:
    """A key as ssh takes it, and its public half as hosts want it."""

    private: str = field(repr=False)
    public: str


def generate(task_id: int) -> KeyPair:
    """A new Ed25519 key for the repository of a task."""
    return _pair(Ed25519PrivateKey.generate(), task_id)


def read(text: str, task_id: int) -> KeyPair:
    """A key that somebody gives; ValueError, which quotes nothing of it, says what is wrong."""
    if not text.strip() or len(text) > LONGEST_KEY:
        raise ValueError(f"must have 1 to {LONGEST_KEY} characters, got {len(text)}")
    content = f"{text.strip()}\n".replace("\r\n", "\n").encode()
    loads = load_ssh_private_key if b"BEGIN OPENSSH PRIVATE KEY" in content else load_pem_private_key
    try:
        key = loads(content, None)
    except TypeError:
        raise ValueError("must be a key without a passphrase") from None
    except (ValueError, UnsupportedAlgorithm):
        raise ValueError("must be a private key, OpenSSH or PEM, without a passphrase") from None
    if isinstance(key, RSAPrivateKey) and key.key_size < SMALLEST_RSA_BITS:
        raise ValueError(f"must be an RSA key of {SMALLEST_RSA_BITS} bits or more, got {key.key_size}")
    if isinstance(key, EllipticCurvePrivateKey) and key.curve.name not in _CURVES:
        raise ValueError("must be on one of the curves that ssh knows: nistp256, nistp384, nistp521")
    if isinstance(key, Private):
        return _pair(key, task_id)
    raise ValueError("must be an Ed25519, ECDSA or RSA key")


def host_key(line: str, host: str, port: int) -> str:
    """`type key` of a line as known_hosts has it, or of such a pair; ValueError says what is wrong."""
    if len(line) > LONGEST_HOST_KEY or not line.isprintable():
        raise ValueError(f"must have at most {LONGEST_HOST_KEY} characters, all to show")
    words = line.split()
    if words and words[0] not in HOST_KEY_TYPES:
        _check_host(words.pop(0), host, port)
    if len(words) < 2 or words[0] not in HOST_KEY_TYPES:
        raise ValueError(f"must be `type key` of one of the types {', '.join(sorted(HOST_KEY_TYPES))}")
    kind, encoded = words[:2]
    try:
        content = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        content = b""
    name = kind.encode()
    if not content.startswith(len(name).to_bytes(4, "big") + name):
        raise ValueError("must have a key in base64 that is of its type")
    return f"{kind} {base64.b64encode(content).decode()}"


def fingerprint(pair: str) -> tuple[str, str]:
    """Type, and `SHA256:…` as hosts publish it, of a `type key`."""
    kind, _, encoded = pair.partition(" ")
    digest = hashlib.sha256(base64.b64decode(encoded)).digest()
    return kind, f"SHA256:{base64.b64encode(digest).decode().rstrip('=')}"


def _check_host(names: str, host: str, port: int) -> None:
    """Hashed names say nothing; others are to name the host."""
    if names.startswith("@"):
        raise ValueError("must not be marked, as certificate authorities and revoked keys are")
    if names.startswith("|"):
        return
    if not {host, f"[{host}]:{port}"} & {name.lower() for name in names.split(",")}:
        raise ValueError(f"must be a key of {host}")


def _pair(key: Private, task_id: int) -> KeyPair:
    private = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    return KeyPair(private=private.decode(), public=f"{public.decode()} frameyard-task-{task_id}")
