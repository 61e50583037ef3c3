"""Providers as they are: endpoints of other origins, null members, and wrong documents."""

import asyncio
from codecs import BOM_UTF8
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from bff_core.call import Reply
from bff_core.errors import ConfigurationError
from bff_core.oauth.discovery import Untrusted, metadata_of
from bff_core.oauth.endpoint import ProviderEndpoint
from bff_core.testing.scripted import Scripted, reply
from services_mock import identity
from tests.auth.browser.site import HERE, ISSUER, Wall, asgi, open_site, sign_in_at

DOCUMENT = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/authorize",
    "token_endpoint": f"{ISSUER}/token",
    "jwks_uri": f"{ISSUER}/jwks",
}
GOOGLE = {
    "issuer": "https://accounts.google.com",
    "authorization_endpoint": "https://accounts.google.com/o/oauth2/v2/auth",
    "token_endpoint": "https://oauth2.googleapis.com/token",
    "revocation_endpoint": "https://oauth2.googleapis.com/revoke",
    "jwks_uri": "https://www.googleapis.com/oauth2/v3/certs",
    "code_challenge_methods_supported": ["plain", "S256"],
}
COGNITO = {
    "issuer": "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_abc",
    "authorization_endpoint": "https://shop.auth.eu-west-1.amazoncognito.com/oauth2/authorize",
    "token_endpoint": "https://shop.auth.eu-west-1.amazoncognito.com/oauth2/token",
    "revocation_endpoint": "https://shop.auth.eu-west-1.amazoncognito.com/oauth2/revoke",
    "end_session_endpoint": "https://shop.auth.eu-west-1.amazoncognito.com/logout",
    "jwks_uri": "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_abc/.well-known/jwks.json",
}


def read(document: dict[str, Any], **changed: Any):
    """Return what a document says of a provider."""
    told = sign_in_at(**{"issuer": document["issuer"], **changed})
    return metadata_of(Reply(200, (), httpx.Response(200, json=document).content), told)


def test_googles_endpoints_are_found():
    """At two further origins, which the operator names."""
    origins = ("https://oauth2.googleapis.com", "https://www.googleapis.com")
    told = read(GOOGLE, origins=origins)

    assert told.token == ProviderEndpoint("identity_oauth2_googleapis_com", "/token")
    assert told.keys == ProviderEndpoint("identity_www_googleapis_com", "/oauth2/v3/certs")
    assert told.revocation == ProviderEndpoint("identity_oauth2_googleapis_com", "/revoke")


def test_cognitos_endpoints_are_found():
    """The keys at the issuer, all else at a domain of one's own; no list of PKCE methods."""
    told = read(COGNITO, origins=("https://shop.auth.eu-west-1.amazoncognito.com",))

    assert told.keys.upstream == "identity"
    assert told.token.upstream == "identity_shop_auth_eu__west__1_amazoncognito_com"
    assert told.end_session.endswith("/logout")


@pytest.mark.parametrize(
    "name",
    [
        "code_challenge_methods_supported",
        "revocation_endpoint",
        "end_session_endpoint",
        "pushed_authorization_request_endpoint",
        "authorization_response_iss_parameter_supported",
        "scopes_supported",
    ],
)
def test_a_member_that_is_null_is_left_out(name):
    """Some providers write null for what they do not support."""
    assert read({**DOCUMENT, name: None}) == read(DOCUMENT)


def test_endpoints_may_have_a_query():
    """As Azure AD B2C writes them."""
    told = read({**DOCUMENT, "token_endpoint": f"{ISSUER}/token?p=sign-in"})

    assert told.token == ProviderEndpoint("identity", "/token?p=sign-in")


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"issuer": "https://else.example"}, "https://else.example"),
        ({"issuer": f"{ISSUER}/"}, f"{ISSUER}/"),
        ({"issuer": None}, "None"),
        ({"token_endpoint": None}, "token_endpoint"),
        ({"token_endpoint": "https://oauth2.example/token"}, "BFF_ISSUER_ORIGINS"),
        ({"token_endpoint": "https://id.example@evil.example/token"}, "token_endpoint"),
        ({"token_endpoint": "https://u@id.example/token"}, "token_endpoint"),
        ({"token_endpoint": "https://id.example:8443/token"}, "BFF_ISSUER_ORIGINS"),
        ({"token_endpoint": "http://id.example/token"}, "BFF_ISSUER_ORIGINS"),
        ({"token_endpoint": f"{ISSUER}/{{tenantid}}/token"}, "token_endpoint"),
        ({"token_endpoint": f"{ISSUER}/a b"}, "token_endpoint"),
        ({"token_endpoint": f"{ISSUER}/token#x"}, "token_endpoint"),
        ({"token_endpoint": "/token"}, "token_endpoint"),
        ({"token_endpoint": 7}, "token_endpoint"),
        ({"jwks_uri": "https://[half"}, "jwks_uri"),
        ({"revocation_endpoint": "https://oauth2.example/revoke"}, "revocation_endpoint"),
        ({"authorization_endpoint": None}, "authorization endpoint"),
        ({"authorization_endpoint": "http://id.example/authorize"}, "without TLS"),
        ({"code_challenge_methods_supported": ["plain"]}, "PKCE"),
        ({"code_challenge_methods_supported": "S256"}, "PKCE"),
    ],
)
def test_a_document_that_is_wrong_says_what_is(changed, reason):
    """Endpoints at origins that are not named would be sent our secret."""
    document = {**DOCUMENT, **changed}

    with pytest.raises(Untrusted, match=reason):
        metadata_of(
            Reply(200, (), httpx.Response(200, json=document).content), sign_in_at(issuer=ISSUER)
        )


