"""A gateway whose services need tokens: relayed, exchanged, or the gateway's own."""

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
from tests.upstream.credential_stubs import SECRET_VALUE, ScriptedToken, header_of, token

CLIENT = {"client_id": "shop", "secret": "gateway"}


class Mine(Upstream):
    """A service that is called with the viewer's own token."""

    policy = Policy(credentials=Relay(), cache=Cache(ttl=60))

    async def about(self) -> str:
        return await self.get("/me", str)


class Stock(Upstream):
    """A service that is called with the gateway's token."""

    policy = Policy(credentials=ClientCredentials(**CLIENT), public=True, cache=Cache(ttl=60))

    async def count(self) -> str:
        return await self.get("/stock", str)


class Bills(Upstream):
    """A service that is called with an exchanged token."""

    policy = Policy(credentials=TokenExchange(audience="bills", **CLIENT))

    async def last(self) -> str:
        return await self.get("/bills", str)


class Page(Composition):
    """A screen over all of them."""

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
    """The tokens that the services were called with."""

    name: str
    count: str | None
    bill: str | None


views = Views(prefix="/v1", access=ANYONE)


@views.get("/page")
async def get_page(page: Annotated[Page, Depends(compose(Page))]) -> Shown:
    """Return the screen."""
    return Shown(await page.name(), await page.count(), await page.bill())


class Bearer:
    """Accepts `Bearer <name>`, and sets the viewer's token."""

    challenge = "Bearer"

    async def authenticate(self, scope: Scope) -> Viewer | None:
        sent = scope.header("authorization")
        if sent is None:
            return None
        name = sent.removeprefix("Bearer ")
        scope.token = ScriptedToken(f"token-of-{name}")
        return Viewer(name)


async def echo(call: Call) -> Reply:
    """Answer with the Authorization of the call."""
    return Reply(200, ((b"content-type", b"application/json"),), f'"{header_of(call)}"'.encode())


async def giving(call: Call) -> Reply:
    """Issue tokens, and exchange them."""
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
        settings=in_production(scripts, secrets={"gateway": SECRET_VALUE}),
        authenticator=Bearer(),
        events=Events(heard.append),
        transport=by_script(scripts),
    )
    async with client_of(app) as client:
        yield client, scripts, heard


async def test_each_service_gets_the_credentials_of_its_policy():
    """The provider is called once for the gateway, and once for the viewer."""
    async with open_shop() as (client, scripts, heard):
        answer = await client.get("/v1/page", headers={"authorization": "Bearer ann"})

    assert answer.json() == {
        "name": "Bearer token-of-ann",
        "count": "Bearer own",
        "bill": "Bearer exchanged",
    }
    assert len(scripts["identity"].calls) == 2
    assert SECRET_VALUE not in repr(heard)


async def test_cached_replies_belong_to_one_viewer():
    """No viewer gets the reply to another viewer's token from the cache."""
    async with open_shop() as (client, scripts, _):
        answers = [
            (await client.get("/v1/page", headers={"authorization": f"Bearer {name}"})).json()
            for name in ("ann", "bob", "ann", "bob")
        ]
        anonymous = (await client.get("/v1/page")).json()

    assert [one["name"] for one in answers] == ["Bearer token-of-ann", "Bearer token-of-bob"] * 2
    assert anonymous == {"name": "None", "count": "Bearer own", "bill": "None"}
    assert [len(scripts[name].calls) for name in ("mine", "stock")] == [3, 1]


async def test_without_a_provider_optional_parts_degrade():
    """The page is answered, and reports the missing parts."""
    async with open_shop(fail()) as (client, scripts, _):
        answer = await client.get("/v1/page", headers={"authorization": "Bearer ann"})

    assert answer.status_code == 200
    assert answer.json() == {"name": "Bearer token-of-ann", "count": None, "bill": None}
    assert "reason=credentials_unavailable" in answer.headers["part-status"]
    assert scripts["stock"].calls == scripts["bills"].calls == []


@pytest.mark.parametrize(
    ("settings", "variable"),
    [
        ({"secrets": {}}, "BFF_SECRET_GATEWAY is not set"),
        ({"secrets": {"gateway": SECRET_VALUE}}, "BFF_UPSTREAM_IDENTITY is not set"),
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
