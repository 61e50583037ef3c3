"""Tokens are refreshed once for all who need them, and nobody is signed out by a hiccup."""

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
    """Return the questions for new tokens that the provider was asked."""
    return [form for form in site.asked("/token") if form["grant_type"] == "refresh_token"]


def changes(site) -> list[str]:
    """Return what the gateway told of its sessions."""
    return [event.change for event in site.heard if isinstance(event, SessionChanged)]


async def test_a_token_is_refreshed_when_it_has_ended():
    """Before the service is asked; the service never sees an old one."""
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


async def test_a_token_is_refreshed_early_behind_the_request():
    """Who asks half a minute before the end does not wait."""
    async with open_site() as site:
        site.service.then(guarded(site))
        browser = site.browser()
        await browser.sign_in()
        site.wall.now += 280
        site.provider.then(hang())
        told = await browser.fetch("/v1/balance")

    assert told.json() == 1


async def test_a_token_that_a_service_refuses_is_refreshed_once():
    """The provider took it back: one refresh, and the call is sent again."""
    async with open_site() as site:
        browser = site.browser()
        await browser.sign_in()
        site.wall.now += 60
        site.service.then(reply(401), reply(200, 7))
        told = await browser.fetch("/v1/balance")
        site.service.then(reply(401))
        again = await browser.fetch("/v1/balance")

    assert told.json() == 7
    assert again.status_code == 502
    assert len(refreshes(site)) == 1


async def test_twenty_calls_at_a_time_need_one_refresh():
    """None of them is answered 401."""
    async with open_site() as site:
        site.service.then(guarded(site))
        browser = site.browser()
        await browser.sign_in()
        site.wall.now += 400
        told = await asyncio.gather(*(browser.fetch("/v1/balance") for _ in range(20)))

    assert [one.status_code for one in told] == [200] * 20
    assert len(refreshes(site)) == 1


async def test_a_refused_refresh_ends_the_session():
    """401, where to sign in, and the cookie is taken back."""
    async with open_site() as site:
        browser = site.browser()
        await browser.sign_in()
        site.wall.now += 400
        site.provider.then(reply(400, {"error": "invalid_grant"}))
        told = await browser.fetch("/v1/balance")

    assert told.status_code == 401
    assert told.json()["login"] == "/bff/login"
    assert told.json()["code"] == "session_ended"
    assert browser.cookie is None
    assert changes(site) == ["begun", "refused"]


@pytest.mark.parametrize(
    "trouble", [fail(), reply(500), reply(503), reply(401, {"error": "invalid_client"})]
)
async def test_a_provider_in_trouble_signs_nobody_out(trouble):
    """503 with Retry-After; when it is back all goes on."""
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


async def test_nothing_of_a_token_is_told_to_sinks():
    """Neither of one that was relayed, refreshed, refused, nor of the cookie."""
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
    told = repr(site.heard) + "".join(repr(getattr(event, "error", "")) for event in site.heard)

    assert "SessionChanged" in told
    assert "eyJ" not in told
    assert cookie not in told


async def test_a_session_that_is_given_another_cookie_meanwhile_keeps_its_new_tokens():
    """They are written down under its new name."""
    async with open_site() as site:
        site.service.then(guarded(site))
        browser = site.browser()
        await browser.sign_in()
        site.wall.now += 400

        async def moving(call) -> Reply:
            kept = await site.auth.sessions.find(browser.cookie)
            secret = await site.auth.sessions.rotate(kept)
            browser.jar["shop.example"]["__Host-bff"] = secret
            site.provider.then(site.answer)
            return await site.answer(call)

        site.provider.then(moving)
        first = await browser.fetch("/v1/balance")
        site.wall.now += 400
        second = await browser.fetch("/v1/balance")

    assert (first.json(), second.json()) == (1, 1)
    assert changes(site) == ["begun", "refreshed", "refreshed"]


async def test_who_signs_out_during_a_refresh_is_signed_out():
    """What the provider has given in the meantime is revoked."""
    async with open_site() as site:
        browser = site.browser()
        await browser.sign_in()
        site.wall.now += 400

        async def leaving(call) -> Reply:
            site.provider.then(site.answer)
            kept = await site.auth.sessions.find(browser.cookie)
            await site.auth.sessions.end([kept], "signed_out")
            return await site.answer(call)

        site.provider.then(leaving)
        await browser.fetch("/v1/balance")
        after = await browser.fetch("/v1/me")
        revoked = site.asked("/revoke")

    assert after.status_code == 401
    assert len(revoked) == 1


