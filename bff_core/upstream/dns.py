"""DNS: the addresses of one upstream's names, looked up in the background."""

import asyncio
import ipaddress
import math
import socket
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from bff_core.policy.upstream.balance import Balance
from bff_core.policy.upstream.dns_refresh import LOOKUP_TIMEOUT_SECONDS, DnsRefresh
from bff_core.upstream.loopback import LOOPBACK, is_localhost
from bff_core.upstream.runtime import Runtime
from bff_core.upstream.threads import OwnThread
from bff_core.upstream.transport.interface import Endpoint

_Found = Collection[tuple[int, int, int, str, tuple[object, ...]]]


class AddressLookup:
    """Looks names up, one after another: an upstream never occupies more than one thread.

    `due` is the instant from which on `start` has something to do. `changed` is called with an
    error message, or nothing, after each round, and while a round takes longer than it should.
    """

    __slots__ = (
        "_changed",
        "_has_failed",
        "_is_awaited",
        "_news",
        "_origins",
        "_resolutions",
        "_runtime",
        "_under_way",
        "due",
    )

    def __init__(
        self,
        options: Balance,
        runtime: Runtime,
        origins: Sequence[Endpoint],
        changed: Callable[[str], None],
    ) -> None:
        self._runtime = runtime
        self._origins = tuple(origins)
        self._changed = changed
        hosts = (origin.host for origin in origins)
        names = (host for host in hosts if not (is_literal(host) or is_localhost(host)))
        self._resolutions = {name: DnsRefresh(options) for name in names}
        self._under_way: asyncio.Task[None] | None = None
        self._news: asyncio.Future[None] = runtime.loop.create_future()
        self._has_failed = self._is_awaited = False
        self.due = 0.0 if self._resolutions else math.inf

    @property
    def endpoints(self) -> list[Endpoint]:
        """Every address that is known now, as an endpoint.

        IPv6 addresses of a name that has IPv4 ones are no endpoints of their own, but what each of
        those falls back to.
        """
        found = []
        for origin in self._origins:
            addresses = self._addresses(origin.host)
            four = [one for one in addresses if ":" not in one]
            six = tuple(sorted(one for one in addresses if ":" in one)) if four else ()
            found += [replace(origin, address=one, fallbacks=six) for one in four or addresses]
        return found

    def start(self) -> None:
        """Begin a round in the background, unless one is under way."""
        if self._under_way is None:
            self.due = math.inf
            self._is_awaited = False
            self._news = self._runtime.loop.create_future()
            self._under_way = self._runtime.spawn(self._look_up())

    async def finish(self) -> None:
        """Wait for the round that is under way, if that is worthwhile; never for long.

        All callers wait for the first round. Once a round has failed only one caller waits for each
        further one, so that the others fail fast for as long as the resolver hangs.
        """
        if self._under_way is None or (self._has_failed and self._is_awaited):
            return
        self._is_awaited = True
        await asyncio.wait((self._news,))  # a caller that leaves cancels nothing

    def stop(self) -> None:
        """Stop looking up; callers that wait go on without addresses."""
        self.due = math.inf
        self._resolutions = {}
        if self._under_way is not None:
            self._under_way.cancel()
        self._wake()

    def _addresses(self, host: str) -> tuple[str, ...]:
        if is_localhost(host):
            return LOOPBACK
        resolution = self._resolutions.get(host)
        return (host,) if resolution is None else resolution.addresses

    async def _look_up(self) -> None:
        errors = []
        try:
            for name, resolution in self._resolutions.items():
                if error := await self._resolve(name, resolution):
                    errors.append(f"{name}: {error}")
        finally:
            self._under_way = None
            self._has_failed = bool(errors)
            instants = (resolution.next_lookup for resolution in self._resolutions.values())
            self.due = min(instants, default=math.inf)
        self._changed("; ".join(errors))
        self._wake()

    async def _resolve(self, name: str, resolution: DnsRefresh) -> str:
        """Look one name up; returns the error, or nothing."""
        try:
            found = await self._query(name, resolution)
        except (OSError, UnicodeError) as error:
            resolution.fail(self._runtime.clock())
            return str(error)
        addresses = dict.fromkeys(str(address[0]) for *_, address in found)
        resolution.succeed(tuple(addresses), self._runtime.clock())
        return ""

    async def _query(self, name: str, resolution: DnsRefresh) -> _Found:
        """Wait for the resolver as long as it takes: a second lookup would take a second thread.

        Meanwhile callers stop waiting, and addresses that can't be confirmed expire.
        """
        query = (name, None, 0, socket.SOCK_STREAM)
        answer = self._runtime.loop.run_in_executor(_threads, socket.getaddrinfo, *query)
        try:
            while not (await asyncio.wait((answer,), timeout=LOOKUP_TIMEOUT_SECONDS))[0]:
                resolution.fail(self._runtime.clock())
                self._has_failed = True
                self._changed(f"{name}: the resolver is silent")
                self._wake()
            return answer.result()
        finally:
            answer.cancel()

    def _wake(self) -> None:
        if not self._news.done():
            self._news.set_result(None)


_threads = OwnThread("lookup")


def is_literal(host: str) -> bool:
    """Whether a host is an IP address and needs no looking up."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
