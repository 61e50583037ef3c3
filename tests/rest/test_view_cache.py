"""The view cache of REST views: what is cached, for which viewers and how long; its headers."""

import asyncio
from collections import Counter
from dataclasses import dataclass
from typing import Annotated, Self

import pytest
from fastapi import Depends, Query, Request, Response
from starlette.middleware.base import BaseHTTPMiddleware

from bff_core import ANYONE, Scope, Views, compose, gather
from bff_core.errors import ConfigurationError
from bff_core.events import ConfigurationWarned, Purged
from bff_core.testing.scripted import hang, reply
from tests.shop_with_view_cache import Greeting, Language, Page, bearer, open_shop, saying

pytestmark = pytest.mark.virtual_time


@dataclass
class ProductView:
    """The product as this client shows it."""

    title: str
    price: int | None = None


class Translated(Page):
    """A page that depends on the client's language."""

    language: Language


@dataclass(frozen=True)
class SearchText:
    """The query of the request."""

    text: str

    @classmethod
    def from_scope(cls, scope: Scope) -> Self:
        return cls(scope.query.decode())


class Wide(Page):
    """A page that depends on the query."""

    search_text: SearchText


P = Annotated[Page, Depends(compose(Page))]


def views_of(runs: Counter[str]) -> Views:  # noqa: C901 - a list of views, none of them complex
    """Return views that count how often they ran."""
    views = Views(prefix="/v1", access=ANYONE)

    @views.get("/products/{product_id}", public=True)
    async def get_product(page: P) -> ProductView:
        runs["product"] += 1
        title, price = await gather(page.product(), page.price())
        return ProductView(title, price)

    @views.get("/titles/{product_id}", public=True)
    async def get_title(page: P, limit: Annotated[int, Query(ge=1)] = 3) -> ProductView:
        runs["title"] += 1
        return ProductView((await page.product())[:limit])

    @views.get("/stock", public=True)
    async def get_stock(page: P) -> ProductView:
        runs["stock"] += 1
        title, count = await gather(page.product(), page.count())
        return ProductView(title, count)

    @views.get("/me", public=True)
    async def get_me(page: P) -> ProductView:
        runs["me"] += 1
        title, name = await gather(page.product(), page.name())
        return ProductView(f"{title}, {name}")

    @views.get("/plan", per_tenant=True)
    async def get_plan(page: P) -> ProductView:
        runs["plan"] += 1
        return ProductView(await page.tariff())

    @views.get("/greeting", public=True)
    async def get_greeting(
        page: Annotated[Greeting, Depends(compose(Greeting))],
    ) -> ProductView:
        runs["greeting"] += 1
        page.viewer.require("read")
        return ProductView(f"{await page.product()} for {page.viewer.subject}")

    @views.get("/undeclared/{product_id}")
    async def get_undeclared(page: P) -> ProductView:
        runs["undeclared"] += 1
        return ProductView(await page.product())

    @views.get("/mixed/{product_id}", public=True)
    async def get_mixed(page: P) -> ProductView:
        runs["mixed"] += 1
        return ProductView(await (page.product() if page.product_id == "7" else page.name()))

    @views.get("/mine-by-tenant", per_tenant=True)
    async def get_mine_by_tenant(page: P) -> ProductView:
        runs["mine-by-tenant"] += 1
        return ProductView(await page.name())

    @views.get("/translated", public=True)
    async def get_translated(
        page: Annotated[Translated, Depends(compose(Translated))],
    ) -> ProductView:
        runs["translated"] += 1
        return ProductView(f"{await page.product()} in {page.language.name}")

    @views.get("/wide", public=True)
    async def get_wide(page: Annotated[Wide, Depends(compose(Wide))]) -> ProductView:
        runs["wide"] += 1
        return ProductView(f"{await page.product()} at {page.search_text.text}")

    @views.get("/uncached", cache=False)
    async def get_uncached(page: P) -> ProductView:
        runs["uncached"] += 1
        return ProductView(await page.product())

    @views.get("/raw", public=True)
    async def get_raw(page: P, request: Request) -> ProductView:
        runs["raw"] += 1
        return ProductView(await page.product() + request.headers.get("x-secret", ""))

    @views.get("/response", response_class=Response)
    async def get_response(page: P) -> Response:
        runs["response"] += 1
        return Response(await page.product())

    @views.get("/written", public=True)
    async def get_written(page: P) -> ProductView:
        runs["written"] += 1
        await page.catalog.rename("7")
        return ProductView(await page.product())

    return views