async def test_signing_out_needs_no_provider():
    """Neither does asking who one is: those who leave need no token for it."""
    async with open_site() as site:
        browser = site.browser()
        await browser.sign_in()
        site.wall.now += 400
        site.provider.then(fail())
        user = await browser.fetch("/bff/user")
        told = await browser.fetch("/bff/logout", "POST")

    assert user.status_code == 200
    assert told.status_code == 200
    assert told.json()["location"].startswith((HERE, ISSUER))
    assert browser.cookie is None


async def test_who_leaves_does_not_end_the_refresh_for_the_others():
    """The refresh is the gateway's, not the request's that began it."""
    async with open_site() as site:
        site.service.then(guarded(site))
        browser = site.browser()
        await browser.sign_in()
        site.wall.now += 400
        leaving = asyncio.create_task(browser.fetch("/v1/balance"))
        staying = asyncio.create_task(browser.fetch("/v1/balance"))
        await asyncio.sleep(0)
        leaving.cancel()
        told = await staying

    assert told.json() == 1
    assert len(refreshes(site)) == 1


async def test_a_part_that_is_out_of_time_leaves_the_refresh_alone():
    """Cut short, it would lose the tokens that the provider has given in the meantime."""
    async with open_site() as site:
        browser = site.browser()
        await browser.sign_in()
        site.wall.now += 60
        site.service.then(reply(401), reply(200, 7))

        async def slow(call) -> Reply:
            await asyncio.sleep(0.3)
            return await site.answer(call)

        site.provider.then(slow)
        told = await browser.fetch("/v1/glance")
        await asyncio.sleep(0.4)
        again = await browser.fetch("/v1/balance")

    assert told.json() == -1
    assert again.json() == 7
    assert changes(site) == ["begun", "refreshed"]


async def test_without_a_refresh_token_a_session_ends_with_its_token():
    """It does not outlive what the provider said."""
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


async def test_a_gateway_that_keeps_no_tokens_keeps_its_sessions():
    """Where services are not called in the viewer's name there is nothing to refresh."""
    async with open_site(changed={"stores_tokens": False}) as site:
        browser = site.browser()
        await browser.sign_in()
        site.wall.now += 4000
        told = await browser.fetch("/v1/me")

    assert told.status_code == 200
    assert refreshes(site) == []


@pytest.mark.needs("redis-server")
async def test_four_gateways_refresh_once(redis_server):
    """They share a Redis. Twenty calls on each with a token that has ended: nobody is refused."""
    wall = Wall()
    provider = identity.create_app(ISSUER, HERE, wall=wall)
    told = {"session_url": redis_server.url}
    async with AsyncExitStack() as closing:
        sites = [
            await closing.enter_async_context(open_site(told=told, provider=provider, wall=wall))
            for _ in range(4)
        ]
        for site in sites:
            site.service.then(guarded(site))
        browser = sites[0].browser()
        await browser.sign_in()
        others = [Browser(site, jar=browser.jar) for site in sites]
        before = [await one.fetch("/v1/balance") for one in others]
        wall.now += 400
        asked = [one.fetch("/v1/balance") for one in others for _ in range(20)]
        after = await asyncio.gather(*asked)
        counted = sum(len(refreshes(site)) for site in sites)

    assert [one.status_code for one in before] == [200] * 4
    assert [one.status_code for one in after] == [200] * 80
    assert counted == 1


@pytest.mark.parametrize("seed", range(12))
async def test_no_interleaving_shows_one_the_others_data(seed):
    """Two viewers ask, refresh, sign out and in again, all at once: each sees their own."""
    dice = random.Random(seed)
    async with open_site() as site:
        site.service.then(guarded(site))
        browsers = {"1": site.browser(), "2": site.browser()}
        for user, browser in browsers.items():
            await browser.sign_in(user)
        seen: list[tuple[str, str, object]] = []

        async def live(user: str) -> None:
            browser = browsers[user]
            for _ in range(12):
                match dice.randrange(6):
                    case 0:
                        await browser.fetch("/bff/logout", "POST")
                    case 1:
                        site.wall.now += dice.choice([30, 280, 320])
                    case 2 | 3:
                        told = await browser.fetch("/v1/balance")
                        if told.status_code == 200:
                            seen.append((user, "balance", str(told.json())))
                    case _:
                        told = await browser.fetch("/v1/me")
                        if told.status_code == 200:
                            seen.append((user, "me", told.json()["subject"]))
                if browser.cookie is None:
                    browser.jar.clear()
                    await browser.sign_in(user)

        await asyncio.gather(*(live(user) for user in browsers for _ in range(2)))

    assert seen
    assert [one for one in seen if one[0] != one[2]] == []
