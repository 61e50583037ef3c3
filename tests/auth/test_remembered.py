"""Caches of credentials and sessions: how long, how much, and what ends an entry."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from bff_core.auth.api_keys.authenticator import (
    LAST_USED_UPDATE_SECONDS,
    RECHECK_SECONDS,
    ApiKeyAuthenticator,
)
from bff_core.auth.authenticator import Resources
from bff_core.auth.devices import LAST_SEEN_UPDATE_SECONDS, DeviceSessions, id_of
from bff_core.auth.devices import RECHECK_SECONDS as DEVICE_RECHECK_SECONDS
from bff_core.auth.introspection import Introspection, IntrospectionAuthenticator
from bff_core.auth.session.active_sessions import RECHECK_SECONDS as SESSION_RECHECK_SECONDS
from bff_core.auth.session.active_sessions import ActiveSessions
from bff_core.auth.session.interface import Lifetimes
from bff_core.auth.session.memory import MAX_SESSIONS, MemorySessionStore
from bff_core.auth.session.redis import MOVE
from bff_core.auth.session.session import Session, key_of
from bff_core.auth.viewer import Viewer
from bff_core.clock import chance
from bff_core.errors import NotAuthenticated, ProviderUnavailable
from bff_core.events import Events
from bff_core.redis.clients_by_url import RedisClients
from bff_core.scope import Scope
from bff_core.testing.layer_runtime import LayerRuntime
from bff_core.testing.scripted import Scripted, ScriptedTransport, reply
from bff_core.upstream.registry import UpstreamRegistry
from tests.auth.browser.test_sessions import opened, session
from tests.auth.identity import Identity
from tests.auth.keys.test_introspection import active
from tests.auth.tokens import AUDIENCE, ISSUER, NOW, key_set, signed
from tests.shop_with_view_cache import in_production


def wall() -> float:
    """Return a time of day that goes with the loop's."""
    return NOW + asyncio.get_running_loop().time()


def resources(services=()) -> Resources:
    """Return what an authenticator may use."""
    loop, events = asyncio.get_running_loop(), Events()
    links = RedisClients(clock=loop.time, chance=chance, events=events)
    settings = in_production([], api_keys_url="sqlite://")
    return Resources("shop", settings, dict(services), links, loop.create_task, loop.time, events)


# API keys


@asynccontextmanager
async def with_keys():
    """Yield an authenticator of API keys and what issues them."""
    authenticator = ApiKeyAuthenticator(wall=wall)
    async with authenticator.open(resources()):
        yield authenticator, authenticator.keyring()


def showing(key: str) -> Scope:
    """Return a request with a key."""
    return Scope(1.0, headers=((b"x-api-key", key.encode()),))


@pytest.mark.virtual_time
async def test_a_key_that_another_process_revoked_is_refused_soon():
    """A cached key is looked up again after five seconds."""
    async with with_keys() as (authenticator, keys):
        key, record = await keys.issue("CI", "svc-1")
        first = await authenticator.authenticate(showing(key))
        await keys.revoke(record.prefix)
        await asyncio.sleep(RECHECK_SECONDS - 0.1)
        second = await authenticator.authenticate(showing(key))
        await asyncio.sleep(0.2)

        with pytest.raises(NotAuthenticated):
            await authenticator.authenticate(showing(key))
        assert first == second == record.viewer


@pytest.mark.virtual_time
async def test_the_use_of_a_key_is_recorded_once_a_minute():
    """A write for each request would be too many."""
    async with with_keys() as (authenticator, keys):
        key, record = await keys.issue("CI", "svc-1")
        noted = []
        for pause in (0.0, LAST_USED_UPDATE_SECONDS / 2, LAST_USED_UPDATE_SECONDS / 2 - 1, 2.0):
            await asyncio.sleep(pause)
            await authenticator.authenticate(showing(key))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            (found,) = await keys.listed()
            noted.append(found.last_used_at - NOW)

    assert record.last_used_at == 0
    assert noted[0] == noted[1] == noted[2] < noted[3]


@pytest.mark.virtual_time
@pytest.mark.parametrize("overlap", [0.0, -100.0])
async def test_a_key_that_is_rotated_without_an_overlap_ends_now(overlap):
    """It ends at the time of the rotation, and not before."""
    async with with_keys() as (_, keys):
        _, record = await keys.issue("CI", "svc-1")
        await asyncio.sleep(500)
        await keys.rotate(record.prefix, overlap=overlap)
        found = await keys.store.find(record.prefix)

        assert found is not None
        assert found.expires_at == wall()


# Introspection


@pytest.mark.virtual_time
async def test_refused_tokens_do_not_evict_valid_ones():
    """Any client can send as many invalid tokens as it likes."""
    bench = LayerRuntime("identity")
    answers = Scripted(active(), *[reply(200, {"active": False})] * 20)
    roster = UpstreamRegistry(
        lambda _: ("http://10.0.0.1",),
        lambda _: bench.runtime,
        lambda *_: ScriptedTransport({"10.0.0.1": answers}),
    )
    options = Introspection(
        client_id="shop", client_secret="s3cret", audience=(AUDIENCE,), issuer=ISSUER
    )
    authenticator = IntrospectionAuthenticator(options, wall=lambda: NOW)
    roster.adopt({kind: kind.policy for kind in authenticator.services})
    async with authenticator.open(resources(roster.services)):
        await authenticator.authenticate(bearing("good"))
        for number in range(20):
            with pytest.raises(NotAuthenticated):
                await authenticator.authenticate(bearing(f"wrong-{number}"))

        tokens = authenticator.running
        assert (len(tokens._active), len(tokens._inactive)) == (1, 20)


