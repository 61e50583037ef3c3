"""CSRF protection: forged requests of other sites are refused, requests of own pages are served."""

import pytest

from bff_core.auth.session.csrf import CsrfProtection, Forged
from tests.auth.browser.site import GOES, HERE, OURS, open_site

EVIL = "https://evil.example"
SIBLING = "https://blog.shop.example"
PAGE = {"x-csrf": "1"}
SOCKET = {"upgrade": "websocket", "connection": "upgrade"}
EVENTS = {"accept": "text/event-stream"}


def judge(method, **given):
    """Return the verdict on a request with a cookie."""
    headers = tuple((name.replace("_", "-").encode(), one.encode()) for name, one in given.items())
    return CsrfProtection([HERE]).check(method, headers)


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("GET", PAGE),
        ("GET", {**PAGE, "sec-fetch-site": "same-origin"}),
        ("POST", {**PAGE, "origin": HERE}),
        ("POST", {**PAGE, "sec-fetch-site": "same-origin"}),
        ("DELETE", {**PAGE, "origin": HERE, "sec-fetch-site": "same-origin"}),
        ("GET", {**PAGE, "origin": HERE, "sec-fetch-site": "same-site"}),
        ("GET", {**SOCKET, "origin": HERE}),
        ("GET", {**SOCKET, "upgrade": "WebSocket", "origin": HERE}),
        ("WEBSOCKET", {**SOCKET, "origin": HERE}),
        ("WEBSOCKET", {"origin": HERE}),
        ("WEBSOCKET", {**SOCKET, "origin": HERE, "sec-fetch-site": "same-site"}),
        ("GET", {**EVENTS, "sec-fetch-site": "same-origin"}),
        ("GET", {**EVENTS, "origin": HERE}),
    ],
)
def test_a_request_of_an_allowed_page_is_trusted(method, headers):
    """It has the header, or an allowed origin where pages can't add a header."""
    assert judge(method, **headers) == "trusted"


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("POST", {}),
        ("GET", {"sec-fetch-mode": "cors", "sec-fetch-dest": "empty"}),
        ("GET", {"sec-fetch-mode": "no-cors", "sec-fetch-dest": "empty"}),
        ("POST", PAGE),
        ("POST", {"origin": HERE}),
        ("POST", {**PAGE, "origin": EVIL}),
        ("POST", {**PAGE, "origin": "null"}),
        ("POST", {**PAGE, "origin": SIBLING, "sec-fetch-site": "same-site"}),
        ("POST", {**PAGE, "sec-fetch-site": "same-site"}),
        ("GET", {**PAGE, "sec-fetch-site": "cross-site", "sec-fetch-dest": "empty"}),
        ("GET", {**PAGE, "origin": EVIL}),
        ("POST", {**GOES, "origin": EVIL, "sec-fetch-site": "cross-site"}),
        ("POST", {**GOES, "sec-fetch-site": "same-origin"}),
        ("GET", SOCKET),
        ("GET", {**SOCKET, "origin": EVIL}),
        ("GET", {**SOCKET, "origin": "null", "sec-fetch-dest": "websocket"}),
        ("GET", {**SOCKET, "sec-fetch-site": "same-origin"}),
        ("GET", {**SOCKET, **PAGE}),
        ("WEBSOCKET", SOCKET),
        ("WEBSOCKET", {**SOCKET, **PAGE, "sec-fetch-site": "same-origin"}),
        ("WEBSOCKET", {**SOCKET, "origin": EVIL}),
        ("WEBSOCKET", {**SOCKET, **PAGE, "origin": EVIL}),
        ("WEBSOCKET", {**SOCKET, "origin": "null"}),
        ("WEBSOCKET", {**SOCKET, "origin": ""}),
        ("WEBSOCKET", {**SOCKET, **GOES, "origin": EVIL}),
        ("GET", EVENTS),
        ("GET", {**EVENTS, "origin": EVIL}),
        ("POST", {**EVENTS, "sec-fetch-site": "same-origin"}),
        ("POST", {**SOCKET, "origin": HERE}),
    ],
)
def test_an_unproven_request_is_refused(method, headers):
    """Forms, scripts, sockets and event streams of other sites; own pages without the header."""
    with pytest.raises(Forged):
        judge(method, **headers)


@pytest.mark.parametrize("second", [HERE, EVIL])
def test_a_socket_with_two_origins_is_refused(second):
    """Software that added the second one may have used the first."""
    headers = ((b"origin", HERE.encode()), (b"origin", second.encode()))
    with pytest.raises(Forged):
        CsrfProtection([HERE]).check("WEBSOCKET", headers)


@pytest.mark.parametrize(
    "headers",
    [
        {**GOES, "sec-fetch-site": "cross-site"},
        {**GOES, "sec-fetch-site": "none"},
        {"sec-fetch-dest": "image", "sec-fetch-site": "same-origin"},
        {"sec-fetch-dest": "script", "sec-fetch-mode": "cors", "origin": HERE},
        {"accept": "text/html,application/xhtml+xml"},
    ],
)
def test_a_navigation_from_another_site_is_anonymous(headers):
    """A link from another site opens the page without the user's data."""
    assert judge("GET", **headers) == "anonymous"


async def test_forged_requests_are_refused_at_the_gateway():
    """The answer is a 403 that names what is missing, and the request has no effect."""
    async with open_site() as site:
        browser = site.browser()
        await browser.sign_in()
        ours = await browser.fetch("/v1/note", "POST")
        bare = await browser.send("POST", f"{HERE}/v1/note")
        evil = await browser.send("POST", f"{HERE}/v1/note", headers={**OURS, "origin": EVIL})
        leave = await browser.send("POST", f"{HERE}/bff/logout", headers={"origin": EVIL})
        link = await browser.go(f"{HERE}/v1/welcome")
        still = await browser.fetch("/v1/me")

    assert ours.json() == {"subject": "1"}
    assert [one.status_code for one in (bare, evil, leave)] == [403, 403, 403]
    assert bare.json()["code"] == "csrf"
    assert "X-CSRF" in bare.json()["detail"]
    assert link.json() == {"subject": ""}
    assert still.status_code == 200


async def test_requests_without_a_cookie_need_no_header():
    """Callers without a session need no header."""
    async with open_site() as site:
        answer = await site.browser().send("GET", f"{HERE}/v1/welcome", headers={"origin": EVIL})

    assert answer.status_code == 200


async def test_two_cookies_with_one_name_are_ignored():
    """An attacker may have set one of them."""
    async with open_site() as site:
        browser = site.browser()
        await browser.sign_in()
        pair = f"__Host-bff={browser.cookie}; __Host-bff={'x' * 43}"
        browser.jar.clear()
        answer = await browser.send("GET", f"{HERE}/v1/me", headers={**OURS, "cookie": pair})

    assert answer.status_code == 401
