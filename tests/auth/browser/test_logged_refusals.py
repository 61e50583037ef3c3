"""The log line of a request has the reason why a session or a sign-in was refused."""

import pytest

from bff_core.events import RequestAnswered
from bff_core.testing.scripted import fail
from tests.auth.browser.site import GOES, HERE, OURS, open_site


def answered(site, path):
    """Return the events of requests for a path."""
    return [one for one in site.events if isinstance(one, RequestAnswered) and one.path == path]


async def test_a_cookie_without_a_session_is_logged_with_a_reason():
    """The session has ended, or the cookie was made up."""
    async with open_site() as site:
        browser = site.browser()
        browser.jar["shop.example"] = {"__Host-bff": "made-up-cookie"}
        await browser.fetch("/v1/me")

    (event,) = answered(site, "/v1/me")
    assert (event.status, event.reason, event.refused_by) == (401, "session_ended", "Session")
    assert event.route == "/v1/me"


async def test_a_request_without_the_csrf_header_is_logged_with_a_reason():
    """It is what a developer's first request with curl gets."""
    async with open_site() as site:
        browser = site.browser()
        await browser.sign_in()
        headers = {name: value for name, value in OURS.items() if name != "x-csrf"}
        answer = await browser.send("POST", f"{HERE}/v1/note", headers={**headers, "origin": HERE})

    (event,) = answered(site, "/v1/note")
    assert (event.status, event.reason, event.refused_by) == (403, "no_csrf_header", "Session")
    assert answer.json()["detail"] == "Send the header X-CSRF: 1 with requests of your pages."


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"aud": "other"}, "audience"),
        ({"iss": "https://evil.example"}, "issuer"),
        ({"nonce": "other"}, "nonce"),
        ({"sub": None}, "subject"),
        ({"exp": 1}, "expired"),
    ],
)
async def test_a_refused_id_token_is_logged_with_a_reason(claims, reason):
    """The browser is redirected as usual; the log line has the reason."""
    async with open_site(claims=claims) as site:
        await site.browser().sign_in()

    found = [one for one in site.events if isinstance(one, RequestAnswered) and one.reason]
    assert [(one.route, one.status, one.reason) for one in found] == [
        ("/bff/callback", 303, reason)
    ]


async def test_a_provider_that_is_down_is_in_the_line_of_the_sign_in():
    """The browser gets a redirect, and the log line has the error."""
    async with open_site(front=fail()) as site:
        answer = await site.browser().send("GET", f"{HERE}/bff/login", headers=GOES)

    (event,) = [one for one in site.events if isinstance(one, RequestAnswered)]
    assert (answer.status_code, event.status, event.route) == (303, 303, "/bff/login")
    assert type(event.error).__name__ == "ProviderUnavailable"