def open_views(**options):
    runs: Counter[str] = Counter()
    return runs, open_shop([views_of(runs)], **options)


async def test_cached_answer_is_served_from_bytes():
    """The second request gets the same bytes, and nothing is composed for it."""
    runs, opened = open_views()
    async with opened as shop:
        first = await shop.get("/v1/products/7")
        await asyncio.sleep(2.5)
        second = await shop.get("/v1/products/7")

    assert second.content == first.content == b'{"title":"Tent 7","price":100}'
    assert runs == {"product": 1}
    assert first.headers["cache-status"] == "shop; fwd=miss; stored"
    assert second.headers["cache-status"] == "shop; hit; ttl=2"
    assert (first.headers.get("age"), second.headers["age"]) == (None, "2")
    for name in ("etag", "part-status", "cache-control", "content-type", "content-length"):
        assert second.headers[name] == first.headers[name]
    assert second.headers["x-request-id"] != first.headers["x-request-id"]
    assert shop.of_views() == [("store", ""), ("hit", "")]


async def test_answer_is_fresh_as_long_as_its_shortest_part():
    """The price is fresh for five seconds, and so is the page; then it is composed again."""
    runs, opened = open_views()
    async with opened as shop:
        first = await shop.get("/v1/products/7")
        await asyncio.sleep(4.9)
        await shop.get("/v1/products/7")
        before = runs["product"]
        await asyncio.sleep(0.2)
        await shop.get("/v1/products/7")

    assert first.headers["cache-control"] == "public, max-age=5"
    assert (before, runs["product"]) == (1, 2)


async def test_age_and_lifetime_agree_when_a_part_was_cached_already():
    """A client that subtracts `Age` from `max-age` stops when the first part is stale."""
    _, opened = open_views()
    async with opened as shop:
        await shop.get("/v1/titles/7")
        await asyncio.sleep(3)

        late = await shop.get("/v1/products/7")

    assert (late.headers["age"], late.headers["cache-control"]) == ("3", "public, max-age=8")


async def test_parameters_are_part_of_the_key():
    """Another product, limit or `_meta` is another answer; an undeclared parameter is not."""
    runs, opened = open_views()
    async with opened as shop:
        paths = ["7", "8", "7?limit=2", "7?limit=02", "7?limit=3", "7?_meta=parts", "7?utm=1"]
        answers = [await shop.get(f"/v1/titles/{path}") for path in paths]

    bodies = [one.json() for one in answers]
    assert [one["title"] for one in bodies] == ["Ten", "Ten", "Te", "Te", "Ten", "Ten", "Ten"]
    assert ["_meta" in one for one in bodies] == [False] * 5 + [True, False]
    hits = ["hit" in one.headers["cache-status"] for one in answers]
    assert hits == [False, False, False, True, True, False, True]
    assert runs["title"] == 4


async def test_wrong_parameter_is_refused_with_a_warm_cache():
    """Parameters are validated on each request."""
    _, opened = open_views()
    async with opened as shop:
        await shop.get("/v1/titles/7")

        refused = await shop.get("/v1/titles/7?limit=0")

    assert refused.status_code == 422
    assert "etag" not in refused.headers


async def test_reply_per_viewer_makes_the_answer_per_viewer():
    """Ann gets hers from the cache, Bob his own; `Vary` makes browsers separate them."""
    runs, opened = open_views()
    async with opened as shop:
        ann = [await shop.get("/v1/me", bearer("ann")) for _ in range(2)]
        bob = await shop.get("/v1/me", bearer("bob"))
        anonymous = await shop.get("/v1/me")

    assert ann[0].content == ann[1].content
    assert [one.json()["title"][8:] for one in (ann[1], bob, anonymous)] == [
        "I am 0::3:ann:shop#",
        "I am 0::3:bob:shop#",
        "I am anonymous",
    ]
    assert runs["me"] == 3
    assert ann[1].headers["cache-control"] == "private, max-age=30"
    assert ann[1].headers["vary"] == ann[0].headers["vary"]
    assert ann[0].headers["vary"] == "Authorization, Cookie, Accept-Encoding, Accept"


