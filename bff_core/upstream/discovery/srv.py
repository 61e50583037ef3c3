"""Discovery by DNS: `srv://_http._tcp.NAME` names SRV records (RFC 2782)."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Final
from urllib.parse import urlsplit

from bff_core.errors import ConfigurationError
from bff_core.extras import has_extra, missing, needs
from bff_core.policy.upstream.endpoints import EndpointOptions

LOOKUP_SECONDS: Final = 5.0
"""How long a lookup may take in all, over all name servers."""

LEAST_TTL_SECONDS: Final = 1.0
MOST_TTL_SECONDS: Final = 3600.0
"""How often records are looked up at least, whatever their TTL says."""

MAX_WEIGHT: Final = 1000

Record = tuple[int, int, int, str]
"""Priority, weight, port and target of a SRV record."""


class SrvDiscovery:
    """The endpoints that SRV records name, looked up again when their TTL has passed.

    The service `_https` is called over TLS, any other one without; a path after the name precedes
    every target. The targets of the records are looked up like all names. `servers` are the IP
    addresses of name servers and `port` is theirs; by default they are the system's. Raises
    `MissingExtra` without the extra `dns`.
    """

    def __init__(self, url: str, *, servers: Sequence[str] = (), port: int = 53) -> None:
        if not has_extra("dns"):
            raise missing("dns", f"{url}: looking up SRV records")
        self._url = url
        parts = urlsplit(url)
        self._name, self._path = parts.netloc, parts.path.rstrip("/")
        self._scheme = "https" if self._name.lower().startswith("_https.") else "http"
        self._servers = tuple(servers)
        self._port = port

    def __repr__(self) -> str:
        return self._url

    async def watch(self) -> AsyncIterator[Sequence[EndpointOptions]]:
        """Yield the endpoints after each lookup; a name without records is an error."""
        with needs("dns", f"{self._url}: looking up SRV records"):
            from dns.asyncresolver import Resolver  # noqa: PLC0415 # for gateways with srv:// only

        resolver = Resolver(configure=not self._servers)
        if self._servers:
            resolver.nameservers, resolver.port = list(self._servers), self._port
        while True:
            found = await resolver.resolve(self._name, "SRV", lifetime=LOOKUP_SECONDS, search=True)
            records = [(one.priority, one.weight, one.port, str(one.target)) for one in found]
            yield self._endpoints(records)
            ttl = found.chaining_result.minimum_ttl
            await asyncio.sleep(min(max(ttl, LEAST_TTL_SECONDS), MOST_TTL_SECONDS))

    def _endpoints(self, records: Sequence[Record]) -> list[EndpointOptions]:
        """Return the endpoints of records; the target "." says that there are none."""
        records = sorted(one for one in records if one[3] != ".")
        ranks = {
            one: rank for rank, one in enumerate(sorted({priority for priority, *_ in records}))
        }
        most = max((weight for _, weight, *_ in records), default=0)
        return [
            EndpointOptions(
                f"{self._scheme}://{_host(target)}:{port}{self._path}",
                weight=scaled(weight, most),
                priority=ranks[priority],
            )
            for priority, weight, port, target in records
        ]


def scaled(weight: int, most: int) -> int:
    """Return our weight for that of a record, of 0 to 65,535, if the largest one is `most`.

    A record's 0 is a very small share (RFC 2782), not a drained endpoint.
    """
    return max(1, round(weight * MAX_WEIGHT / most) if most > MAX_WEIGHT else weight)


def _host(target: str) -> str:
    host = target.removesuffix(".")
    if not host:
        raise ConfigurationError("a SRV record has no target")
    return host
