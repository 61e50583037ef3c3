"""`PlannedStack`: the stack of a service before the gateway runs, for its `repr`."""

import asyncio
from collections.abc import Coroutine, Sequence

from bff_core.cache.response_cache import ResponseCache
from bff_core.cache.stores.memory import MemoryCacheStore
from bff_core.call import Handler
from bff_core.clock import chance, monotonic
from bff_core.errors import ConfigurationError
from bff_core.events import Events
from bff_core.policy.upstream.policy import Policy
from bff_core.upstream.destinations import Address, destinations
from bff_core.upstream.runtime import OpenCredential, Runtime, Spawn
from bff_core.upstream.stack import MakeTransport, open_stack


class PlannedStack:
    """The stack that a service will have; its `repr` is that of the new stack.

    A call raises `ConfigurationError`: connections belong to the event loop of a gateway that runs.
    """

    def __init__(
        self,
        name: str,
        policy: Policy,
        addresses: Sequence[Address],
        make_transport: MakeTransport,
        credential: OpenCredential,
        *,
        has_cache: bool,
        is_graphql: bool = False,
        signing_secrets: Sequence[str] = (),
    ) -> None:
        self.policy = policy
        self._name = name
        self._addresses = addresses
        self._make_transport = make_transport
        self._credential = credential
        self._has_cache = has_cache
        self._is_graphql = is_graphql
        self._signing_secrets = signing_secrets

    @property
    def origins(self) -> Sequence[str]:
        """The addresses of the upstream, as URLs; without those of lists."""
        return [one.url for one in destinations(self._addresses).origins]

    @property
    def steering(self) -> None:
        """None: calls go nowhere."""
        return

    @property
    def events(self) -> Events:
        """Events without a sink."""
        return Events()

    @property
    def spawn(self) -> Spawn:
        """Raise `ConfigurationError` when work is started."""
        return _not_started

    @property
    def handler(self) -> Handler:
        """Raise `ConfigurationError`."""
        raise self._error()

    def _error(self) -> ConfigurationError:
        return ConfigurationError(
            f"the service {self._name!r} can be called while the gateway runs: inside a request, "
            "or inside `async with app.router.lifespan_context(app)`"
        )

    def __repr__(self) -> str:
        loop = asyncio.new_event_loop()  # layers are built with a loop, and use it for calls only
        events = Events()
        store = MemoryCacheStore(size=0, clock=monotonic, events=events)
        runtime = Runtime(
            self._name,
            loop,
            monotonic,
            chance,
            events,
            _not_started,
            cache=ResponseCache(store, events) if self._has_cache else None,
            credential=self._credential,
            is_graphql=self._is_graphql,
            signing_secrets=self._signing_secrets or ("planned",),
        )
        try:
            return repr(open_stack(self.policy, self._addresses, runtime, self._make_transport))
        finally:
            loop.close()


def _not_started(work: Coroutine[object, object, None]) -> asyncio.Task[None]:
    work.close()
    raise ConfigurationError("background work is started while the gateway runs")
