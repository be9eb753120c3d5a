"""What the operator decides for identity."""

from dataclasses import dataclass

from yard.runtime.auth import parse_key
from yard.runtime.settings import PREFIX, RuntimeSettings, SettingsError, parsed, setting

SMALLEST_SERVICE_SECRET = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(RuntimeSettings):
    """Settings of the identity service."""

    admin_username: str = setting("admin", "Name of the first administrator.")
    admin_password: str = setting(
        "",
        "Password of the first administrator, made at start if there is no user; empty makes none.",
        secret=True,
    )
    service_accounts: dict[str, str] = setting(  # noqa: RUF009 - a field without a default
        doc="Secrets of service accounts, name=secret,..., each of 16 characters or more.", secret=True
    )
    key_encryption_key: str = setting(
        doc="Encrypts the signing keys in the database: 32 random bytes in base64, the same on all replicas.",
        secret=True,
    )
    signing_key_days: int = setting(90, "Age at which a signing key is replaced, days.")
    access_token_ttl_s: int = setting(900, "Life of an access token, seconds.")
    refresh_ttl_days: int = setting(30, "Life of a refresh token, days.")
    password_threads: int = setting(2, "Passwords that are hashed at the same time; each takes 64 MiB.")


def key_of(settings: Settings) -> bytes:
    """The key that encrypts signing keys; SettingsError unless it is 32 bytes in base64."""
    return parsed(settings, "key_encryption_key", parse_key)


def check(settings: Settings, password_lengths: range) -> None:
    """Refuses what no single type can: weak secrets and lives that are not positive."""
    faults = [
        f"{PREFIX}SERVICE_ACCOUNTS: the secret of {name} has fewer than {SMALLEST_SERVICE_SECRET} characters"
        for name, secret in settings.service_accounts.items()
        if len(secret) < SMALLEST_SERVICE_SECRET
    ]
    if settings.admin_password and len(settings.admin_password) not in password_lengths:
        first, last = password_lengths.start, password_lengths.stop - 1
        faults.append(f"{PREFIX}ADMIN_PASSWORD: expected {first} to {last} characters")
    faults += [
        f"{PREFIX}{name.upper()}: expected 1 or more, got {getattr(settings, name)}"
        for name in ("access_token_ttl_s", "refresh_ttl_days", "signing_key_days", "password_threads")
        if getattr(settings, name) < 1
    ]
    if faults:
        raise SettingsError(faults)
