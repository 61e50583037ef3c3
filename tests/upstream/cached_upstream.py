"""A cached upstream that answers by a script, in one process or in several that share a store."""

import asyncio
from dataclasses import dataclass, replace

from msgspec import structs

from bff_core.cache.response_cache import ResponseCache
from bff_core.cache.stores.memory import MemoryCacheStore
from bff_core.call import NOT_DECODED, Call, Reply
from bff_core.events import CacheLookup
from bff_core.policy.upstream.cache import Cache
from bff_core.policy.upstream.policy import Policy
from bff_core.testing.layer_runtime import LayerRuntime
from bff_core.testing.scripted import Scripted, ScriptedTransport, Step, reply
from bff_core.upstream.client import Upstream
from bff_core.upstream.decoding import decoding
from bff_core.upstream.stack import UpstreamStack
from bff_core.upstream.transport.interface import Endpoint

MINUTE = {"cache-control": "max-age=60"}
ORIGIN = Endpoint("http", "catalog.internal", 80, "10.0.0.1", "/api")


@dataclass(frozen=True)
class Product:
    """A value of the catalog, which is immutable."""

    id: int
    title: str = ""


@dataclass(frozen=True)
class Title:
    """The same, for a reader of these fields alone."""

    title: str = ""


@dataclass
class Draft:
    """The same, but mutable."""

    id: int
    title: str = ""


def product(number: int = 7, *, after: float = 0, **headers: str) -> Step:
    """Answer with a product that is fresh for a minute, unless headers say otherwise."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return reply(200, {"id": number}, headers=named or MINUTE, after=after)


class Catalog(Upstream):
    """What calls the upstream in a gateway."""

    policy = Policy(public=True, cache=Cache(tags=("product:{id}",)))

    async def product(self, number: int) -> Product:
        return await self.get("/products/{id}", Product, id=number)

    async def title(self, number: int) -> Title:
        return await self.get("/products/{id}", Title, id=number)

    async def add(self, title: str) -> Product:
        return await self.post("/products", Product, json={"title": title})


def value(answer: Reply, model: object = Product) -> object:
    """Return what the cache has decoded of a reply."""
    return (answer.decoded or {}).get(decoding(model), NOT_DECODED)


class Shelf:
    """What several processes share, as Redis does: entries and leases; `latency` in seconds."""

    def __init__(self, *, latency: float = 0.0) -> None:
        self.latency = latency
        self.entries: dict = {}
        self.leases: dict[str, object] = {}


class SharedStore(MemoryCacheStore):
    """The memory of one process over a shelf."""

    def __init__(self, shelf: Shelf, bench: LayerRuntime) -> None:
        super().__init__(size=2**22, clock=bench.runtime.clock, events=bench.runtime.events)
        self._shelf = shelf

    async def get(self, key):
        await asyncio.sleep(0)
        held = self.peek(key)
        if held is not None and held.fresh_until > self._clock():
            return held
        entry = self._shelf.entries.get(key)
        if entry is None:
            return held
        self.put(key, entry, store_for=600, mark=self.mark())
        return entry

    async def set(self, key, entry, *, store_for, mark):
        self._shelf.entries[key] = entry
        return self.put(key, entry, store_for=store_for, mark=mark)

    async def lease(self, key, seconds):
        await asyncio.sleep(self._shelf.latency)
        return self._shelf.leases.setdefault(key, self) is self

    async def release(self, key):
        if self._shelf.leases.get(key) is self:
            del self._shelf.leases[key]


class CachedUpstream:
    """An upstream with a cache, and the calls to the service behind it.

    One that stands `beside` another is not cached itself, in a gateway that has a cache.
    """

    def __init__(
        self,
        *steps: Step,
        cache: Cache | None = None,
        shelf: Shelf | None = None,
        beside: "CachedUpstream | None" = None,
        **policy,
    ) -> None:
        self.bench = bench = LayerRuntime("catalog")
        self.service = Scripted(*steps)
        runtime = bench.runtime
        store = (
            MemoryCacheStore(size=2**22, clock=runtime.clock, events=runtime.events)
            if shelf is None
            else SharedStore(shelf, bench)
        )
        self.cache = ResponseCache(store, runtime.events) if beside is None else beside.cache
        options = {"retry": None, "breaker": None, "public": True, **policy}
        self.stack = UpstreamStack(
            Policy(cache=(cache or Cache()) if beside is None else None, **options),
            [ORIGIN],
            replace(runtime, cache=self.cache),
            ScriptedTransport({ORIGIN.address: self.service}),
        )

    def call(self, model: object = Product, **more) -> Call:
        """Return a call, of the public unless an audience is named."""
        special = {name: more.pop(name) for name in ("cache", "tags", "purges") if name in more}
        decode = None if model is None else decoding(model)
        return structs.replace(
            self.bench.call(**{"target": "/products/7", **more}), decode=decode, **special
        )

    async def get(self, model: object = Product, **more) -> Reply:
        """Make a call; all but background work is done when it returns."""
        return await self.stack.handler(self.call(model, **more))

    async def settle(self) -> None:
        """Let the background work end."""
        while self.bench.background:
            await asyncio.wait(self.bench.background)

    @property
    def calls_sent(self) -> int:
        """The number of calls to the service."""
        return len(self.service.calls)

    def outcomes(self) -> list[tuple[str, str]]:
        """Return the outcomes of the cache's events, with their reasons."""
        return [(one.outcome, one.reason) for one in self.bench.events_of(CacheLookup)]
