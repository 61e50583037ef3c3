"""The address of a client: read from text, and the network that counts as one caller."""

import re
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final

MAX_ADDRESS_CHARACTERS: Final = 64
"""The length of an address with port and brackets; a longer text is no address."""

IPV6_PREFIX_BITS: Final = 64
"""How much of an IPv6 address identifies a caller, who may choose the rest."""

Address = IPv4Address | IPv6Address

_PORT: Final = re.compile(r"(?P<bare>\[[^\]]*\]|[^:]*):[0-9]{1,5}|(?P<bracketed>\[[^\]]*\])")


def parse_address(text: str) -> Address | None:
    """Return the address in a text that may have a port and brackets; None for anything else.

    An IPv4-mapped IPv6 address becomes the IPv4 address, so that a client has one address.
    """
    if len(text) > MAX_ADDRESS_CHARACTERS:
        return None
    match = _PORT.fullmatch(text)
    if match is not None:
        text = (match["bare"] or match["bracketed"] or "").strip("[]")
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    if isinstance(address, IPv6Address) and address.scope_id:
        return None
    return mapped or address


@lru_cache(maxsize=4096)
def network_of(peer: str) -> str:
    """Return the caller that an address counts as: itself, or its network for IPv6."""
    address = parse_address(peer)
    if isinstance(address, IPv6Address):
        network = IPv6Network((address, IPV6_PREFIX_BITS), strict=False)
        return f"address:{network.network_address}"
    return f"address:{address or peer}"
