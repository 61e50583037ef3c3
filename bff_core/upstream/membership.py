"""The endpoints of one upstream as they come and go: configured, looked up, discovered, probed."""

from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import replace

from bff_core.events import Resolved
from bff_core.policy.upstream.balance import Balance
from bff_core.policy.upstream.endpoint_set import EndpointSet
from bff_core.policy.upstream.endpoints import EndpointOptions
from bff_core.policy.upstream.health import HealthCheck
from bff_core.policy.upstream.member import Member
from bff_core.upstream.destinations import endpoint_of
from bff_core.upstream.discovery.interface import Discovery
from bff_core.upstream.discovery.watch import DiscoveryWatch
from bff_core.upstream.dns import AddressLookup
from bff_core.upstream.prober import Prober
from bff_core.upstream.runtime import Runtime
from bff_core.upstream.transport.interface import Connector, Endpoint, Transport

EndpointMember = Member[Endpoint, Connector]
Options = Mapping[Endpoint, EndpointOptions]


class Membership:
    """Holds the set of endpoints up to date, and closes the connections to those that are gone.

    `origins` are the configured addresses; `own` has the options of those that have any.
    `discoveries` yield further ones. With `resolves` each name among them is looked up, and each of
    its addresses is an endpoint; other transports resolve names themselves. `urls` are the
    addresses in use; the list stays the same object. `leaving` are removed endpoints with open
    connections, in one set.
    """

    def __init__(
        self,
        options: Balance,
        runtime: Runtime,
        transport: Transport,
        origins: Sequence[Endpoint],
        *,
        own: Options,
        discoveries: Sequence[Discovery],
        health: HealthCheck | None,
        resolves: bool,
    ) -> None:
        self.endpoints: EndpointSet[Endpoint, Connector] = EndpointSet(
            options, transport.connect, name=identity_of, is_checked=health is not None
        )
        self.unresolved = ""
        self.urls = [origin.url for origin in origins]
        self._runtime = runtime
        self._fixed = tuple(origins)
        self._fixed_options = own
        self._own = own
        self._resolves = resolves
        self._origins = self._fixed
        self.leaving: set[EndpointMember] = set()
        self.lookup = AddressLookup(
            options, runtime, origins if resolves else (), self._apply_addresses
        )
        self._discovered = (
            DiscoveryWatch(discoveries, options, runtime, self._apply_found)
            if discoveries
            else None
        )
        self._prober = (
            None
            if health is None
            else Prober(health, runtime, self.endpoints, transport.connect, self._look_up)
        )
        self._update()

    @property
    def complaint(self) -> str:
        """Why there is no endpoint for a call."""
        if len(self.endpoints):
            return "no endpoint takes new calls: all have the weight 0"
        return (
            f"no address is known: {self.unresolved}" if self.unresolved else "no address is known"
        )

    def start(self) -> None:
        """Begin to watch discoveries and to probe."""
        if self._discovered is not None:
            self._discovered.start()
        if self._prober is not None:
            self._look_up()
            self._prober.start()

    def adopt_health(self, before: Sequence[EndpointMember]) -> None:
        """Take over the health that probes have found out, for endpoints that stay."""
        known = {member.key: member for member in before if member.health in {"up", "down"}}
        for member in self.endpoints.members:
            if member.health and member.key in known:
                is_up = known[member.key].health == "up"
                self.endpoints.set_health(member, is_up=is_up, now=self._runtime.clock())

    def stop(self) -> None:
        """Stop watching and probing: the stack was replaced, and only calls under way use it."""
        if self._discovered is not None:
            self._discovered.stop()
        if self._prober is not None:
            self._prober.stop()

    async def wait(self) -> None:
        """Wait for the first endpoints, or for those of the lookup that runs."""
        if self._discovered is not None:
            await self._discovered.first()
            self._look_up()
        await self.lookup.finish()

    async def aclose(self) -> None:
        """Close the connections to every endpoint; calls under way fail."""
        self.stop()
        self.lookup.stop()
        self.leaving.update(self.endpoints.update((), self._runtime.clock()))
        while self.leaving:
            await self.leaving.pop().target.aclose()

    def close_idle(self) -> None:
        """Close the connections to removed endpoints whose calls have ended."""
        for member in [member for member in self.leaving if not member.in_flight]:
            self.leaving.discard(member)
            self._runtime.spawn(_close(member.target.aclose()))

    def _apply_found(self, error: str) -> None:
        """Use what discoveries found."""
        assert self._discovered is not None  # noqa: S101 # only it calls this
        found = self._discovered.found
        before = self._origins, self._own
        by_origin = {endpoint_of(one.url): one for one in reversed(found)}
        self._own = {**by_origin, **self._fixed_options}
        self._origins = tuple(
            dict.fromkeys([*self._fixed, *(endpoint_of(one.url) for one in found)])
        )
        try:
            self._follow_origins(error)
        except Exception:
            self._origins, self._own = before
            self._follow_origins(error)
            raise

    def _follow_origins(self, error: str) -> None:
        if self._resolves:
            self.lookup.follow(self._origins)
            self._look_up()
        self._apply_addresses(error)
        self.urls[:] = [origin.url for origin in self._origins]

    def _look_up(self) -> None:
        """Look names up if that is due; without calls, only probes notice that it is."""
        if self.lookup.due <= self._runtime.clock():
            self.lookup.start()

    def _apply_addresses(self, error: str) -> None:
        self.unresolved = error
        before = self.endpoints.keys
        self._update()
        self.close_idle()
        after = self.endpoints.keys
        if self._runtime.events.sinks and (error or before != after):
            names = tuple(endpoint.name for endpoint in after)
            self._runtime.events.emit(Resolved(self._runtime.upstream, "", names, error))

    def _update(self) -> None:
        found = self.lookup.endpoints if self._resolves else self._origins
        own = {one: self._own[origin] for one in found if (origin := origin_of(one)) in self._own}
        self.leaving.update(self.endpoints.update(found, self._runtime.clock(), own))
        if self._prober is not None:
            self._prober.follow(self.endpoints.members)


def origin_of(endpoint: Endpoint) -> Endpoint:
    """Return the endpoint before its name was looked up."""
    if endpoint.address == endpoint.host and not endpoint.fallbacks:
        return endpoint
    return replace(endpoint, address=endpoint.host, fallbacks=())


def identity_of(endpoint: Endpoint) -> str:
    """Return the text that identifies an endpoint in all processes and after a restart."""
    return f"{endpoint.url} {endpoint.address}"


async def _close(closing: Coroutine[object, object, None]) -> None:
    await closing
