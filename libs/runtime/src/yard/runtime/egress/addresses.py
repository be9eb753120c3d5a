"""Which addresses are public, by our own table: the flags of the standard library change between releases."""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# What the registries of special-purpose addresses keep from the public, and 168.63.129.16: it looks public,
# and is where a large cloud answers its own machines.
_CLOSED_V4 = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "168.63.129.16/32",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
_OPEN_V6 = IPv6Network("2000::/3")
_CLOSED_V6 = tuple(IPv6Network(network) for network in ("2001::/23", "2001:db8::/32", "3fff::/20"))

# Prefixes behind which an IPv4 address lies, and how many bits stand behind that.
_EMBEDDING = (
    (IPv6Network("::ffff:0:0/96"), 0),  # mapped
    (IPv6Network("64:ff9b::/96"), 0),  # NAT64
    (IPv6Network("2002::/16"), 80),  # 6to4
)


def is_public(address: Address) -> bool:
    """Whether it is unicast and reachable from everywhere, IPv4 inside of IPv6 included."""
    inner = unwrapped(address)
    if isinstance(inner, IPv4Address):
        return not any(inner in network for network in _CLOSED_V4)
    return inner in _OPEN_V6 and not any(inner in network for network in _CLOSED_V6)


def is_open(address: Address, networks: Iterable[Network]) -> bool:
    """Whether we may go there: it is public, or in one of the networks that the operator has opened."""
    inner = unwrapped(address)
    return is_public(inner) or any(inner in network for network in networks)


def unwrapped(address: Address) -> Address:
    """The IPv4 address that an IPv6 address stands for, else the address itself."""
    if isinstance(address, IPv6Address):
        for network, behind in _EMBEDDING:
            if address in network:
                return IPv4Address(int(address) >> behind & 0xFFFF_FFFF)
    return address


def parse_networks(texts: Sequence[str]) -> tuple[Network, ...]:
    """Networks in CIDR notation; ValueError names the first that is none."""
    return tuple(ip_network(text) for text in texts)
