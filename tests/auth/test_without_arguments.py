"""Authenticators without arguments: the settings configure them, and one error names what lacks."""

from typing import Any

import pytest

from bff_core import ConfigurationError, FirstOf, Settings, Viewer, gateway
from bff_core.auth import (
    ApiKeyAuthenticator,
    BearerAuthenticator,
    CertificateAuthenticator,
    DemoAuthenticator,
    Introspection,
    IntrospectionAuthenticator,
    Issuer,
    OpenIDProvider,
    SessionAuthenticator,
)
from bff_core.scope import Scope

ISSUER = "https://id.example"
AUDIENCE = "https://api.shop.example"
IDENTITY = {"identity": "http://127.0.0.1:1"}
KEY = "a-key-of-thirty-two-characters-or-more"

SESSION = {
    "issuer": ISSUER,
    "client_id": "web",
    "client_secret": "secret",
    "public_url": "https://shop.example",
    "session_keys": KEY,
    "upstreams": IDENTITY,
}
BEARER = {"issuer": ISSUER, "audience": AUDIENCE, "upstreams": IDENTITY}
INTROSPECTION = {**BEARER, "client_id": "web", "client_secret": "secret"}
CERTIFICATE = {
    "certificate_subjects": "spiffe://shop.example/*",
    "trusted_proxies": "10.0.0.0/8",
}

EVERY = [
    (SessionAuthenticator, SESSION),
    (BearerAuthenticator, BEARER),
    (IntrospectionAuthenticator, INTROSPECTION),
    (CertificateAuthenticator, CERTIFICATE),
    (ApiKeyAuthenticator, {}),
    (DemoAuthenticator, {}),
]


def settings(**values: Any) -> Settings:
    """Return the settings of a gateway on a laptop."""
    return Settings(**{"env": "development", "log": "off", "gc_freeze": False, **values})


def made_with(authenticator: Any, **values: Any) -> Any:
    """Return the authenticator of a gateway that is made with these settings."""
    app = gateway("shop", authenticator=authenticator, settings=settings(**values))
    return app.config.authenticator


@pytest.mark.parametrize(("kind", "values"), EVERY)
@pytest.mark.parametrize("is_class", [True, False])
def test_an_authenticator_needs_no_arguments(kind, values, is_class):
    """The class itself, or one without arguments, is configured by the settings."""
    assert type(made_with(kind if is_class else kind(), **values)) is kind


def variable(field: str) -> str:
    """Return the variable of a field."""
    return "BFF_UPSTREAM_IDENTITY" if field == "upstreams" else f"BFF_{field.upper()}"


@pytest.mark.parametrize(("kind", "values"), [one for one in EVERY if one[1]])
def test_one_error_names_all_that_is_missing(kind, values):
    """The first start shows the whole list, each variable with what it accepts."""
    with pytest.raises(ConfigurationError) as raised:
        made_with(kind())

    first, *lines = str(raised.value).splitlines()
    assert first == f"{kind.__name__}() without arguments needs these variables:"
    assert {line.split(" is not set: give ")[0] for line in lines} == set(map(variable, values))


@pytest.mark.parametrize(("kind", "values"), [one for one in EVERY if one[1]])
def test_only_what_is_missing_is_named(kind, values):
    """A variable that is set is not in the list."""
    for left_out in values:
        rest = {name: one for name, one in values.items() if name != left_out}
        with pytest.raises(ConfigurationError) as raised:
            made_with(kind(), **rest)
        assert str(raised.value).count("BFF_") == 1
        assert f"{variable(left_out)} is not set: give " in str(raised.value)


def test_a_secret_is_not_shown():
    """The list of missing variables is printed, and logged."""
    with pytest.raises(ConfigurationError) as raised:
        made_with(SessionAuthenticator(), client_secret="hush-hush", session_keys=KEY)

    assert "hush" not in str(raised.value)
    assert KEY not in str(raised.value)


