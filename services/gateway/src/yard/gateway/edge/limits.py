"""How much one person, token or address may ask for: buckets that fill evenly over a minute.

Each gateway counts for itself, and a new one begins with full buckets.
"""

import ipaddress
from collections import OrderedDict
from typing import Annotated, Final

from fastapi import Depends, Request
from yard.gateway.settings import Settings
from yard.runtime import clock, errors
from yard.runtime.auth import Principal

MOST_KEPT: Final = 50_000
# Whoever has one address of IPv6 has all of these.
NETWORK_V6: Final = 64


class Buckets:
    """A bucket a name, of `per_minute` requests; 0: without bottom. Those unused longest are forgotten."""

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._kept: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, name: str) -> float:
        """Takes one; 0.0, or the seconds after which there will be one."""
        if not self._per_minute:
            return 0.0
        now, rate = clock.monotonic(), self._per_minute / 60
        left, seen_at = self._kept.pop(name, (float(self._per_minute), now))
        left = min(float(self._per_minute), left + (now - seen_at) * rate)
        missing = max(0.0, 1.0 - left)
        self._kept[name] = (left if missing else left - 1.0, now)
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
        return missing / rate


class Limits:
    """Those of people and tokens, and those of addresses whose requests name nobody."""

    def __init__(self, settings: Settings) -> None:
        self._known = Buckets(settings.requests_per_minute)
        self._unknown = Buckets(settings.anonymous_requests_per_minute)

    def count_known(self, principal: Principal, credential: str) -> None:
        """One request of a caller; ResourceExhausted if that is one too many."""
        _refuse(self._known.take(credential or principal.subject))

    def count_unknown(self, request: Request) -> None:
        """One request that names nobody, or somebody wrongly; ResourceExhausted if that is one too many."""
        _refuse(self._unknown.take(_address(request)))


async def count_address(request: Request) -> None:
    """Of routes that need no credentials."""
    limits: Limits = request.app.state.limits
    limits.count_unknown(request)


Counted = Annotated[None, Depends(count_address)]


def _refuse(wait_s: float) -> None:
    if wait_s:
        raise errors.ResourceExhausted(
            "too many requests: come back after what Retry-After says", wait_s, reason="TOO_MANY_REQUESTS"
        )


def _address(request: Request) -> str:
    host = request.client.host if request.client else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is None:
        return str(ipaddress.ip_network((int(address), NETWORK_V6), strict=False))
    return host