async def test_same_viewer_with_fewer_rights_gets_no_cached_answer():
    """Another token of Ann's that may not read is refused, although her answer is cached."""
    runs, opened = open_views()
    async with opened as shop:
        warm = [await shop.get("/v1/greeting", bearer("ann read")) for _ in range(2)]
        weak = await shop.get("/v1/greeting", bearer("ann"))

    assert "hit" in warm[1].headers["cache-status"]
    assert weak.status_code == 403
    assert runs["greeting"] == 2


async def test_viewer_field_makes_the_answer_per_viewer():
    """A page that greets by name is not shared, although all its calls are public."""
    _, opened = open_views()
    async with opened as shop:
        ann = await shop.get("/v1/greeting", bearer("ann read"))
        bob = await shop.get("/v1/greeting", bearer("bob read"))

    assert ann.json()["title"] == "Tent 7 for ann"
    assert bob.json()["title"] == "Tent 7 for bob"
    assert ann.headers["cache-control"] == "private, max-age=60"


async def test_reply_per_tenant_makes_the_answer_per_tenant():
    """Ann and Bob of one tenant share it; viewers of other tenants, or of none, do not."""
    runs, opened = open_views()
    async with opened as shop:
        names = ["ann@acme", "bob@acme", "ann@bolt", "ann"]
        answers = [await shop.get("/v1/plan", bearer(name)) for name in names]

    assert [one.json()["title"] for one in answers] == [
        "Plan of tenant:acme",
        "Plan of tenant:acme",
        "Plan of tenant:bolt",
        "Plan of 0::3:ann:shop#",
    ]
    assert runs["plan"] == 3
    assert answers[1].headers["cache-control"] == "private, max-age=30"


async def test_view_that_declares_nothing_is_cached_per_viewer():
    """Bob does not get Ann's answer, although it would be the same."""
    runs, opened = open_views()
    async with opened as shop:
        headers = [bearer("ann"), bearer("ann"), bearer("bob"), None, None]
        answers = [await shop.get("/v1/undeclared/7", one) for one in headers]

    hits = ["hit" in one.headers["cache-status"] for one in answers]
    assert hits == [False, True, False, False, True]
    assert runs["undeclared"] == 3
    for answer in answers:
        assert answer.headers["cache-control"] == "private, max-age=60"
        assert {"Authorization", "Cookie"} <= set(answer.headers["vary"].split(", "))


async def test_declaration_that_an_answer_contradicts_is_logged_once():
    """An answer that depends on the viewer is cached per viewer, and a warning says why."""
    _, opened = open_views()
    async with opened as shop:
        for name in ("ann", "bob", "cyd"):
            await shop.get("/v1/greeting", bearer(f"{name} read"))
            await shop.get("/v1/me", bearer(name))

    warnings = [one for one in shop.heard if isinstance(one, ConfigurationWarned)]
    assert [one.variable for one in warnings] == ["GET /v1/greeting", "GET /v1/me"]
    assert [one.reason.partition(": ")[0] for one in warnings] == [
        "it is declared public, but an answer depends on the viewer of the request",
        "it is declared public, but an answer depends on a reply of profiles",
    ]


async def test_shared_and_private_answers_of_one_view_are_separate():
    """A public view shares the answers that are public, and caches the others per viewer."""
    runs, opened = open_views()
    async with opened as shop:
        answers = [
            await shop.get(f"/v1/mixed/{product}", bearer(name))
            for product in ("7", "8", "7", "8")
            for name in ("ann", "bob")
        ]

    titles = [one.json()["title"] for one in answers]
    assert titles[:2] == ["Tent 7", "Tent 7"]
    assert titles[2:4] == ["I am 0::3:ann:shop#", "I am 0::3:bob:shop#"]
    assert titles[4:] == titles[:4]
    hits = ["hit" in one.headers["cache-status"] for one in answers]
    assert hits == [False, True, False, False, True, True, True, True]
    assert runs["mixed"] == 3


