"""Where an address leads: to this machine, to a private network, or to the internet."""

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
"""Ends of names that no public DNS server resolves."""

PRIVATE_NETWORKS: Final = tuple(map(ip_network, (
    "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
    "192.168.0.0/16", "::1/128", "fc00::/7", "fe80::/10",
)))  # fmt: skip
"""Networks that no address of the internet is in (RFC 1918, RFC 6598, RFC 4193, loopback, link)."""


def is_loopback(url: str) -> bool:
    """Whether a URL leads to this machine."""
    host = _host(url)
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def is_public(url: str) -> bool:
    """Whether a URL leads to the internet, as far as its host shows."""
    host = _host(url)
    try:
        return ip_address(host).is_global
    except ValueError:
        return "." in host and not host.endswith(PRIVATE_SUFFIXES)


def count_public(networks: Iterable[str]) -> tuple[int, int]:
    """Return how many public addresses of IPv4 and of IPv6 there are in networks together."""
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
    # Two networks are disjoint, or one of them holds the other.
    return inner.prefixlen >= outer.prefixlen and inner.network_address in outer


def _host(url: str) -> str:
    return (urlsplit(url).hostname or "").rstrip(".")
