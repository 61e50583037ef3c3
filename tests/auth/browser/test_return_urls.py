"""Return URLs after a sign-in: any path of this site, and nothing else."""

from urllib.parse import parse_qs, urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bff_core.auth.oidc.return_url import MAX_RETURN_URL_BYTES, local_path, with_error
from tests.auth.browser.site import GOES, HERE, open_site


@pytest.mark.parametrize(
    ("address", "there"),
    [
        ("/", "/"),
        ("/search?q=müller", "/search?q=m%C3%BCller"),
        ("/search?q=a b", "/search?q=a%20b"),
        ("/日本/東京", "/%E6%97%A5%E6%9C%AC/%E6%9D%B1%E4%BA%AC"),
        ("/search?q=m%C3%BCller", "/search?q=m%C3%BCller"),
        ("/a%2Fb", "/a%2Fb"),
        ("/sale?off=100%", "/sale?off=100%25"),
        ("/#/orders", "/#/orders"),
        ("/a?x=1&y=[2]#top", "/a?x=1&y=[2]#top"),
        ('/a?q="<x>"', "/a?q=%22%3Cx%3E%22"),
        ("/a?back=https://else.example//x", "/a?back=https://else.example//x"),
        ("/a\\b", "/a%5Cb"),
        ("/a//b", "/a//b"),
        ("/\uff0fevil.example", "/%EF%BC%8Fevil.example"),
        ("/\u2028evil.example", "/%E2%80%A8evil.example"),
        ("/a?login_error=old", "/a"),
        ("/a?x=1&login_error=old&y=2#z", "/a?x=1&y=2#z"),
        ("/a?", "/a?"),
    ],
)
def test_a_return_url_is_encoded(address, there):
    """Encoded characters stay; an error of an earlier sign-in is removed."""
    assert local_path(address) == there


@pytest.mark.parametrize(
    "address",
    [
        *("", "x", "https://evil.example", "javascript:alert(1)", " /x", "?x", "#x"),
        *("//evil.example", "/\\evil.example", "\\\\evil.example", "\\/evil.example"),
        *("/\t/evil.example", "/\n/evil.example", "/\r\nset-cookie:x", "/a\x00", "/a\x7f", "/\x0b"),
        *("/.//evil.example", "/..//evil.example", "/.\\/evil.example", "/%2e//evil.example"),
        *("/./..//evil.example", "/%2E%2e/\\evil.example", "///evil.example", "/\t\\evil.example"),
    ],
)
def test_urls_that_may_lead_to_another_site_are_refused(address):
    """None leads to another origin, however browsers normalise slashes and dots."""
    assert local_path(address) is None


@given(st.text(max_size=80).map(lambda text: f"/{text}"))
def test_no_text_leads_to_another_site(address):
    """An accepted URL is plain ASCII, stays on this origin, and is stable."""
    there = local_path(address)

    if there is not None:
        assert there.isascii()
        assert there.isprintable()
        assert " " not in there
        assert urlsplit(urljoin(HERE, there)).netloc == urlsplit(HERE).netloc
        assert local_path(there) == there


@pytest.mark.parametrize(
    ("address", "there"),
    [
        ("/a?" + "q" * 8192, "/a"),
        ("/a?x=1#" + "f" * 8192, "/a?x=1"),
        ("/" + "p" * 8192 + "?x=1", "/"),
        ("/a?q=" + "ü" * 400, "/a"),
        ("/a?" + "q" * (MAX_RETURN_URL_BYTES - 3), "/a?" + "q" * (MAX_RETURN_URL_BYTES - 3)),
    ],
)
def test_a_long_url_is_shortened(address, there):
    """Its fragment goes first, then its query, then its path; the sign-in continues."""
    assert local_path(address) == there


@pytest.mark.parametrize(
    ("url", "there"),
    [
        ("/", "/?login_error=x"),
        ("/a?b=1", "/a?b=1&login_error=x"),
        ("/#/orders", "/?login_error=x#/orders"),
        ("/a?b=1#/orders?c=2", "/a?b=1&login_error=x#/orders?c=2"),
        ("/a?login_error=y#z", "/a?login_error=x#z"),
    ],
)
def test_an_error_is_added_to_the_query(url, there):
    """It comes once, before the fragment, after the other parameters."""
    assert with_error(url, "x") == there


@pytest.mark.parametrize(
    "address", ["/search?q=müller und söhne#treffer", "/v1/welcome?q=" + "x" * 2000, "/#/orders"]
)
async def test_a_sign_in_returns_to_any_path(address):
    """The path may contain any letters."""
    async with open_site() as site:
        browser = site.browser()
        page = await browser.send("GET", f"{HERE}/bff/login", params={"returnUrl": address})
        await browser.choose(await browser.go(page.headers["location"]), "1")
        (callback,) = [one for one in browser.answers if "/bff/callback" in str(one.url)]

    assert callback.headers["location"] == local_path(address)


async def test_a_declined_sign_in_returns_with_an_error_before_the_fragment():
    """The return URL is `/%23/orders`."""
    async with open_site() as site:
        browser = site.browser()
        page = await browser.go(f"{HERE}/bff/login?returnUrl=/%23/orders")
        await browser.choose(page, "no-such-user")
        (callback,) = [one for one in browser.answers if "/bff/callback" in str(one.url)]

    assert callback.headers["location"] == "/?login_error=access_denied#/orders"


@pytest.mark.parametrize(
    "query",
    ["//evil.example", "/%5Cevil.example", "/%09/evil.example", "/%0D%0Ax", "https://evil.example"],
)
async def test_a_browser_with_a_bad_return_url_gets_the_root(query):
    """It is sent to the root with an error; the provider is not called, and the browser stays."""
    async with open_site() as site:
        browser = site.browser()
        address = await browser.send("GET", f"{HERE}/bff/login?returnUrl={query}", headers=GOES)
        program = await browser.send("GET", f"{HERE}/bff/login?returnUrl={query}")

    assert address.status_code == 303
    assert address.headers["location"] == "/?login_error=invalid_return_url"
    assert (program.status_code, program.json()["code"]) == (400, "sign_in_failed")
    assert site.forms_sent("/par") == []


async def test_a_forged_state_is_not_followed():
    """The return URL in a changed `state` is ignored."""
    async with open_site() as site:
        browser = site.browser()
        await browser.send("GET", f"{HERE}/bff/login?returnUrl=/secret-place", headers=GOES)
        state = site.forms_sent("/par")[0]["state"]
        wrong = state[:-1] + ("A" if state[-1] != "A" else "B")
        address = [
            await browser.send("GET", f"{HERE}/bff/callback?code=x&state={one}", headers=GOES)
            for one in (wrong, state[:43], "", "ü", state + "&state=x")
        ]

    assert {one.headers["location"] for one in address} == {"/?login_error=sign_in_expired"}
    assert parse_qs(urlsplit(address[0].headers["location"]).query) == {
        "login_error": ["sign_in_expired"]
    }
