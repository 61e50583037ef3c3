"""Parses `Forwarded` and `X-Forwarded-*`, and finds the client that trusted proxies report."""

import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_network
from itertools import zip_longest
from typing import NamedTuple

from bff_core.client_address import MAX_ADDRESS_CHARACTERS, parse_address
from bff_core.errors import ConfigurationError

UNIX = "unix"
"""The name of a peer that connects through a Unix socket, and has no address."""

MAPPED_BITS = 96
"""The length of the prefix that IPv4-mapped IPv6 addresses share."""

IsTrusted = Callable[[str], bool]

_PAIR = re.compile(r'\s*([A-Za-z]+)=("(?:[^"\\]|\\.)*"|[^\s";,]*)\s*(;|,|$)')


class Hop(NamedTuple):
    """One entry that a proxy adds: the peer that sent it the request; empty parts are unknown."""

    client: str
    scheme: str = ""
    host: str = ""


def trust(hops: Iterable[str]) -> IsTrusted:
    """Return a function that checks whether a peer is one of `hops`.

    A hop is an address, a network, or "unix"; anything else raises `ConfigurationError`.
    """
    names = frozenset(hops)
    networks = [_network(name) for name in names if name != UNIX]

    @lru_cache(maxsize=4096)
    def is_trusted(peer: str) -> bool:
        if not peer:
            return UNIX in names
        address = parse_address(peer)
        return address is not None and any(address in network for network in networks)

    return is_trusted


@lru_cache(maxsize=4096)
def _normalized(text: str) -> str:
    """Return the canonical form of an address; empty for a text that is no address."""
    address = parse_address(text)
    return "" if address is None else str(address)


def believed(hops: Sequence[Hop], peer: str, is_trusted: IsTrusted) -> Hop:
    """Return the client as the outermost trusted hop saw it; the first of `hops` was added first.

    Each hop adds the address of its own peer. So an entry counts if the hop that added it is
    trusted, and the search goes from the peer backwards. The first address that is not a trusted
    hop is the client. If an entry is no address, the hop that added it counts as the client.
    """
    found = Hop(peer)
    for hop in reversed(hops):
        address = _normalized(hop.client) if len(hop.client) <= MAX_ADDRESS_CHARACTERS else ""
        found = Hop(address or found.client, hop.scheme or found.scheme, hop.host or found.host)
        if not address or not is_trusted(address):
            return found
    return found


def parse_forwarded(values: Iterable[bytes]) -> list[Hop]:
    """Return the hops of `Forwarded` headers (RFC 7239); an empty list if one is malformed."""
    hops: list[Hop] = []
    for value in values:
        parsed = _elements(value.decode("latin-1"))
        if parsed is None:
            return []
        hops += parsed
    return hops


def parse_x_forwarded(
    clients: Iterable[bytes], schemes: Iterable[bytes], hosts: Iterable[bytes]
) -> list[Hop]:
    """Return the hops of `X-Forwarded-For`, `-Proto` and `-Host` headers, aligned at the last.

    Proxies append to `-For`, and mostly overwrite the others: a single value is that of the last
    hop.
    """
    rows = zip_longest(
        *(reversed(_listed(values)) for values in (clients, schemes, hosts)), fillvalue=""
    )
    return [Hop(*row) for row in rows][::-1]


def _network(name: str) -> IPv4Network | IPv6Network:
    try:
        network = ip_network(name)
    except ValueError as error:
        raise ConfigurationError(
            f"Trusted proxy {name!r} (BFF_TRUSTED_PROXIES) is invalid: use an address (10.0.0.7), "
            f'a network (10.0.0.0/8) or "unix"; {error}.'
        ) from error
    first = network.network_address
    if isinstance(first, IPv6Address) and first.scope_id:
        raise ConfigurationError(
            f"Trusted proxy {name!r} (BFF_TRUSTED_PROXIES) would never match: addresses are "
            f"compared without a zone; write {name.partition('%')[0]}."
        )
    if isinstance(first, IPv6Address) and first.ipv4_mapped and network.prefixlen >= MAPPED_BITS:
        right = ip_network(f"{first.ipv4_mapped}/{network.prefixlen - MAPPED_BITS}")
        raise ConfigurationError(
            f"Trusted proxy {name!r} (BFF_TRUSTED_PROXIES) would never match: such addresses are "
            f"compared as IPv4 addresses; write {str(right).removesuffix('/32')}."
        )
    return network


def _listed(values: Iterable[bytes]) -> list[str]:
    return [item.strip() for value in values for item in value.decode("latin-1").split(",")]


def _elements(text: str) -> list[Hop] | None:
    hops: list[Hop] = []
    pairs: dict[str, str] = {}
    place = 0
    while place < len(text):
        match = _PAIR.match(text, place)
        if match is None or match[1].lower() in pairs:
            return None
        pairs[match[1].lower()] = _unquoted(match[2])
        place = match.end()
        if match[3] != ";":
            hops.append(Hop(pairs.get("for", ""), pairs.get("proto", ""), pairs.get("host", "")))
            pairs = {}
    return None if pairs else hops


def _unquoted(value: str) -> str:
    return re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') else value
