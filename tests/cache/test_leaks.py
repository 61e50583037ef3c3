"""Nobody sees another's canary: whatever is kept, of whatever screens, in whatever order."""

import asyncio
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import httpx
import pytest
import strawberry
from fastapi import Depends
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from bff_core import (
    Composition,
    Policy,
    Settings,
    Upstream,
    Viewer,
    Views,
    compose,
    gateway,
    gather,
    optional,
)
from bff_core.call import Call, Reply, find_header
from bff_core.errors import TransportFailed
from bff_core.events import Events
from bff_core.graphql import GraphQL, Info
from bff_core.policy.cache import Cache
from bff_core.scope import Scope
from bff_core.testing.scripted import Scripted, ScriptedTransport
from tests.kept_shop import Bearer, bearer

pytestmark = pytest.mark.virtual_time

VIEWERS = ("ann@acme", "bob@acme", "cyd@other", "")
"""Two of one tenant, one of another, and nobody."""

CANARY = {"ann@acme": "canary-ann", "bob@acme": "canary-bob", "cyd@other": "canary-cyd"}
TENANTS = {"ann@acme": "tenant-acme", "bob@acme": "tenant-acme", "cyd@other": "tenant-other"}

CACHES = st.one_of(
    st.none(),
    st.just(Cache(ttl=30.0)),
    st.builds(
        Cache,
        ttl=st.sampled_from([None, 0.0, 1.0, 30.0]),
        stale=st.sampled_from([None, 0.0, 5.0, 100.0]),
        error=st.sampled_from([None, 0.0, 60.0]),
        early=st.sampled_from([0.0, 0.1, 0.9]),
    ),
)
SAID = st.sampled_from(
    [
        "",
        "max-age=5",
        "public, max-age=60",
        "private, max-age=60",
        "no-store",
        "no-cache",
        "max-age=1, stale-while-revalidate=60, stale-if-error=60",
        "s-maxage=9",
    ]
)
FIELDS = st.lists(
    st.sampled_from([("etag", '"1"'), ("vary", "authorization"), ("vary", "accept")]), max_size=2
)


@dataclass(frozen=True)
class Service:
    """What a policy says of a service, and what the service says itself."""

    cache: Cache | None
    said: str
    fields: Sequence[tuple[str, str]]

    @property
    def headers(self) -> tuple[tuple[bytes, bytes], ...]:
        told = [("cache-control", self.said)] if self.said else []
        return tuple((name.encode(), value.encode()) for name, value in [*told, *self.fields])


@dataclass(frozen=True)
class Asking:
    """One request: who, what of, over which face, after how many seconds."""

    viewer: str
    parts: str
    screen: str
    face: str
    after: float


SERVICES = st.builds(Service, CACHES, SAID, FIELDS)
PAGES = st.tuples(
    st.sampled_from(["plain", "held", "held", "greeted"]),
    st.sets(st.sampled_from("cmtr"), min_size=1).map(lambda parts: "".join(sorted(parts))),
    st.sampled_from(["rest", "graphql"]),
)


@st.composite
def visits(draw: st.DrawFn) -> list[Asking]:
    """Return who asks what when: for few pages, so that many ask for the same."""
    pages = draw(st.lists(PAGES, min_size=1, max_size=2))
    one = st.tuples(
        st.sampled_from(VIEWERS), st.sampled_from(pages), st.sampled_from([0.0, 0.0, 0.1, 2.0, 40])
    )
    drawn = draw(st.lists(one, min_size=6, max_size=40))
    return [
        Asking(viewer, parts, screen, face, after) for viewer, (screen, parts, face), after in drawn
    ]


def clients(of: dict[str, Service]) -> dict[str, type[Upstream]]:
    """Return service clients: everybody's, each viewer's, each tenant's, and one that relays."""

    class Catalog(Upstream):
        policy = Policy(public=True, cache=of["catalog"].cache, retry=None, breaker=None)

    class Mine(Upstream):
        policy = Policy(cache=of["mine"].cache, retry=None, breaker=None)

    class Tenants(Upstream):
        policy = Policy(per_tenant=True, cache=of["tenants"].cache, retry=None, breaker=None)

    class Relayed(Upstream):
        policy = Policy(public=True, cache=of["relayed"].cache, retry=None, breaker=None)

    return {"c": Catalog, "m": Mine, "t": Tenants, "r": Relayed}


def screens(kinds: dict[str, type[Upstream]]) -> tuple[type[Composition], type[Composition]]:
    """Return a screen that knows nobody, and one that knows who asks."""

    class Plain(Composition):
        catalog: kinds["c"]  # noqa: F821 - a type made here
        mine: kinds["m"]  # noqa: F821 - a type made here
        tenants: kinds["t"]  # noqa: F821 - a type made here
        relayed: kinds["r"]  # noqa: F821 - a type made here

        @optional
        async def part(self, name: str, token: str) -> str:
            service = {"c": self.catalog, "m": self.mine, "t": self.tenants, "r": self.relayed}
            headers = {"authorization": token} if name == "r" and token else None
            return await service[name].get("/it", str, headers=headers)

    class Held(Plain):
        viewer: Viewer

    return Plain, Held


async def told(page: Any, parts: str, token: str) -> list[str | None]:
    """Return what a screen shows of some parts."""
    return list(await gather(*(page.part(name, token) for name in parts)))


