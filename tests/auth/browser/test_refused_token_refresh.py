"""A refresh that the provider refuses ends the session; an outage of the provider is a 503."""

import asyncio
import json
from codecs import BOM_UTF8
from contextlib import AsyncExitStack

import pytest

from bff_core.call import Reply
from bff_core.events import SessionChanged, TokenRefused
from bff_core.observe.log import LogSink
from bff_core.testing.scripted import fail, reply
from services_mock import identity
from services_mock.identity.signing import id_token, signed
from tests.auth.browser.site import HERE, ISSUER, Browser, Wall, open_site
from tests.auth.browser.test_token_refresh import changes, guarded, refreshes

REFUSALS = (
    "invalid_grant",
    "access_denied",
    "invalid_scope",
    "interaction_required",
    "login_required",
    "consent_required",
    "account_selection_required",
    "unmet_authentication_requirements",
    "insufficient_user_authentication",
    "invalid_token",
    "expired_token",
)

OUR_FAULTS = (
    "invalid_request",
    "invalid_client",
    "unauthorized_client",
    "unsupported_grant_type",
    "invalid_target",
    "invalid_dpop_proof",
    "use_dpop_nonce",
    "unauthorized",
    "incorrect_client_credentials",
    "invalid_client_credentials",
)

OUTAGES = (
    "server_error",
    "temporarily_unavailable",
    "slow_down",
    "authorization_pending",
    "too_many_requests",
    "rate_limit_exceeded",
    "internal_error",
    "internal_server_error",
    "service_unavailable",
    "timeout",
)


async def answered(site, browser: Browser, *steps):
    """Return what a page gets whose token has ended, while the provider answers by a script."""
    site.wall.now += 400
    site.provider.then(*steps)
    answer = await browser.fetch("/v1/balance")
    site.provider.then(site.answer)
    return answer


@pytest.mark.mostly_slow
@pytest.mark.parametrize(
    ("status", "error"),
    [
        *((status, "invalid_grant") for status in (200, 201, 400, 401, 403, 404, 500)),
        *((400, error) for error in REFUSALS),
        *((403, error) for error in REFUSALS[3:7]),
        *((200, error) for error in ("bad_refresh_token", "interaction_required")),
        *((status, "mfa_required") for status in (400, 401, 403)),
    ],
)
async def test_a_refusal_ends_the_session_whatever_its_status(status, error):
    """The page gets 401 with the login path, and the cookie is removed."""
    async with open_site() as site:
        browser = site.browser()
        await browser.sign_in()
        answer = await answered(site, browser, reply(status, {"error": error}))
        after = await browser.fetch("/v1/me")

    assert (answer.status_code, answer.json()["code"]) == (401, "session_ended")
    assert answer.json()["login"] == "/bff/login"
    assert "form-action" in answer.headers["www-authenticate"]
    assert (browser.cookie, after.status_code) == (None, 401)
    assert changes(site) == ["begun", "refused"]


async def test_a_refusal_may_begin_with_a_byte_order_mark():
    """Some programs write one before their JSON; the error behind it counts."""
    async with open_site() as site:
        browser = site.browser()
        await browser.sign_in()
        answer = await answered(site, browser, reply(400, BOM_UTF8 + b'{"error":"invalid_grant"}'))

    assert (answer.status_code, browser.cookie) == (401, None)


@pytest.mark.mostly_slow
@pytest.mark.parametrize(
    ("step", "reason"),
    [
        *((reply(400, {"error": error}), error) for error in OUR_FAULTS),
        *((reply(400, {"error": error}), error) for error in OUTAGES),
        (reply(401, {"error": "invalid_client"}), "invalid_client"),
        (reply(200, {"error": "invalid_client"}), "invalid_client"),
        (reply(200, {"error": "temporarily_unavailable"}), "temporarily_unavailable"),
        (reply(429, {"error": "invalid_grant"}), "invalid_grant"),
        (reply(429, {"error": "access_denied"}), "access_denied"),
        (reply(500, {"error": "database"}), "status_500"),
        (reply(503, b"<html>"), "status_503"),
        (reply(404, {"error": "not_found"}), "status_404"),
        (reply(404, {"error": "Not Found"}), "status_404"),
        (reply(403, {"error": "Forbidden by the proxy"}), "status_403"),
        (reply(403, b"<html>"), "status_403"),
        (reply(400, {"error": {"code": "invalid_grant"}}), "status_400"),
        (reply(400, {"error": ["invalid_grant"]}), "status_400"),
        (reply(400, {"error": ""}), "status_400"),
        (reply(400, {}), "status_400"),
        (reply(400, b""), "status_400"),
        (reply(302, headers={"location": "/login"}), "status_302"),
        (reply(200, b"<html>"), "no_access_token"),
        (reply(200, []), "no_access_token"),
        (reply(200, {}), "no_access_token"),
        (reply(200, {"access_token": 7, "token_type": "Bearer"}), "no_access_token"),
        (reply(200, {"access_token": "a"}), "token_type"),
    ],
)
async def test_any_other_error_is_an_outage_with_a_reason(step, reason):
    """The page gets 503, the log has the reason; the session works again after the outage."""
    async with open_site() as site:
        site.service.then(guarded(site))
        browser = site.browser()
        await browser.sign_in()
        down = await answered(site, browser, step)
        back = await browser.fetch("/v1/balance")
        reports = [event for event in site.events if isinstance(event, TokenRefused)]

    assert (down.status_code, down.json()["code"]) == (503, "provider_unavailable")
    assert down.headers["retry-after"]
    assert back.json() == 1
    assert [(one.upstream, one.operation, one.reason) for one in reports] == [
        ("identity", "POST /token", reason)
    ]