@pytest.mark.parametrize(
    "origin",
    [
        "https://oauth2.example/",
        "https://oauth2.example/path",
        "oauth2.example",
        "http://oauth2.example",
        "https://oauth2.example:443",
        "https://u@oauth2.example",
        "ftp://oauth2.example",
    ],
)
def test_origins_are_written_as_origins(origin):
    """Without a path; and a secret that goes over TLS to the issuer does so elsewhere."""
    with pytest.raises(ConfigurationError, match="BFF_ISSUER_ORIGINS"):
        sign_in_at(origins=(origin,))


async def test_a_user_signs_in_where_documents_begin_with_a_byte_order_mark():
    """Discovery document, keys and tokens: the mark says nothing of what is behind it."""
    provider = identity.create_app(ISSUER, HERE, wall=Wall())

    async def marked(call):
        answer = await asgi(provider)(call)
        body = BOM_UTF8 + answer.body if answer.body[:1] == b"{" else answer.body
        return Reply(answer.status, answer.headers, body)

    async with open_site(provider=provider, front=marked) as site:
        browser = site.browser()
        await browser.sign_in("1")
        me = await browser.fetch("/v1/me")

    assert me.json() == {"subject": "1"}


@asynccontextmanager
async def at_other_origins(**told: Any):
    """Run a site whose provider has its endpoints elsewhere; yield it, and the calls to there."""
    provider = identity.create_app(ISSUER, HERE, wall=Wall())
    elsewhere = Scripted(asgi(provider))

    async def document(call):
        answer = await asgi(provider)(call)
        return Reply(
            answer.status,
            answer.headers,
            answer.body.replace(
                f"{ISSUER}/token".encode(), b"https://oauth2.example/token"
            ).replace(f"{ISSUER}/jwks".encode(), b"https://www.example:8443/jwks"),
        )

    async with open_site(provider=provider, front=document, elsewhere=elsewhere, told=told) as site:
        yield site, elsewhere


async def test_a_user_signs_in_at_a_provider_of_several_origins():
    """`BFF_ISSUER_ORIGINS` names them; no further variable is needed."""
    origins = ("https://oauth2.example", "https://www.example:8443")
    async with at_other_origins(issuer_origins=origins) as (site, elsewhere):
        ready = await site.clients["shop.example"].get("/readyz")
        browser = site.browser()
        await browser.sign_in("1")
        me = await browser.fetch("/v1/me")

    assert ready.status_code == 200
    assert me.json() == {"subject": "1"}
    assert {call.target for call in elsewhere.calls} == {"/token", "/jwks"}


async def test_a_wrong_document_is_known_before_a_user_comes():
    """The probe says what is wrong; and people are sent back rather than shown JSON."""
    async with at_other_origins() as (site, elsewhere):
        told = await site.clients["shop.example"].get("/readyz")
        page = await site.browser().go(f"{HERE}/bff/login")

    assert told.status_code == 503
    assert "token_endpoint is 'https://oauth2.example/token'" in told.json()["reasons"]["sign-in"]
    assert "login_error=provider_unavailable" in str(page.url)
    assert elsewhere.calls == []


@pytest.mark.virtual_time
async def test_a_document_that_was_mended_is_read_without_a_user():
    """The gateway is ready again within seconds, without a user who tries to sign in."""
    wrong = reply(200, {**DOCUMENT, "issuer": "https://else.example"})
    async with open_site(clock=asyncio.get_running_loop().time, steps=(wrong, wrong)) as site:
        client = site.clients["shop.example"]
        told = [(await client.get("/readyz")).status_code]
        await asyncio.sleep(11)
        told.append((await client.get("/readyz")).status_code)

    assert told == [503, 200]


@pytest.mark.parametrize("answer", [reply(404), reply(301), reply(200, [1])])
async def test_what_is_no_document_is_a_wrong_one(answer):
    """A path that is not there, a redirect, anything but an object."""
    async with open_site(steps=(answer, answer)) as site:
        told = await site.clients["shop.example"].get("/readyz")

    assert told.status_code == 503
    assert "sign-in" in told.json()["reasons"]


async def test_a_provider_that_is_down_keeps_no_gateway_from_being_ready():
    """An outage is not a wrong setting; users can sign in when it is over."""
    async with open_site(steps=(reply(503),) * 4) as site:
        told = await site.clients["shop.example"].get("/readyz")
        await site.browser().send("GET", f"{HERE}/bff/login")
        page = await site.browser().go(f"{HERE}/bff/login")

    assert told.status_code == 200
    assert page.url.host == "id.example"


@pytest.mark.parametrize(("octets", "is_taken"), [(9_000, True), (64_000, True), (70_000, False)])
async def test_an_id_token_may_have_64_kib(octets, is_taken):
    """Directories put hundreds of groups into it; it comes in a body, not in a header."""
    async with open_site(claims={"groups": "g" * (octets * 3 // 4)}) as site:
        browser = site.browser()
        page = await browser.sign_in("1")

    assert ("login_error" not in str(page.url)) is is_taken
    assert (browser.cookie is not None) is is_taken
