"""Sessions are stored sealed, listed to their owners, and ended by owners and the provider."""

import asyncio
from dataclasses import replace

import pytest

from bff_core.auth.session.interface import MAX_SESSIONS_PER_SUBJECT, Lifetimes
from bff_core.auth.session.memory import MemorySessionStore
from bff_core.auth.session.redis import RedisSessionStore
from bff_core.auth.session.sealing import Sealing
from bff_core.auth.session.session import (
    Session,
    SessionTokens,
    key_of,
    owner_of,
    provider_session_of,
    provider_subject_of,
)
from bff_core.clock import chance, monotonic
from bff_core.errors import ConfigurationError
from bff_core.events import Events
from bff_core.redis.clients_by_url import RedisClients
from services_mock import identity
from services_mock.identity.book import Stay
from services_mock.identity.signing import logout_token, signed
from tests.auth.browser.site import HERE, KEY, OURS, Browser, open_site

OTHER_KEY = "another secret of the tests, which is long enough, too"


def session(handle: str = "h1", **changed) -> Session:
    """Return a session of user 1."""
    values = {
        "subject": "1",
        "provider_sid": "sid-1",
        "provider_subject": "1",
        "signed_in_at": 1.0,
        "tokens": SessionTokens("access-canary", "refresh-canary", 0.0, 300.0),
        **changed,
    }
    return Session(handle, **values)


LIFETIMES = Lifetimes(idle=600, absolute=3600)


@pytest.mark.needs("redis-server")
@pytest.mark.parametrize("kind", ["memory", "redis"])
async def test_a_store_returns_what_it_stored(kind, redis_server):
    """Sessions are found by key and by owner, replaced, moved and ended."""
    async with opened(kind, redis_server) as store:
        await store.add("k1", session(), LIFETIMES)
        await store.add("k2", session("h2", signed_in_at=2.0), LIFETIMES)
        stored = await store.get("k1")
        fresh = replace(session(), tokens=SessionTokens("a2", "r2", 1.0, 600.0, generation=1))
        first, second = await store.replace(stored, fresh), await store.replace(stored, fresh)
        listed = [one.session.handle for one in await store.listed(owner_of("1", ""))]
        of_sid = await store.listed(provider_session_of("sid-1"))
        of_sub = await store.listed(provider_subject_of("1"))
        moved = await store.move("k1", "k3", 10.0)
        found = [await store.get(key) for key in ("k1", "k3")]
        ended = await store.remove(["k3", "k2", "nothing"])
        left = await store.listed(owner_of("1", ""))

    assert (stored.session, first, second) == (session(), True, False)
    assert 3500 < stored.left <= 3600
    assert 500 < stored.idle_left <= 600
    assert listed == ["h2", "h1"]
    assert (len(of_sid), len(of_sub)) == (2, 2)
    assert moved
    assert [one.session.tokens.access for one in found] == ["a2", "a2"]
    assert [one.key for one in found] == ["k3", "k3"]
    assert (ended, list(left)) == (2, [])


@pytest.mark.slow
@pytest.mark.needs("redis-server")
@pytest.mark.parametrize("kind", ["memory", "redis"])
async def test_sessions_expire(kind, redis_server):
    """They end after their idle time, and after their total lifetime."""
    async with opened(kind, redis_server) as store:
        await store.add("idle", session(), Lifetimes(idle=0.15, absolute=60))
        await store.add("used", session("h2"), Lifetimes(idle=0.3, absolute=0.6))
        await asyncio.sleep(0.2)
        await store.touch("used", 0.4)
        await asyncio.sleep(0.2)
        idle, used = await store.get("idle"), await store.get("used")
        await store.touch("used", 60)
        await asyncio.sleep(0.3)
        late = await store.get("used")

    assert idle is None
    assert used is not None
    assert late is None


@pytest.mark.needs("redis-server")
@pytest.mark.parametrize("kind", ["memory", "redis"])
async def test_a_lease_has_one_holder_and_a_note_is_new_once(kind, redis_server):
    """Another holder gets the lease after its release or expiry."""
    async with opened(kind, redis_server) as store:
        mine, theirs = await store.lease("k", "me", 5), await store.lease("k", "you", 5)
        await store.release("k", "you")
        still = await store.lease("k", "you", 5)
        await store.release("k", "me")
        free = await store.lease("k", "you", 5)
        unknown = await store.has_note("jti")
        noted = [await store.add_note("jti", 5) for _ in range(2)]
        known = await store.has_note("jti")

    assert (mine, theirs, still, free) == (True, False, False, True)
    assert noted == [True, False]
    assert (unknown, known) == (False, True)