async def test_an_unreachable_provider_ends_no_session():
    """Refused and broken connections do not end the session."""
    async with open_site() as site:
        site.service.then(guarded(site))
        browser = site.browser()
        await browser.sign_in()
        broken = await answered(site, browser, fail())
        refused = await answered(site, browser, fail(is_sent=False))
        back = await browser.fetch("/v1/balance")

    assert [one.status_code for one in (broken, refused)] == [503, 503]
    assert back.json() == 1


def test_an_operator_finds_the_reason_in_the_log(caplog):
    """It is logged as a warning, under the name of the provider."""
    LogSink()(TokenRefused("identity", "POST /token", "invalid_client"))

    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert record.event["reason"] == "invalid_client"
    assert record.event["upstream"] == "identity"


async def test_the_text_of_an_unknown_error_is_not_logged():
    """An unknown error may contain secrets, such as the refresh token that was sent."""
    async with open_site() as site:
        browser = site.browser()
        await browser.sign_in()
        for status in (404, 500):
            await answered(site, browser, reply(status, {"error": "canary.of.a.secret"}))

    assert "canary" not in repr(site.events)


async def test_twenty_simultaneous_calls_share_one_refusal():
    """The provider gets one request; each page gets the same 401."""
    async with open_site() as site:
        browser = site.browser()
        await browser.sign_in()
        site.wall.now += 400
        site.provider.then(reply(403, {"error": "login_required"}, after=0.05))
        answers = await asyncio.gather(*(browser.fetch("/v1/balance") for _ in range(20)))

    assert {(one.status_code, one.json().get("login")) for one in answers} == {(401, "/bff/login")}
    assert len(refreshes(site)) == 1
    assert changes(site) == ["begun", "refused"]


async def test_a_refusal_in_the_background_affects_the_next_request():
    """The first request still has a valid token."""
    async with open_site() as site:
        site.service.then(guarded(site))
        browser = site.browser()
        await browser.sign_in()
        site.wall.now += 280
        site.provider.then(reply(403, {"error": "consent_required"}))
        first = await browser.fetch("/v1/balance")
        second = await browser.fetch("/v1/balance")

    assert (first.status_code, second.status_code) == (200, 401)
    assert second.json()["login"] == "/bff/login"
    assert browser.cookie is None


async def test_a_service_refuses_the_token_and_the_provider_the_refresh():
    """The answer is 401 with the login path, even in the middle of a screen."""
    async with open_site() as site:
        browser = site.browser()
        await browser.sign_in()
        site.wall.now += 60
        site.service.then(reply(401))
        site.provider.then(reply(401, {"error": "invalid_token"}))
        answer = await browser.fetch("/v1/balance")
        after = await browser.fetch("/v1/me")

    assert (answer.status_code, answer.json()["code"]) == (401, "session_ended")
    assert answer.json()["login"] == "/bff/login"
    assert (after.status_code, browser.cookie) == (401, None)


def refusing(site):
    """Return a step that refuses refreshes, and answers everything else."""

    async def step(call) -> Reply:
        if call.target != "/token":
            return await site.answer(call)
        return await reply(403, {"error": "invalid_grant"}, after=0.1)(call)

    return step


@pytest.mark.needs("redis-server")
async def test_four_gateways_share_one_refusal(redis_server):
    """They share a Redis: the provider gets one request, and no page gets a 503."""
    wall = Wall()
    provider = identity.create_app(ISSUER, HERE, wall=wall)
    overrides = {"session_url": redis_server.url}
    async with AsyncExitStack() as closing:
        sites = [
            await closing.enter_async_context(
                open_site(overrides=overrides, provider=provider, wall=wall)
            )
            for _ in range(4)
        ]
        for site in sites:
            site.service.then(guarded(site))
        browser = sites[0].browser()
        await browser.sign_in()
        others = [Browser(site, jar=browser.jar) for site in sites]
        before = [await one.fetch("/v1/balance") for one in others]
        for site in sites:
            site.provider.then(refusing(site))
        wall.now += 400
        held = [Browser(site, jar={"shop.example": dict(browser.jar["shop.example"])})
                for site in sites for _ in range(5)]  # fmt: skip
        after = await asyncio.gather(*(one.fetch("/v1/balance") for one in held))
        counted = sum(len(refreshes(site)) for site in sites)

    assert [one.status_code for one in before] == [200] * 4
    assert {(one.status_code, one.json().get("login")) for one in after} == {(401, "/bff/login")}
    assert counted == 1


