"""Token refresh: once for all requests and processes, and a temporary fault signs no user out."""

import asyncio
import random
from contextlib import AsyncExitStack

import pytest

from bff_core.call import Reply, find_header
from bff_core.events import SessionChanged
from bff_core.testing.scripted import fail, hang, reply
from services_mock import identity
from services_mock.identity.signing import read
from tests.auth.browser.site import HERE, ISSUER, Browser, Wall, open_site


def guarded(site):
    """Return a step that answers as a service that verifies tokens."""
    book = site.identity.state.store

    async def step(call) -> Reply:
        sent = (find_header(call.headers, b"authorization") or b"").decode()
        claims = read(book, sent.removeprefix("Bearer "))
        if claims is None or claims["exp"] <= site.wall.now:
            return Reply(401)
        return Reply(200, ((b"content-type", b"application/json"),), claims["sub"].encode())

    return step


def refreshes(site) -> list[dict[str, str]]:
    """Return the forms of refresh requests that the provider received."""
    return [form for form in site.forms_sent("/token") if form["grant_type"] == "refresh_token"]


def changes(site) -> list[str]:
    """Return the gateway's events of sessions."""
    return [event.change for event in site.events if isinstance(event, SessionChanged)]


async def test_an_expired_token_is_refreshed():
    """The refresh happens before the call, so the service never gets an expired token."""
    async with open_site() as site:
        site.service.then(guarded(site))
        browser = site.browser()
        await browser.sign_in("2")
        first = await browser.fetch("/v1/balance")
        site.wall.now += 400
        second = await browser.fetch("/v1/balance")

    assert (first.json(), second.json()) == (2, 2)
    assert len(refreshes(site)) == 1
    assert changes(site) == ["begun", "refreshed"]


async def test_a_token_is_refreshed_early_in_the_background():
    """A request within half a minute before the expiry does not wait for the refresh."""
    async with open_site() as site:
        site.service.then(guarded(site))
        browser = site.browser()
        await browser.sign_in()
        site.wall.now += 280
        site.provider.then(hang())
        answer = await browser.fetch("/v1/balance")

    assert answer.json() == 1


async def test_a_token_that_a_service_refuses_is_refreshed_once():
    """The provider has revoked it: there is one refresh, and the call is sent again."""
    async with open_site() as site:
        browser = site.browser()
        await browser.sign_in()
        site.wall.now += 60
        site.service.then(reply(401), reply(200, 7))
        answer = await browser.fetch("/v1/balance")
        site.service.then(reply(401))
        again = await browser.fetch("/v1/balance")

    assert answer.json() == 7
    assert again.status_code == 502
    assert len(refreshes(site)) == 1


async def test_twenty_simultaneous_calls_need_one_refresh():
    """None of them gets a 401."""
    async with open_site() as site:
        site.service.then(guarded(site))
        browser = site.browser()
        await browser.sign_in()
        site.wall.now += 400
        answers = await asyncio.gather(*(browser.fetch("/v1/balance") for _ in range(20)))

    assert [one.status_code for one in answers] == [200] * 20
    assert len(refreshes(site)) == 1


async def test_a_refused_refresh_ends_the_session():
    """The answer is 401 with the login path, and the cookie is removed."""
    async with open_site() as site:
        browser = site.browser()
        await browser.sign_in()
        site.wall.now += 400
        site.provider.then(reply(400, {"error": "invalid_grant"}))
        answer = await browser.fetch("/v1/balance")

    assert answer.status_code == 401
    assert answer.json()["login"] == "/bff/login"
    assert answer.json()["code"] == "session_ended"
    assert browser.cookie is None
    assert changes(site) == ["begun", "refused"]