@pytest.mark.needs("redis-server")
@pytest.mark.parametrize("kind", ["memory", "redis"])
async def test_one_subject_can_not_fill_a_store(kind, redis_server):
    """One session more ends the oldest."""
    async with opened(kind, redis_server) as store:
        for number in range(MAX_SESSIONS_PER_SUBJECT + 3):
            await store.add(
                f"k{number}", session(f"h{number}", signed_in_at=float(number)), LIFETIMES
            )
        listed = await store.listed(owner_of("1", ""))

    assert len(listed) == MAX_SESSIONS_PER_SUBJECT
    assert listed[-1].session.handle == "h3"


def opened(kind, server):
    """Return a context with a store of this kind."""
    return _Opened(kind, server)


class _Opened:
    def __init__(self, kind, server) -> None:
        self._links = RedisClients(clock=monotonic, chance=chance, events=Events())
        if kind == "memory":
            self._store = MemorySessionStore(monotonic)
        else:
            link = self._links.to(server.url)
            self._store = RedisSessionStore(link, Sealing([KEY]), gateway="shop")

    async def __aenter__(self):
        return self._store

    async def __aexit__(self, *_):
        await self._links.aclose()


@pytest.mark.needs("redis-server")
async def test_redis_holds_nothing_that_can_be_read(redis_server):
    """It has no readable tokens, names or cookies, and no session opens under another key."""
    links = RedisClients(clock=monotonic, chance=chance, events=Events())
    link = links.to(redis_server.url)
    store = RedisSessionStore(link, Sealing([KEY]), gateway="shop")
    key = key_of("cookie-canary")
    await store.add(key, session(subject="subject-canary"), LIFETIMES)
    names = await link.run("KEYS", "*")
    values = [await link.run("DUMP", name) for name in names]
    (name,) = [one for one in names if key.encode() in one and b"list" not in one]
    await link.run("COPY", name, name.replace(key.encode(), b"elsewhere"))
    swapped = await store.get("elsewhere")
    await links.aclose()

    assert b"canary" not in b"".join([*names, *values])
    assert swapped is None


def test_keys_are_rotated():
    """The first key seals and all keys open; a value opens for its own purpose only."""
    old, both, new = Sealing([OTHER_KEY]), Sealing([KEY, OTHER_KEY]), Sealing([KEY])
    sealed = old.seal(b"x", "a")

    assert both.open(sealed, "a") == b"x"
    assert new.open(sealed, "a") is None
    assert new.open(both.seal(b"x", "a"), "a") == b"x"
    assert both.open(sealed, "b") is None
    assert both.open(sealed[:-1], "a") is None
    assert both.open_text("no such thing!", "a") is None
    with pytest.raises(ConfigurationError, match="BFF_SESSION_KEYS"):
        Sealing([])


@pytest.mark.slow
@pytest.mark.needs("redis-server")
async def test_a_redis_that_is_frozen_ends_no_session(redis_server):
    """503 with Retry-After while it is frozen; then the same cookie works again."""
    async with open_site(overrides={"session_url": redis_server.url}) as site:
        browser = site.browser()
        await browser.sign_in()
        cookie = browser.cookie
        before = await browser.fetch("/v1/me")
        await asyncio.sleep(1.1)
        redis_server.freeze()
        frozen = await browser.fetch("/v1/me")
        redis_server.thaw()
        after = await settled(browser)

    assert before.status_code == 200
    assert frozen.status_code == 503
    assert frozen.headers["retry-after"]
    assert frozen.json()["code"] == "store_unavailable"
    assert after.json() == {"subject": "1"}
    assert browser.cookie == cookie


async def settled(browser):
    """Repeat a request until the answer is no 503."""
    for _ in range(100):
        answer = await browser.fetch("/v1/me")
        if answer.status_code != 503:
            break
        await asyncio.sleep(0.1)
    return answer


