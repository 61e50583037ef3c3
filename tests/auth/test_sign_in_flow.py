"""The callback of a sign-in: which requests begin a session, and what it holds."""

import asyncio
import json
from dataclasses import replace
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from bff_core.auth.session.authenticator import SessionAuthenticator
from bff_core.call import Reply
from bff_core.errors import ConfigurationError
from bff_core.events import SessionChanged
from tests.auth.browser.site import GOES, HERE, ISSUER, OURS, open_site, sign_in_at
from tests.auth.test_forged_id_tokens import chosen


async def came_back(edit, *, wait: float = 0.0):
    """Sign in, with the address of the callback edited; return the browser and who it is."""
    async with open_site() as site:
        browser = site.browser()
        page = await browser.go(f"{HERE}/bff/login?returnUrl=/v1/welcome")
        site.wall.now += wait
        location = await chosen(browser, page)
        parts = urlsplit(location)
        query = urlencode(edit(parse_qsl(parts.query, keep_blank_values=True)))
        await browser.send("GET", parts._replace(query=query).geturl(), headers=GOES)
        me = await browser.fetch("/v1/me")
        begun = [one for one in site.events if isinstance(one, SessionChanged)]
    return browser, me.status_code, len(begun)


def unchanged(pairs):
    """Leave the parameters as they are."""
    return pairs


def without(name):
    """Leave one parameter out."""
    return lambda pairs: [pair for pair in pairs if pair[0] != name]


def changed(name, value):
    """Give one parameter another value."""
    return lambda pairs: [(key, value if key == name else old) for key, old in pairs]


def doubled(name, value, *, first):
    """Add a second value, in front or behind."""
    return lambda pairs: [(name, value), *pairs] if first else [*pairs, (name, value)]


async def test_a_callback_as_the_provider_sent_it_signs_in():
    """It shows that the table of edits can fail."""
    browser, status, begun = await came_back(unchanged)

    assert browser.cookie is not None
    assert (status, begun) == (200, 1)


EDITS = {
    **{f"no {name}": without(name) for name in ("code", "state", "iss")},
    **{f"empty {name}": changed(name, "") for name in ("code", "state", "iss")},
    "another code": changed("code", "made-up"),
    "another state": changed("state", "x" * 43),
    "another issuer": changed("iss", "https://evil.example"),
    "the issuer with a slash": changed("iss", f"{ISSUER}/"),
    "an error beside the code": lambda pairs: [*pairs, ("error", "access_denied")],
    "too many parameters": lambda pairs: [*pairs, *((f"x{n}", "1") for n in range(30))],
    **{
        f"two values of {name}, {'ours last' if first else 'ours first'}": doubled(
            name, "evil", first=first
        )
        for name in ("code", "state", "iss")
        for first in (True, False)
    },
}


@pytest.mark.parametrize("edit", EDITS)
async def test_an_edited_callback_begins_no_session(edit):
    """No session begins, even if parts of the callback are genuine."""
    browser, status, begun = await came_back(EDITS[edit])

    assert browser.cookie is None
    assert (status, begun) == (401, 0)


@pytest.mark.parametrize(("wait", "is_signed_in"), [(599, True), (601, False)])
async def test_a_sign_in_may_take_ten_minutes(wait, is_signed_in):
    """The clock of the gateway decides, not the lifetime of the cookie."""
    browser, _, begun = await came_back(unchanged, wait=wait)

    assert (browser.cookie is not None) is is_signed_in
    assert begun == is_signed_in


@pytest.mark.parametrize(
    ("kind", "is_taken"),
    [("Bearer", True), ("bearer", True), ("DPoP", False), ("mac", False), ("", False), (7, False)],
)
async def test_a_token_of_another_type_than_bearer_is_refused(kind, is_taken):
    """Services would get it as a bearer token (RFC 6749, section 7.1)."""
    async with open_site() as site:

        async def answer(call):
            reply = await site.answer(call)
            if call.target != "/token":
                return reply
            content = json.loads(reply.body) | {"token_type": kind}
            fields = tuple(one for one in reply.headers if one[0] != b"content-length")
            return Reply(reply.status, fields, json.dumps(content).encode())

        site.provider.then(answer)
        browser = site.browser()
        await browser.sign_in()

        assert (browser.cookie is not None) is is_taken