@pytest.mark.parametrize(
    "trouble", [fail(), reply(500), reply(503), reply(401, {"error": "invalid_client"})]
)
async def test_a_provider_that_is_down_ends_no_session(trouble):
    """The answer is 503 with Retry-After during the outage; then the session works again."""
    async with open_site() as site:
        site.service.then(guarded(site))
        browser = site.browser()
        await browser.sign_in()
        site.wall.now += 400
        site.provider.then(trouble)
        down = await browser.fetch("/v1/balance")
        site.provider.then(site.answer)
        back = await browser.fetch("/v1/balance")

    assert down.status_code == 503
    assert down.headers["retry-after"]
    assert down.json()["code"] == "provider_unavailable"
    assert back.json() == 1


async def test_events_contain_no_tokens():
    """They contain neither relayed, refreshed or refused tokens nor the cookie."""
    async with open_site() as site:
        site.service.then(guarded(site))
        browser = site.browser()
        await browser.sign_in()
        cookie = browser.cookie
        site.wall.now += 400
        await browser.fetch("/v1/balance")
        site.wall.now += 60
        site.service.then(reply(401))
        await browser.fetch("/v1/balance")
        site.wall.now += 400
        site.provider.then(reply(400, {"error": "invalid_grant"}))
        await browser.fetch("/v1/balance")
    emitted = repr(site.events) + "".join(
        repr(getattr(event, "error", "")) for event in site.events
    )

    assert "SessionChanged" in emitted
    assert "eyJ" not in emitted
    assert cookie not in emitted


async def test_a_session_with_a_new_cookie_gets_the_refreshed_tokens():
    """The tokens are stored under its new key."""
    async with open_site() as site:
        site.service.then(guarded(site))
        browser = site.browser()
        await browser.sign_in()
        site.wall.now += 400

        async def moving(call) -> Reply:
            stored = await site.auth.sessions.find(browser.cookie)
            secret = await site.auth.sessions.rotate(stored)
            browser.jar["shop.example"]["__Host-bff"] = secret
            site.provider.then(site.answer)
            return await site.answer(call)

        site.provider.then(moving)
        first = await browser.fetch("/v1/balance")
        site.wall.now += 400
        second = await browser.fetch("/v1/balance")

    assert (first.json(), second.json()) == (1, 1)
    assert changes(site) == ["begun", "refreshed", "refreshed"]


async def test_a_user_who_signs_out_during_a_refresh_is_signed_out():
    """The new tokens are revoked."""
    async with open_site() as site:
        browser = site.browser()
        await browser.sign_in()
        site.wall.now += 400

        async def leaving(call) -> Reply:
            site.provider.then(site.answer)
            stored = await site.auth.sessions.find(browser.cookie)
            await site.auth.sessions.end([stored], "signed_out")
            return await site.answer(call)

        site.provider.then(leaving)
        await browser.fetch("/v1/balance")
        after = await browser.fetch("/v1/me")
        revoked = site.forms_sent("/revoke")

    assert after.status_code == 401
    assert len(revoked) == 1


async def test_signing_out_needs_no_provider():
    """`/bff/logout` and `/bff/user` need no fresh token."""
    async with open_site() as site:
        browser = site.browser()
        await browser.sign_in()
        site.wall.now += 400
        site.provider.then(fail())
        user = await browser.fetch("/bff/user")
        answer = await browser.fetch("/bff/logout", "POST")

    assert user.status_code == 200
    assert answer.status_code == 200
    assert answer.json()["location"].startswith((HERE, ISSUER))
    assert browser.cookie is None


async def test_a_client_that_disconnects_does_not_end_the_refresh():
    """The refresh belongs to the gateway, not to the request that began it."""
    async with open_site() as site:
        site.service.then(guarded(site))
        browser = site.browser()
        await browser.sign_in()
        site.wall.now += 400
        leaving = asyncio.create_task(browser.fetch("/v1/balance"))
        staying = asyncio.create_task(browser.fetch("/v1/balance"))
        await asyncio.sleep(0)
        leaving.cancel()
        answer = await staying

    assert answer.json() == 1
    assert len(refreshes(site)) == 1


