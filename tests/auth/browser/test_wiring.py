"""A gateway with a wrong sign-in configuration does not start, and the error says what to do."""

from typing import Annotated

import pytest
from fastapi import Depends
from fastapi.security import APIKeyCookie
from openapi_spec_validator import validate

from bff_core import ANYONE, FirstOf, Require, Settings, Views, gateway
from bff_core.auth.session.authenticator import SessionAuthenticator
from bff_core.auth.session.cookie import Cookie
from bff_core.errors import ConfigurationError
from tests.auth.browser.site import ISSUER, KEY, settings, sign_in_at, views


@pytest.mark.parametrize(
    ("changed", "mend"),
    [
        ({"session_keys": ()}, "set BFF_SESSION_KEYS"),
        ({"public_url": ""}, "set it to the URL of this gateway"),
        ({"public_url": "http://shop.example"}, "set an https:// URL"),
    ],
)
def test_a_gateway_with_sessions_needs_a_key_and_a_public_url(changed, mend):
    """The error names the variable."""
    with pytest.raises(ConfigurationError, match=mend):
        gateway(
            "shop",
            settings=settings(**changed),
            authenticator=SessionAuthenticator(sign_in_at()),
        )


def test_csrf_protection_can_not_be_turned_off():
    """A gateway with `csrf=False` does not start."""
    with pytest.raises(ConfigurationError, match="X-CSRF"):
        SessionAuthenticator(sign_in_at(), csrf=False)


@pytest.mark.parametrize(
    ("changed", "mend"),
    [
        ({"client_secret": ""}, "confidential client"),
        ({"scope": ("profile",)}, "openid"),
        ({"algorithms": ("none",)}, "RS256"),
        ({"algorithms": ("HS256",)}, "RS256"),
        ({"issuer": "id.example"}, "URL of the provider"),
        ({"extra": {"state": "x"}}, "the flow does"),
    ],
)
def test_unsafe_provider_options_are_refused(changed, mend):
    """An option that would make the flow unsafe is refused at start."""
    with pytest.raises(ConfigurationError, match=mend):
        sign_in_at(**changed)


@pytest.mark.parametrize("name", ["bff", "__Secure-bff", "__Host-b;x", "__Host-"])
def test_a_cookie_name_needs_the_host_prefix(name):
    """Browsers enforce the rules of `__Host-`."""
    with pytest.raises(ConfigurationError, match="__Host-"):
        Cookie(name)


async def test_a_route_that_reads_a_cookie_itself_does_not_start():
    """Such a route would have no CSRF protection."""
    app = gateway("shop", settings=settings(), authenticator=SessionAuthenticator(sign_in_at()))

    @app.get("/old")
    async def get_old(sid: Annotated[str, Depends(APIKeyCookie(name="sid"))]) -> str:
        return sid

    with pytest.raises(ConfigurationError, match="/old takes a cookie"):
        app.build_middleware_stack()


def test_the_key_of_the_examples_is_not_for_production():
    """The key of the examples is public."""
    known = settings(session_keys=("development-only-key-of-the-examples",))
    with pytest.raises(ConfigurationError, match="openssl"):
        gateway("shop", settings=known, authenticator=SessionAuthenticator(sign_in_at()))


def test_two_providers_at_one_prefix_are_refused():
    """Both would have the same sign-in endpoints."""
    one = SessionAuthenticator(sign_in_at())
    with pytest.raises(ConfigurationError, match="/bff"):
        gateway(
            "shop",
            settings=settings(),
            authenticator=FirstOf(one, SessionAuthenticator(sign_in_at())),
        )


def test_the_access_rule_of_each_route_is_listed():
    """Each route is listed with its access rule; without a rule it requires a signed-in viewer."""
    app = gateway(
        "shop",
        settings=settings(),
        faces=[Views(), _orders()],
        authenticator=SessionAuthenticator(sign_in_at()),
    )
    rules = {one.path: str(one.access) for one in app.access}

    assert {one.by for one in app.access} == {("Session",)}
    assert rules["/orders"] == "signed in, with orders:read"
    assert rules["/plain"] == "signed in"
    assert rules["/open"] == rules["/bff/login"] == rules["/openapi.json"] == "anyone"


def _orders() -> Views:
    views = Views()

    @views.get("/orders", access=Require("orders:read"))
    async def get_orders() -> str:
        return "orders"

    @views.get("/plain")
    async def get_plain() -> str:
        return "plain"

    @views.get("/open", access=ANYONE)
    async def get_open() -> str:
        return "open"

    return views


def test_openapi_has_the_security_scheme():
    """The security scheme, the operations that require it, and their errors."""
    app = gateway(
        "shop",
        settings=settings(),
        faces=[_orders()],
        authenticator=FirstOf(SessionAuthenticator(sign_in_at())),
    )
    document = app.openapi()
    orders, opened = (document["paths"][path]["get"] for path in ("/orders", "/open"))

    validate(document)
    scheme = document["components"]["securitySchemes"].pop("Session")
    assert (scheme["type"], scheme["in"], scheme["name"]) == ("apiKey", "cookie", "__Host-bff")
    assert document["components"]["securitySchemes"] == {}
    assert orders["security"] == [{"Session": ["orders:read"]}]
    assert {"401", "403"} <= orders["responses"].keys()
    assert opened["security"] == []
    assert app.openapi() is document


def test_secrets_are_not_shown():
    """Neither settings nor the provider's options show them."""
    shown = f"{settings()!r} {sign_in_at()!r} {Settings(session_keys=(KEY,))!r}"

    assert KEY not in shown
    assert "web-secret" not in shown
    assert ISSUER in shown
    assert views() is not None
