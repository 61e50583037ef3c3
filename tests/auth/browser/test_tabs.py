"""Many tabs, the back button, and late sign-ins: people get pages, not JSON."""

import asyncio
from urllib.parse import parse_qs, urlsplit

import pytest

from bff_core.auth.session.pending_sign_ins import (
    MAX_PENDING,
    MAX_VALUE_BYTES,
    PendingCookies,
    PreviousSession,
    StatePayload,
)
from bff_core.auth.session.sealing import Sealing
from bff_core.auth.session.session import key_of
from bff_core.auth.session.settings_checks import cookie_of
from tests.auth.browser.site import GOES, HERE, ISSUER, OURS, Browser, open_site

LONG = "/v1/welcome?q=" + "x" * 1900


def held(browser: Browser) -> int:
    """Return how many bytes of cookies a browser holds of sign-ins."""
    jar = browser.jar.get("shop.example", {})
    pairs = [f"{name}={value}; " for name, value in jar.items() if "sign-in" in name]
    return sum(map(len, pairs))


async def departed(browser: Browser, return_url: str) -> str:
    """Begin to sign in; return the provider's address."""
    answer = await browser.send(
        "GET", f"{HERE}/bff/login", params={"returnUrl": return_url}, headers=GOES
    )
    return answer.headers["location"]


async def arrived(browser: Browser, location: str) -> str:
    """Go to the provider, where the user is signed in, and back; return where that leads."""
    back = await browser.send("GET", location, headers=GOES)
    answer = await browser.send("GET", back.headers["location"], headers=GOES)
    assert answer.status_code == 303
    return answer.headers["location"]


async def known(site) -> Browser:
    """Return a browser that the provider knows, and that has no session here."""
    browser = site.browser()
    await browser.sign_in("1")
    browser.jar["shop.example"].clear()
    site.wall.now += 60
    return browser


@pytest.mark.parametrize("is_sent", [True, False])
@pytest.mark.parametrize("path", ["/v1/welcome?tab={}", LONG + "{}"])
async def test_ten_tabs_sign_in_at_once(path, is_sent):
    """All tabs begin before any returns; all return to their pages, signed in.

    With and without the session's cookie at the callback: a provider may be of another site.

    """
    paths = [path.format(number) for number in range(10)]
    async with open_site() as site:
        browser = await known(site)
        gone = await asyncio.gather(*(departed(browser, one) for one in paths))
        size = held(browser)

        async def come_back(location: str) -> str:
            if not is_sent:
                browser.jar["shop.example"].pop("__Host-bff", None)
            return await arrived(browser, location)

        there = await asyncio.gather(*map(come_back, gone))
        me = await browser.fetch("/v1/me")
        site.wall.now += 400
        later = await browser.fetch("/v1/me")

    assert there == paths
    assert size < 4096
    assert held(browser) == 0
    assert (me.status_code, later.status_code) == (200, 200)
    assert site.forms_sent("/revoke") == []


async def test_a_page_of_another_tab_works_for_a_moment():
    """A request of a tab that has just signed in is answered although another tab returns.

    The session of that tab ends soon after, so that one session is left.

    """
    async with open_site() as site:
        browser = await known(site)
        gone = [await departed(browser, f"/?tab={number}") for number in range(2)]
        site.wall.now += 5
        await arrived(browser, gone[0])
        first = browser.cookie
        await arrived(browser, gone[1])
        headers = {**OURS, "cookie": f"__Host-bff={first}"}
        answer = await site.clients["shop.example"].get("/v1/me", headers=headers)
        both = await site.auth.sessions.of("1")

    assert browser.cookie != first
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers
    assert len(both) == 2


@pytest.mark.virtual_time
async def test_sessions_of_earlier_tabs_end_by_themselves():
    """Ten seconds later the session of the last tab is the only one."""
    async with open_site(clock=asyncio.get_running_loop().time) as site:
        browser = await known(site)
        await site.auth.sessions.end(await site.auth.sessions.of("1"), "ended_elsewhere")
        gone = [await departed(browser, "/") for _ in range(3)]
        site.wall.now += 5
        for one in gone:
            await arrived(browser, one)
        at_once = await site.auth.sessions.of("1")
        await asyncio.sleep(11)
        left = await site.auth.sessions.of("1")
        me = await browser.fetch("/v1/me")

    assert (len(at_once), len(left)) == (3, 1)
    assert me.status_code == 200
    assert site.forms_sent("/revoke") == []


