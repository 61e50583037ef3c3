"""A screen in the console: its plan, what each client gets, and what failing services do to it."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx
import pytest

from bff_core import (
    ANYONE,
    Composition,
    Limit,
    Policy,
    Upstream,
    Views,
    critical,
    gateway,
    optional,
)
from bff_core.admin.operator_token import OperatorToken
from bff_core.auth import SessionAuthenticator
from bff_core.console.console import Console
from bff_core.console.process_commands import process_commands
from bff_core.console.sign_in.access import Access
from bff_core.console.sources import GatewaySource, Sources
from bff_core.events import AnyEvent, Events
from bff_core.graphql import GraphQL
from bff_core.inspection.reader import parts_of
from bff_core.observe.metrics.process import ProcessMetrics
from bff_core.observe.metrics.samples import SamplesQuery, encoded
from bff_core.observe.metrics.sink import MetricsSink
from bff_core.testing import client, fail, reply
from bffs.compositions.home import Home
from bffs.scopes import demo_viewer
from bffs.services.identity import SCOPE
from bffs.web.schema import schema
from tests.bffs.in_process import SCRIPTS
from tests.console.conftest import CHANGE, browser

API = "/console/api/screens"


def make_web():
    """Return the web gateway anew: a query that it was sent once is remembered."""
    authenticator = SessionAuthenticator(scope=SCOPE)
    return gateway("web", authenticator=authenticator, demo=demo_viewer, faces=[GraphQL(schema)])


@asynccontextmanager
async def shop(pages, *names: str) -> AsyncIterator[tuple[httpx.AsyncClient, dict[str, Any]]]:
    """Open gateways of the reference application, and a console over them."""
    async with AsyncExitStack() as opened:
        sending = {
            name: await opened.enter_async_context(
                client(make_web if name == "web" else f"bffs.{name}.app:app", SCRIPTS, viewer="1")
            )
            for name in names
        }
        sources = [
            GatewaySource(name=name, commands=process_commands(one.app))
            for name, one in sending.items()
        ]
        yield await opened.enter_async_context(browser(pages.app(pages.console(sources)))), sending


async def test_the_screens_of_all_gateways(pages):
    """Home is first, then each screen once by name, with the routes and fields that serve it."""
    async with shop(pages, "web", "mobile", "desktop") as (console, _):
        listed = (await console.get(API)).json()

    views = {one["screen"]: one["views"] for one in listed}
    first, *others = views
    assert (first, others) == ("Home", sorted(others))
    assert views["Home"] == [
        ["web", "home"],
        ["web", "viewer"],
        ["mobile", "GET /v1/home"],
        ["desktop", "GET /v1/dashboard"],
    ]


async def test_a_screen_has_its_parts_in_one_order(pages):
    """It is that of the class, whichever gateways run: parts have one colour on all pages."""
    found = []
    for names in (("mobile",), ("web", "desktop")):
        async with shop(pages, *names) as (console, _):
            (home, *_) = (await console.get(API)).json()
            found.append(home["parts"])

    assert found == [list(parts_of(Home))] * 2


async def test_the_plan_of_home(pages):
    """Columns follow what parts use of each other, on any client; the headline says what fails."""
    async with shop(pages, "mobile", "desktop") as (console, _):
        screen = (await console.get(f"{API}/Home?viewer=1")).json()

    plan = {one["part"]: one for one in screen["plan"]}
    assert {name: one["column"] for name, one in plan.items()} == {
        "profile": 0,
        "orders": 0,
        "cart": 0,
        "picks": 0,
        "deals": 0,
        "payment_methods": 0,
        "summary": 1,
        "price": 2,
        "stock": 2,
        "rating": 2,
    }
    assert list(plan) == sorted(plan, key=lambda name: plan[name]["column"])
    assert sorted(plan["summary"]["awaits"]) == ["cart", "deals", "picks"]
    assert plan["rating"]["awaits"] == ["summary"]
    assert [name for name, one in plan.items() if one["is_critical"]] == ["profile"]
    assert (plan["orders"]["fallback"], plan["rating"]["fallback"]) == ("()", "null")
    assert (plan["rating"]["timeout"], plan["profile"]["timeout"]) == (0.6, None)
    assert plan["deals"]["upstreams"] == ["pricing"]
    assert screen["explain"] == "bff explain 'GET /v1/home'"
    assert screen["headline"]["text"].startswith(
        "**Home fails only when users fails. Every other part is optional.** Critical path: "
    )


async def test_each_client_side_by_side(pages):
    """Each gateway answers for the viewer: sizes, calls and bytes are those of its own answer."""
    async with shop(pages, "web", "mobile", "desktop") as (console, sending):
        screen = (await console.get(f"{API}/Home?viewer=1")).json()
        phone = await sending["mobile"].get("/v1/home")

    views = {(one["gateway"], one["route"]): one for one in screen["clients"]}
    mobile, desktop = views["mobile", "GET /v1/home"], views["desktop", "GET /v1/dashboard"]
    assert (mobile["status"], mobile["state"], mobile["client"]) == (200, "complete", "mobile")
    assert (mobile["size"], mobile["calls"]) == (len(phone.content), 7)
    assert desktop["calls"] == 10
    assert mobile["received"] < desktop["received"]
    outlines = {one["part"]: one["outline"] for one in mobile["parts"]}
    assert outlines["orders"] == '"orders": [ 3 \u00d7 id, number, status ]'
    assert outlines["cart"].startswith('"cart_count": ')
    assert outlines["summary"] == "{ id, title, image }"
    assert outlines["price"] == '"price": { amount, currency, discount_percent }'
    assert outlines.keys().isdisjoint({"stock", "rating", "payment_methods"})
    assert sum(one["sent"] for one in desktop["parts"]) == pytest.approx(desktop["size"], abs=20)
    web = views["web", "home"]
    assert web["note"] == "all fields"
    assert {"trackingId", "picks"} <= set(
        next(one["outline"] for one in web["parts"] if one["part"] == "picks")
        .replace('"', " ")
        .split()
    )


async def test_requests_that_may_change_something_are_no_clients(pages):
    """They are listed apart and never sent; a screen that only they build has its plan alone."""
    async with shop(pages, "web", "mobile", "desktop") as (console, _):
        cart = (await console.post(f"{API}/CartPage/matrix?viewer=1", headers=CHANGE)).json()
        checkout = (await console.get(f"{API}/Checkout?viewer=1")).json()

    # The smallest answer is first: that of an empty checkout has no lines.
    read = [("mobile", "GET /v1/checkout"), ("mobile", "GET /v1/cart"), ("web", "cart")]
    assert [(one["gateway"], one["route"]) for one in cart["clients"]] == read
    assert {(c["gateway"], c["route"]) for row in cart["matrix"] for c in row["cells"]} == {*read}
    assert sorted(cart["writes"]) == [
        ["mobile", "DELETE /v1/cart/items/{sku}"],
        ["mobile", "PUT /v1/cart/items/{sku}"],
        ["web", "removeCartItem"],
        ["web", "setCartItem"],
    ]
    assert (checkout["clients"], len(checkout["writes"])) == ([], 3)
    assert [one["part"] for one in checkout["plan"]] == ["quote", "reserve", "place", "charge"]


async def test_a_field_is_requested_as_a_client_did(pages):
    """Once a client has sent a query of a field, the console sends the same, the longest first."""
    async with shop(pages, "web") as (console, sending):
        for _ in range(2):
            before = (await console.get(f"{API}/Home?viewer=1")).json()
            assert before["clients"][0]["note"] == "all fields"
        await sending["web"].graphql("{ home { viewer { name } cart { count } } }")
        await sending["web"].graphql("{ home { viewer { name } } }")
        screen = (await console.get(f"{API}/Home?viewer=1")).json()

    home = next(one for one in screen["clients"] if one["route"] == "home")
    assert home["note"] == "as a client requested it"
    assert {one["part"]: one["outline"] for one in home["parts"]} == {
        "profile": '"viewer": { name }',
        "cart": '"cart": { count }',
    }


async def test_the_matrix_is_what_clients_get_when_a_service_is_down(pages):
    """Each cell has the status and the size of an answer whose service refuses connections."""
    async with shop(pages, "mobile", "desktop") as (console, _):
        screen = (await console.post(f"{API}/Home/matrix?viewer=1", headers=CHANGE)).json()

    rows = {one["upstream"]: one for one in screen["matrix"]}
    assert screen["has_matrix"] is True
    assert rows["pricing"]["parts"] == ["deals", "price"]
    cells = {name: one["cells"] for name, one in rows.items()}
    assert [cell["state"] for cell in cells["users"]] == ["failed", "failed"]
    assert [cell["status"] for cell in cells["users"]] == [502, 502]
    assert [cell["is_used"] for cell in cells["payments"]] == [False, True]
    for service in ("catalog", "pricing", "recommendations"):
        services = SCRIPTS | {service: fail(is_sent=False)}
        async with client("bffs.mobile.app:app", services, viewer="1") as sending:
            answer = await sending.get("/v1/home")
        (cell,) = [one for one in cells[service] if one["gateway"] == "mobile"]
        assert (cell["status"], cell["size"]) == (200, len(answer.content))
        assert cell["state"] == "degraded"


async def test_a_matrix_does_not_touch_the_services_at_every_cell(pages):
    """All cells of a gateway share the replies of services, so that one call each is enough."""
    async with shop(pages, "mobile") as (console, sending):
        await console.post(f"{API}/Home/matrix", headers=CHANGE)
        counts = sending["mobile"].calls.counts

    assert counts == {
        "users": 1,
        "orders": 1,
        "cart": 1,
        "recommendations": 1,
        "catalog": counts["catalog"],
        "pricing": counts["pricing"],
    }
    assert counts["catalog"] + counts["pricing"] < 12


async def test_some_services_broken(pages):
    """Clients that do not use a broken service stay whole, and the headline says who suffers."""
    async with shop(pages, "mobile", "desktop") as (console, _):
        url = f"{API}/Home/break"
        one = (await console.post(url, headers=CHANGE, json={"broken": ["inventory"]})).json()
        two = (
            await console.post(url, headers=CHANGE, json={"broken": ["reviews", "users"]})
        ).json()

    assert [view["state"] for view in one["clients"]] == ["complete", "degraded"]
    assert one["headline"]["text"] == (
        "While **inventory** fails, Home is degraded on desktop; complete on mobile."
    )
    assert next(node for node in one["plan"] if node["part"] == "stock")["state"] == "fallback"
    assert two["broken"] == ["reviews", "users"]
    assert [view["status"] for view in two["clients"]] == [502, 502]
    assert two["headline"]["state"] == "failed"
    assert two["clients"][0]["note"] == "Upstream unavailable"


async def test_a_critical_part_of_graphql(pages):
    """A GraphQL answer without what the screen needs has failed, although its status is 200."""
    async with shop(pages, "web") as (console, _):
        body = {"broken": ["users"]}
        screen = (await console.post(f"{API}/Home/break", headers=CHANGE, json=body)).json()

    assert (screen["clients"][0]["status"], screen["clients"][0]["state"]) == (200, "failed")
    assert screen["headline"]["text"] == "While **users** fails, Home is failed on web."


async def test_a_screen_with_an_input(pages):
    """A required input has a made-up value, which a note names, or one of the console's query."""
    async with shop(pages, "mobile") as (console, _):
        made_up = (await console.get(f"{API}/ProductPage")).json()
        given = (await console.get(f"{API}/ProductPage?product_id=8&viewer=2")).json()

    assert "with product_id=1" in made_up["clients"][0]["note"]
    assert given["clients"][0]["note"] == ""
    assert given["clients"][0]["status"] == 200


