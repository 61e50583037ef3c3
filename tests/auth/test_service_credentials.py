"""A gateway whose services want to know who asks: tokens relayed, exchanged, of its own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated

import httpx
import pytest
from fastapi import Depends

from bff_core import (
    ANYONE,
    ApiKey,
    Cache,
    ClientCredentials,
    Composition,
    ConfigurationError,
    Policy,
    Relay,
    Scope,
    TokenExchange,
    Upstream,
    Viewer,
    Views,
    compose,
    critical,
    gateway,
    optional,
)
from bff_core.call import Call, Reply
from bff_core.events import AnyEvent, Events
from bff_core.testing.scripted import Scripted, fail
from tests.shop_with_view_cache import by_script, client_of, in_production
from tests.upstream.holders import GOLDEN, Held, shown_in, token

CLIENT = {"client_id": "shop", "secret": "gateway"}


class Mine(Upstream):
    """The viewer's own, by the viewer's own token."""

    policy = Policy(credentials=Relay(), cache=Cache(ttl=60))

    async def about(self) -> str:
        return await self.get("/me", str)


class Stock(Upstream):
    """Everybody's, by a token of the gateway."""

    policy = Policy(credentials=ClientCredentials(**CLIENT), public=True, cache=Cache(ttl=60))

    async def count(self) -> str:
        return await self.get("/stock", str)


class Bills(Upstream):
    """The viewer's own, by a token that is good for nothing else."""

    policy = Policy(credentials=TokenExchange(audience="bills", **CLIENT))

    async def last(self) -> str:
        return await self.get("/bills", str)


class Page(Composition):
    """What a screen shows of all of them."""

    mine: Mine
    stock: Stock
    bills: Bills

    @critical
    async def name(self) -> str:
        return await self.mine.about()

    @optional
    async def count(self) -> str:
        return await self.stock.count()

    @optional
    async def bill(self) -> str:
        return await self.bills.last()


@dataclass
class Shown:
    """By which tokens the services were called."""

    name: str
    count: str | None
    bill: str | None


views = Views(prefix="/v1", access=ANYONE)


@views.get("/page")
async def get_page(page: Annotated[Page, Depends(compose(Page))]) -> Shown:
    """Show all of it."""
    return Shown(await page.name(), await page.count(), await page.bill())


class Bearer:
    """Takes `Bearer <name>` at its word, and has the viewer's token."""

    challenge = "Bearer"

    async def authenticate(self, scope: Scope) -> Viewer | None:
        told = scope.header("authorization")
        if told is None:
            return None
        name = told.removeprefix("Bearer ")
        scope.token = Held(f"token-of-{name}")
        return Viewer(name)


async def echo(call: Call) -> Reply:
    """Answer with what the call showed."""
    return Reply(200, ((b"content-type", b"application/json"),), f'"{shown_in(call)}"'.encode())


async def giving(call: Call) -> Reply:
    """Give tokens, and exchange them."""
    issued = "urn:ietf:params:oauth:token-type:access_token"
    name = "exchanged" if b"subject_token" in call.body else "own"
    return await token(name, issued_token_type=issued)(call)


@asynccontextmanager
async def open_shop(*steps) -> AsyncIterator[tuple[httpx.AsyncClient, dict[str, Scripted], list]]:
    """Run a gateway over services that echo, and a provider."""
    scripts = {name: Scripted(echo) for name in ("mine", "stock", "bills")}
    scripts["identity"] = Scripted(*(steps or (giving,)))
    heard: list[AnyEvent] = []
    app = gateway(
        "shop",
        services=[Mine, Stock, Bills],
        faces=[views],
        settings=in_production(scripts, secrets={"gateway": GOLDEN}),
        authenticator=Bearer(),
        events=Events(heard.append),
        transport=by_script(scripts),
    )
    async with client_of(app) as client:
        yield client, scripts, heard


async def test_each_service_is_shown_what_its_policy_says():
    """The provider is asked once for the gateway, and once for the viewer."""
    async with open_shop() as (client, scripts, heard):
        told = await client.get("/v1/page", headers={"authorization": "Bearer ann"})

    assert told.json() == {
        "name": "Bearer token-of-ann",
        "count": "Bearer own",
        "bill": "Bearer exchanged",
    }
    assert len(scripts["identity"].calls) == 2
    assert GOLDEN not in repr(heard)


async def test_what_is_kept_is_the_viewers_alone():
    """Nobody is answered with what another's token brought, whatever is cached."""
    async with open_shop() as (client, scripts, _):
        told = [
            (await client.get("/v1/page", headers={"authorization": f"Bearer {name}"})).json()
            for name in ("ann", "bob", "ann", "bob")
        ]
        nobody = (await client.get("/v1/page")).json()

    assert [one["name"] for one in told] == ["Bearer token-of-ann", "Bearer token-of-bob"] * 2
    assert nobody == {"name": "None", "count": "Bearer own", "bill": "None"}
    assert [len(scripts[name].calls) for name in ("mine", "stock")] == [3, 1]


async def test_without_a_provider_optional_parts_degrade():
    """The page is there, and tells what it lacks."""
    async with open_shop(fail()) as (client, scripts, _):
        told = await client.get("/v1/page", headers={"authorization": "Bearer ann"})

    assert told.status_code == 200
    assert told.json() == {"name": "Bearer token-of-ann", "count": None, "bill": None}
    assert "reason=credentials_unavailable" in told.headers["part-status"]
    assert scripts["stock"].calls == scripts["bills"].calls == []


@pytest.mark.parametrize(
    ("settings", "variable"),
    [
        ({"secrets": {}}, "BFF_SECRET_GATEWAY is not set"),
        ({"secrets": {"gateway": GOLDEN}}, "BFF_UPSTREAM_IDENTITY is not set"),
    ],
)
def test_what_is_missing_stops_the_start_by_its_name(settings, variable):
    """A secret, and the address of the provider."""
    known = ["stock"] if settings["secrets"] else ["stock", "identity"]

    with pytest.raises(ConfigurationError, match=variable):
        gateway("shop", services=[Stock], settings=in_production(known, **settings))


def test_a_key_needs_no_provider():
    """Only its secret."""

    class Maps(Upstream):
        policy = Policy(credentials=ApiKey(secret="maps"))

    settings = in_production(["maps"], secrets={"maps": "k"})

    assert gateway("shop", services=[Maps], settings=settings).title == "shop"
