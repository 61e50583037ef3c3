"""Files, canaries, mirrors and web sockets of a route, through a whole gateway."""

import asyncio

import pytest

from bff_core.auth import ANYONE
from bff_core.events import Events, MirrorCompared
from bff_core.proxy import Files, Match, Mirror, Route, Split
from bff_core.testing import reply
from tests.proxy.proxied import Others, ids_of, route, served

pytestmark = pytest.mark.virtual_time


async def test_a_split_sends_a_share_to_another_upstream():
    """All of it, none of it; the other upstream is one of the gateway's without being listed."""
    found = []
    for percent in (0, 100):
        routes = [
            route("a", "/x", split=Split(to=Others, percent=percent)),
            route("o", "/o", to=Others),
        ]
        async with served(*routes) as opened:
            await opened.get("/x")
            found.append(opened.calls[0].service)

    assert found == ["suppliers", "others"]


async def test_a_mirror_gets_copies_and_replies_are_compared():
    """The client gets the reply of the route's own upstream."""
    events = []
    routes = [
        route("a", "/x", mirror=Mirror(to=Others)),
        route("o", "/o", to=Others),
    ]
    async with served(
        *routes,
        suppliers=reply(200, {"a": 1}),
        others=reply(200, {"a": 2}),
        events=Events(events.append),
    ) as opened:
        answer = await opened.get("/x")
        await asyncio.sleep(1)

    assert answer.json() == {"a": 1}
    assert sorted(one.service for one in opened.calls) == ["others", "suppliers"]
    (compared,) = [one for one in events if isinstance(one, MirrorCompared)]
    assert compared.outcome != "same"


async def test_files_of_a_route_are_served(tmp_path):
    """With the index of a single-page app for paths without a file; HEAD as well."""
    (tmp_path / "index.html").write_text("<p>app</p>")
    (tmp_path / "a.txt").write_text("text")
    shop = Route(
        "shop",
        Match("/{rest:path}", order=1000),
        files=Files(tmp_path, fallback="index.html"),
        access=ANYONE,
    )
    async with served(route("api", "/api/{rest:path}"), shop) as opened:
        page = {"accept": "text/html"}
        answers = [await opened.get(one, headers=page) for one in ("/a.txt", "/orders/7", "/api/x")]
        head = await opened.head("/a.txt")
        climbing = await opened.get("/..%2Fa.txt")

    assert [one.text for one in answers] == ["text", "<p>app</p>", "reply"]
    assert (head.status_code, head.content) == (200, b"")
    assert climbing.status_code in {400, 404}


async def test_a_web_socket_route_answers_http_with_426():
    """It says what to upgrade to."""
    async with served(route("live", "/live", websocket=True)) as opened:
        answer = await opened.get("/live")

    assert (answer.status_code, answer.headers["upgrade"]) == (426, "websocket")
    assert ids_of(opened) == []
