"""A gateway below a path, `BFF_PUBLIC_URL=https://shop.example/store`, behind any proxy."""

from contextlib import asynccontextmanager
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from bff_core import Settings
from bff_core.auth.session.authenticator import SessionAuthenticator
from bff_core.auth.session.cookie import Cookie
from bff_core.auth.session.settings_checks import cookie_of
from bff_core.errors import ConfigurationError
from services_mock import identity
from tests.auth.browser.site import (
    GOES,
    HERE,
    ISSUER,
    OURS,
    Browser,
    Wall,
    open_site,
    settings,
    sign_in_at,
)

BASE = "/store"


class Proxy:
    """A proxy that has a gateway below a path, and strips that path or not."""

    def __init__(self, app, *, strips: bool) -> None:
        self.app = app
        self.strips = strips

    async def __call__(self, scope, receive, send) -> None:
        path = scope["path"]
        assert path.startswith(f"{BASE}/"), path
        if self.strips:
            scope = {**scope, "path": path.removeprefix(BASE)}
        await self.app(scope, receive, send)


@asynccontextmanager
async def below(*, strips: bool, **options):
    """Run a site whose gateway is below a path."""
    wall = Wall()
    provider = identity.create_app(ISSUER, HERE + BASE, wall=wall)
    overrides = {"public_url": HERE + BASE}
    async with open_site(provider=provider, overrides=overrides, wall=wall, **options) as site:
        proxy = Proxy(site.app, strips=strips)
        transport = httpx.ASGITransport(proxy, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=HERE) as client:
            site.clients["shop.example"] = client
            yield site


async def signed_in(site, return_url: str = "/store/v1/welcome") -> Browser:
    """Return a browser that has signed in below the path."""
    browser = site.browser()
    page = await browser.go(f"{HERE}{BASE}/bff/login?returnUrl={return_url}")
    await browser.choose(page, "1")
    return browser


@pytest.mark.parametrize("strips", [True, False])
async def test_a_browser_signs_in_and_out_below_a_path(strips):
    """Callback, pages, login paths and sign-out have the path in their addresses."""
    async with below(strips=strips) as site:
        browser = await signed_in(site)
        me = await browser.fetch(f"{BASE}/v1/me")
        user = await browser.fetch(f"{BASE}/bff/user")
        await browser.fetch(f"{BASE}/v1/note", "POST")
        left = await browser.fetch(f"{BASE}/bff/logout", "POST")
        gone = await browser.fetch(f"{BASE}/bff/user")
    (arrived,) = [one for one in browser.answers if "/callback" in str(one.url)]
    farewell = parse_qs(urlsplit(left.json()["location"]).query)

    assert urlsplit(str(arrived.url)).path == "/store/bff/callback"
    assert site.forms_sent("/par")[0]["redirect_uri"] == f"{HERE}{BASE}/bff/callback"
    assert (me.json(), user.json()["subject"]) == ({"subject": "1"}, "1")
    assert farewell["post_logout_redirect_uri"] == [f"{HERE}{BASE}/"]
    assert gone.status_code == 401
    assert 'form-action="/store/bff/login"' in gone.headers["www-authenticate"]


@pytest.mark.parametrize("strips", [True, False])
async def test_an_ended_session_answers_with_the_login_path(strips):
    """The hint has the path; signing out needs no token."""
    async with below(strips=strips) as site:
        browser = await signed_in(site)
        site.wall.now += 400
        site.identity.state.store.refreshes.clear()
        left = await browser.fetch(f"{BASE}/bff/user")
        ended = await browser.fetch(f"{BASE}/v1/me")

    assert left.status_code == 200
    assert (ended.status_code, ended.json()["login"]) == (401, "/store/bff/login")


@pytest.mark.parametrize("strips", [True, False])
async def test_the_default_page_is_the_gateways_root(strips):
    """Browsers return there without a `returnUrl`, also after a failed sign-in."""
    async with below(strips=strips) as site:
        browser = site.browser()
        page = await browser.go(f"{HERE}{BASE}/bff/login")
        await browser.choose(page, "1")
        (arrived,) = [one for one in browser.answers if "/callback" in str(one.url)]
        stale = await site.browser().send("GET", f"{HERE}{BASE}/bff/callback", headers=GOES)

    assert arrived.headers["location"] == "/store/"
    assert stale.headers["location"] == "/store/?login_error=sign_in_expired"