@pytest.mark.slow
@pytest.mark.needs("redis-server")
async def test_a_session_outlives_its_process(redis_server):
    """Another process serves it; a sign-out takes effect in all processes within a second."""
    overrides = {"session_url": redis_server.url}
    async with open_site(overrides=overrides) as first, open_site(overrides=overrides) as second:
        browser = first.browser()
        await browser.sign_in()
        elsewhere = second.browser()
        elsewhere.jar = {host: dict(jar) for host, jar in browser.jar.items()}
        known = await elsewhere.fetch("/v1/me")
        await browser.fetch("/bff/logout", "POST")
        await asyncio.sleep(1.1)
        gone = await elsewhere.fetch("/v1/me")

    assert known.status_code == 200
    assert gone.status_code == 401


async def test_a_viewer_lists_and_ends_its_sessions():
    """Each is listed with its browser; sessions of others are a 404."""
    async with open_site() as site:
        here, there, other = site.browser(), site.browser(), site.browser()
        await here.sign_in("1")
        await there.sign_in("1")
        await other.sign_in("2")
        listed = (await here.fetch("/bff/sessions")).json()["sessions"]
        (theirs,) = (await other.fetch("/bff/sessions")).json()["sessions"]
        (foreign,) = [one["id"] for one in listed if not one["is_current"]]
        refused = await here.fetch(f"/bff/sessions/{theirs['id']}", "DELETE")
        ended = await here.fetch(f"/bff/sessions/{foreign}", "DELETE")
        gone = await there.fetch("/v1/me")
        still = [(await one.fetch("/v1/me")).status_code for one in (here, other)]

    assert len(listed) == 2
    assert [one["is_current"] for one in listed].count(True) == 1
    assert refused.status_code == 404
    assert ended.json() == {"ended": 1}
    assert gone.status_code == 401
    assert still == [200, 200]


async def test_all_other_sessions_are_ended_at_once():
    """A user who lost a device ends all sessions but the current one."""
    async with open_site() as site:
        browsers = [site.browser() for _ in range(3)]
        for one in browsers:
            await one.sign_in("1")
        answer = await browsers[0].fetch("/bff/sessions", "DELETE")
        after = [(await one.fetch("/v1/me")).status_code for one in browsers]

    assert answer.json() == {"ended": 2}
    assert after == [200, 401, 401]


async def test_the_provider_signs_out_over_the_back_channel():
    """It ends one session or all sessions of a user; a logout token is accepted once."""
    async with open_site() as site:
        book = site.identity.state.store
        browsers = [site.browser() for _ in range(3)]
        for one in browsers:
            await one.sign_in("1")
        stays: list[Stay] = list(book.stays.values())
        one_stay = logout_token(book, "web", "1", stays[0].sid)
        first = await tell(site, one_stay)
        again = await tell(site, one_stay)
        after_one = [(await one.fetch("/v1/me")).status_code for one in browsers]
        everywhere = signed(book, "logout+jwt", claims(site, sub="1"))
        second = await tell(site, everywhere)
        after_all = [(await one.fetch("/v1/me")).status_code for one in browsers[1:]]

    assert (first.status_code, first.headers["cache-control"]) == (200, "no-store")
    assert again.status_code == 400
    assert after_one == [401, 200, 200]
    assert second.status_code == 200
    assert after_all == [401, 401]


EVENTS = {"http://schemas.openid.net/event/backchannel-logout": {}}


def claims(site, **changed):
    """Return the claims of a logout token; None leaves one out."""
    now = int(site.wall.now)
    payload = {
        "iss": "https://id.example",
        "aud": "web",
        "iat": now,
        "exp": now + 60,
        "jti": "j1",
        "events": EVENTS,
        **changed,
    }
    return {name: value for name, value in payload.items() if value is not None}


async def tell(site, token: str):
    """Post a logout token, as the provider does."""
    client = site.clients["shop.example"]
    return await client.post(f"{HERE}/bff/backchannel-logout", data={"logout_token": token})


@pytest.mark.parametrize(
    "changed",
    [
        {"events": None},
        {"events": {}},
        {"nonce": "n"},
        {"aud": "somebody-else"},
        {"iss": "https://evil.example"},
        {"exp": 1},
        {"exp": None},
        {"jti": None},
        {"sub": None},
    ],
)
async def test_an_invalid_logout_token_ends_nothing(changed):
    """An ID token, a token for another client, an old one, one without a subject."""
    async with open_site() as site:
        browser = site.browser()
        await browser.sign_in()
        answer = await tell(
            site, signed(site.identity.state.store, "JWT", claims(site, **{"sub": "1", **changed}))
        )
        still = await browser.fetch("/v1/me")

    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid_request"
    assert still.status_code == 200


