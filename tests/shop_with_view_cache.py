"""A gateway whose replies and composed answers are cacheable: for tests of both faces."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Self

import httpx

from bff_core import (
    Composition,
    Gateway,
    Policy,
    Scope,
    Settings,
    Upstream,
    Viewer,
    critical,
    gateway,
    optional,
)
from bff_core.call import Call, Reply, find_header
from bff_core.events import AnyEvent, CacheLookup, Events
from bff_core.policy.upstream.cache import Cache
from bff_core.testing.scripted import Scripted, ScriptedTransport
from bff_core.upstream.stack import MakeTransport


@dataclass(frozen=True)
class Product:
    """A product of the catalog."""

    id: str
    title: str


class Catalog(Upstream):
    """Public, fresh for a minute."""

    policy = Policy(public=True, cache=Cache(ttl=60, tags=("product:{id}",)))

    async def product(self, product_id: str) -> Product:
        return await self.get("/products/{id}", Product, id=product_id)

    async def rename(self, product_id: str) -> Product:
        return await self.put("/products/{id}", Product, id=product_id, json={})


class Prices(Upstream):
    """Public, fresh for five seconds, and used while the service fails."""

    policy = Policy(public=True, cache=Cache(ttl=5, error=60), retry=None)

    async def price(self, product_id: str) -> int:
        return await self.get("/prices/{id}", int, id=product_id)


class Profiles(Upstream):
    """Per viewer."""

    policy = Policy(cache=Cache(ttl=30))

    async def mine(self) -> str:
        return await self.get("/me", str)


class Plans(Upstream):
    """Per tenant."""

    policy = Policy(per_tenant=True, cache=Cache(ttl=30))

    async def plan(self) -> str:
        return await self.get("/plan", str)


class Stock(Upstream):
    """Never cached."""

    policy = Policy(public=True)

    async def count(self, product_id: str) -> int:
        return await self.get("/stock/{id}", int, id=product_id)


SERVICES = (Catalog, Prices, Profiles, Plans, Stock)


@dataclass(frozen=True)
class Language:
    """The language of the client."""

    name: str

    @classmethod
    def from_scope(cls, scope: Scope) -> Self:
        return cls(scope.header("accept-language") or "en")


class Page(Composition):
    """The parts of a product, and of the viewer."""

    catalog: Catalog
    prices: Prices
    profiles: Profiles
    plans: Plans
    stock: Stock
    product_id: str = "7"

    @critical
    async def product(self) -> str:
        return (await self.catalog.product(self.product_id)).title

    @optional
    async def price(self) -> int:
        return await self.prices.price(self.product_id)

    @optional
    async def count(self) -> int:
        return await self.stock.count(self.product_id)

    @critical
    async def name(self) -> str:
        return await self.profiles.mine()

    @critical
    async def tariff(self) -> str:
        return await self.plans.plan()

    @critical
    async def renamed(self) -> str:
        return (await self.catalog.rename(self.product_id)).title


class Greeting(Page):
    """A page that depends on the viewer, although its calls do not."""

    viewer: Viewer


class Bearer:
    """Believes `Bearer subject@tenant scope scope`."""

    challenge = "Bearer"

    async def authenticate(self, scope: Scope) -> Viewer | None:
        credentials = (find_header(scope.headers, b"authorization") or b"").decode()
        if not credentials:
            return None
        name, *scopes = credentials.removeprefix("Bearer ").split()
        subject, _, tenant = name.partition("@")
        return Viewer(subject, tenant, frozenset(scopes), issuer="shop")


def bearer(name: str, **headers: str) -> dict[str, str]:
    """Return the headers of a signed-in viewer."""
    return {"authorization": f"Bearer {name}"} | headers


def echoing(call: Call) -> object:
    """Return the reply of a service, which holds the audience of the call."""
    name = call.target.rpartition("/")[2]
    return {
        "catalog": {"id": name, "title": f"Tent {name}"},
        "prices": 100,
        "profiles": f"I am {call.audience}",
        "plans": f"Plan of {call.audience}",
        "stock": 3,
    }[call.upstream]


@dataclass
class Shop:
    """A running gateway, the scripts behind it, a client in front of it, and its events."""

    app: Gateway
    client: httpx.AsyncClient
    scripts: dict[str, Scripted]
    heard: list[AnyEvent] = field(default_factory=list)
    runs: Counter[str] = field(default_factory=Counter)

    async def get(self, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
        """Send a GET that names no coding."""
        sent = {"accept-encoding": "identity"} | (headers or {})
        return await self.client.get(path, headers=sent)

    def of_views(self) -> list[tuple[str, str]]:
        """Return outcome and reason of each event of the view cache."""
        return [
            (one.outcome, one.reason)
            for one in self.heard
            if isinstance(one, CacheLookup) and one.upstream == "views"
        ]


def saying(say: Any = echoing):
    """Return a step of a script that answers what `say` makes of a call, as JSON."""

    async def step(call: Call) -> Reply:
        headers = ((b"content-type", b"application/json"),)
        return Reply(200, headers, json.dumps(say(call)).encode())

    return step


def in_production(names: Iterable[str], **more: Any) -> Settings:
    """Return the settings of a gateway whose services are scripts."""
    defaults: dict[str, Any] = {
        "env": "production",
        "auth": "none",
        "gc_freeze": False,
        "allowed_hosts": ["testserver"],
        "upstreams": dict.fromkeys(names, ("http://127.0.0.1:1",)),
    }
    return Settings(**defaults | more)


def by_script(scripts: Mapping[str, Scripted]) -> MakeTransport:
    """Return a factory that gives each upstream its script as transport."""
    return lambda _, runtime: ScriptedTransport({"127.0.0.1": scripts[runtime.upstream]})


@asynccontextmanager
async def client_of(app: Gateway) -> AsyncIterator[httpx.AsyncClient]:
    """Run a gateway, with a client in front of it."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://testserver") as client,
    ):
        yield client


@asynccontextmanager
async def open_shop(faces: Sequence[Any], **options: Any) -> AsyncIterator[Shop]:
    """Run a gateway on the running loop's time."""
    scripts = {kind.name: Scripted(saying()) for kind in SERVICES}
    heard: list[AnyEvent] = []
    app = gateway(
        "shop",
        services=SERVICES,
        faces=faces,
        settings=in_production(scripts, **options.pop("settings", {})),
        authenticator=Bearer(),
        events=Events(heard.append),
        transport=by_script(scripts),
        clock=asyncio.get_running_loop().time,
        **options,
    )
    async with client_of(app) as client:
        yield Shop(app, client, scripts, heard)
