"""A browser signs in and out; it holds a cookie, and no token."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.auth.browser.site import GOES, HERE, ISSUER, open_site


async def test_a_browser_signs_in_and_is_known():
    """It returns to the page it requested, and the gateway answers as its user."""
    async with open_site() as site:
        browser = site.browser()
        anonymous = await browser.fetch("/v1/me")
        back = await browser.sign_in("2", "/v1/welcome")
        known = await browser.fetch("/v1/me")
        answer = await browser.fetch("/bff/user")

    assert anonymous.status_code == 401
    assert "/bff/login" in anonymous.headers["www-authenticate"]
    assert (back.status_code, str(back.url)) == (200, f"{HERE}/v1/welcome")
    assert known.json() == {"subject": "2"}
    assert answer.json()["subject"] == "2"
    assert "@" in answer.json()["claims"]["email"] or answer.json()["claims"]["name"]


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/bff/user"), ("GET", "/bff/sessions"), ("POST", "/bff/logout")],
)
async def test_a_page_without_a_session_learns_where_to_sign_in(method, path):
    """The problem has the login path too: pages of other origins can't read the challenge."""
    async with open_site() as site:
        refused = await site.browser().fetch(path, method)

    assert refused.status_code == 401
    assert refused.json()["code"] == "not_authenticated"
    assert refused.json()["login"] == "/bff/login"


async def test_a_page_may_ask_who_is_signed_in_without_an_error():
    """A browser logs each 401, also on the first visit of anyone."""
    async with open_site() as site:
        browser = site.browser()
        anonymous = await browser.fetch("/bff/user?anonymous=ok")
        other = await browser.fetch("/bff/user?anonymous=yes")
        await browser.sign_in("2", "/v1/welcome")
        known = await browser.fetch("/bff/user?anonymous=ok")

    assert (anonymous.status_code, anonymous.json()) == (200, None)
    assert anonymous.headers["cache-control"] == "no-store"
    assert other.status_code == 401
    assert known.json()["subject"] == "2"


async def test_nothing_of_a_token_reaches_the_browser():
    """Neither in an address, nor in a header, nor in a body, nor in a cookie."""
    async with open_site() as site:
        browser = site.browser()
        await browser.sign_in()
        await browser.fetch("/bff/user")
        await browser.fetch("/bff/logout", "POST")
        store = await site.auth.sessions.of("1")
    given = [answer for answer in browser.answers if str(answer.url).startswith(HERE)]
    text = "\n".join(f"{one.url}\n{one.headers}\n{one.text}" for one in given)

    assert store == []
    assert len(given) >= 4
    assert not re.search(r"eyJ[A-Za-z0-9_-]{10}", text)


async def test_the_cookie_has_the_strictest_attributes():
    """It is for one host, TLS only, invisible to scripts, and not sent from other sites."""
    async with open_site() as site:
        browser = site.browser()
        await browser.sign_in()
    cookies = [one for answer in browser.answers for one in answer.headers.get_list("set-cookie")]
    (session,) = [one for one in cookies if one.startswith("__Host-bff=")]

    name, *attributes = session.split("; ")
    assert len(name) > 40
    assert set(attributes) == {"Path=/", "Secure", "HttpOnly", "SameSite=Strict"}


async def test_the_requests_to_the_provider():
    """They use PKCE with S256, `state` and `nonce`, and a pushed authorization request."""
    async with open_site() as site:
        browser = site.browser()
        await browser.sign_in()
        (pushed,) = site.forms_sent("/par")
        (redeemed,) = site.forms_sent("/token")
    (gone,) = [one.headers["location"] for one in browser.answers if "/bff/login" in str(one.url)]
    query = parse_qs(urlsplit(gone).query)

    assert gone.startswith(f"{ISSUER}/authorize?")
    assert query.keys() == {"client_id", "request_uri"}
    assert pushed["code_challenge_method"] == "S256"
    assert {"state", "nonce", "redirect_uri"} <= pushed.keys()
    assert redeemed["grant_type"] == "authorization_code"
    assert redeemed["redirect_uri"] == f"{HERE}/bff/callback"


@pytest.mark.parametrize(
    "elsewhere",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "/%0d%0aset-cookie:x", "x", ""],
)
async def test_a_sign_in_returns_to_this_site_only(elsewhere):
    """Anything but a path is refused before the provider is called."""
    async with open_site() as site:
        answer = await site.browser().send(
            "GET", f"{HERE}/bff/login", params={"returnUrl": elsewhere.replace("%0d%0a", "\r\n")}
        )

    assert answer.status_code == 400
    assert answer.json()["code"] == "sign_in_failed"