async def test_keys_of_the_provider_are_rotated_between_sign_ins():
    """A new key is fetched when a token names it."""
    async with open_site() as site:
        first = await site.browser().sign_in()
        await site.rotate_keys()
        (keys,) = site.auth.running.client._keys.values()
        keys._keys._fetched_at -= 60
        second = await site.browser().sign_in()

    assert (first.status_code, second.status_code) == (200, 200)


async def test_a_cookie_is_rotated_when_privileges_change():
    """Requests in flight may use the old cookie for a while; then it is refused."""
    async with open_site() as site:
        browser = site.browser()
        await browser.sign_in()
        old = browser.cookie
        stored = await site.auth.sessions.find(old)
        new = await site.auth.sessions.rotate(stored)
        found = [await site.auth.sessions.find(one) for one in (old, new)]

    assert old != new
    assert [one.session.handle for one in found] == [stored.session.handle] * 2


async def test_a_session_ends_after_its_idle_time_and_its_lifetime():
    """Requests extend the idle time, but not the total lifetime."""
    now = [0.0]
    async with open_site(clock=lambda: now[0], idle=600, lifetime=1500) as site:
        browser = site.browser()
        await browser.sign_in()
        statuses = []
        for _ in range(3):
            now[0] += 400
            statuses.append((await browser.send("GET", f"{HERE}/v1/me", headers=OURS)).status_code)
        now[0] += 400
        statuses.append((await browser.send("GET", f"{HERE}/v1/me", headers=OURS)).status_code)

    assert statuses == [200, 200, 200, 401]


@pytest.mark.needs("redis-server")
async def test_sessions_of_two_providers_are_separate(redis_server):
    """User 1 of one is not user 1 of the other, and cookies of one are not valid for the other."""
    overrides, other = {"session_url": redis_server.url}, "https://id.elsewhere.example"
    provider = identity.create_app(other, HERE)
    async with (
        open_site(overrides=overrides) as site,
        open_site(overrides=overrides, provider=provider, changed={"issuer": other}) as elsewhere,
    ):
        browser = site.browser()
        await browser.sign_in("1")
        stolen = Browser(elsewhere, {"shop.example": {"__Host-bff": browser.cookie}})
        refused = await stolen.fetch("/v1/me")
        listed = [len(await one.auth.sessions.of("1")) for one in (site, elsewhere)]
        still = await browser.fetch("/v1/me")

    assert (refused.status_code, refused.json()["code"]) == (401, "session_ended")
    assert listed == [1, 0]
    assert still.json() == {"subject": "1"}


@pytest.mark.needs("redis-server")
@pytest.mark.parametrize("kind", ["memory", "redis"])
async def test_operators_see_how_many_sessions_are_live(kind, redis_server):
    """Sessions of all subjects are counted, the newest of some are returned; ended ones are not."""
    async with opened(kind, redis_server) as store:
        for number in range(5):
            one = session(f"h{number}", subject=f"user-{number}", signed_in_at=float(number))
            await store.add(f"k{number}", one, LIFETIMES)
        await store.remove(["k0"])
        await store.move("k1", "k9", 10.0)
        await store.lease("refresh", "me", 60.0)
        await store.add_note("noted", 60.0)
        live, some = await store.live(10), await store.live(2)

    assert [one.session.handle for one in live.sessions] == ["h4", "h3", "h2", "h1"]
    assert live.count == 4
    assert len(some.sessions) == 2


@pytest.mark.needs("redis-server")
async def test_a_large_redis_is_not_searched_as_a_whole(redis_server, monkeypatch):
    """Where too many keys would have to be visited, the count is unknown rather than wrong."""
    async with opened("redis", redis_server) as store:
        await store.add("k1", session(), LIFETIMES)
        for number in range(3000):
            await store._link.run("SET", f"other:{number}", 1)
        monkeypatch.setattr("bff_core.auth.session.redis.MAX_VISITED", 1000)
        live = await store.live(10)

    assert live.count is None
