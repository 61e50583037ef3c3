"""Back-channel logout: every logout token takes effect, exactly once."""

import asyncio
from collections.abc import Iterator

import pytest

from bff_core.errors import StoreUnavailable
from bff_core.events import SessionChanged
from bff_core.testing.scripted import reply
from services_mock import identity
from services_mock.identity.signing import signed
from tests.auth.browser.site import HERE, ISSUER, Wall, open_site
from tests.auth.browser.test_sessions import claims, tell

DAY = 86_400


class Unreliable:
    """A store whose calls are lost at the places that `lost` names: before or after they act."""

    def __init__(self, store, lost: Iterator[str]) -> None:
        self._store = store
        self._lost = lost

    def __getattr__(self, name: str):
        method = getattr(self._store, name)
        if not asyncio.iscoroutinefunction(method):
            return method

        async def call(*args):
            when = next(self._lost, "")
            if when == "before":
                raise StoreUnavailable("store", "lost")
            done = await method(*args)
            if when == "after":
                raise StoreUnavailable("store", "lost")
            return done

        return call


def logout(site, **changed) -> str:
    """Return a logout token for all sessions of user 1."""
    return signed(site.identity.state.store, "logout+jwt", claims(site, **{"sub": "1", **changed}))


@pytest.mark.mostly_slow
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("answered", range(4))
async def test_a_store_that_fails_loses_no_logout(when, answered):
    """Wherever the store fails, the provider gets 503, and the repeated token takes effect."""
    async with open_site() as site:
        browser = site.browser()
        await browser.sign_in()
        reliable, token = site.auth.sessions.store, logout(site)
        site.auth.sessions.store = Unreliable(reliable, iter([""] * answered + [when]))
        first = await tell(site, token)
        site.auth.sessions.store = reliable
        again = await tell(site, token) if first.status_code == 503 else first
        after = await browser.fetch("/v1/me")
        third = await tell(site, token)

    assert first.status_code in ({503} if answered == 0 else {200})
    assert again.status_code == 200
    assert after.status_code == 401
    assert third.status_code == 400


async def test_a_provider_whose_keys_are_unavailable_loses_no_logout():
    """The token can't be verified: 503, and the repeated token takes effect."""
    async with open_site() as site:
        browser = site.browser()
        await browser.sign_in()
        site.auth.running.client._keys.clear()  # as in a process that has just started
        site.provider.then(reply(503))
        token = logout(site)
        first = await tell(site, token)
        site.provider.then(site.answer)
        site.auth.running.client._keys.clear()
        again = await tell(site, token)
        after = await browser.fetch("/v1/me")

    assert (first.status_code, again.status_code) == (503, 200)
    assert first.headers["retry-after"]
    assert after.status_code == 401


@pytest.mark.needs("redis-server")
@pytest.mark.parametrize("shared", [False, True], ids=["memory", "redis"])
async def test_one_of_twenty_simultaneous_logouts_is_accepted(shared, redis_server):
    """The others are refused as used before."""
    overrides = {"session_url": redis_server.url} if shared else {}
    async with open_site(overrides=overrides) as site:
        browser = site.browser()
        await browser.sign_in()
        token = logout(site)
        answers = await asyncio.gather(*(tell(site, token) for _ in range(20)))
        after = await browser.fetch("/v1/me")
        ended = [one.change for one in site.events if isinstance(one, SessionChanged)]

    assert sorted(one.status_code for one in answers) == [200] + [400] * 19
    assert after.status_code == 401
    assert ended.count("ended_elsewhere") == 1


@pytest.mark.needs("redis-server")
async def test_a_redis_that_is_frozen_loses_no_logout(redis_server):
    """Redis may execute a delayed command later: completely, or not at all."""
    async with open_site(overrides={"session_url": redis_server.url}) as site:
        browser = site.browser()
        await browser.sign_in()
        token = logout(site)
        redis_server.freeze()
        frozen = await tell(site, token)
        redis_server.thaw()
        again = await until_it_answers(site, token)
        after = await browser.fetch("/v1/me")

    assert frozen.status_code == 503
    assert again.status_code == 200
    assert after.status_code == 401


@pytest.mark.needs("redis-server")
async def test_a_redis_that_is_killed_loses_no_logout(tmp_path, redis_server):
    """Its sessions are on disk; after its return the same token counts, once."""
    redis_server.kill()
    durable = type(redis_server)(tmp_path, durable=True)
    durable.start()
    try:
        async with open_site(overrides={"session_url": durable.url}) as site:
            browser = site.browser()
            await browser.sign_in()
            token = logout(site)
            durable.kill()
            killed = await tell(site, token)
            durable.start()
            again = await until_it_answers(site, token)
            third = await tell(site, token)
            after = await browser.fetch("/v1/me")
    finally:
        durable.kill()

    assert killed.status_code == 503
    assert (again.status_code, third.status_code) == (200, 400)
    assert after.status_code == 401


async def until_it_answers(site, token: str):
    """Repeat a logout token while the answer is 503, as a provider does."""
    for _ in range(100):
        answer = await tell(site, token)
        if answer.status_code != 503:
            break
        await asyncio.sleep(0.05)  # for Redis, which is a process of its own
    return answer