async def test_viewers_reply_forbids_a_tenant_to_share():
    """Colleagues do not get each other's answer; viewers without a tenant cause no warning."""
    runs, opened = open_views()
    async with opened as shop:
        await shop.get("/v1/plan", bearer("dan"))
        expected = [one for one in shop.heard if isinstance(one, ConfigurationWarned)]
        names = ["ann@acme", "bob@acme", "ann@acme"]
        answers = [await shop.get("/v1/mine-by-tenant", bearer(name)) for name in names]

    assert expected == []
    assert answers[0].content == answers[2].content != answers[1].content
    assert runs["mine-by-tenant"] == 2
    [warning] = [one for one in shop.heard if isinstance(one, ConfigurationWarned)]
    assert warning.variable == "GET /v1/mine-by-tenant"
    assert "declared per_tenant" in warning.reason


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"public": True, "per_tenant": True}, "public= and per_tenant= exclude each other"),
        ({"public": True, "cache": False}, "cache=False stores no answer"),
        ({"per_tenant": True, "cache": False}, "cache=False stores no answer"),
    ],
)
def test_contradicting_declaration_is_refused(options, error):
    """The error names the route."""
    with pytest.raises(ConfigurationError, match=f"GET /v1/it: {error}"):
        Views(prefix="/v1").get("/it", **options)


async def test_answer_varies_by_a_header_that_was_read():
    """Requests for German share one answer, requests for French another."""
    runs, opened = open_views()
    async with opened as shop:
        wanted = ["de", "fr", "de", "fr", ""]
        answers = [
            await shop.get("/v1/translated", {"accept-language": one} if one else None)
            for one in wanted
        ]

    assert [one.json()["title"][-2:] for one in answers] == ["de", "fr", "de", "fr", "en"]
    assert runs["translated"] == 3
    assert {one.headers["vary"] for one in answers} == {"Accept-Language, Accept-Encoding, Accept"}
    assert answers[2].headers["cache-control"] == "public, max-age=60"


async def test_query_that_was_read_is_part_of_the_key():
    """A query parameter that no view declares is part of the key once a fact has read it."""
    runs, opened = open_views()
    async with opened as shop:
        paths = ["", "?width=320", "?width=320", ""]
        answers = [await shop.get(f"/v1/wide{path}") for path in paths]

    assert [one.json()["title"] for one in answers] == [
        "Tent 7 at ", "Tent 7 at width=320", "Tent 7 at width=320", "Tent 7 at ",
    ]  # fmt: skip
    assert runs["wide"] == 2


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("stock", "shop; fwd=miss; detail=part"),
        ("uncached", "shop; fwd=bypass"),
        ("raw", "shop; fwd=bypass"),
        ("response", None),
        ("written", "shop; fwd=miss; detail=write"),
    ],
)
async def test_uncacheable_answer_is_composed_each_time(path, status):
    """A part without a cache, `cache=False`, a view that takes the request, a response, a write."""
    runs, opened = open_views()
    async with opened as shop:
        answers = [await shop.get(f"/v1/{path}") for _ in range(3)]

    assert runs[path] == 3
    assert {one.headers.get("cache-status") for one in answers} == {status}
    assert {one.headers.get("cache-control") for one in answers} <= {"private, no-cache", None}


async def test_reason_for_not_storing_is_reported_once():
    """The log names the reason, and does not repeat it for each request."""
    _, opened = open_views()
    async with opened as shop:
        for _ in range(20):
            answer = await shop.get("/v1/stock")

    assert shop.of_views() == [("refuse", "part")]
    assert answer.headers["cache-status"] == "shop; fwd=miss; detail=part"


