"""The list of requests and one request, over a real gateway and over its records."""

import pytest

from bff_core.console.model import Live
from bff_core.console.requests.list import RequestFilter, listed
from bff_core.console.requests.received_bytes import received_bytes
from bff_core.console.requests.store import MAX_APART, MAX_NEWEST, RequestStore
from bff_core.console.routes.requests import MAX_LIVE_ROWS, RequestNews
from bff_core.console.sources import GatewaySource, Sources
from bff_core.observe.request_records import RequestRecords, SpanRecord
from bff_core.testing import running
from bff_core.testing.scripted import Scripted, reply
from tests.console.conftest import browser
from tests.console.records import part, record
from tests.observe.pages_gateway import pages_gateway

NOW = 1_800_000_030.0


def make_app():
    """Make a gateway whose ranks fail."""
    return pages_gateway(Scripted(*[reply(200, "Tent")] * 9), Scripted(*[reply(500)] * 9))


async def test_a_request_of_a_client_is_listed_and_explained():
    """From the list to the sentence: what a developer sees after one request."""
    app = make_app()
    async with running(app) as client, browser(app) as console:
        answered = await client.get("/v1/pages/7?token=secret", headers={"cookie": "a=secret"})
        rows = (await console.get("/console/api/requests")).json()["rows"]
        response = await console.get(f"/console/api/requests/{rows[0]['id']}")

    detail = response.json()
    assert [row["id"] for row in rows] == [answered.headers["x-request-id"]]
    assert (rows[0]["gateway"], rows[0]["route"]) == ("shop", "/v1/pages/{number}")
    assert (rows[0]["screen"], rows[0]["parts"]) == ("Page", ["ok", "missing"])
    assert detail["headline"]["text"].startswith(
        "Part **rank** has no value: service **ranks** answered 500. "
        "All other parts were complete after "
    )
    assert [one["name"] for one in detail["spans"] if one["is_to_blame"]] == ["rank"]
    assert (detail["calls"], detail["attempts"]) == (2, 2)
    assert detail["path"] == "/v1/pages/7?token=***"
    assert '"${COOKIE:?' in detail["curl"]
    assert "secret" not in response.text


async def test_bytes_that_services_sent_are_shown():
    """For the whole request, and beside those that each part has in the response."""
    app = make_app()
    async with running(app) as client, browser(app) as console:
        await client.get("/v1/pages/7")
        (row,) = (await console.get("/console/api/requests")).json()["rows"]
        detail = (await console.get(f"/console/api/requests/{row['id']}")).json()

    assert detail["received"] == len('"Tent"')
    assert {one["part"]: one["received"] for one in detail["bytes"]} == {"title": 6, "rank": 0}


def test_replies_that_were_not_sent_for_a_request_are_not_counted():
    """Those of the cache and of equal calls; a part has the sum of its calls."""
    calls = [
        SpanRecord("part", "title", "Page", 0.0),
        SpanRecord("call", "GET /a", "catalog", 0.0, within=0, source="upstream", size=10),
        SpanRecord("attempt", "a:1", "catalog", 0.0, within=1),
        SpanRecord("call", "GET /b", "catalog", 0.0, within=0, source="upstream", size=5),
        SpanRecord("attempt", "a:1", "catalog", 0.0, within=3),
        SpanRecord("call", "GET /c", "catalog", 0.0, within=0, source="cache", size=100),
        SpanRecord("call", "GET /joined", "catalog", 0.0, within=0, source="upstream", size=100),
        SpanRecord("call", "GET /own", "ranks", 0.0, source="upstream", size=7),
        SpanRecord("attempt", "r:1", "ranks", 0.0, within=7),
    ]

    assert received_bytes(record(*calls)) == {"title": 15, "": 7}


async def test_part_status_is_shown():
    """The headers of the response are those that the client got."""
    app = make_app()
    async with running(app) as client, browser(app) as console:
        await client.get("/v1/pages/7")
        (row,) = (await console.get("/console/api/requests")).json()["rows"]
        detail = (await console.get(f"/console/api/requests/{row['id']}")).json()

    assert ["part-status", "title=ok, rank=missing;reason=bad_status"] in detail["response_headers"]


@pytest.mark.parametrize("name", ["unknown", "x" * 1_000, "%00", "%F0%9F%99%82", "a~b-1-2", "%20"])
async def test_a_request_that_is_not_stored_is_a_problem(name):
    """Whatever is in the address, the answer says what to do."""
    app = make_app()
    async with running(app), browser(app) as console:
        response = await console.get(f"/console/api/requests/{name}")

    assert (response.status_code, response.json()["title"]) == (404, "This request is not stored")


