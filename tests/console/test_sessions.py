"""The console's page of what is live: sessions of browsers, and callers near a limit."""

from contextlib import asynccontextmanager

import pytest

from bff_core import ANYONE, Limit, Settings, Views, gateway
from bff_core.console.process_commands import process_commands
from bff_core.console.sources import GatewaySource
from bff_core.events import RequestAnswered
from bff_core.testing import running
from tests.auth.browser.site import KEY, open_site
from tests.console.conftest import browser


@asynccontextmanager
async def page_of(pages, app):
    """Yield what returns the page of a running gateway."""
    source = GatewaySource(name=app.title, commands=process_commands(app))
    async with browser(pages.app(pages.console([source]))) as client:

        async def get():
            found = await client.get("/console/api/sessions")
            assert found.status_code == 200, found.text
            return found

        yield get


@pytest.mark.needs("redis-server")
@pytest.mark.parametrize("kind", ["memory", "redis"])
async def test_sessions_are_listed_without_their_users(pages, kind, redis_server):
    """Each has a begin and an end, one viewer has one hash, no user or cookie is shown."""
    url = redis_server.url if kind == "redis" else ""
    async with open_site(overrides={"session_url": url}) as site, page_of(pages, site.app) as get:
        first, second, third = site.browser(), site.browser(), site.browser()
        for one, user in ((first, "1"), (second, "2"), (third, "2")):
            await one.sign_in(user)
        found = await get()

    page = found.json()
    assert page["session_count"] == 3
    assert page["headline"]["text"] == "3 sessions are live. No saga is open."
    assert len({one["id"] for one in page["sessions"]}) == 3
    assert len({one["viewer"] for one in page["sessions"]}) == 2
    assert all(one["began"] == site.wall.now for one in page["sessions"])
    assert all(one["expires"] is not None for one in page["sessions"])
    assert not any(one.cookie in found.text for one in (first, second, third))
    assert KEY not in found.text
    assert "customer" not in found.text


async def test_a_session_has_the_hash_of_its_viewers_requests(pages):
    """Its page links to them: records and log lines name the viewer by the same hash."""
    async with open_site() as site, page_of(pages, site.app) as get:
        for user in ("1", "2"):
            one = site.browser()
            await one.sign_in(user)
            await one.fetch("/v1/me")
        sessions = (await get()).json()["sessions"]

    sent = [one for one in site.events if isinstance(one, RequestAnswered)]
    viewers = {one.viewer for one in sent if one.route == "/v1/me"}
    assert len(viewers) == 2
    assert {one["viewer"] for one in sessions} == viewers


@pytest.mark.needs("redis-server")
async def test_a_store_that_is_down_is_named(pages, redis_server):
    """The page says that sessions can't be listed, and does not show that there are none."""
    overrides = {"session_url": redis_server.url}
    async with open_site(overrides=overrides) as site, page_of(pages, site.app) as get:
        redis_server.kill()
        page = (await get()).json()

    assert page["sessions"] == []
    assert any(note.startswith("shop: the sessions can't be listed: ") for note in page["notes"])


views = Views(access=ANYONE)


@views.get("/offers")
async def get_offers() -> int:
    return 7


@pytest.mark.needs("redis-server")
@pytest.mark.parametrize("kind", ["memory", "redis"])
async def test_callers_near_a_limit_are_listed_by_hash(pages, kind, redis_server):
    """The address is not shown; what is left is a share, and the limit is named."""
    url = redis_server.url if kind == "redis" else ""
    settings = Settings(env="development", limits_url=url)
    limits = [Limit(quota=5, per=3600, by="address", name="offers")]
    app = gateway("shop", faces=[views], settings=settings, limits=limits)
    async with running(app) as client, page_of(pages, app) as get:
        before = (await get()).json()
        for _ in range(6):
            await client.get("/offers")
        found = await get()

    assert before["limits"] == []
    (row,) = found.json()["limits"]
    assert (row["gateway"], row["limit"], row["left"]) == ("shop", "offers", 0)
    assert row["key"].startswith("address ")
    assert "127.0.0.1" not in found.text