async def test_an_unknown_screen(pages):
    """It is a 404 that says what to do."""
    async with shop(pages, "mobile") as (console, _):
        answer = await console.get(f"{API}/Nowhere")

    assert answer.status_code == 404
    assert "has a screen Nowhere: choose one of the list" in answer.json()["detail"]


class Rates(Upstream):
    """A service."""

    name = "rates"
    policy = Policy()

    async def of(self) -> list[int]:
        """Return some numbers."""
        return await self.get("/rates", list[int])


class Board(Composition):
    """A screen."""

    rates: Rates

    @critical
    async def first(self) -> list[int]:
        """Call a service."""
        return await self.rates.of()

    @optional(fallback=())
    async def second(self) -> list[int]:
        """Call it again."""
        return await self.rates.of()


views_of_board = Views()


@views_of_board.get("/board", access=ANYONE)
async def get_board(board: Board) -> list[int]:
    """Return the numbers twice."""
    return [*(await board.first()), *(await board.second())]


def board(found: list[AnyEvent] | None = None):
    """Return a gateway that accepts one request a minute, and adds its events to a list."""
    sinks = [] if found is None else [found.append]
    limit = Limit(quota=1, per=60, by="address")
    return gateway("board", faces=[views_of_board], limits=[limit], sinks=sinks)