async def test_view_that_becomes_cacheable_is_cached_soon():
    """Once a service works again, answers are cached within a second."""
    runs, opened = open_views()
    async with opened as shop:
        shop.scripts["prices"].then(reply(500))
        for _ in range(30):
            await shop.get("/v1/products/7")
        shop.scripts["prices"].then(saying())
        await asyncio.sleep(6)  # the breaker's time
        runs.clear()
        for _ in range(20):
            await asyncio.sleep(0.1)
            await shop.get("/v1/products/7")

    assert runs["product"] < 15


async def test_degraded_answer_is_not_stored():
    """It is `no-store`, and has no entity tag."""
    runs, opened = open_views()
    async with opened as shop:
        shop.scripts["prices"].then(reply(500), reply(500), saying())
        first = await shop.get("/v1/products/7")
        second = await shop.get("/v1/products/7")
        third = await shop.get("/v1/products/7")

    assert first.headers["cache-control"] == "no-store"
    assert "etag" not in first.headers
    assert first.json()["price"] is None
    assert second.json()["price"] is None
    assert first.headers["cache-status"] == "shop; fwd=miss; detail=degraded"
    assert third.json()["price"] == 100
    assert runs["product"] == 3


async def test_purge_drops_answers_by_the_tags_of_their_parts():
    """A composed answer has the tags of all replies that it depends on."""
    runs, opened = open_views()
    async with opened as shop:
        for name in ("7", "8"):
            await shop.get(f"/v1/products/{name}")
        await shop.app.cache.purge("product:7")
        answers = [await shop.get(f"/v1/products/{name}") for name in ("7", "8")]

    assert ["hit" in one.headers["cache-status"] for one in answers] == [False, True]
    assert runs["product"] == 3
    assert any(isinstance(one, Purged) for one in shop.heard)


async def test_answer_composed_during_a_purge_is_not_stored():
    """If a tag is purged while the answer is composed, it is sent, but not stored."""
    runs, opened = open_views()
    async with opened as shop:
        slow = asyncio.Event()

        async def price(call):
            await slow.wait()
            return await saying()(call)

        shop.scripts["prices"].then(price)
        asking = asyncio.create_task(shop.get("/v1/products/7"))
        await asyncio.sleep(0.5)
        await shop.app.cache.purge("product:7")
        slow.set()
        first = await asking
        second = await shop.get("/v1/products/7")

    assert first.status_code == 200
    assert "hit" not in second.headers["cache-status"]
    assert runs["product"] == 2


async def test_client_that_has_the_answer_gets_a_304():
    """The 304 has no body and the headers for caches, with a cold and with a warm cache."""
    _, opened = open_views()
    async with opened as shop:
        full = await shop.get("/v1/products/7")
        tag = full.headers["etag"]
        warm = await shop.get("/v1/products/7", {"if-none-match": f'"other", W/{tag}'})
        await asyncio.sleep(60)
        cold = await shop.get("/v1/products/7", {"if-none-match": tag})
        changed = await shop.get("/v1/products/8", {"if-none-match": tag})

    assert tag.startswith('"')
    for answer in (warm, cold):
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["etag"] == tag
        assert answer.headers["cache-control"] == full.headers["cache-control"]
        assert answer.headers["vary"] == full.headers["vary"]
        assert "content-type" not in answer.headers
        assert "content-length" not in answer.headers
    assert changed.status_code == 200
    assert changed.headers["etag"] != tag


async def test_head_has_the_headers_of_get():
    """A HEAD has the headers of the GET and no content, with a cold and with a warm cache."""
    runs, opened = open_views()
    async with opened as shop:
        cold = await shop.client.head("/v1/products/7", headers={"accept-encoding": "identity"})
        get = await shop.get("/v1/products/7")
        warm = await shop.client.head("/v1/products/7", headers={"accept-encoding": "identity"})

    assert runs["product"] == 1
    for head in (cold, warm):
        assert head.content == b""
        for name in ("etag", "content-length", "cache-control", "content-type"):
            assert head.headers[name] == get.headers[name]


