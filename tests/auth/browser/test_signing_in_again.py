"""A second sign-in leaves the user signed in: no token that the new session needs is revoked."""

import asyncio

import pytest

from services_mock.identity.signing import logout_token
from tests.auth.browser.site import HERE, ISSUER, OURS, open_site


async def refreshed(site, browser) -> int:
    """Return how a request is answered when the access token has ended."""
    site.wall.now += 400
    return (await browser.fetch("/v1/me")).status_code


async def settled() -> None:
    """Let background tasks finish."""
    for _ in range(20):
        await asyncio.sleep(0)


@pytest.mark.parametrize("times", [2, 3])
async def test_a_user_who_signs_in_again_stays_signed_in(times):
    """Providers revoke a whole grant, so the previous session's tokens are not revoked."""
    async with open_site() as site:
        browser = site.browser()
        for _ in range(times):
            await browser.sign_in("1")
        await settled()
        status = await refreshed(site, browser)

    assert status == 200
    assert site.forms_sent("/revoke") == []


async def test_a_user_who_reauthenticates_stays_signed_in():
    """The provider shows its login page once more (`prompt=login`)."""
    async with open_site() as site:
        browser = site.browser()
        await browser.sign_in("1")
        page = await browser.go(f"{HERE}/bff/login?prompt=login&returnUrl=/v1/welcome")
        await browser.choose(page, "1")
        await settled()
        status = await refreshed(site, browser)

    assert status == 200
    assert site.forms_sent("/revoke") == []


async def test_another_user_ends_the_previous_session():
    """The previous user has another grant, which is revoked."""
    async with open_site() as site:
        browser = site.browser()
        await browser.sign_in("1")
        page = await browser.go(f"{HERE}/bff/login?prompt=login")
        await browser.choose(page, "2")
        await settled()
        left, status = await site.auth.sessions.of("1"), await refreshed(site, browser)
        revoked = site.forms_sent("/revoke")

    assert left == []
    assert status == 200
    assert [one["token_type_hint"] for one in revoked] == ["refresh_token"]


@pytest.mark.parametrize("cookie", ["sent", "not sent"])
async def test_the_previous_session_ends(cookie):
    """It ends even if the browser sends no Strict cookie on its return from another site."""
    async with open_site() as site:
        browser = site.browser()
        await browser.sign_in("1")
        before = browser.cookie
        page = await browser.go(f"{HERE}/bff/login?prompt=login&returnUrl=/v1/welcome")
        if cookie == "not sent":
            browser.jar["shop.example"].pop("__Host-bff")
        await browser.choose(page, "1")
        sessions = await site.auth.sessions.of("1")
        new = browser.cookie
        browser.jar["shop.example"]["__Host-bff"] = before
        answer = await browser.fetch("/v1/me")

    assert new not in {None, before}
    assert len(sessions) == 1
    assert answer.json()["code"] == "session_ended"


async def test_a_session_that_was_left_over_ends_with_the_next_sign_in():
    """A session whose cookie is lost is not listed for ever."""
    async with open_site() as site:
        browser = site.browser()
        await browser.sign_in("1")
        del browser.jar["shop.example"]
        site.wall.now += 60
        await browser.sign_in("1")
        sessions = await site.auth.sessions.of("1")
        status = await refreshed(site, browser)

    assert len(sessions) == 1
    assert status == 200


async def test_a_request_in_flight_does_not_remove_the_new_cookie():
    """A request with the old cookie is refused, and the browser retains the new one."""
    async with open_site() as site:
        browser = site.browser()
        await browser.sign_in("1")
        before = browser.cookie
        await browser.sign_in("1")
        headers = {**OURS, "cookie": f"__Host-bff={before}"}
        answer = await site.clients["shop.example"].get("/v1/me", headers=headers)

    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers


async def two_sessions_of_one_grant(site):
    """Return a browser, and the handle of another session that shares its grant."""
    browser = site.browser()
    await browser.sign_in("1")
    del browser.jar["shop.example"]
    await browser.sign_in("1")
    listed = (await browser.fetch("/bff/sessions")).json()["sessions"]
    (other,) = [one["id"] for one in listed if not one["is_current"]]
    return browser, other


