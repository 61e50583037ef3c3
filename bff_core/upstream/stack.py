"""The order of layers around every call to a service; `layers` reads as a table of contents."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial

from bff_core.call import Handler, Layer
from bff_core.errors import ConfigurationError
from bff_core.policy.upstream.policy import Policy
from bff_core.policy.upstream.retry import Retry, RetryBudget
from bff_core.upstream.destinations import Address, Destinations, destinations
from bff_core.upstream.layers.affinity import AffinityLayer
from bff_core.upstream.layers.attempt import AttemptLayer
from bff_core.upstream.layers.balance import Balancer
from bff_core.upstream.layers.breaker import BreakerLayer
from bff_core.upstream.layers.bulkhead import BulkheadLayer, bulkhead_layer
from bff_core.upstream.layers.cache import CacheLayer, Refreshing
from bff_core.upstream.layers.cache_fill import CacheFillLayer
from bff_core.upstream.layers.coalesce import CoalesceLayer
from bff_core.upstream.layers.credentials import CredentialsLayer
from bff_core.upstream.layers.deadline import DeadlineLayer
from bff_core.upstream.layers.graphql import GraphQLLayer
from bff_core.upstream.layers.hedge import HedgeLayer
from bff_core.upstream.layers.purge import PurgeLayer
from bff_core.upstream.layers.redirect import RedirectLayer
from bff_core.upstream.layers.retry import RetryLayer
from bff_core.upstream.runtime import Runtime
from bff_core.upstream.state import UpstreamState
from bff_core.upstream.steered_balancer import SteeredBalancer
from bff_core.upstream.steering import Steering, steering_of
from bff_core.upstream.transport.interface import Endpoint, Transport
from bff_core.upstream.transport.wire_transport import WireTransport

MakeTransport = Callable[[Policy, Runtime], Transport]
"""Makes the transport of one upstream, inside the running loop."""


def layers(  # noqa: C901 # a table of contents: one branch for each layer
    policy: Policy, runtime: Runtime, addresses: Sequence[str], steering: Steering | None = None
) -> Iterator[Layer]:
    """Yield the layers of a policy from the outside in, without those that it turns off.

    `addresses` are those of the upstream: redirects to others are not followed.
    """
    if steering is not None and steering.values is not None:
        yield partial(AffinityLayer, steering.values)
    yield partial(DeadlineLayer, runtime)
    if policy.redirects:
        yield partial(RedirectLayer, policy.redirects, addresses)
    cache, caching = runtime.cache, policy.cache
    refreshing: Refreshing = {}
    if cache is not None:
        yield partial(PurgeLayer, cache, addresses, runtime)
    if cache is not None and caching is not None:
        timeout = policy.timeout
        yield partial(CacheLayer, caching, cache, runtime, refreshing=refreshing, timeout=timeout)
    if policy.coalesce and policy.affinity is None:  # a reply belongs to the client's endpoint
        yield partial(CoalesceLayer, runtime, cache=None if caching is None else cache)
    if cache is not None and caching is not None:
        yield partial(CacheFillLayer, caching, cache, runtime, refreshing=refreshing)
    retry = policy.retry or Retry(attempts=1)
    budget = runtime.budget or RetryBudget(retry)
    if policy.hedge is not None:
        yield partial(HedgeLayer, policy.hedge, budget, runtime)
    if policy.retry is not None or policy.hedge is not None:  # it counts the calls of the budget
        yield partial(RetryLayer, retry, runtime, budget=budget)
    if policy.breaker is not None:
        yield partial(BreakerLayer, policy.breaker, runtime)
    if policy.bulkhead is not None:
        yield partial(bulkhead_layer, policy.bulkhead, runtime)
    yield from _credentials(policy, runtime, addresses)
    if runtime.is_graphql:
        yield GraphQLLayer
    if policy.attempt_timeout < policy.timeout:
        yield partial(AttemptLayer, policy.attempt_timeout, runtime)


def _credentials(policy: Policy, runtime: Runtime, addresses: Sequence[str]) -> Iterator[Layer]:
    if policy.credentials is None:
        return
    if runtime.credential is None:
        raise ConfigurationError(
            f"{runtime.upstream}: credentials need a runtime that has them, as a gateway's has: "
            "Runtime(..., credential=CredentialFactory(...).open)"
        )
    credential = runtime.credential(policy.credentials, runtime, addresses)
    yield partial(CredentialsLayer, credential, runtime)


class UpstreamStack:
    """The layers of one upstream around its endpoints, while a gateway runs."""

    def __init__(
        self,
        policy: Policy,
        origins: Sequence[Endpoint],
        runtime: Runtime,
        transport: Transport,
        *,
        found: Destinations | None = None,
    ) -> None:
        self.name = runtime.upstream
        self.policy = policy
        self.events = runtime.events
        self.spawn = runtime.spawn
        self.steering = steering_of(policy, runtime)
        self.balancer = _balancer(
            policy, runtime, transport, found or Destinations(origins), self.steering
        )
        self.handler: Handler = self.balancer
        self._breaker: BreakerLayer | None = None
        self._lines: list[object] = [self.balancer, transport]
        self.origins = self.balancer.urls
        for wrap in reversed(list(layers(policy, runtime, self.origins, self.steering))):
            self.handler = wrap(self.handler)
            self._lines.insert(0, self.handler)
            if isinstance(self.handler, BreakerLayer):
                self._breaker = self.handler

    @property
    def is_open(self) -> bool:
        """Whether the breaker refuses calls now."""
        return self._breaker is not None and self._breaker.is_open

    @property
    def breaker(self) -> BreakerLayer | None:
        """The breaker, for operators; None if the policy leaves it out."""
        return self._breaker

    def state(self) -> UpstreamState:
        """Return what operators see of each layer."""
        balancer = self.balancer
        state = UpstreamState(self.name, balancer.state())
        state.is_panicking = balancer.endpoints.is_panicking and len(balancer.endpoints) > 1
        state.transport = repr(self._lines[-1])
        for layer in self._lines:
            match layer:
                case CacheLayer():
                    state.cache = layer.state()
                case CoalesceLayer():
                    state.coalesce = layer.state()
                case HedgeLayer():
                    state.hedge = layer.state()
                case RetryLayer():
                    state.budget = layer.state()
                case BreakerLayer():
                    state.breaker = layer.state()
                case BulkheadLayer():
                    state.bulkhead = layer.state()
                case CredentialsLayer():
                    state.credentials = layer.state()
        return state

    def adopt_actions(self, before: "UpstreamStack") -> None:
        """Continue what operators did to the stack that this one replaces."""
        if self._breaker is not None and before.breaker is not None:
            seconds = before.breaker.forced_for
            if seconds:
                self._breaker.force_open(seconds)
        for one in before.balancer.state():
            member = self.balancer.named(one.name)
            if one.is_forced and one.ejected_for and member is not None:
                self.balancer.eject(member, one.ejected_for)
        self.balancer.adopt_health(before.balancer)

    def start(self) -> None:
        """Begin to watch discoveries and to probe endpoints."""
        self.balancer.start()

    def stop(self) -> None:
        """Stop that: another stack has taken over, and only calls under way use this one."""
        self.balancer.stop()

    async def aclose(self) -> None:
        """Close the connections to every endpoint."""
        await self.balancer.aclose()

    def __repr__(self) -> str:
        return "\n".join(f"  {line!r}" for line in self._lines)


def wire(policy: Policy, runtime: Runtime) -> Transport:
    """Return the default transport: HTTP/1.1 over our own connections."""
    return WireTransport(policy.connection, runtime)


def open_stack(
    policy: Policy, addresses: Sequence[Address], runtime: Runtime, make_transport: MakeTransport
) -> UpstreamStack:
    """Return the stack of an upstream that is to be called at `addresses`.

    Raises `ConfigurationError` for certificates that can't be loaded, and for affinity without a
    key that signs.
    """
    found = destinations(addresses)
    origins = found.origins
    runtime = replace(runtime, budget=RetryBudget(policy.retry or Retry(attempts=1)))
    transport = make_transport(policy, runtime)
    secure = [origin for origin in origins if origin.is_secure]
    if secure and _needs_addresses(transport):
        transport.connect(secure[0])  # loads them now, not when the name is resolved
    return UpstreamStack(policy, origins, runtime, transport, found=found)


def _balancer(
    policy: Policy,
    runtime: Runtime,
    transport: Transport,
    found: Destinations,
    steering: Steering | None,
) -> Balancer:
    make = Balancer if steering is None else partial(SteeredBalancer, steering)
    return make(
        options=policy.balance,
        runtime=runtime,
        transport=transport,
        origins=found.origins,
        attempt_timeout=min(policy.attempt_timeout, policy.timeout),
        connect_timeout=policy.connection.connect_timeout,
        resolves=_needs_addresses(transport),
        own=found.own,
        discoveries=found.discoveries,
        health=policy.health,
    )


def _needs_addresses(transport: Transport) -> bool:
    """Whether a transport, or the one that it wraps, connects to IP addresses only."""
    return getattr(transport, "needs_addresses", False)
