"""Whether an address is on this machine, in a private network, or on the internet."""

from collections.abc import Iterable
from ipaddress import (
    IPv4Network,
    IPv6Network,
    collapse_addresses,
    ip_address,
    ip_network,
)
from typing import Final
from urllib.parse import urlsplit

PRIVATE_SUFFIXES: Final = (
    ".arpa", ".cluster", ".consul", ".corp", ".example", ".home", ".internal", ".intranet",
    ".invalid", ".lan", ".local", ".localhost", ".private", ".svc", ".test",
)  # fmt: skip
"""Suffixes of names that public DNS does not resolve."""

PRIVATE_NETWORKS: Final = tuple(map(ip_network, (
    "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
    "192.168.0.0/16", "::1/128", "fc00::/7", "fe80::/10",
)))  # fmt: skip
"""Networks without public addresses (RFC 1918, RFC 6598, RFC 4193, loopback, link-local)."""


def is_loopback(url: str) -> bool:
    """Whether the host of a URL is this machine."""
    host = _host(url)
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def is_public(url: str) -> bool:
    """Whether the host of a URL looks public: a public address, or a name with a public suffix."""
    host = _host(url)
    try:
        return ip_address(host).is_global
    except ValueError:
        return "." in host and not host.endswith(PRIVATE_SUFFIXES)


def count_public(networks: Iterable[str]) -> tuple[int, int]:
    """Return how many public IPv4 addresses and IPv6 addresses some networks have in total."""
    parsed = [ip_network(name) for name in networks]
    v4 = collapse_addresses(one for one in parsed if isinstance(one, IPv4Network))
    v6 = collapse_addresses(one for one in parsed if isinstance(one, IPv6Network))
    return sum(map(_count_public, v4)), sum(map(_count_public, v6))


def _count_public(network: IPv4Network | IPv6Network) -> int:
    private = [one for one in PRIVATE_NETWORKS if one.version == network.version]
    if any(_is_within(network, one) for one in private):
        return 0
    inside = [one.num_addresses for one in private if _is_within(one, network)]
    return network.num_addresses - sum(inside)


def _is_within(inner: IPv4Network | IPv6Network, outer: IPv4Network | IPv6Network) -> bool:
    # Two networks are disjoint, or one contains the other.
    return inner.prefixlen >= outer.prefixlen and inner.network_address in outer


def _host(url: str) -> str:
    return (urlsplit(url).hostname or "").rstrip(".")