@pytest.mark.parametrize("return_url", ["/", LONG, "/" + "y" * 8192])
async def test_cookies_stay_small_however_many_tabs_there_are(return_url):
    """Below 4 KB in total; the oldest sign-ins give way, the others succeed."""
    async with open_site() as site:
        browser = site.browser()
        await browser.sign_in("1")  # a session makes each cookie longer
        gone, sizes = [], []
        for _ in range(50):
            gone.append(await departed(browser, return_url))
            sizes.append(held(browser))
            site.wall.now += 1
        there = [await arrived(browser, one) for one in gone[-MAX_PENDING:]]
        late = await arrived(browser, gone[0])

    assert max(sizes) < 4096
    assert len({*there}) == 1
    assert "login_error" not in there[0]
    assert late == there[0]  # it has a session anyway


async def test_surplus_cookies_of_tabs_that_began_at_once_are_removed():
    """The tabs began independently; the first that returns removes the surplus cookies."""
    async with open_site() as site:
        browser = await known(site)
        gone = await asyncio.gather(*(departed(browser, "/") for _ in range(30)))
        await arrived(browser, gone[0])

    assert held(browser) < 4096 - 190


async def test_a_slow_sign_in_returns_with_an_error():
    """The browser returns to its page with the reason, and no code is redeemed."""
    async with open_site() as site:
        browser = await known(site)
        redeemed_before = len(site.forms_sent("/token"))
        gone = await departed(browser, "/orders#top")
        site.wall.now += 50
        back = await browser.send("GET", gone, headers=GOES)
        site.wall.now += 600
        answer = await browser.send("GET", back.headers["location"], headers=GOES)

    assert answer.headers["location"] == "/orders?login_error=sign_in_expired#top"
    assert held(browser) == 0
    assert len(site.forms_sent("/token")) == redeemed_before


async def test_a_failed_callback_consumes_its_sign_in():
    """A second request with the same `state` is refused, even with the same cookie."""
    async with open_site() as site:
        browser = await known(site)
        gone = await departed(browser, "/orders")
        cookies = dict(browser.jar["shop.example"])
        back = await browser.send("GET", gone, headers=GOES)
        good = back.headers["location"]
        state = parse_qs(urlsplit(good).query)["state"][0]
        bad = f"{HERE}/bff/callback?code=made-up&state={state}&iss={ISSUER}"
        first = await browser.send("GET", bad, headers=GOES)
        left = held(browser)
        browser.jar["shop.example"].update(cookies)
        again = await browser.send("GET", good, headers=GOES)

    assert first.headers["location"] == "/orders?login_error=sign_in_failed"
    assert left == 0
    assert again.headers["location"] == "/orders?login_error=sign_in_expired"
    assert browser.cookie is None


async def test_a_callback_that_comes_twice_at_once_redeems_its_code_once():
    """Providers treat a second use of a code as theft, and revoke its tokens."""
    async with open_site() as site:
        browser = await known(site)
        redeemed_before = len(site.forms_sent("/token"))
        back = await browser.send("GET", await departed(browser, "/orders"), headers=GOES)
        url = back.headers["location"]
        await asyncio.gather(*(browser.send("GET", url, headers=GOES) for _ in range(3)))
        redeemed = len(site.forms_sent("/token")) - redeemed_before
        site.wall.now += 400
        me = await browser.fetch("/v1/me")

    assert redeemed == 1
    assert me.status_code == 200


async def test_a_head_request_of_the_callback_changes_nothing():
    """Link checkers send HEAD before a person opens the link."""
    async with open_site() as site:
        browser = await known(site)
        back = await browser.send("GET", await departed(browser, "/orders"), headers=GOES)
        url = back.headers["location"]
        looked = await browser.send("HEAD", url, headers={**GOES, "origin": HERE})
        answer = await browser.send("GET", url, headers=GOES)

    assert (looked.status_code, looked.headers["location"]) == (303, "/orders")
    assert "set-cookie" not in looked.headers
    assert answer.headers["location"] == "/orders"
    assert browser.cookie is not None


