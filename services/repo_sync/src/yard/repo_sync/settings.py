"""What the operator decides for dataset repositories."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from yard.runtime.auth import parse_key
from yard.runtime.egress import Network, parse_networks
from yard.runtime.settings import PREFIX, RuntimeSettings, SettingsError, not_positive, parsed, setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(RuntimeSettings):
    """Settings of the repo_sync service."""

    task_address: str = setting(doc="host:port of the task service.")
    export_address: str = setting(doc="host:port of the export service.")
    key_encryption_key: str = setting(
        doc="Encrypts tokens and private keys: 32 random bytes in base64, the same on all replicas.",
        secret=True,
    )
    egress_networks: tuple[str, ...] = setting(
        (), "Networks in CIDR notation that git hosts may lie in besides public addresses."
    )
    egress_ca_file: str = setting(
        "", "PEM file of certificate authorities that are trusted for git hosts besides the usual ones."
    )
    public_url: str = setting(
        "", "URL under which people reach the platform, for links to tasks in commits; empty: no links."
    )
    author_email_domain: str = setting(
        "users.noreply.frameyard.invalid",
        "Commits are by `<username>@` this domain; nobody's real address gets into a repository.",
    )
    push_concurrency: int = setting(2, "Pushes that one replica makes at the same time.")
    push_timeout_s: float = setting(3600.0, "Time limit of one try of a push, export included, seconds.")
    push_give_up_s: float = setting(
        900.0, "A push that finds a host or service down is tried again for so long, seconds."
    )
    fetch_limit_bytes: int = setting(
        1_073_741_824, "What may be fetched of a repository to commit on top of it, bytes."
    )
    quiet_s: float = setting(
        120.0, "Automatic pushes wait until nothing has changed for so long unless told otherwise, seconds."
    )
    least_quiet_s: float = setting(10.0, "The least that an automatic push can be told to wait, seconds.")
    period_s: float = setting(
        900.0, "Automatic pushes of a task are at least so far apart unless told otherwise, seconds."
    )
    least_period_s: float = setting(60.0, "The least that automatic pushes can be told to be apart, seconds.")


def key_of(settings: Settings) -> bytes:
    """The key that encrypts secrets; SettingsError unless it is 32 bytes in base64."""
    return parsed(settings, "key_encryption_key", parse_key)


def networks_of(settings: Settings) -> tuple[Network, ...]:
    """The networks that are open to git hosts; SettingsError names the first that is none."""
    return parsed(settings, "egress_networks", parse_networks)


def check(settings: Settings) -> None:
    """Refuses limits that leave no room for a single push, and links that lead nowhere."""
    names = (
        "push_concurrency",
        "push_timeout_s",
        "push_give_up_s",
        "fetch_limit_bytes",
        "least_quiet_s",
        "least_period_s",
    )
    faults = not_positive(settings, names)
    for name in ("quiet_s", "period_s"):
        least = getattr(settings, f"least_{name}")
        if getattr(settings, name) < least:
            faults.append(f"{PREFIX}{name.upper()}: expected at least {least:g}, which is the least")
    if settings.public_url and urlsplit(settings.public_url).scheme not in ("http", "https"):
        faults.append(f"{PREFIX}PUBLIC_URL: expected a full http or https URL")
    if not settings.author_email_domain.isprintable() or set(settings.author_email_domain) & set("<>@ "):
        faults.append(f"{PREFIX}AUTHOR_EMAIL_DOMAIN: expected the name of a domain")
    if faults:
        raise SettingsError(faults)
