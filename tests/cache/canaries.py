"""A gateway whose answers contain a canary: a word that only one viewer, or one tenant, may get."""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

import httpx
import strawberry
from fastapi import Depends

from bff_core import (
    ANYONE,
    Composition,
    Gateway,
    Policy,
    Upstream,
    Viewer,
    Views,
    access,
    compose,
    gateway,
    gather,
    optional,
)
from bff_core.call import Call, Reply, find_header
from bff_core.errors import TransportFailed
from bff_core.events import Events
from bff_core.graphql import GraphQL, Info
from bff_core.policy.upstream.cache import Cache
from bff_core.scope import Scope
from bff_core.testing.scripted import Scripted
from tests.shop_with_view_cache import Bearer, by_script, client_of, in_production

PEOPLE = ("ann@acme", "bob@acme", "cyd@other", "")
"""Two viewers of one tenant, one of another, and an anonymous caller."""

Declared = Literal["", "public", "per_tenant"]
"""What all views declare about who may share their answers."""

SERVICES = {"c": "catalog", "m": "mine", "t": "tenants", "r": "relayed"}
"""Public, per viewer, per tenant, and one that gets the client's credentials."""


@dataclass(frozen=True)
class Service:
    """The cache policy of a service, its cache headers, and how often it fails."""

    cache: Cache | None
    said: str = ""
    fields: Sequence[tuple[str, str]] = ()
    failing: float = 0.0

    @property
    def headers(self) -> tuple[tuple[bytes, bytes], ...]:
        control = [("cache-control", self.said)] if self.said else []
        return tuple((name.encode(), value.encode()) for name, value in [*control, *self.fields])

    def script(self, name: str, dice: random.Random) -> Scripted:
        """Return a script that replies with the canary of the viewer, late, or fails."""

        async def step(call: Call) -> Reply:
            await asyncio.sleep(dice.choice([0.0, 0.0, 0.3, 1.0]))
            if dice.random() < self.failing:
                raise TransportFailed("cut", call=call, is_sent=True)
            condition = find_header(call.headers, b"if-none-match")
            if condition is not None and dice.random() < 0.5:
                return Reply(304, self.headers)
            return Reply(200, self.headers, json.dumps(_words(name, call)).encode())

        return Scripted(step)


def _words(name: str, call: Call) -> str:
    audience = call.audience or ""
    if name == "relayed":
        token = (find_header(call.headers, b"authorization") or b"").decode()
        return f"for canary-{token.removeprefix('Bearer ').partition('@')[0]}"
    if name == "mine":
        return f"for canary-{audience.rpartition(':')[2]}"
    return f"for {audience.replace(':', '-')}" if name == "tenants" else "for all"


def canaries_of_others(viewer: str, body: str) -> list[str]:
    """Return the canaries of other viewers and tenants in an answer."""
    subject, _, tenant = viewer.partition("@")
    known = [one.partition("@") for one in PEOPLE if one]
    people = [f"canary-{name}" for name, _, _ in known if name != subject]
    tenants = {f"tenant-{name}" for _, _, name in known if name != tenant}
    return [canary for canary in (*people, *sorted(tenants)) if canary in body]


def _fact(read: str) -> type[Any]:
    """Return a fact of the request: what `read` returns of its scope."""

    @dataclass(frozen=True)
    class Fact:
        text: str

        @classmethod
        def from_scope(cls, scope: Scope) -> Self:
            return cls(scope.tenant if read == "tenant" else scope.header(read) or "")

    return Fact


Tenant, Name, Token = _fact("tenant"), _fact("x-name"), _fact("authorization")


