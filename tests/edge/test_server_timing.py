"""Server-Timing: in development, what a request cost, on every answer that the edge sends."""

import asyncio
import re

import pytest
from starlette.exceptions import HTTPException

from bff_core.edge.options import CorsOptions

SHOP = "https://shop.example"
PLAIN = {"accept-encoding": "identity"}


def costs(answer) -> dict[str, str]:
    """Return the members of the header, each with its first parameter."""
    members = [one.split(";", 1) for one in answer.headers["server-timing"].split(", ")]
    return {name: value.removeprefix('desc="').rstrip('"') for name, value in members}


async def failing(_scope, _receive, _send):
    """Refuse a request."""
    raise HTTPException(409, "No.")


async def test_an_answer_has_its_costs(edged, answering):
    """Without calls there are none, and nothing was fetched."""
    answer = await edged(answering(), is_development=True).get("/")

    assert costs(answer)["calls"] == costs(answer)["fetched"] == "0"
    assert re.fullmatch(r"dur=\d+\.\d", costs(answer)["total"])


async def test_production_sends_none(edged, answering):
    """It would tell strangers how a gateway works."""
    answer = await edged(answering()).get("/")

    assert "server-timing" not in answer.headers


@pytest.mark.virtual_time
async def test_the_total_ends_with_the_head(edged):
    """The body may follow slowly, as that of a stream does."""

    async def app(_scope, _receive, send):
        await asyncio.sleep(0.2)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await asyncio.sleep(5)
        await send({"type": "http.response.body", "body": b"{}"})

    answer = await edged(app, is_development=True).get("/", headers=PLAIN)

    assert costs(answer)["total"] == "dur=200.0"


@pytest.mark.parametrize(
    ("app", "headers", "status"),
    [
        (failing, {}, 409),
        (None, {"host": "evil.example"}, 400),
        (None, {"request-timeout": "0"}, 504),
        (None, {"if-none-match": '"a"'}, 304),
    ],
)
async def test_other_answers_have_it_too(edged, answering, app, headers, status):
    """Problems of a route and of the edge, and an answer that the client has already."""
    app = app or answering(headers=[(b"etag", b'"a"')])

    answer = await edged(app, is_development=True).get("/", headers=headers)

    assert answer.status_code == status
    assert costs(answer).keys() == {"calls", "fetched", "total"}


async def test_timings_of_the_application_stay_first(edged, answering):
    """They are one field: some clients read only one."""
    own = [(b"server-timing", b"db;dur=3"), (b"server-timing", b"cpu;dur=4")]

    answer = await edged(answering(headers=own), is_development=True).get("/")

    assert answer.headers.get_list("server-timing") == [answer.headers["server-timing"]]
    assert list(costs(answer)) == ["db", "cpu", "calls", "fetched", "total"]


async def test_a_page_that_may_read_the_answer_may_read_its_timings(edged, answering):
    """`Timing-Allow-Origin` names the origin that CORS names."""
    gateway = edged(answering(), is_development=True, cors=CorsOptions(origins=(SHOP,)))

    allowed = await gateway.get("/", headers={"Origin": SHOP})
    other = await gateway.get("/", headers={"Origin": "https://evil.example"})

    assert allowed.headers["timing-allow-origin"] == SHOP
    assert "Server-Timing" in allowed.headers["access-control-expose-headers"]
    assert "timing-allow-origin" not in other.headers


async def test_production_allows_no_origin_to_read_timings(edged, answering):
    """Also an origin that may read answers."""
    gateway = edged(answering(), cors=CorsOptions(origins=(SHOP,)))

    answer = await gateway.get("/", headers={"Origin": SHOP})

    assert answer.headers["access-control-allow-origin"] == SHOP
    assert "timing-allow-origin" not in answer.headers
