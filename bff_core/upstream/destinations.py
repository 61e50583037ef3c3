"""What the addresses of an upstream stand for: endpoints, and lists that are discovered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from bff_core.errors import ConfigurationError
from bff_core.policy.upstream.endpoints import (
    LIST_SCHEMES,
    SERVICE_SCHEMES,
    EndpointOptions,
    checked_address,
)
from bff_core.upstream.discovery.file import FileDiscovery
from bff_core.upstream.discovery.interface import Discovery
from bff_core.upstream.discovery.srv import SrvDiscovery
from bff_core.upstream.transport.interface import Endpoint, Scheme

Address = str | EndpointOptions | Discovery
"""A URL such as `http://10.0.0.1`, a name of a list such as `srv://_http._tcp.users`, or either."""


@dataclass(frozen=True, slots=True)
class Destinations:
    """The endpoints that addresses name, the options of those that have any, and the lists."""

    origins: Sequence[Endpoint]
    own: Mapping[Endpoint, EndpointOptions] = field(default_factory=dict)
    discoveries: Sequence[Discovery] = ()


def destinations(addresses: Sequence[Address]) -> Destinations:
    """Return what addresses stand for; of two options for one address the first count."""
    origins: list[Endpoint] = []
    own: dict[Endpoint, EndpointOptions] = {}
    discoveries: list[Discovery] = []
    for one in addresses:
        match one:
            case EndpointOptions():
                origins.append(endpoint_of(one.url))
                own.setdefault(origins[-1], one)
            case str() if urlsplit(one).scheme in LIST_SCHEMES:
                discoveries.append(discovery_of(one))
            case str():
                origins.append(endpoint_of(one))
            case _:
                discoveries.append(one)
    return Destinations(list(dict.fromkeys(origins)), own, discoveries)


def discovery_of(address: str) -> Discovery:
    """Return the discovery of an address such as `srv://_http._tcp.users` or `file:///path`."""
    parts = urlsplit(address)
    return SrvDiscovery(address) if parts.scheme == "srv" else FileDiscovery(parts.path)


def endpoint_of(url: str) -> Endpoint:
    """Return the endpoint of a URL; its host is yet to be resolved."""
    parts = urlsplit(url)
    scheme: Scheme = "https" if parts.scheme == "https" else "http"
    host = parts.hostname or ""
    port = parts.port or (443 if scheme == "https" else 80)
    return Endpoint(scheme, host, port, host, parts.path.rstrip("/"))


def check_endpoints(owner: str, endpoints: object, discovery: object) -> None:
    """Raise `ConfigurationError` for a wrong `endpoints` or `discovery` of an upstream's class."""
    if not isinstance(endpoints, tuple | list):
        raise ConfigurationError(
            f"{owner}.endpoints must be a tuple of addresses or EndpointOptions, not {endpoints!r}"
        )
    for one in endpoints:
        if isinstance(one, EndpointOptions):
            continue
        if not isinstance(one, str):
            raise ConfigurationError(
                f"{owner}.endpoints: {one!r} must be an address or EndpointOptions"
            )
        try:
            checked_address(one, (*SERVICE_SCHEMES, *LIST_SCHEMES))
        except ValueError as error:
            raise ConfigurationError(f"{owner}.endpoints: {one!r}: {error}") from None
    if discovery is not None and (
        isinstance(discovery, type) or not isinstance(discovery, Discovery)
    ):
        raise ConfigurationError(
            f"{owner}.discovery must be an object with `async def watch(self)` that yields lists "
            f"of EndpointOptions, not {discovery!r}"
        )