@pytest.mark.needs("redis-server")
async def test_a_logout_ends_a_session_whose_cookie_is_rotated_meanwhile(redis_server):
    """Neither the old nor the new cookie is valid after it."""
    async with open_site(overrides={"session_url": redis_server.url}) as site:
        browser = site.browser()
        await browser.sign_in()
        stored = await site.auth.sessions.find(browser.cookie)
        token = logout(site)
        secret, _ = await asyncio.gather(site.auth.sessions.rotate(stored), tell(site, token))
        found = [await site.auth.sessions.find(one) for one in (browser.cookie, secret) if one]

    assert [one for one in found if one is not None] == []


@pytest.mark.mostly_slow
@pytest.mark.needs("redis-server")
@pytest.mark.parametrize("shared", [False, True], ids=["memory", "redis"])
@pytest.mark.parametrize("lifetime", [120, 2 * 3600, 3 * DAY, 10**12])
async def test_a_logout_token_is_accepted_once_while_it_is_valid(lifetime, shared, redis_server):
    """It may be valid for hours; after a day it is refused as too old."""
    now = [0.0]
    wall = Wall()
    provider = identity.create_app(ISSUER, HERE, wall=wall)
    overrides = {"session_url": redis_server.url} if shared else {}
    options = {"idle": 10 * DAY, "lifetime": 30 * DAY, "changed": {"stores_tokens": False}}
    async with open_site(
        overrides=overrides, provider=provider, wall=wall, clock=lambda: now[0], **options
    ) as site:
        issued = int(wall.now)
        token = logout(site, exp=issued + lifetime)
        await site.browser().sign_in()
        first = await tell(site, token)
        repeats = []
        for elapsed in (1, 119, 179, 3601, 7199, DAY - 1, DAY + 59, 2 * DAY, 3 * DAY - 1):
            now[0] += issued + elapsed - wall.now
            wall.now = issued + elapsed
            repeats.append((await tell(site, token)).status_code)

    assert first.status_code == 200
    assert set(repeats) == {400}


@pytest.mark.needs("redis-server")
async def test_redis_remembers_a_logout_token_until_no_clock_accepts_it(redis_server):
    """It stores the token's id for its lifetime and the leeway of two clocks."""
    async with open_site(overrides={"session_url": redis_server.url}) as site:
        answer = await tell(site, logout(site, exp=int(site.wall.now) + 7200))
        link = site.auth.sessions.store._link
        (name,) = await link.run("KEYS", "*noted*")
        left = await link.run("PTTL", name)

    assert answer.status_code == 200
    assert 7310_000 < left <= 7320_000


@pytest.mark.needs("redis-server")
@pytest.mark.parametrize("shared", [False, True], ids=["memory", "redis"])
async def test_a_logout_with_sid_ends_sessions_without_sid(shared, redis_server):
    """If ID tokens have no `sid`, each session of the user may be the one that ended."""
    overrides = {"session_url": redis_server.url} if shared else {}
    async with open_site(overrides=overrides, claims={"sid": None}) as site:
        browser, other = site.browser(), site.browser()
        await browser.sign_in("1")
        await other.sign_in("2")
        token = logout(site, sid="s1")
        answer = await tell(site, token)
        after, still = await browser.fetch("/v1/me"), await other.fetch("/v1/me")
        again = await tell(site, token)

    assert (answer.status_code, again.status_code) == (200, 400)
    assert (after.status_code, still.status_code) == (401, 200)


async def test_a_logout_with_sid_leaves_sessions_with_another_sid():
    """With `sub` and `sid`, one of the user's two sessions at the provider has ended."""
    async with open_site() as site:
        browser = site.browser()
        await browser.sign_in("1")
        answer = await tell(site, logout(site, sid="of another browser"))
        still = await browser.fetch("/v1/me")

    assert (answer.status_code, still.status_code) == (200, 200)


@pytest.mark.parametrize("store_fails_at", [0, 1])
async def test_a_store_that_fails_loses_no_logout_with_sub_and_sid(store_fails_at):
    """A repeated token ends the sessions with and without a `sid`."""
    async with open_site(claims={"sid": None}) as site:
        browser = site.browser()
        await browser.sign_in("1")
        reliable, token = site.auth.sessions.store, logout(site, sid="s1")
        site.auth.sessions.store = Unreliable(reliable, iter([""] * store_fails_at + ["before"]))
        first = await tell(site, token)
        site.auth.sessions.store = reliable
        again = await tell(site, token)
        after = await browser.fetch("/v1/me")

    assert (first.status_code, again.status_code, after.status_code) == (503, 200, 401)


@pytest.mark.mostly_slow
@pytest.mark.parametrize(
    "changed",
    [
        {"iat": None},
        {"iat": "now"},
        {"iat": True},
        {"iat": []},
        {"iat": 10**400},
        {"iat": 1_800_000_061},
        {"iat": 1_800_000_000 - DAY - 61},
        {"exp": None},
        {"exp": 1_800_000_000 - 61},
        {"exp": 10**400},
        {"jti": ""},
        {"jti": 7},
        {"jti": ["j"]},
        {"jti": {"j": 1}},
        {"sub": 1},
        {"sub": None, "sid": 7},
        {"sid": ["s"]},
    ],
)
async def test_a_logout_token_without_iat_or_jti_ends_nothing(changed):
    """The answer is 400, even if everything else is valid."""
    async with open_site() as site:
        browser = site.browser()
        await browser.sign_in()
        answer = await tell(site, logout(site, **changed))
        still = await browser.fetch("/v1/me")

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
    assert still.status_code == 200