async def test_a_screen_of_gateways_that_do_not_answer(pages):
    """It may exist: that no gateway answers is no reason to choose another one."""
    console = pages.console([GatewaySource(name="mobile")])
    async with browser(pages.app(console)) as page:
        answer = await page.get(f"{API}/Home")

    assert answer.status_code == 503
    assert answer.json()["title"] == "No gateway answers what Home is"


async def test_a_sandbox_leaves_no_trace(pages):
    """No event, no rate limit, no breaker and no cache of the gateway notices a matrix."""
    events: list[AnyEvent] = []

    async with client(lambda: board(events), {"rates": reply(200, [1, 2])}) as sending:
        source = GatewaySource(name="board", commands=process_commands(sending.app))
        events.clear()
        async with browser(pages.app(pages.console([source]))) as console:
            for _ in range(15):
                found = await console.post(f"{API}/Board/matrix", headers=CHANGE)
        noticed, answer = list(events), await sending.get("/board")

    assert found.json()["matrix"][0]["cells"][0]["status"] == 502
    assert noticed == []
    assert answer.json() == [1, 2, 1, 2]


@pytest.mark.virtual_time
async def test_observed_times(pages):
    """Parts and clients have the percentiles of metrics, once there was traffic."""
    sink = MetricsSink()
    counted = ProcessMetrics(sink, "board", views={})

    async def samples(_: bytes) -> bytes:
        return encoded(counted.samples(SamplesQuery()))

    def make():
        return gateway("board", faces=[views_of_board], sinks=[sink])

    async with client(make, {"rates": reply(200, [1], after=0.05)}) as sending:
        commands = {**process_commands(sending.app), "metrics.samples": samples}
        source = GatewaySource(name="board", commands=commands)
        async with browser(pages.app(pages.console([source]))) as console:
            before = (await console.get(f"{API}/Board")).json()
            await sending.get("/board")
            after = (await console.get(f"{API}/Board")).json()

    assert [one["p95"] for one in (*before["plan"], *before["clients"])] == [None] * 3
    assert [one["p95"] for one in after["plan"]] == pytest.approx([0.05, 0.05], rel=0.34)
    assert after["plan"][0]["p50"] <= after["plan"][0]["p95"]
    assert after["clients"][0]["p95"] == pytest.approx(0.1, rel=0.34)


async def test_in_production_only_the_plan_is_shown(pages):
    """Nothing calls services again there: no answers, no matrix, and each says why."""
    environ = {"BFF_ENV": "production", "BFF_ALLOWED_HOSTS": "localhost"}
    async with client(board, {"rates": reply(200, [1])}, environ=environ) as sending:
        source = GatewaySource(name="board", commands=process_commands(sending.app))
        access = Access(
            is_development=False, token=OperatorToken("a-token-of-an-operator", Events())
        )
        console = Console(Sources([source]), is_development=False, access=access)
        bearer = {"authorization": "Bearer a-token-of-an-operator"}
        async with browser(pages.app(console)) as operator:
            screen = (await operator.get(f"{API}/Board", headers=bearer)).json()
            refused = await operator.post(f"{API}/Board/matrix", headers=bearer | CHANGE)

    assert [one["part"] for one in screen["plan"]] == ["first", "second"]
    assert [one["note"] for one in screen["clients"]] == [
        "answers are computed in development only"
    ]
    assert screen["plan"][1]["awaits"] == ["first"]
    assert (refused.status_code, refused.json()["title"]) == (403, "Only in development")
    assert len(sending.calls) == 0