async def test_a_session_whose_grant_changed_has_a_new_cookie():
    """A holder of the old cookie does not gain the new scopes."""
    async with open_site() as site:
        browser = site.browser()
        await browser.sign_in()
        before = browser.cookie

        async def answer(call):
            reply = await site.answer(call)
            if call.target != "/token":
                return reply
            content = json.loads(reply.body) | {"scope": "openid profile offline_access more"}
            fields = tuple(one for one in reply.headers if one[0] != b"content-length")
            return Reply(reply.status, fields, json.dumps(content).encode())

        site.provider.then(answer)
        site.wall.now += 100_000  # the access token has ended
        changed_grant = await browser.fetch("/v1/me")
        after = browser.cookie
        again = await browser.fetch("/bff/user")

        assert (changed_grant.status_code, again.status_code) == (200, 200)
        assert before != after
        assert "more" in again.json()["scopes"]


@pytest.mark.parametrize(
    ("scope", "granted"),
    [
        ("openid", ["openid"]),
        (["openid", "profile"], ["openid", "profile"]),
        ([], []),
        ("", []),
        ({"openid": True}, []),
        (7, []),
        ("openid\u2003profile", ["openid\u2003profile"]),
        (None, ["offline_access", "openid", "profile"]),
    ],
)
async def test_a_session_has_the_scopes_that_were_granted(scope, granted):
    """The requested scopes count only if the provider names none (RFC 6749, section 5.1)."""
    async with open_site() as site:

        async def answer(call):
            reply = await site.answer(call)
            if call.target != "/token":
                return reply
            content = json.loads(reply.body) | {"scope": scope}
            fields = tuple(one for one in reply.headers if one[0] != b"content-length")
            return Reply(reply.status, fields, json.dumps(content).encode())

        site.provider.then(answer)
        browser = site.browser()
        await browser.sign_in()
        user = await browser.fetch("/bff/user")

    assert sorted(user.json()["scopes"]) == granted


@pytest.mark.parametrize(
    ("allowed", "sent"),
    [
        ("https://pages.example", "https://pages.example"),
        ("https://pages.example:443", "https://pages.example"),
        ("https://pages.example/", "https://pages.example"),
        ("https://pages.example:8443", "https://pages.example:8443"),
        ("http://pages.example:80", "http://pages.example"),
        ("https://PAGES.example", "https://pages.example"),
    ],
)
async def test_origins_are_normalised_like_in_browsers(allowed, sent):
    """They have no default port, and are in lower case."""
    async with open_site(origins=(allowed,)) as site:
        browser = site.browser()
        await browser.sign_in()
        headers = {**OURS, "origin": sent, "sec-fetch-site": "cross-site"}
        ours = await browser.fetch("/v1/note", "POST", headers=headers)
        other = await browser.fetch("/v1/note", "POST", headers={**headers, "origin": f"{sent}1"})

    assert (ours.status_code, other.status_code) == (200, 403)


@pytest.mark.parametrize("origin", ["https://*.preview.example", "https://*", "https://*:8443"])
def test_a_pattern_is_no_origin(origin):
    """Each origin whose pages may use the cookie has to be listed."""
    with pytest.raises(ConfigurationError, match="is a pattern"):
        SessionAuthenticator(sign_in_at(), origins=(origin,))


@pytest.mark.parametrize(
    ("times", "is_refused"),
    [
        ({"idle": 59, "lifetime": 3600}, True),
        ({"idle": 60, "lifetime": 60}, False),
        ({"idle": 61, "lifetime": 60}, True),
        ({"idle": 600, "lifetime": 3600}, False),
    ],
)
def test_an_idle_time_is_a_minute_at_least_and_within_the_lifetime(times, is_refused):
    """A shorter idle time, and one above the lifetime, are mistakes."""
    if is_refused:
        with pytest.raises(ConfigurationError, match="idle"):
            SessionAuthenticator(sign_in_at(), **times)
    else:
        assert SessionAuthenticator(sign_in_at(), **times).lifetimes.idle == times["idle"]


async def test_tokens_that_another_process_wrote_are_used_at_once():
    """The process died with the lease, which expires half a minute later."""
    async with open_site() as site:
        browser = site.browser()
        await browser.sign_in()
        store = site.auth.sessions.store
        (known,) = await site.auth.sessions.of("1")
        tokens = replace(known.session.tokens, access="newer", generation=1)
        await store.replace(known, replace(known.session, tokens=tokens))
        assert await store.lease(known.key, "another process", 30.0)

        async with asyncio.timeout(5):
            found = await site.auth.running.token_refresher.refreshed(known)

    assert found.session.tokens.access == "newer"


@pytest.mark.parametrize("path", ["/v1/welcome", "/v1/me", "/bff/user", "/nowhere"])
async def test_every_answer_varies_by_the_cookie(path):
    """Caches must not serve one browser's answer to another, signed in or not."""
    async with open_site() as site:
        browser = site.browser()
        guest = await browser.fetch(path)
        await browser.sign_in()
        known = await browser.fetch(path)

    for answer in (guest, known):
        assert "cookie" in answer.headers["vary"].lower().split(", ")