@pytest.mark.slow
async def test_a_part_that_times_out_does_not_cancel_the_refresh():
    """A cancelled refresh would lose the tokens that the provider has issued."""
    async with open_site() as site:
        browser = site.browser()
        await browser.sign_in()
        site.wall.now += 60
        site.service.then(reply(401), reply(200, 7))

        async def slow(call) -> Reply:
            await asyncio.sleep(0.3)
            return await site.answer(call)

        site.provider.then(slow)
        answer = await browser.fetch("/v1/glance")
        await asyncio.sleep(0.4)
        again = await browser.fetch("/v1/balance")

    assert answer.json() == -1
    assert again.json() == 7
    assert changes(site) == ["begun", "refreshed"]


async def test_without_a_refresh_token_a_session_ends_with_its_token():
    """The session does not outlive its access token."""
    scope = {"scope": ("openid",)}
    async with open_site(changed=scope) as site:
        site.service.then(guarded(site))
        browser = site.browser()
        await browser.sign_in()
        site.wall.now += 280
        before = await browser.fetch("/v1/balance")
        site.wall.now += 120
        after = await browser.fetch("/v1/balance")

    assert (before.status_code, after.status_code) == (200, 401)
    assert changes(site) == ["begun", "expired"]


async def test_a_gateway_without_tokens_has_sessions():
    """Where services are not called in the viewer's name there is nothing to refresh."""
    async with open_site(changed={"stores_tokens": False}) as site:
        browser = site.browser()
        await browser.sign_in()
        site.wall.now += 4000
        answer = await browser.fetch("/v1/me")

    assert answer.status_code == 200
    assert refreshes(site) == []


@pytest.mark.needs("redis-server")
async def test_four_gateways_refresh_once(redis_server):
    """They share a Redis. Of twenty calls on each with an expired token, none is refused."""
    wall = Wall()
    provider = identity.create_app(ISSUER, HERE, wall=wall)
    overrides = {"session_url": redis_server.url}
    async with AsyncExitStack() as closing:
        sites = [
            await closing.enter_async_context(
                open_site(overrides=overrides, provider=provider, wall=wall)
            )
            for _ in range(4)
        ]
        for site in sites:
            site.service.then(guarded(site))
        browser = sites[0].browser()
        await browser.sign_in()
        others = [Browser(site, jar=browser.jar) for site in sites]
        before = [await one.fetch("/v1/balance") for one in others]
        wall.now += 400
        requests = [one.fetch("/v1/balance") for one in others for _ in range(20)]
        after = await asyncio.gather(*requests)
        counted = sum(len(refreshes(site)) for site in sites)

    assert [one.status_code for one in before] == [200] * 4
    assert [one.status_code for one in after] == [200] * 80
    assert counted == 1


@pytest.mark.mostly_slow
@pytest.mark.parametrize("seed", range(12))
async def test_no_interleaving_mixes_the_data_of_two_viewers(seed):
    """Two viewers request, refresh, sign out and in again at once: each gets only their data."""
    dice = random.Random(seed)
    async with open_site() as site:
        site.service.then(guarded(site))
        browsers = {"1": site.browser(), "2": site.browser()}
        for user, browser in browsers.items():
            await browser.sign_in(user)
        found: list[tuple[str, str, object]] = []

        async def live(user: str) -> None:
            browser = browsers[user]
            for _ in range(12):
                match dice.randrange(6):
                    case 0:
                        await browser.fetch("/bff/logout", "POST")
                    case 1:
                        site.wall.now += dice.choice([30, 280, 320])
                    case 2 | 3:
                        answer = await browser.fetch("/v1/balance")
                        if answer.status_code == 200:
                            found.append((user, "balance", str(answer.json())))
                    case _:
                        answer = await browser.fetch("/v1/me")
                        if answer.status_code == 200:
                            found.append((user, "me", answer.json()["subject"]))
                if browser.cookie is None:
                    browser.jar.clear()
                    await browser.sign_in(user)

        await asyncio.gather(*(live(user) for user in browsers for _ in range(2)))

    assert found
    assert [one for one in found if one[0] != one[2]] == []