@pytest.mark.mostly_slow
@pytest.mark.parametrize("lifetime", [1, 3, 5, 7, 10, 20, 30, 34, 40, 300])
async def test_a_token_is_refreshed_at_most_once_in_its_lifetime(lifetime):
    """This holds for tokens that live shorter than the usual time of an early refresh."""
    async with open_site() as site:
        site.identity.state.store.lifetime = lifetime
        site.service.then(reply(200, 1))
        browser = site.browser()
        await browser.sign_in()
        statuses = set()
        for _ in range(60):
            site.wall.now += lifetime / 20
            statuses.add((await browser.fetch("/v1/balance")).status_code)

    assert statuses == {200}
    assert 1 <= len(refreshes(site)) <= 4  # three lifetimes, each cut short by a fifth


async def test_a_new_token_of_one_second_is_used_without_a_refresh():
    """Ten simultaneous requests use the token they have."""
    async with open_site() as site:
        site.identity.state.store.lifetime = 1
        site.service.then(guarded(site))
        browser = site.browser()
        await browser.sign_in()
        answers = await asyncio.gather(*(browser.fetch("/v1/balance") for _ in range(10)))

    assert {one.status_code for one in answers} == {200}
    assert refreshes(site) == []


LIFETIMES = {
    "a number": (3600, 3600),
    "digits": ("3600", 3600),
    "digits with spaces": (" 3600 ", 3600),
    "a fraction": (3600.0, 3600),
    "digits with a fraction": ("3600.0", 3600),
    "few": (10, 10),
    "few as digits": ("10", 10),
    "less than a second": (0.001, 1),
    "null": (None, 300),
    "nothing": ("", 300),
    "true": (True, 300),
    "words": ("an hour", 300),
    "hexadecimal": ("0x10", 300),
    "with underscores": ("3_600", 300),
    "other digits": ("٣٦٠٠", 300),
    "a list": ([3600], 300),
    "an object": ({"s": 3600}, 300),
    "not a number": ("NaN", 300),
    "infinite": ("Infinity", 300),
    "zero": (0, 300),
    "negative": (-5, 300),
    "negative digits": ("-5", 300),
    "zero as digits": ("0", 300),
    "a century": (3_155_760_000, 366 * 86_400),
    "a century as digits": ("3155760000", 366 * 86_400),
    "without measure": (1e308, 366 * 86_400),
    "four hundred digits": (10**400, 300),
    "four hundred digits as text": ("9" * 400, 300),
}


@pytest.mark.mostly_slow
@pytest.mark.parametrize("form", LIFETIMES)
@pytest.mark.parametrize("when", ["at sign-in", "at a refresh"])
async def test_lifetimes_are_read_in_all_usual_forms(form, when):
    """Numbers and digits are accepted; five minutes if it is missing or not positive."""
    said, seconds = LIFETIMES[form]
    async with open_site() as site:

        async def saying(call) -> Reply:
            answer = await site.answer(call)
            if call.target != "/token":
                return answer
            body = {**json.loads(answer.body), "expires_in": said}
            return Reply(answer.status, answer.headers, json.dumps(body).encode())

        browser = site.browser()
        if when == "at sign-in":
            site.provider.then(saying)
        await browser.sign_in()
        if when == "at a refresh":
            await answered(site, browser, saying)
        tokens = (await site.auth.sessions.find(browser.cookie)).session.tokens

    assert tokens.expires_at - tokens.given_at == pytest.approx(seconds, rel=1e-3)


def replaced_id_token(site, make):
    """Return a step whose refresh brings another ID token: what `make` returns for its claims."""

    async def step(call) -> Reply:
        answer = await site.answer(call)
        body = json.loads(answer.body)
        if "id_token" in body:
            body["id_token"] = make()
        return Reply(answer.status, answer.headers, json.dumps(body).encode())

    return step


def claims(site, **changed):
    """Return the claims of a good ID token of user 1; None leaves one out."""
    now = int(site.wall.now)
    payload = {"iss": ISSUER, "aud": "web", "sub": "1", "iat": now, "exp": now + 300, **changed}
    return {name: value for name, value in payload.items() if value is not None}