@pytest.mark.parametrize(
    "query",
    [
        "before=x",
        "before=1-1",
        "before=1800000000.000000-99999999999999",
        "before=-1.000000-1",
        "before=1e9.000000-1",
        "before=\u0661.000000-1",
        "limit=0",
        "limit=201",
        "limit=-1",
        "limit=9999999999999999999999",
        f"limit={'9' * 1_000}",
        f"limit=1{'0' * 1_000}",
        "limit=\u00b2",
        "status=6xx",
        "status=abc",
        "status=20",
        "state=broken",
        "state=degraded,broken",
    ],
)
async def test_a_wrong_filter_is_refused(query):
    """A page that sends nonsense gets a sentence, and never a crash."""
    app = make_app()
    async with running(app), browser(app) as console:
        response = await console.get(f"/console/api/requests?{query}")

    assert response.status_code == 422
    assert "is not valid" in response.json()["title"]


async def test_an_unknown_gateway_is_a_404():
    """The problem names the gateways that there are."""
    app = make_app()
    async with running(app), browser(app) as console:
        response = await console.get("/console/api/requests?gateway=nope")

    assert (response.status_code, response.json()["detail"]) == (404, "The console has: shop.")


class Recorded:
    """Gateways whose processes have recorded what a test adds."""

    def __init__(self, *gateways: str) -> None:
        self.records = {name: RequestRecords() for name in gateways}
        self.store = RequestStore(
            Sources(
                GatewaySource(name=name, commands=one.commands())
                for name, one in self.records.items()
            ),
            clock=lambda: self.now,
        )
        self.now = 0.0

    async def rows(self, **query):
        """Return the answer to a query."""
        self.now += 1
        await self.store.pull()
        return listed(self.store, RequestFilter.of(query), NOW)

    async def ids(self, **query) -> list[str]:
        """Return the ids of the requests that match."""
        return [row.id for row in (await self.rows(**query)).rows]


async def test_filters():
    """Each filter, alone and together."""
    site = Recorded("web", "mobile")
    second = {"time": 1_800_000_001.0}
    site.records["web"].add(record(request_id="a", viewer="6f2c"))
    site.records["web"].add(
        record(
            part("rating", 0, 0.1, "missing", error="reviews: answered 500"),
            request_id="b", state="degraded", seconds=0.1, **second,
        )
    )  # fmt: skip
    site.records["mobile"].add(
        record(request_id="c", status=503, state="failed", method="PUT", route="/v1/cart",
               path="/v1/cart", screen="", seconds=0.1, time=1_800_000_002.0)
    )  # fmt: skip

    assert await site.ids() == ["c", "b", "a"]
    assert await site.ids(gateway="web") == ["b", "a"]
    assert await site.ids(route="/v1/cart") == ["c"]
    assert await site.ids(route="PUT /v1/cart") == ["c"]
    assert await site.ids(route="GET /v1/cart") == []
    assert await site.ids(status="5xx") == ["c"]
    assert await site.ids(status="200") == ["b", "a"]
    assert await site.ids(state="degraded,failed") == ["c", "b"]
    assert await site.ids(slow="1") == ["a"]
    assert await site.ids(screens="1") == ["b", "a"]
    assert await site.ids(text="REVIEWS") == ["b"]
    assert await site.ids(text="6f2c") == ["a"]
    assert await site.ids(text="6f2c", state="failed") == []


async def test_pages_follow_each_other():
    """The cursor of a page leads to the next one, also among requests of one instant."""
    site = Recorded("web")
    for number in range(7):
        site.records["web"].add(record(request_id=str(number)))

    first = await site.rows(limit="3")
    second = await site.rows(limit="3", before=first.older)
    site.records["web"].add(record(request_id="new", time=NOW))
    third = await site.rows(limit="3", before=second.older)

    found = [[row.id for row in page.rows] for page in (first, second, third)]
    assert found == [["6", "5", "4"], ["3", "2", "1"], ["0"]]
    assert third.older == ""