@dataclass(frozen=True)
class Token:
    """What a client sent, for screens that relay it."""

    text: str

    @classmethod
    def from_scope(cls, scope: Scope) -> "Token":
        return cls(scope.header("authorization") or "")


def faces(kinds: dict[str, type[Upstream]]) -> list[Any]:
    """Return both faces of the same screens."""
    plain, held = screens(kinds)
    views = Views(prefix="/v1")

    class PlainWithToken(plain):
        token: Token

    @dataclass
    class Shown:
        told: list[str | None]

    @views.get("/plain")
    async def get_plain(page: Annotated[Any, Depends(compose(plain))], parts: str = "") -> Shown:
        return Shown(await told(page, parts.replace("r", ""), ""))

    @views.get("/held")
    async def get_held(
        page: Annotated[Any, Depends(compose(PlainWithToken))], parts: str = ""
    ) -> Shown:
        return Shown(await told(page, parts, page.token.text))

    @views.get("/greeted")
    async def get_greeted(page: Annotated[Any, Depends(compose(held))], parts: str = "") -> Shown:
        rest = await told(page, parts.replace("r", ""), "")
        return Shown([*rest, f"Hello canary-{page.viewer.subject}"])

    @strawberry.type
    class Query:
        @strawberry.field
        async def plain(self, info: Info, parts: str) -> list[str | None]:
            return await told(info.context.compose(plain), parts.replace("r", ""), "")

        @strawberry.field
        async def held(self, info: Info, parts: str) -> list[str | None]:
            page = info.context.compose(PlainWithToken)
            return await told(page, parts, page.token.text)

        @strawberry.field
        async def greeted(self, info: Info, parts: str) -> list[str | None]:
            page = info.context.compose(held)
            rest = await told(page, parts.replace("r", ""), "")
            return [*rest, f"Hello canary-{page.viewer.subject}"]

    return [views, GraphQL(strawberry.Schema(Query))]


def serving(name: str, service: Service, dice: random.Random) -> Scripted:
    """Return a service that tells what it was asked for whom, late, or not at all."""

    async def step(call: Call) -> Reply:
        await asyncio.sleep(dice.choice([0.0, 0.0, 0.3, 1.0]))
        if dice.random() < 0.15:
            raise TransportFailed("cut", call=call, is_sent=True)
        asks = find_header(call.headers, b"if-none-match")
        if asks is not None and dice.random() < 0.5:
            return Reply(304, service.headers)
        return Reply(200, service.headers, json.dumps(_words(name, call)).encode())

    return Scripted(step)


def _words(name: str, call: Call) -> str:
    if name == "relayed":
        token = (find_header(call.headers, b"authorization") or b"").decode()
        return f"for canary-{token.removeprefix('Bearer ').partition('@')[0]}"
    if name == "mine":
        return f"for canary-{(call.audience or '').rpartition(':')[2]}"
    return f"for {(call.audience or '').replace(':', '-')}" if name == "tenants" else "for all"


def url(asking: Asking) -> str:
    """Return what is asked for."""
    if asking.face == "rest":
        return f"/v1/{asking.screen}?parts={asking.parts}"
    query = f'{{ {asking.screen}(parts: "{asking.parts}") }}'
    return str(httpx.URL("/graphql", params={"query": query}))


@settings(max_examples=60, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(
    of=st.fixed_dictionaries(dict.fromkeys(("catalog", "mine", "tenants", "relayed"), SERVICES)),
    askings=visits(),
    purges=st.sets(st.integers(0, 39), max_size=3),
    seed=st.integers(0, 2**32),
)
async def test_nobody_sees_anothers_canary(of, askings, purges, seed) -> None:
    """Two viewers of a tenant, a stranger and nobody, over REST and GraphQL, at once or later."""
    kinds, dice = clients(of), random.Random(seed)
    scripts = {name: serving(name, of[name], dice) for name in of}
    app = gateway(
        "shop",
        services=list(kinds.values()),
        faces=faces(kinds),
        settings=Settings(
            env="production",
            auth="none",
            gc_freeze=False,
            allowed_hosts=["testserver"],
            upstreams=dict.fromkeys(scripts, ("http://127.0.0.1:1",)),
        ),
        authenticator=Bearer(),
        events=Events(),
        transport=lambda _, runtime: ScriptedTransport({"127.0.0.1": scripts[runtime.upstream]}),
        clock=asyncio.get_running_loop().time,
    )
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://testserver") as client,
    ):
        asked = []
        for number, asking in enumerate(askings):
            await asyncio.sleep(asking.after)
            if number in purges and app.has_cache:
                await app.cache.purge("anything")
            headers = bearer(asking.viewer) if asking.viewer else {}
            asked.append(asyncio.create_task(client.get(url(asking), headers=headers)))
        answers = await asyncio.gather(*asked)

    for asking, answer in zip(askings, answers, strict=True):
        assert strangers(asking.viewer, answer.text) == [], asking
        if asking.screen == "greeted" and answer.status_code == 200:
            assert f"Hello canary-{asking.viewer.partition('@')[0]}" in answer.text


def strangers(viewer: str, body: str) -> list[str]:
    """Return what an answer holds of other people and other tenants."""
    people = [name for owner, name in CANARY.items() if owner != viewer and name in body]
    own = TENANTS.get(viewer)
    tenants = [name for name in set(TENANTS.values()) if name != own and name in body]
    return people + tenants