@pytest.mark.parametrize("path", ["/bff/sessions", "/bff/sessions/{}"])
async def test_ending_other_sessions_leaves_the_current_one(path):
    """Tokens that share a grant with an active session are not revoked."""
    async with open_site() as site:
        browser, other = await two_sessions_of_one_grant(site)
        ended = await browser.fetch(path.format(other), "DELETE")
        await settled()
        status = await refreshed(site, browser)

    assert ended.json() == {"ended": 1}
    assert status == 200
    assert site.forms_sent("/revoke") == []


async def test_ending_a_session_of_another_browser_revokes_its_tokens():
    """Another browser has another session at the provider, and another grant."""
    async with open_site() as site:
        mine, theirs = site.browser(), site.browser()
        await mine.sign_in("1")
        await theirs.sign_in("1")
        await mine.fetch("/bff/sessions", "DELETE")
        await settled()
        revoked = site.forms_sent("/revoke")
        statuses = [(await one.fetch("/v1/me")).status_code for one in (mine, theirs)]

    assert len(revoked) == 1
    assert statuses == [200, 401]


async def test_without_sid_sessions_of_one_user_may_share_a_grant():
    """A provider that does not name its sessions (Google, Cognito) may revoke all of a user."""
    async with open_site() as site:
        mine, theirs = site.browser(), site.browser()
        await mine.sign_in("1")
        await theirs.sign_in("1")
        store = site.auth.sessions.store
        for entry in store._entries.values():  # as a provider without `sid` has it
            object.__setattr__(entry.session, "provider_sid", "")
        await mine.fetch("/bff/sessions", "DELETE")
        await settled()

    assert site.forms_sent("/revoke") == []


async def test_a_back_channel_logout_ends_the_session_of_a_second_sign_in():
    """Its session at the provider is the same, so it has the `sid` of the first."""
    async with open_site() as site:
        browser = site.browser()
        await browser.sign_in("1")
        await browser.sign_in("1")
        book = site.identity.state.store
        (stay,) = book.stays.values()
        token = logout_token(book, "web", "1", stay.sid)
        client = site.clients["shop.example"]
        answer = await client.post("/bff/backchannel-logout", data={"logout_token": token})
        gone = await browser.fetch("/v1/me")

    assert (answer.status_code, gone.status_code) == (200, 401)


@pytest.mark.parametrize("answer", ["error=access_denied", "code=made-up"])
async def test_a_second_sign_in_that_fails_leaves_the_first(answer):
    """A declined or invalid sign-in ends no session."""
    async with open_site() as site:
        browser = site.browser()
        await browser.sign_in("1")
        gone = await browser.send("GET", f"{HERE}/bff/login?prompt=login&returnUrl=/v1/welcome")
        assert gone.headers["location"].startswith(ISSUER)
        state = site.forms_sent("/par")[-1]["state"]
        url = f"{HERE}/bff/callback?state={state}&iss={ISSUER}&{answer}"
        response = await browser.go(url)
        me = await browser.fetch("/v1/me")

    assert "login_error=" in str(response.url)
    assert me.json() == {"subject": "1"}


async def test_a_refresh_in_flight_does_not_end_the_new_session():
    """Late tokens of the previous session share its grant: none is revoked."""
    async with open_site() as site:
        browser = site.browser()
        await browser.sign_in("1")
        before = browser.cookie
        site.wall.now += 400

        async def signing_in_again(call):
            site.provider.then(site.answer)
            await browser.sign_in("1")
            return await site.answer(call)

        site.provider.then(signing_in_again)
        headers = {**OURS, "cookie": f"__Host-bff={before}"}
        await site.clients["shop.example"].get("/v1/me", headers=headers)
        await settled()
        status = await refreshed(site, browser)

    assert browser.cookie != before
    assert site.forms_sent("/revoke") == []
    assert status == 200
