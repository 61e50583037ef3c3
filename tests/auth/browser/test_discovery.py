"""Sign-in at real-life providers: endpoints of other origins, wrong documents, outages."""

import asyncio
from codecs import BOM_UTF8
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bff_core.call import Reply
from bff_core.testing.scripted import Scripted, reply
from services_mock import identity
from tests.auth.browser.site import HERE, ISSUER, Wall, asgi, open_site

DOCUMENT = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/authorize",
    "token_endpoint": f"{ISSUER}/token",
    "jwks_uri": f"{ISSUER}/jwks",
}


async def test_documents_may_begin_with_a_byte_order_mark():
    """It is skipped in the discovery document, in keys and in tokens."""
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
async def at_other_origins(**settings: Any):
    """Run a site whose provider has endpoints at other origins; yield it, and the calls to them."""
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

    async with open_site(
        provider=provider, front=document, elsewhere=elsewhere, overrides=settings
    ) as site:
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


async def test_a_wrong_document_is_reported_before_a_user_signs_in():
    """The readiness probe has the reason, and browsers are redirected instead of getting JSON."""
    async with at_other_origins() as (site, elsewhere):
        probe = await site.clients["shop.example"].get("/readyz")
        page = await site.browser().go(f"{HERE}/bff/login")

    assert probe.status_code == 503
    assert "token_endpoint is 'https://oauth2.example/token'" in probe.json()["reasons"]["sign-in"]
    assert "login_error=provider_unavailable" in str(page.url)
    assert elsewhere.calls == []


@pytest.mark.virtual_time
async def test_a_corrected_document_is_read_without_a_sign_in():
    """The gateway is ready again within seconds."""
    wrong = reply(200, {**DOCUMENT, "issuer": "https://else.example"})
    async with open_site(clock=asyncio.get_running_loop().time, steps=(wrong, wrong)) as site:
        client = site.clients["shop.example"]
        statuses = [(await client.get("/readyz")).status_code]
        await asyncio.sleep(11)
        statuses.append((await client.get("/readyz")).status_code)

    assert statuses == [503, 200]


@pytest.mark.parametrize("answer", [reply(404), reply(301), reply(200, [1])])
async def test_any_other_reply_is_a_wrong_document(answer):
    """A 404, a redirect and anything but a JSON object are reported as wrong."""
    async with open_site(steps=(answer, answer)) as site:
        probe = await site.clients["shop.example"].get("/readyz")

    assert probe.status_code == 503
    assert "sign-in" in probe.json()["reasons"]


async def test_a_gateway_is_ready_although_its_provider_is_down():
    """An outage is not a wrong setting; users can sign in when it is over."""
    async with open_site(steps=(reply(503),) * 4) as site:
        probe = await site.clients["shop.example"].get("/readyz")
        await site.browser().send("GET", f"{HERE}/bff/login")
        page = await site.browser().go(f"{HERE}/bff/login")

    assert probe.status_code == 200
    assert page.url.host == "id.example"


@pytest.mark.parametrize(
    ("octets", "is_accepted"), [(9_000, True), (64_000, True), (70_000, False)]
)
async def test_an_id_token_may_have_64_kib(octets, is_accepted):
    """Directories put hundreds of groups into it; it comes in a body, not in a header."""
    async with open_site(claims={"groups": "g" * (octets * 3 // 4)}) as site:
        browser = site.browser()
        page = await browser.sign_in("1")

    assert ("login_error" not in str(page.url)) is is_accepted
    assert (browser.cookie is not None) is is_accepted