@pytest.mark.mostly_slow
@pytest.mark.parametrize(
    "changed",
    [
        {"sub": "2"},
        {"sub": ""},
        {"sub": None},
        {"sub": 1},
        {"sub": ["1"]},
        {"iss": "https://evil.example"},
        {"iss": f"{ISSUER}/"},
        {"iss": None},
        {"aud": "another-client"},
        {"aud": ["another-client"]},
        {"aud": []},
        {"aud": None},
        {"azp": "another-client"},
        {"iat": None},
        {"iat": "yesterday"},
        {"exp": 1},
        {"exp": None},
    ],
)
async def test_an_id_token_of_another_user_ends_the_session(changed):
    """The new tokens are not used, and the log has the reason."""
    async with open_site() as site:
        browser = site.browser()
        await browser.sign_in()
        book = site.identity.state.store
        step = replaced_id_token(site, lambda: signed(book, "JWT", claims(site, **changed)))
        answer = await answered(site, browser, step)
        reports = [event for event in site.events if isinstance(event, TokenRefused)]

    assert (answer.status_code, answer.json()["login"]) == (401, "/bff/login")
    assert browser.cookie is None
    assert changes(site) == ["begun", "refused"]
    assert [one.reason.startswith("id_token_") for one in reports] == [True]
    assert site.service.calls == []


@pytest.mark.parametrize("forged", ["signature", "no token", "none", "logout"])
async def test_a_forged_id_token_ends_the_session(forged):
    """With a wrong signature, without one, of another type, or no token at all."""
    async with open_site() as site:
        browser = site.browser()
        await browser.sign_in()
        book = site.identity.state.store

        def make() -> str:
            head, body, signature = signed(book, "JWT", claims(site)).split(".")
            other = signed(book, "JWT", claims(site, sub="2")).split(".")[2]
            return {
                "signature": f"{head}.{body}.{other}",
                "no token": "canary",
                "none": f"eyJhbGciOiJub25lIn0.{body}.{signature}",
                "logout": signed(book, "logout+jwt", claims(site)),
            }[forged]

        answer = await answered(site, browser, replaced_id_token(site, make))

    assert answer.status_code == 401
    assert changes(site) == ["begun", "refused"]


@pytest.mark.parametrize(
    "changed", [{}, {"aud": ["web", "another"]}, {"azp": "web"}, {"name": "Someone"}]
)
async def test_an_id_token_of_the_same_user_is_accepted(changed):
    """Other claims may change."""
    async with open_site() as site:
        site.service.then(guarded(site))
        browser = site.browser()
        await browser.sign_in()
        book = site.identity.state.store
        step = replaced_id_token(site, lambda: signed(book, "JWT", claims(site, **changed)))
        answer = await answered(site, browser, step)

    assert answer.json() == 1
    assert changes(site) == ["begun", "refreshed"]


async def test_a_refresh_without_an_id_token_is_accepted():
    """Providers need not send one."""
    async with open_site() as site:
        site.service.then(guarded(site))
        browser = site.browser()
        await browser.sign_in()
        answer = await answered(site, browser, replaced_id_token(site, lambda: None))

    assert answer.json() == 1


@pytest.mark.parametrize(("user", "status"), [("1", 200), ("2", 401), (None, 401)])
async def test_an_id_token_is_checked_without_its_key_if_that_is_unavailable(user, status):
    """The new refresh token is not lost; an ID token of another user still ends the session."""
    async with open_site() as site:
        site.service.then(guarded(site))
        browser = site.browser()
        await browser.sign_in()
        book = site.identity.state.store
        await site.rotate_keys()

        async def without_keys(call) -> Reply:
            if call.target == "/jwks":
                return Reply(503)
            return await replaced_id_token(
                site, lambda: signed(book, "JWT", claims(site, sub=user))
            )(call)

        answer = await answered(site, browser, without_keys)

    assert answer.status_code == status


async def test_a_viewer_is_named_by_the_claim_of_the_options():
    """A changed tenant, or a changed subject of another claim, is another user."""
    changed = {"subject": "email", "tenant": "locale"}
    async with open_site(changed=changed) as site:
        browser = site.browser()
        await browser.sign_in()
        book = site.identity.state.store
        session = (await site.auth.sessions.find(browser.cookie)).session
        grant = next(iter(book.refreshes.values()))
        same = await answered(
            site, browser, replaced_id_token(site, lambda: id_token(book, grant, "x"))
        )
        answer = await answered(
            site,
            browser,
            replaced_id_token(
                site, lambda: signed(book, "JWT", claims(site, email=session.subject, locale="xx"))
            ),
        )

    assert same.status_code != 401
    assert answer.status_code == 401


def test_a_refused_session_is_logged_as_refused(caplog):
    """`refused` is the logged change of each session that a provider has ended."""
    caplog.set_level("INFO")
    LogSink()(SessionChanged("refused"))

    assert caplog.records[0].event["change"] == "refused"