def test_the_error_of_several_names_what_each_lacks():
    """`FirstOf` reports all members at once."""
    with pytest.raises(ConfigurationError) as raised:
        made_with(FirstOf(SessionAuthenticator, CertificateAuthenticator()), **BEARER)

    lines = str(raised.value).splitlines()
    assert "SessionAuthenticator() without arguments needs these variables:" in lines
    assert "CertificateAuthenticator() without arguments needs these variables:" in lines


def test_sessions_read_their_provider():
    """Issuer, client and scopes; the scopes may be given in the code."""
    default = made_with(SessionAuthenticator(), **SESSION)
    scoped = made_with(SessionAuthenticator(scope=("openid", "orders:read")), **SESSION)

    assert default.sign_in == OpenIDProvider(issuer=ISSUER, client_id="web", client_secret="secret")
    assert scoped.sign_in.scope == ("openid", "orders:read")


def test_tokens_are_those_of_the_issuer_in_the_settings():
    """Audience and the path of the keys as well."""
    made = made_with(BearerAuthenticator(), **BEARER, jwks_path="/jwks")

    assert made.issuers == [ISSUER]
    assert made._issuers == {ISSUER: Issuer(issuer=ISSUER, audience=(AUDIENCE,), keys="/jwks")}


def test_introspection_is_that_of_the_settings():
    """Client, audience and path."""
    made = made_with(IntrospectionAuthenticator(), **INTROSPECTION, introspection_path="/check")

    assert made._options == Introspection(
        issuer=ISSUER,
        client_id="web",
        client_secret="secret",
        audience=(AUDIENCE,),
        path="/check",
    )


def test_one_authenticator_serves_gateways_with_other_settings():
    """Each gateway reads its own settings; the first does not stay."""
    bearer = BearerAuthenticator()
    made_with(bearer, **BEARER)
    made_with(bearer, **(BEARER | {"issuer": "https://other.example"}))

    assert bearer.issuers == ["https://other.example"]


def test_arguments_are_not_replaced():
    """What the code says counts, whatever the environment."""
    given = BearerAuthenticator(Issuer(issuer="https://mine.example", audience=("mine",)))

    assert made_with(given, **BEARER).issuers == ["https://mine.example"]


@pytest.mark.parametrize("use", [lambda one: one.sign_in, lambda one: one.services])
def test_sessions_without_a_gateway_say_so(use):
    """Nothing has read the settings yet."""
    with pytest.raises(ConfigurationError, match="reads its settings when a gateway is made"):
        use(SessionAuthenticator())


def test_scopes_have_one_place():
    """A provider that is given has its own scopes."""
    provider = OpenIDProvider(issuer=ISSUER, client_id="web", client_secret="secret")

    with pytest.raises(ConfigurationError, match=r"OpenIDProvider\(scope=\.\.\.\)"):
        SessionAuthenticator(provider, scope=("openid",))


async def test_a_demo_that_no_gateway_has_checked_admits_no_one():
    """It may be production."""
    with pytest.raises(ConfigurationError, match="has to check its settings first"):
        await DemoAuthenticator().authenticate(Scope(1.0))
    with pytest.raises(ConfigurationError, match="BFF_ENV=production"):
        gateway(
            "shop",
            authenticator=DemoAuthenticator(),
            settings=Settings(allowed_hosts="shop.example"),
        )


def test_a_demo_is_checked_by_each_gateway():
    """One that a gateway of a laptop has does not open another one in production."""
    demo = made_with(DemoAuthenticator)

    with pytest.raises(ConfigurationError, match="BFF_ENV=production"):
        gateway("shop", authenticator=demo, settings=Settings(allowed_hosts="shop.example"))


async def test_a_demo_of_a_laptop_admits():
    """The gateway has checked that it is no production."""
    made = made_with(DemoAuthenticator)

    scope = Scope(1.0, headers=[(b"authorization", b"Bearer demo-7")])
    assert await made.authenticate(scope) == Viewer("7")


@pytest.mark.parametrize("path", ["jwks", "//jwks", "/a b", "https://id.example/jwks"])
def test_a_path_is_checked(path):
    """It is below the address of the issuer, and nowhere else."""
    with pytest.raises(ConfigurationError, match="a path starts with one slash"):
        settings(jwks_path=path)
