"""What the operator decides for webhooks."""

from dataclasses import dataclass

from yard.runtime.auth import parse_key
from yard.runtime.egress import Network, parse_networks
from yard.runtime.settings import PREFIX, RuntimeSettings, SettingsError, not_positive, parsed, setting

# A try has to end before its lease does.
LONGEST_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(RuntimeSettings):
    """Settings of the webhook service."""

    task_address: str = setting(doc="host:port of the task service.")
    key_encryption_key: str = setting(
        doc="Encrypts the secrets of webhooks: 32 random bytes in base64, the same on all replicas.",
        secret=True,
    )
    egress_networks: tuple[str, ...] = setting(
        (), "Networks in CIDR notation that receivers may lie in besides public addresses."
    )
    egress_ca_file: str = setting(
        "", "PEM file of certificate authorities that are trusted for receivers besides the usual ones."
    )
    delivery_concurrency: int = setting(
        16, "Deliveries that one replica makes at the same time; at most half of them to failing receivers."
    )
    delivery_host_concurrency: int = setting(
        4, "Deliveries that all replicas make to one host and port at the same time; a failing one gets one."
    )
    delivery_timeout_s: float = setting(10.0, "Time limit of one try, from the name to the answer, seconds.")
    delivery_first_pause_s: float = setting(
        10.0, "Pause before the second try, seconds; doubled before each further one, up to six hours."
    )


def key_of(settings: Settings) -> bytes:
    """The key that encrypts secrets; SettingsError unless it is 32 bytes in base64."""
    return parsed(settings, "key_encryption_key", parse_key)


def networks_of(settings: Settings) -> tuple[Network, ...]:
    """The networks that are open to receivers; SettingsError names the first that is none."""
    return parsed(settings, "egress_networks", parse_networks)


def check(settings: Settings) -> None:
    """Refuses limits that leave no room for a single delivery."""
    names = (
        "delivery_concurrency",
        "delivery_host_concurrency",
        "delivery_timeout_s",
        "delivery_first_pause_s",
    )
    faults = not_positive(settings, names)
    if settings.delivery_timeout_s > LONGEST_TIMEOUT_S:
        faults.append(f"{PREFIX}DELIVERY_TIMEOUT_S: expected at most {LONGEST_TIMEOUT_S:g}")
    if faults:
        raise SettingsError(faults)