async def test_lines_are_never_cached():
    """A client that accepts lines gets a line per part, whatever is cached."""
    runs, opened = open_views()
    async with opened as shop:
        await shop.get("/v1/products/7")
        lines = [
            await shop.get("/v1/products/7", {"accept": "application/x-ndjson"}) for _ in range(2)
        ]

    assert runs["product"] == 3
    for answer in lines:
        assert answer.headers["content-type"] == "application/x-ndjson"
        assert answer.headers["cache-control"] == "no-store"
        assert "etag" not in answer.headers


async def test_slow_path_does_not_cache():
    """An app with its own middleware composes each answer; entity tags are the same."""
    runs, opened = open_views()
    async with opened as shop:
        plain = await shop.get("/v1/products/7")
    runs, opened = open_views()
    async with opened as shop:
        shop.app.add_middleware(BaseHTTPMiddleware, dispatch=lambda request, next_: next_(request))
        shop.app.middleware_stack = None
        answers = [await shop.get("/v1/products/7") for _ in range(2)]
        known = await shop.get("/v1/products/7", {"if-none-match": plain.headers["etag"]})

    assert runs["product"] == 3
    assert answers[1].headers["etag"] == plain.headers["etag"]
    assert answers[1].headers["cache-control"] == "private, no-cache"
    assert answers[1].headers["cache-status"] == "shop; fwd=bypass"
    assert known.status_code == 304


async def test_unfinished_call_makes_the_answer_uncacheable():
    """An answer that was sent before one of its calls had ended is not cached."""
    views = Views(access=ANYONE)
    runs: Counter[str] = Counter()

    @views.get("/")
    async def get_some(page: P) -> ProductView:
        runs["some"] += 1
        page.price()
        return ProductView(await page.product())

    async with open_shop([views]) as shop:
        shop.scripts["prices"].then(hang())
        answers = [await shop.get("/") for _ in range(2)]

    assert runs["some"] == 2
    assert answers[1].headers["cache-control"] == "private, no-cache"
    assert ("refuse", "unfinished") in shop.of_views()


async def test_renamed_field_finds_no_old_answer():
    """Two releases that share a store do not serve each other's answers."""

    @dataclass
    class Old:
        inner: list[ProductView]

    @dataclass
    class Renamed:
        name: str
        price: int | None = None

    @dataclass
    class New:
        inner: list[Renamed]

    def release(model, inner):
        views = Views(access=ANYONE)

        async def get_it(page: P):
            return model([inner(await page.product())])

        get_it.__annotations__["return"] = model
        views.get("/it")(get_it)
        return views

    async with open_shop([release(Old, ProductView)]) as old:
        await old.get("/it")
        async with open_shop([release(New, Renamed)]) as new:
            new.app.cache.store = old.app.cache.store
            await new.get("/it")
            fresh = await new.get("/it")
        same = await old.get("/it")

    assert same.json() == {"inner": [{"title": "Tent 7", "price": None}]}
    assert fresh.json() == {"inner": [{"name": "Tent 7", "price": None}]}
    assert "hit" in same.headers["cache-status"]
    assert "hit" in fresh.headers["cache-status"]


async def test_gateway_without_a_cache_sends_no_cache_status():
    """Without a cache there is no `Cache-Status`."""
    from shop import open_shop as open_plain  # noqa: PLC0415 - the other shop of this directory

    async with open_plain() as shop:
        answer = await shop.client.get("/v1/products/7")

    assert "cache-status" not in answer.headers
    assert answer.headers["cache-control"] == "private, no-cache"
    assert answer.headers["etag"]


async def test_view_with_an_access_rule_is_private_to_shared_caches():
    """Shared caches check no rule; the gateway shares the answer between permitted viewers."""
    views = Views()

    @views.get("/closed", public=True)
    async def get_closed(page: P) -> ProductView:
        return ProductView(await page.product())

    async with open_shop([views]) as shop:
        ann, bob = [await shop.get("/closed", bearer(name)) for name in ("ann", "bob")]
        anonymous = await shop.get("/closed")

    assert ann.headers["cache-control"] == "private, max-age=60"
    assert {"Authorization", "Cookie"} <= set(ann.headers["vary"].split(", "))
    assert bob.headers["cache-status"] == "shop; hit; ttl=60"
    assert anonymous.status_code == 401
