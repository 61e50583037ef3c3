"""Credentials of web sockets are checked again while they are open: `Scope.recheck`."""

from math import inf

import pytest

from bff_core import gateway
from bff_core.auth import BearerAuthenticator, Issuer
from bff_core.auth.api_keys.authenticator import RECHECK_SECONDS, ApiKeyAuthenticator
from bff_core.auth.introspection import IntrospectionAuthenticator
from bff_core.auth.session.authenticator import SessionAuthenticator
from bff_core.auth.session.session import Session
from bff_core.errors import NotAuthenticated
from bff_core.events import Events
from bff_core.scope import Scope
from bff_core.testing.scripted import Scripted, reply
from tests.auth.browser.site import HERE, settings, sign_in_at
from tests.auth.keys.test_introspection import OPTIONS, active
from tests.auth.tokens import AUDIENCE, ISSUER, NOW, key_set, signed
from tests.shop_with_view_cache import by_script, client_of, in_production


class Time:
    """The time of day."""

    now = NOW

    def __call__(self) -> float:
        return self.now


class Clock(Time):
    """A monotonic clock."""

    now = 1000.0


def handshake(name: str, value: str, method: str = "WEBSOCKET", *more: tuple[bytes, bytes]):
    """Return the scope of a handshake."""
    return Scope(inf, method, headers=((name.encode(), value.encode()), *more))


async def is_valid(scope: Scope) -> bool:
    """Check the credentials of a web socket again."""
    assert scope.recheck is not None
    try:
        await scope.recheck()
    except NotAuthenticated:
        return False
    return True


async def test_an_expired_token():
    """A JWT is valid until it expires."""
    wall, clock = Time(), Clock()
    auth = BearerAuthenticator(Issuer(issuer=ISSUER, audience=(AUDIENCE,)), wall=wall, clock=clock)
    app = gateway(
        "shop",
        settings=in_production(["identity"]),
        authenticator=auth,
        events=Events(),
        transport=by_script({"identity": Scripted(reply(200, key_set()))}),
    )
    async with client_of(app):
        scope = handshake("authorization", f"Bearer {signed()}")
        await auth.authenticate(scope)
        before = await is_valid(scope)
        wall.now, clock.now = wall.now + 700, clock.now + 700

        assert (before, await is_valid(scope)) == (True, False)


async def test_a_token_that_is_not_active_any_more():
    """An opaque one is introspected again once its result is old."""
    wall = Time()
    auth = IntrospectionAuthenticator(OPTIONS, wall=wall)
    app = gateway(
        "shop",
        settings=in_production(["identity"]),
        authenticator=auth,
        events=Events(),
        transport=by_script({"identity": Scripted(active(exp=NOW + 600))}),
    )
    async with client_of(app):
        scope = handshake("authorization", "Bearer opaque-1")
        await auth.authenticate(scope)

        assert await is_valid(scope)


async def test_a_revoked_key():
    """A key is looked up again after a few seconds."""
    auth = ApiKeyAuthenticator(wall=Time())
    settings_ = in_production([]).model_copy(update={"api_keys_url": "sqlite://"})
    app = gateway("shop", settings=settings_, authenticator=auth, events=Events())
    async with client_of(app):
        key, record = await auth.keyring().issue("CI", "svc-1")
        scope = handshake("x-api-key", key)
        await auth.authenticate(scope)
        before = await is_valid(scope)
        await auth.keyring().revoke(record.prefix)
        auth.running._valid.clear()  # as after RECHECK_SECONDS

        assert (before, await is_valid(scope)) == (True, False)
    assert RECHECK_SECONDS < 15


@pytest.fixture
def sessions():
    """Return the authenticator of sessions."""
    return SessionAuthenticator(sign_in_at())


async def test_a_logout(sessions):
    """A session is looked up at its store, which does not prolong it."""
    app = gateway(
        "shop",
        settings=settings(),
        authenticator=sessions,
        events=Events(),
        transport=by_script({"identity": Scripted()}),
    )
    async with client_of(app):
        secret = await sessions.sessions.begin(Session("h", "7"))
        origin = (b"origin", HERE.encode())
        scope = handshake("cookie", f"__Host-bff={secret}", "WEBSOCKET", origin)
        viewer = await sessions.authenticate(scope)
        before = await is_valid(scope)
        stored = await sessions.sessions.find(secret)
        await sessions.sessions.end([stored], "ended")

        assert viewer is not None
        assert (before, await is_valid(scope)) == (True, False)


async def test_a_session_with_a_new_cookie(sessions):
    """A rotated cookie does not end the sockets that it opened, for a moment."""
    app = gateway(
        "shop",
        settings=settings(),
        authenticator=sessions,
        events=Events(),
        transport=by_script({"identity": Scripted()}),
    )
    async with client_of(app):
        secret = await sessions.sessions.begin(Session("h", "7"))
        origin = (b"origin", HERE.encode())
        scope = handshake("cookie", f"__Host-bff={secret}", "WEBSOCKET", origin)
        await sessions.authenticate(scope)
        stored = await sessions.sessions.find(secret)
        await sessions.sessions.rotate(stored)

        assert await is_valid(scope)


async def test_a_request_is_not_checked_again():
    """It ends before its credentials do."""
    auth = ApiKeyAuthenticator(wall=Time())
    settings_ = in_production([]).model_copy(update={"api_keys_url": "sqlite://"})
    app = gateway("shop", settings=settings_, authenticator=auth, events=Events())
    async with client_of(app):
        key, _ = await auth.keyring().issue("CI", "svc-1")
        scope = handshake("x-api-key", key, "GET")
        await auth.authenticate(scope)

    assert scope.recheck is None