async def test_pages_may_be_served_from_the_root_of_the_host():
    """For a gateway at `/store`, `home` and return URLs may be any path of the host."""
    async with below(strips=True, home="/") as site:
        browser = await signed_in(site, "/orders")
        (arrived,) = [one for one in browser.answers if "/callback" in str(one.url)]
        left = await browser.fetch(f"{BASE}/bff/logout", "POST")
        stale = await site.browser().send("GET", f"{HERE}{BASE}/bff/callback", headers=GOES)

    assert arrived.headers["location"] == "/orders"
    assert stale.headers["location"] == "/?login_error=sign_in_expired"
    farewell = parse_qs(urlsplit(left.json()["location"]).query)
    assert farewell["post_logout_redirect_uri"] == [f"{HERE}/"]


@pytest.mark.parametrize("strips", [True, False])
async def test_cookies_of_two_gateways_of_one_host_stay_apart(strips):
    """Each cookie has its own name, and the attributes that `__Host-` requires."""
    async with below(strips=strips) as site:
        browser = await signed_in(site)
    cookies = [one for answer in browser.answers for one in answer.headers.get_list("set-cookie")]
    (session,) = [one for one in cookies if one.startswith("__Host-bff-store=")]

    assert set(session.split("; ")[1:]) == {"Path=/", "Secure", "HttpOnly", "SameSite=Strict"}
    ours = [one for one in cookies if not one.startswith("mock-identity")]
    assert all(one.startswith(("__Host-bff-store=", "__Host-bff-store-sign-in-")) for one in ours)


@pytest.mark.parametrize("strips", [True, False])
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (OURS, 200),
        ({**OURS, "origin": HERE}, 200),
        ({**OURS, "origin": f"{HERE}{BASE}", "sec-fetch-site": "cross-site"}, 403),
        ({**OURS, "origin": "https://evil.example", "sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-origin"}, 403),
        ({"x-csrf": "1", "origin": "https://sub.shop.example"}, 403),
    ],
)
async def test_requests_are_checked_by_their_origin(headers, status, strips):
    """An origin has no path, so the check is that of a gateway at the root."""
    async with below(strips=strips) as site:
        browser = await signed_in(site)
        client = site.clients["shop.example"]
        cookie = f"__Host-bff-store={browser.jar['shop.example']['__Host-bff-store']}"
        answer = await client.post(f"{BASE}/v1/note", headers={**headers, "cookie": cookie})

    assert answer.status_code == status


async def test_a_configured_cookie_name_is_used():
    """The path of the public URL does not change it."""
    async with below(strips=True, cookie="__Host-mine") as site:
        browser = await signed_in(site)

    assert "__Host-mine" in browser.jar["shop.example"]


def test_different_paths_give_different_cookie_names():
    """Similar paths differ too, and each name is a valid cookie name."""
    paths = ["", "/a", "/a/b", "/a-b", "/a_b", "/a.b", "/A", "/a~b", "/a_2db"]
    names = [cookie_of(f"https://shop.example{one}") for one in paths]

    assert names[:3] == ["__Host-bff", "__Host-bff-a", "__Host-bff-a-b"]
    assert len({*names}) == len(paths)
    assert [Cookie(one).name for one in names] == names


@pytest.mark.parametrize("url", ["https://shop.example/bff", "https://shop.example/bff/"])
def test_a_path_equal_to_that_of_the_endpoints_is_refused(url):
    """The gateway could not know whether the proxy strips it."""
    with pytest.raises(ConfigurationError, match="prefix"):
        SessionAuthenticator(sign_in_at()).check(settings(public_url=url))


@pytest.mark.parametrize(
    ("url", "given"),
    [
        ("https://shop.example/store/", "https://shop.example/store"),
        ("https://shop.example/a/b-c_d.e~f", "https://shop.example/a/b-c_d.e~f"),
    ],
)
def test_a_public_url_may_have_a_path(url, given):
    """A slash at its end is ignored."""
    assert Settings(public_url=url).public_url == given


@pytest.mark.parametrize(
    "path",
    ["//a", "/a//b", "/..", "/a/../b", "/./a", "/a b", "/ä", "/%61", "/a;b", "/a\\b", "/{a}"],
)
def test_a_path_with_special_characters_is_refused(path):
    """Proxies and browsers would read it in different ways."""
    with pytest.raises(ConfigurationError, match=r"public_url"):
        Settings(public_url=f"https://shop.example{path}")
