"""Progressive answers: each part as it ends, then the same answer as without lines."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Annotated

import pytest
from fastapi import Depends, Response
from shop import Page, Product, ProductPage, ProductView, Shop

from bff_core import (
    ANYONE,
    Composition,
    ConfigurationError,
    Views,
    compose,
    critical,
    early,
    gather,
)
from bff_core.events import Crashed
from bff_core.rest.progressive import prefers_lines
from bff_core.testing.scripted import fail, hang, reply

LINES = {"accept": "application/x-ndjson"}
BOTH_LANES = pytest.mark.parametrize("lane", ["fast", "FastAPI's"])
PAGE = "/v1/products/7"


def heading(product: Product, _: ProductPage) -> str:
    """Present a product."""
    return product.title.upper()


def first_words(reviews: Sequence[str], page: ProductPage) -> list[str]:
    """Present reviews, as many as the screen shows."""
    return [review[:3] for review in reviews[: page.first]]


class SalePage(ProductPage):
    """A screen that inherits its parts."""


class OwnProductPage(ProductPage):
    """A screen with a part that replaces an inherited one."""

    @critical
    async def product(self) -> Product:
        return Product("1", "Another tent")


def progressive_views() -> Views:
    """Return views that send two of their parts early."""
    views = Views(prefix="/v1", access=ANYONE)

    @views.get(
        "/products/{product_id}",
        progressive=[early(ProductPage.product, heading), early(ProductPage.reviews, first_words)],
    )
    async def get_product(page: Page) -> ProductView:
        product, reviews, _ = await gather(page.product(), page.reviews(), page.greeting())
        return ProductView(product.title, reviews)

    @views.get("/plain/{product_id}")
    async def get_plain(page: Page) -> ProductView:
        product, reviews = await gather(page.product(), page.reviews())
        return ProductView(product.title, reviews)

    @views.get(
        "/sales/{product_id}",
        progressive=[early(SalePage.product, heading), early(ProductPage.reviews, first_words)],
    )
    async def get_sale(page: SalePage) -> ProductView:
        product, reviews = await gather(page.product(), page.reviews())
        return ProductView(product.title, reviews)

    @views.get("/broken/{product_id}", progressive=[early(ProductPage.product, broken)])
    async def get_broken(page: Page) -> ProductView:
        return ProductView((await page.product()).title, await page.reviews())

    @views.get("/bug/{product_id}")
    async def get_bug(page: Page) -> ProductView:
        await page.product()
        raise KeyError("hunter2")

    @views.get("/stuck/{product_id}")
    async def get_stuck(page: Page) -> ProductView:
        await page.product()
        await asyncio.Event().wait()
        raise AssertionError

    @views.get("/raw")
    async def get_raw() -> Response:
        return Response("as it is", media_type="text/plain")

    @views.get("/nothing")
    async def get_nothing() -> list[int]:
        return [1, 2]

    return views


def broken(_: Product, __: object) -> object:
    """Present nothing."""
    raise KeyError("hunter2")


@dataclass
class Heard:
    """What a client got, and when; `leave` disconnects it."""

    messages: list[tuple[float, dict]] = field(default_factory=list)
    leaves: asyncio.Event = field(default_factory=asyncio.Event)

    async def receive(self) -> dict:
        await self.leaves.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: dict) -> None:
        self.messages.append((asyncio.get_running_loop().time(), message))

    @property
    def status(self) -> int:
        return self.messages[0][1]["status"]

    @property
    def lines(self) -> list[dict]:
        return [line for _, line in self.timed]

    @property
    def timed(self) -> list[tuple[float, dict]]:
        return [
            (at, json.loads(message["body"]))
            for at, message in self.messages
            if message.get("body")
        ]

    @property
    def is_complete(self) -> bool:
        return self.messages[-1][1].get("more_body") is False or (
            "body" in self.messages[-1][1] and "more_body" not in self.messages[-1][1]
        )


@pytest.fixture
def open_page(shop):
    """Open the shop with progressive views, in virtual time, on the fast or the slow path."""

    @asynccontextmanager
    async def opened(lane: str = "fast") -> AsyncIterator[Shop]:
        clock = asyncio.get_running_loop().time
        async with shop(views=progressive_views(), clock=clock) as one:
            if lane != "fast":
                one.app.dependency_overrides[object] = object
            yield one

    return opened


async def speak(shop: Shop, path: str = PAGE, headers=(), heard: Heard | None = None) -> Heard:
    """Send a request as a client that reads line by line."""
    heard = heard or Heard()
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "server": ("testserver", 80),
        "headers": [
            (b"host", b"testserver"),
            (b"accept", b"application/x-ndjson"),
            (b"accept-encoding", b"gzip"),
            (b"authorization", b"Bearer demo-1"),
            *headers,
        ],
    }
    await shop.app(scope, heard.receive, heard.send)
    return heard


@BOTH_LANES
@pytest.mark.virtual_time
async def test_each_part_is_sent_as_it_ends(open_page, lane):
    """Fast parts do not wait for slow ones; the last line is the whole answer."""
    async with open_page(lane) as shop:
        shop.scripts["catalog"].then(reply(200, {"id": "7", "title": "A tent"}, after=0.1))
        shop.scripts["reviews"].then(reply(200, ["good", "dry"], after=0.3))
        began = asyncio.get_running_loop().time()
        heard = await speak(shop)

    assert [(pytest.approx(at - began), line) for at, line in heard.timed] == [
        (0.0, {"part": "greeting", "status": "ok"}),
        (0.1, {"part": "product", "status": "ok", "value": "A TENT"}),
        (0.3, {"part": "reviews", "status": "ok", "value": ["goo", "dry"]}),
        (
            0.3,
            {
                "answer": {"title": "A tent", "reviews": ["good", "dry"]},
                "parts": {
                    "product": {"status": "ok"},
                    "reviews": {"status": "ok"},
                    "greeting": {"status": "ok"},
                },
            },
        ),
    ]
    assert heard.is_complete


@BOTH_LANES
@pytest.mark.virtual_time
async def test_a_part_without_presenter_is_reported_without_value(open_page, lane):
    """The data of a service is sent only as the view presents it."""
    async with open_page(lane) as shop:
        heard = await speak(shop, "/v1/plain/7")

    assert heard.lines[:2] == [
        {"part": "product", "status": "ok"},
        {"part": "reviews", "status": "ok"},
    ]


@BOTH_LANES
@pytest.mark.virtual_time
async def test_an_inherited_part_is_sent_early(open_page, lane):
    """It may be named as a part of the screen, or of the class that declares it."""
    async with open_page(lane) as shop:
        heard = await speak(shop, "/v1/sales/7")

    assert {line.get("part"): line.get("value") for line in heard.lines[:2]} == {
        "product": "A GREEN TENT",
        "reviews": ["goo", "dry"],
    }


@BOTH_LANES
@pytest.mark.virtual_time
async def test_the_last_line_holds_the_plain_answer(open_page, lane):
    """Its bytes are the same, with `_meta` on request."""
    async with open_page(lane) as shop:
        for path in (PAGE, f"{PAGE}?_meta=parts", "/v1/nothing"):
            plain = await shop.client.get(path)
            lines = (await shop.client.get(path, headers=LINES)).text.splitlines()

            assert lines[-1].startswith('{"answer":' + plain.text)


@BOTH_LANES
@pytest.mark.virtual_time
async def test_a_degraded_part_is_reported_as_in_the_header(open_page, lane):
    """The line has the state, the reason and the presented fallback; so has the last line."""
    async with open_page(lane) as shop:
        shop.scripts["reviews"].then(hang())
        heard = await speak(shop)

    fallback = {"status": "fallback", "reason": "timeout"}
    assert {"part": "reviews", **fallback, "value": []} in heard.lines
    assert heard.lines[-1]["parts"]["reviews"] == fallback
    assert heard.lines[-1]["answer"] == {"title": "A green tent", "reviews": []}


@BOTH_LANES
@pytest.mark.virtual_time
async def test_a_failure_before_the_first_line_has_its_own_status(open_page, lane):
    """No part has succeeded, so it is the same problem document as without lines."""
    async with open_page(lane) as shop:
        shop.scripts["catalog"].then(reply(404))
        shop.scripts["reviews"].then(reply(200, ["good"], after=0.2))
        answer = await shop.client.get("/v1/plain/7", headers=LINES)

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert answer.headers["content-type"] == "application/problem+json"


@BOTH_LANES
@pytest.mark.virtual_time
async def test_a_degraded_part_does_not_begin_the_answer(open_page, lane):
    """After a fallback alone the answer may still become a problem document."""
    async with open_page(lane) as shop:
        shop.scripts["reviews"].then(reply(503))
        shop.scripts["catalog"].then(reply(404, after=2))
        answer = await shop.client.get("/v1/plain/7", headers=LINES)

    assert answer.status_code == 404


@BOTH_LANES
@pytest.mark.virtual_time
async def test_a_failure_after_the_start_is_the_last_line(open_page, lane):
    """It has the problem that would have been the answer, and the states of the parts."""
    async with open_page(lane) as shop:
        shop.scripts["catalog"].then(fail(after=0.2))
        heard = await speak(shop)

    last = heard.lines[-1]
    assert (heard.status, heard.is_complete) == (200, True)
    assert {line["part"] for line in heard.lines[:-1]} == {"greeting", "reviews"}
    assert (last["problem"]["status"], last["problem"]["code"]) == (502, "unavailable")
    assert last["problem"]["request_id"]
    assert last["parts"]["reviews"] == {"status": "ok"}


@BOTH_LANES
@pytest.mark.parametrize("path", ["/v1/broken/7", "/v1/bug/7"])
@pytest.mark.virtual_time
async def test_a_bug_is_masked_and_emitted_as_an_event(open_page, lane, path):
    """Also a bug in the presentation of a part: the client gets no details."""
    async with open_page(lane) as shop:
        heard = await speak(shop, path)
        crashes = [event for event in shop.heard if isinstance(event, Crashed)]

    problem = heard.lines[-1].get("problem", heard.lines[-1])
    assert (problem["status"], problem["code"]) == (500, "internal_error")
    assert "hunter2" not in json.dumps(heard.lines)
    assert [type(crash.error) for crash in crashes] == [KeyError]


@BOTH_LANES
@pytest.mark.parametrize("path", [PAGE, "/v1/stuck/7"])
@pytest.mark.virtual_time
async def test_the_deadline_holds(open_page, lane, path):
    """If a service or the view hangs, the last line reports it in time."""
    async with open_page(lane) as shop:
        if path == PAGE:
            shop.scripts["catalog"].then(hang())
        began = asyncio.get_running_loop().time()
        heard = await speak(shop, path, headers=[(b"request-timeout", b"1.5")])
        took = asyncio.get_running_loop().time() - began

    assert heard.lines[-1]["problem"]["status"] == 504
    assert took == pytest.approx(1.5, abs=0.05)


@BOTH_LANES
@pytest.mark.virtual_time
async def test_a_disconnect_cancels_running_parts(open_page, lane):
    """Its calls are cancelled, and no task is left."""
    async with open_page(lane) as shop:
        shop.scripts["catalog"].then(hang())
        heard = Heard()
        asyncio.get_running_loop().call_later(0.2, heard.leaves.set)
        began = asyncio.get_running_loop().time()
        await speak(shop, heard=heard)
        took = asyncio.get_running_loop().time() - began

        assert took == pytest.approx(0.2)
        assert (shop.scripts["catalog"].cancelled, shop.scripts["catalog"].in_flight) == (1, 0)


@BOTH_LANES
@pytest.mark.virtual_time
async def test_lines_are_not_buffered(open_page, lane):
    """They are not compressed, not buffered by proxies and not cached."""
    async with open_page(lane) as shop:
        answer = await shop.client.get(PAGE, headers=LINES | {"accept-encoding": "gzip"})

    assert answer.headers["content-type"] == "application/x-ndjson"
    assert answer.headers["x-accel-buffering"] == "no"
    assert answer.headers["cache-control"] == "no-store"
    assert "content-encoding" not in answer.headers
    assert "content-length" not in answer.headers


@BOTH_LANES
@pytest.mark.parametrize("accept", ["*/*", "application/x-ndjson"])
@pytest.mark.virtual_time
async def test_both_forms_vary_by_accept(open_page, lane, accept):
    """A cache must not serve lines to a client that wants a document."""
    async with open_page(lane) as shop:
        answer = await shop.client.get(PAGE, headers={"accept": accept})

    assert "accept" in answer.headers["vary"].lower().split(", ")


@pytest.mark.virtual_time
async def test_head_has_the_headers_of_the_lines(open_page):
    """It has no content."""
    async with open_page() as shop:
        answer = await shop.client.head(PAGE, headers=LINES)

    assert (answer.headers["content-type"], answer.content) == (LINES["accept"], b"")


@BOTH_LANES
@pytest.mark.virtual_time
async def test_a_response_of_its_own_is_sent_as_it_is(open_page, lane):
    """A view that returns a text response has no lines."""
    async with open_page(lane) as shop:
        answer = await shop.client.get("/v1/raw", headers=LINES)

    assert (answer.text, answer.headers["content-type"]) == (
        "as it is",
        "text/plain; charset=utf-8",
    )


@pytest.mark.parametrize(
    ("accept", "lines"),
    [
        (b"application/x-ndjson", True),
        (b"Application/X-NDJSON", True),
        (b"application/x-ndjson, application/json;q=0.9", True),
        (b"application/x-ndjson, application/json", True),
        (b"*/*, application/x-ndjson", True),
        (b"application/x-ndjson, */*", True),
        (b"application/x-ndjson;q=0.5, */*;q=0.1", True),
        (b"application/x-ndjson;charset=utf-8, text/html", True),
        (b"application/json;q=0, application/x-ndjson;q=0.1", True),
        (b"application/json;q=0.4, application/*;q=0.9, application/x-ndjson;q=0.5", True),
        (b'application/json;x="a,b;q=1";q=0.1, application/x-ndjson ; Q=0.2', True),
        (b"application/json, application/x-ndjson", False),
        (b"application/json;q=0.5, application/x-ndjson;q=0.5", False),
        (b"*/*, application/x-ndjson;q=0.1", False),
        (b"application/*, application/x-ndjson;q=0.9", False),
        (b"application/*", False),
        (b"application/x-ndjson;q=2", False),
        (b"application/x-ndjson;q=nan", False),
        (b";application/x-ndjson", False),
        (b"text/html", False),
        (b"application/json, application/x-ndjson;q=0.5", False),
        (b"application/x-ndjson;q=0", False),
        (b"application/x-ndjson;q=often", False),
        (b"application/x-ndjson2", False),
        (b"*/*", False),
        (b"", False),
    ],
)
def test_lines_are_for_clients_that_prefer_them(accept, lines):
    """The higher weight wins, then the first type in the header; a wildcard means JSON."""
    assert prefers_lines(accept) is lines


async def test_openapi_documents_both_forms(open_page):
    """For each view that reads and returns a model."""
    async with open_page() as shop:
        paths = shop.app.openapi()["paths"]

    content = paths["/v1/plain/{product_id}"]["get"]["responses"]["200"]["content"]
    assert content.keys() == {"application/json", "application/x-ndjson"}
    assert "application/x-ndjson" not in str(paths["/v1/raw"])


class Other(Composition):
    """A composition without products."""

    @critical
    async def product(self) -> Product:
        return Product("1", "")


def test_a_part_that_the_view_does_not_have_is_refused():
    """The declaration raises, not the first request."""
    views = Views(access=ANYONE)
    declare = views.get("/{product_id}", progressive=[early(Other.product, heading)])

    async def get_product(page: Annotated[ProductPage, Depends(compose(ProductPage))]) -> str:
        return (await page.product()).title

    with pytest.raises(ConfigurationError, match="'product'"):
        declare(get_product)


def test_a_part_that_the_screen_overrides_is_refused():
    """The presenter would get another value than that of the part that it was written for."""
    views = Views(access=ANYONE)
    declare = views.get("/{product_id}", progressive=[early(ProductPage.product, heading)])

    async def get_product(page: OwnProductPage) -> str:
        return (await page.product()).title

    with pytest.raises(ConfigurationError, match="'product'"):
        declare(get_product)
