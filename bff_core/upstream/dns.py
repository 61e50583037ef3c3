"""DNS lookups: the addresses of one upstream's names, refreshed in the background."""

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
from bff_core.upstream.threads import ThreadPerJob
from bff_core.upstream.transport.interface import Endpoint

_Found = Collection[tuple[int, int, int, str, tuple[object, ...]]]


class AddressLookup:
    """Looks up the names of one upstream, in rounds and one after another, in a single thread.

    `due` is the instant of the next round. `changed` is called with an error message or "" after
    each round, and whenever a lookup exceeds `LOOKUP_TIMEOUT_SECONDS`.
    """

    __slots__ = (
        "_changed",
        "_has_failed",
        "_is_awaited",
        "_options",
        "_origins",
        "_progress",
        "_resolutions",
        "_round",
        "_runtime",
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
        self._options = options
        self._resolutions = {name: DnsRefresh(options) for name in names_in(origins)}
        self._round: asyncio.Task[None] | None = None
        self._progress: asyncio.Future[None] = runtime.loop.create_future()
        self._has_failed = self._is_awaited = False
        self.due = 0.0 if self._resolutions else math.inf

    @property
    def endpoints(self) -> list[Endpoint]:
        """The endpoints for all known addresses.

        If a name has IPv4 addresses, its IPv6 addresses are the fallbacks of those endpoints.
        """
        found = []
        for origin in self._origins:
            addresses = self._addresses(origin.host)
            four = [one for one in addresses if ":" not in one]
            six = tuple(sorted(one for one in addresses if ":" in one)) if four else ()
            found += [replace(origin, address=one, fallbacks=six) for one in four or addresses]
        return found

    def start(self) -> None:
        """Start a round in the background, unless one is running."""
        if self._round is None:
            self.due = math.inf
            self._is_awaited = False
            self._progress = self._runtime.loop.create_future()
            self._round = self._runtime.spawn(self._look_up())

    def follow(self, origins: Sequence[Endpoint]) -> None:
        """Look up the names of other origins from now on; known addresses stay known."""
        self._origins = tuple(origins)
        names = names_in(origins)
        self._resolutions = {
            name: self._resolutions.get(name) or DnsRefresh(self._options) for name in names
        }
        if self._round is None:
            self.due = self._next_round

    async def finish(self) -> None:
        """Wait for the running round, at most `LOOKUP_TIMEOUT_SECONDS` for each name.

        All callers wait for the first round. After a failed round only one caller waits for each
        further one: the others fail fast while the resolver hangs.
        """
        if self._round is None or (self._has_failed and self._is_awaited):
            return
        self._is_awaited = True
        # `wait` does not cancel the future if this caller is cancelled.
        await asyncio.wait((self._progress,))

    def stop(self) -> None:
        """Stop; waiting callers go on without addresses."""
        self.due = math.inf
        self._resolutions = {}
        if self._round is not None:
            self._round.cancel()
        self._wake()

    @property
    def _next_round(self) -> float:
        instants = (resolution.next_lookup for resolution in self._resolutions.values())
        return min(instants, default=math.inf)

    def _addresses(self, host: str) -> tuple[str, ...]:
        if is_localhost(host):
            return LOOPBACK
        resolution = self._resolutions.get(host)
        return (host,) if resolution is None else resolution.addresses

    async def _look_up(self) -> None:
        errors, done = [], set[str]()
        try:
            while name := next((one for one in self._resolutions if one not in done), ""):
                done.add(name)
                if error := await self._resolve(name, self._resolutions[name]):
                    errors.append(f"{name}: {error}")
        finally:
            self._round = None
            self._has_failed = bool(errors)
            self.due = self._next_round
        self._changed("; ".join(errors))
        self._wake()

    async def _resolve(self, name: str, resolution: DnsRefresh) -> str:
        """Look one name up; return the error message, or ""."""
        try:
            found = await self._query(name, resolution)
        except (OSError, UnicodeError) as error:
            resolution.fail(self._runtime.clock())
            return str(error)
        addresses = dict.fromkeys(str(address[0]) for *_, address in found)
        resolution.succeed(tuple(addresses), self._runtime.clock())
        return ""

    async def _query(self, name: str, resolution: DnsRefresh) -> _Found:
        """Wait for the resolver without a limit: a second lookup would need a second thread.

        After `LOOKUP_TIMEOUT_SECONDS` callers stop waiting, and old addresses may expire.
        """
        query = (name, None, 0, socket.SOCK_STREAM)
        answer = self._runtime.loop.run_in_executor(_lookup_threads, socket.getaddrinfo, *query)
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
        if not self._progress.done():
            self._progress.set_result(None)


_lookup_threads = ThreadPerJob("lookup")


def names_in(origins: Sequence[Endpoint]) -> list[str]:
    """Return the names among the hosts of origins that have to be looked up."""
    hosts = dict.fromkeys(origin.host for origin in origins)
    return [host for host in hosts if not (is_literal(host) or is_localhost(host))]


def is_literal(host: str) -> bool:
    """Whether a host is an IP address, which needs no lookup."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