@pytest.mark.parametrize(
    "headers", [GOES, {"accept": "text/html,*/*"}, {"sec-fetch-dest": "document"}]
)
@pytest.mark.parametrize(
    "query", ["", "?code=x", "?code=x&state=y", "?error=access_denied&state=z"]
)
async def test_no_person_is_shown_json_at_the_callback(query, headers):
    """Bookmarks of the callback and malformed addresses lead to the root."""
    async with open_site() as site:
        answer = await site.browser().send("GET", f"{HERE}/bff/callback{query}", headers=headers)

    assert (answer.status_code, answer.headers["location"]) == (
        303,
        "/?login_error=sign_in_expired",
    )


async def test_a_browser_returns_if_the_provider_is_down():
    """It gets the reason in the URL; programs get problem details."""
    async with open_site(provider=_down) as site:
        browser = site.browser()
        answer = await browser.send("GET", f"{HERE}/bff/login?returnUrl=/a", headers=GOES)
        program = await browser.send("GET", f"{HERE}/bff/login?returnUrl=/a")

    assert answer.headers["location"] == "/a?login_error=provider_unavailable"
    assert (program.status_code, program.json()["code"]) == (503, "provider_unavailable")


async def _down(scope, receive, send) -> None:
    await send({"type": "http.response.start", "status": 503, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def test_a_stale_session_does_not_prevent_a_sign_in():
    """A cookie of an ended session, with any headers, does not prevent a sign-in."""
    async with open_site() as site:
        browser = site.browser()
        browser.jar["shop.example"] = {"__Host-bff": "x" * 43}
        answers = [
            await browser.send("GET", f"{HERE}/bff/login", headers=one)
            for one in (GOES, {}, {"accept": "*/*"}, {"x-csrf": "1"})
        ]

    assert [one.status_code for one in answers] == [303] * 4
    assert all(one.headers["location"].startswith(ISSUER) for one in answers)


@pytest.mark.parametrize(
    "urls",
    [
        ["https://a/apps/customer-portal/v2"],
        ["https://a/" + "x" * 200],
        ["https://a", "https://a/shop"],
        ["https://a/shop", "https://a/shop/admin", "https://a/sign-in"],
    ],
)
def test_cookies_stay_small_however_they_are_named(urls):
    """This includes gateways below long paths, and several gateways of one host."""
    rings = [PendingCookies(Sealing(("k" * 40,)), cookie_of(url)) for url in urls]
    jar, states = {}, []
    for second in range(60):
        ring, state = rings[second % len(rings)], rings[0].state_for(StatePayload("/"))
        states.append((ring, state))
        sent = [(b"cookie", "; ".join(f"{name}={jar[name]}" for name in jar).encode())]
        former = PreviousSession(key_of("owner"), "h" * 16)
        _, cookies = ring.begin(state, second, former)
        for _, value in (*ring.removals(sent, second, room=1), *cookies):
            name, _, content = value.decode().partition(";")[0].partition("=")
            jar[name] = content
            jar = {name: content for name, content in jar.items() if content}
        assert len("; ".join(f"{name}={content}" for name, content in jar.items())) < 4096
    sent = [(b"cookie", "; ".join(f"{name}={jar[name]}" for name in jar).encode())]

    alive = [ring.find(sent, state, 60) is not None for ring, state in states]
    assert alive == sorted(alive)  # the oldest have gone
    assert sum(alive) >= 8


def test_the_largest_cookie_times_the_most_tabs_is_below_4_kb():
    """The constants are checked, so that a change of either is noticed."""
    name, value = len("__Host-bff-sign-in-12345678="), 9 + (4 + 12 + 16 + 32 + 32 + 16) * 4 / 3

    assert value <= MAX_VALUE_BYTES
    assert (name + MAX_VALUE_BYTES + 2) * MAX_PENDING < 4096