def bearing(token: str) -> Scope:
    """Return a request with a token."""
    return Scope(10.0, headers=((b"authorization", f"Bearer {token}".encode()),))


# Keys of an issuer


@pytest.mark.virtual_time
@pytest.mark.parametrize("status", [201, 203, 304, 400, 404, 500, 503])
async def test_keys_are_read_from_a_200_only(status):
    """A body with another status is no key set."""
    identity = Identity(reply(status, key_set()))

    with pytest.raises(ProviderUnavailable):
        await identity.authenticate(signed())


# Devices


@pytest.mark.virtual_time
async def test_a_device_that_is_ended_while_its_use_is_recorded_stays_ended():
    """The update of its last use was in flight when the owner ended it."""
    loop, viewer = asyncio.get_running_loop(), Viewer("ann", client="app")
    devices = DeviceSessions(wall=wall).start(None, spawn=loop.create_task, clock=loop.time)
    await devices.admit(Scope(1.0), viewer, "phone")
    await asyncio.sleep(LAST_SEEN_UPDATE_SECONDS + 1)

    await devices.admit(Scope(1.0), viewer, "phone")
    assert await devices.end(viewer, id_of("phone"))
    await asyncio.sleep(DEVICE_RECHECK_SECONDS + 1)

    with pytest.raises(NotAuthenticated):
        await devices.admit(Scope(1.0), viewer, "phone")
    assert await devices.listed(viewer) == []


# Sessions


@pytest.mark.slow
async def test_the_least_recently_used_session_is_evicted():
    """A session that is used stays, however early it began."""
    store, lifetimes = MemorySessionStore(lambda: 0.0), Lifetimes(idle=600, absolute=600)
    for number in range(MAX_SESSIONS):
        await store.add(f"{number}", Session(f"{number}", f"{number}"), lifetimes)
    await store.touch("0", 600)
    await store.add("new", Session("new", "new"), lifetimes)

    assert await store.get("0") is not None
    assert await store.get("1") is None
    assert await store.get("2") is not None


@pytest.mark.needs("redis-server")
async def test_one_of_two_processes_moves_a_session(redis_server):
    """Both found it under its old key; a second new key would be a second valid cookie."""
    async with opened("redis", redis_server) as store:
        await store.add("old", session(), Lifetimes(idle=600, absolute=600))
        prefix, moved = "bff:shop:session:", []
        for name in ("first", "second"):
            args = [b"sealed by another process", "old", name, 10_000]
            moved.append(await store._link.script(MOVE, [f"{prefix}old", prefix + name], args))
        there = [
            await store._link.run("EXISTS", prefix + name) for name in ("old", "first", "second")
        ]

    assert moved == [1, 0]
    assert there == [1, 1, 0]


@pytest.mark.needs("redis-server")
async def test_a_previous_cookie_is_valid_for_its_grace_period(redis_server):
    """After ten seconds it finds no session."""
    async with opened("redis", redis_server) as store:
        await store.add("old", session(), Lifetimes(idle=600, absolute=600))
        await store.move("old", "new", 10)
        left = await store._link.run("PTTL", "bff:shop:session:old")
        await store._link.run("PEXPIRE", "bff:shop:session:old", 1)
        async with asyncio.timeout(10):
            while await store._link.run("EXISTS", "bff:shop:session:old"):
                pass
        former, present = await store.get("old"), await store.get("new")

    assert 0 < left <= 10_000
    assert former is None
    assert present is not None


@pytest.mark.needs("redis-server")
@pytest.mark.parametrize("kind", ["memory", "redis"])
async def test_requests_do_not_extend_a_session_beyond_its_lifetime(kind, redis_server):
    """It ends after its total lifetime, however often it is used."""
    async with opened(kind, redis_server) as store:
        await store.add("key", session(), Lifetimes(idle=5, absolute=100))
        before = await store.get("key")
        await store.touch("key", 3600)
        after = await store.get("key")

    assert before.idle_left <= 5
    assert 5 < after.idle_left <= 100
    assert after.left <= before.left <= 100


class SharedStore(MemorySessionStore):
    """A store that other processes change, too."""

    is_shared = True


@asynccontextmanager
async def with_sessions():
    """Yield the sessions of one process, with one that it knows, and its cookie."""
    loop = asyncio.get_running_loop()
    sessions = ActiveSessions(
        SharedStore(loop.time),
        Lifetimes(idle=600, absolute=6000),
        clock=loop.time,
        spawn=loop.create_task,
        events=Events(),
    )
    secret = await sessions.begin(session())
    found = await sessions.find(secret)
    assert found is not None
    yield sessions, found, secret


@pytest.mark.virtual_time
async def test_a_session_that_this_process_ended_is_gone_at_once():
    """The process does not wait for its cache of one second."""
    async with with_sessions() as (sessions, found, secret):
        assert await sessions.end([found], "signed_out") == 1

        assert await sessions.find(secret) is None


@pytest.mark.virtual_time
async def test_a_session_that_another_process_ended_is_gone_within_a_second():
    """A cached session is read again after a second."""
    async with with_sessions() as (sessions, found, secret):
        await sessions.store.remove([found.key])
        await asyncio.sleep(SESSION_RECHECK_SECONDS - 0.1)
        before = await sessions.find(secret)
        await asyncio.sleep(0.2)

        assert before == found
        assert await sessions.find(secret) is None


@pytest.mark.virtual_time
async def test_a_session_that_was_moved_is_found_under_its_new_key_at_once():
    """Its previous cookie also finds the session under the new key."""
    async with with_sessions() as (sessions, found, secret):
        new = await sessions.rotate(found)
        by_former, by_new = await sessions.find(secret), await sessions.find(new)

        assert found.key == key_of(secret)
        assert by_former.key == by_new.key == key_of(new)