def _screens(of: Mapping[str, Service]) -> tuple[list[type[Upstream]], dict[str, type[Any]]]:
    """Return upstreams, and screens that depend on the viewer in one way or another."""

    class Catalog(Upstream):
        policy = Policy(public=True, cache=of["catalog"].cache, retry=None, breaker=None)

    class Mine(Upstream):
        policy = Policy(cache=of["mine"].cache, retry=None, breaker=None)

    class Tenants(Upstream):
        policy = Policy(per_tenant=True, cache=of["tenants"].cache, retry=None, breaker=None)

    class Relayed(Upstream):
        policy = Policy(public=True, cache=of["relayed"].cache, retry=None, breaker=None)

    class Plain(Composition):
        catalog: Catalog
        mine: Mine
        tenants: Tenants
        relayed: Relayed

        def words(self) -> list[str]:
            return []

        def sent(self) -> dict[str, str]:
            return {}

        @optional
        async def part(self, letter: str) -> str:
            service: Upstream = getattr(self, SERVICES[letter])
            return await service.get("/it", str, headers=self.sent() if letter == "r" else None)

        async def words_of_parts(self, parts: str) -> list[str | None]:
            return [*await gather(*map(self.part, parts)), *self.words()]

    class Greeted(Plain):
        viewer: Viewer

        def words(self) -> list[str]:
            return [f"Hello canary-{self.viewer.subject}"]

    class Branded(Plain):
        tenant: Tenant

        def words(self) -> list[str]:
            return [f"At tenant-{self.tenant.text}"]

    class Addressed(Plain):
        name: Name

        def words(self) -> list[str]:
            return [f"Dear {self.name.text}"]

    class Relaying(Plain):
        token: Token

        def sent(self) -> dict[str, str]:
            return {"authorization": self.token.text} if self.token.text else {}

    kinds = {"plain": Plain, "greeted": Greeted, "branded": Branded, "addressed": Addressed}
    return [Catalog, Mine, Tenants, Relayed], {**kinds, "relaying": Relaying}


SCREENS = ("plain", "greeted", "branded", "addressed", "relaying")
"""They depend on no viewer, the viewer, the tenant, a header, and the credentials."""


@dataclass
class Shown:
    """The answer of a screen, part by part."""

    words: list[str | None]


def _faces(screens: Mapping[str, type[Any]], declared: Declared) -> list[Any]:
    """Return both faces of the same screens, all of which declare the same sharing."""
    views = Views(prefix="/v1", access=ANYONE)

    def declare(name: str, kind: type[Any]) -> None:
        @views.get(f"/{name}", public=declared == "public", per_tenant=declared == "per_tenant")
        async def get_screen(page: Annotated[Any, Depends(compose(kind))], parts: str) -> Shown:
            return Shown(await page.words_of_parts(parts))

    for name, kind in screens.items():
        declare(name, kind)

    @access(ANYONE)
    @strawberry.type
    class Query:
        @strawberry.field
        async def screen(self, info: Info, name: str, parts: str) -> list[str | None]:
            if name == "greeted":  # by the resolver itself
                words = await info.context.compose(screens["plain"]).words_of_parts(parts)
                return [*words, f"Hello canary-{info.context.viewer.subject}"]
            return list(await info.context.compose(screens[name]).words_of_parts(parts))

    shared = {declared: ["screen"]} if declared else {}
    return [views, GraphQL(strawberry.Schema(Query), **shared)]


@dataclass(frozen=True)
class Request:
    """One request: its viewer, screen, parts and face."""

    viewer: str
    screen: str
    parts: str
    face: str

    @property
    def url(self) -> str:
        if self.face == "rest":
            return f"/v1/{self.screen}?parts={self.parts}"
        query = f'{{ screen(name: "{self.screen}", parts: "{self.parts}") }}'
        return str(httpx.URL("/graphql", params={"query": query}))

    @property
    def headers(self) -> dict[str, str]:
        if not self.viewer:
            return {}
        name = f"canary-{self.viewer.partition('@')[0]}"
        return {"authorization": f"Bearer {self.viewer}", "x-name": name}


@asynccontextmanager
async def serving(
    of: Mapping[str, Service], dice: random.Random, declared: Declared
) -> AsyncIterator[tuple[Gateway, httpx.AsyncClient]]:
    """Run a gateway over such services on the running loop's time."""
    kinds, screens = _screens(of)
    scripts = {name: of[name].script(name, dice) for name in of}
    app = gateway(
        "shop",
        services=kinds,
        faces=_faces(screens, declared),
        settings=in_production(scripts),
        authenticator=Bearer(),
        events=Events(),
        transport=by_script(scripts),
        clock=asyncio.get_running_loop().time,
    )
    async with client_of(app) as client:
        yield app, client