async def test_memory_is_bounded_and_trouble_stays_longer():
    """Many complete requests do not displace a degraded one; all in all there is a limit."""
    site = Recorded("web")
    site.records["web"].add(record(request_id="degraded", state="degraded", seconds=0.1))
    for number in range(2 * MAX_NEWEST + MAX_APART):
        site.records["web"].add(record(request_id=str(number), seconds=0.1))
        if number % 100 == 0:
            await site.rows()
    await site.rows()

    assert site.store.get("degraded") is not None
    assert site.store.get("5") is None
    assert len(list(site.store.all())) == MAX_NEWEST + 1


async def test_requests_with_one_id_have_names_of_their_own():
    """A client, or a gateway behind another, may send an id again: both are found."""
    site = Recorded("web", "mobile")
    site.records["web"].add(record(request_id="a", span_id="1"))
    site.records["mobile"].add(record(request_id="a", span_id="1"))
    site.records["web"].add(record(request_id="a", span_id="2"))

    ids = await site.ids()

    assert len(set(ids)) == 3
    assert [site.store.get(name).row.gateway for name in sorted(ids)] == ["web", "mobile", "web"]


async def test_a_record_that_comes_again_replaces_the_first():
    """Work in the background ends after the answer; the request is not listed twice."""
    site = Recorded("web")
    site.records["web"].add(record(request_id="a", span_id="1"))
    await site.rows()
    site.records["web"].add(record(part("late", 0.0, 1.0), request_id="a", span_id="1"))

    assert await site.ids() == ["a"]
    assert site.store.get("a").record.spans[0].name == "late"


async def test_the_share_of_degraded_requests_counts_what_was_not_recorded():
    """If 1 in 10 complete requests is recorded, each stands for ten."""
    site = Recorded("web")
    records = site.records["web"]
    records.sampling.one_in = 10
    records.add(record(request_id="a"))
    records.add(record(request_id="b", state="degraded"))

    found = await site.rows()

    assert found.sampled == 10
    assert found.degraded == pytest.approx(1 / 11)


async def test_news_have_bounds():
    """A message has the newest requests, and counts the rest."""
    site = Recorded("web")
    news = RequestNews(site.store)
    await news(Live(time=NOW), False)
    for number in range(MAX_LIVE_ROWS + 20):
        site.records["web"].add(record(request_id=str(number)))

    site.now += 1
    first, second = Live(time=NOW), Live(time=NOW)
    await news(first, False)
    await news(second, False)

    assert len(first.requests) == MAX_LIVE_ROWS
    assert first.requests[-1].id == str(MAX_LIVE_ROWS + 19)
    assert first.rows_dropped == 20
    assert second == Live(time=NOW)


async def test_the_spans_of_all_requests_are_bounded():
    """Requests with very many spans displace older ones; those with few are many."""
    site = Recorded("web")
    large = [part("rating", 0.0, 0.1)] * 10_000
    site.records["web"].add(record(request_id="failed", state="failed", seconds=0.1))
    await site.rows()
    for number in range(12):
        site.records["web"].add(record(*large, request_id=str(number), seconds=0.1))
        await site.rows()
    site.records["web"].add(record(request_id="last", seconds=0.1))

    await site.rows()
    stored = sorted(site.store.all(), key=lambda one: one.order)

    assert [one.row.id for one in stored] == [*(str(number) for number in range(2, 12)), "last"]


async def test_news_of_several_processes_are_in_the_order_of_time():
    """The processes of gateways are read one after the other; their requests took place mixed."""
    site = Recorded("web", "mobile")
    news = RequestNews(site.store)
    times = {"web": (NOW, NOW + 2), "mobile": (NOW + 1, NOW + 3)}
    for name, instants in times.items():
        for number, at in enumerate(instants, 1):
            one = record(request_id=f"{name}{number}", time=at, number=number)
            site.records[name].add(one)
    live = Live(time=NOW)

    await news(live, False)

    assert [one.id for one in live.requests] == ["web1", "mobile1", "web2", "mobile2"]


async def test_a_process_that_does_not_answer_is_reported():
    """The requests of the other gateways are there."""
    site = Recorded("web")

    async def broken(_: bytes) -> bytes:
        raise OSError

    sources = Sources(
        [
            GatewaySource(name="web", commands=site.records["web"].commands()),
            GatewaySource(name="mobile", commands={"requests.since": broken}),
        ]
    )
    store = RequestStore(sources)
    site.records["web"].add(record(request_id="a"))

    await store.pull()

    assert [one.row.id for one in store.all()] == ["a"]
    assert [one.reason for one in store.failed] == ["requests.since: OSError"]