async def test_a_sign_in_of_another_browser_is_not_finished():
    """A link with the attacker's code does not sign the victim in (login CSRF)."""
    async with open_site() as site:
        attacker, victim = site.browser(), site.browser()
        page = await attacker.go(f"{HERE}/bff/login")
        hidden = dict(re.findall(r'type="hidden" name="([^"]*)" value="([^"]*)"', page.text))
        sent = await attacker.send("POST", f"{ISSUER}/authorize", data={**hidden, "user": "3"})
        answer = await victim.send("GET", sent.headers["location"])
        shown = await victim.send("GET", sent.headers["location"], headers=GOES)

    assert answer.status_code == 400
    assert shown.headers["location"] == "/?login_error=sign_in_expired"
    assert victim.cookie is None


@pytest.mark.parametrize(
    ("name", "value"), [("iss", "https://evil.example"), ("state", "made-up"), ("code", "made-up")]
)
async def test_a_tampered_answer_begins_no_session(name, value):
    """Another issuer (RFC 9207), another state, another code."""
    async with open_site() as site:
        browser = site.browser()
        page = await browser.go(f"{HERE}/bff/login")
        hidden = dict(re.findall(r'type="hidden" name="([^"]*)" value="([^"]*)"', page.text))
        sent = await browser.send("POST", f"{ISSUER}/authorize", data={**hidden, "user": "3"})
        changed = re.sub(rf"(?<=[?&]{name}=)[^&]*", value, sent.headers["location"])
        stored = dict(browser.jar["shop.example"])
        shown = await browser.send("GET", changed, headers=GOES)
        browser.jar["shop.example"] = stored
        again = await browser.send("GET", changed)

    assert changed != sent.headers["location"]
    assert shown.status_code == 303
    assert shown.headers["location"].startswith("/?login_error=sign_in_")
    assert again.status_code == 400
    assert browser.cookie is None


@pytest.mark.parametrize("is_sent", [True, False])
async def test_a_callback_is_accepted_once(is_sent):
    """A callback from the browser's history begins no session, and redirects to the page.

    With and without the session's cookie, since it comes from another site.

    """
    async with open_site() as site:
        browser = site.browser()
        await browser.sign_in()
        before = browser.cookie
        (callback,) = [one for one in browser.answers if "/bff/callback" in str(one.url)]
        if not is_sent:
            browser.jar["shop.example"].clear()
        answer = await browser.send("GET", str(callback.url), headers=GOES)

    assert (answer.status_code, answer.headers["location"]) == (303, "/v1/welcome")
    assert browser.cookie == (before if is_sent else None)
    assert len(site.forms_sent("/token")) == 1


async def test_a_new_sign_in_sets_a_new_cookie_and_ends_the_old_session():
    """A cookie that was planted before the sign-in is not valid after it (session fixation)."""
    async with open_site() as site:
        browser = site.browser()
        await browser.sign_in("1")
        before = browser.cookie
        await browser.sign_in("1")
        after, browser.jar["shop.example"]["__Host-bff"] = browser.cookie, before
        answer = await browser.fetch("/v1/me")

    assert before != after
    assert answer.status_code == 401
    assert answer.json()["code"] == "session_ended"


async def test_a_declined_sign_in_returns_its_error():
    """The page that began the sign-in gets the provider's error code."""
    async with open_site() as site:
        browser = site.browser()
        page = await browser.go(f"{HERE}/bff/login?returnUrl=/v1/welcome")
        answer = await browser.choose(page, "no-such-user")

    assert str(answer.url) == f"{HERE}/v1/welcome?login_error=access_denied"
    assert browser.cookie is None


async def test_logout_ends_the_session_and_returns_the_providers_logout_url():
    """The cookie is removed, the refresh token is revoked, the answer has the provider's URL."""
    async with open_site() as site:
        browser = site.browser()
        await browser.sign_in()
        stolen = browser.cookie
        answer = await browser.fetch("/bff/logout", "POST")
        left = await browser.go(answer.json()["location"])
        taken = browser.cookie
        browser.jar["shop.example"]["__Host-bff"] = stolen
        again = await browser.fetch("/v1/me")
        revoked = site.forms_sent("/revoke")

    assert taken is None
    assert str(left.url).startswith(f"{HERE}/")
    assert again.status_code == 401
    assert revoked[0]["token_type_hint"] == "refresh_token"


async def test_a_cookie_without_a_session_is_removed():
    """The page gets the login path; the next request is anonymous."""
    async with open_site() as site:
        browser = site.browser()
        browser.jar["shop.example"] = {"__Host-bff": "x" * 43}
        refused = await browser.fetch("/v1/welcome")
        anybody = await browser.fetch("/v1/welcome")

    assert refused.status_code == 401
    assert refused.json()["login"] == "/bff/login"
    assert anybody.json() == {"subject": ""}
