"""Who may use the console of a gateway, and what others get."""

import subprocess
import sys
from contextlib import asynccontextmanager
from http.cookies import SimpleCookie
from pathlib import Path

import httpx
import pytest

from bff_core import ANYONE, access, events, gateway
from bff_core.admin.operator_token import MAX_FAILURES, OperatorToken
from bff_core.console.sign_in.access import is_loopback
from bff_core.console.sign_in.operator_session import (
    MAX_ENDED,
    SESSION_SECONDS,
    EndedSessions,
    OperatorSessions,
)
from bff_core.errors import ConfigurationError
from bff_core.settings.model import Settings
from bff_core.testing import running
from tests.console.conftest import CHANGE

TOKEN = "the-operator-s-own-token"
PRODUCTION = {
    "env": "production",
    "console": "on",
    "operator_token": TOKEN,
    "allowed_hosts": ["shop.example", "localhost"],
    "log": "off",
}
BEARER = {"authorization": f"Bearer {TOKEN}"}
FORM = {"content-type": "application/x-www-form-urlencoded"}


@asynccontextmanager
async def console_of(*, url="http://localhost", peer="127.0.0.1", sinks=(), **values):
    """Yield a client of a gateway with these settings; it follows no redirect."""
    app = gateway("shop", settings=Settings(**values), sinks=sinks)
    transport = httpx.ASGITransport(app, client=(peer, 50000))
    async with running(app), httpx.AsyncClient(transport=transport, base_url=url) as client:
        yield client


def cookie_of(response: httpx.Response):
    """Return the session cookie that a response sets."""
    (morsel,) = SimpleCookie(response.headers["set-cookie"]).values()
    return morsel


async def sign_in(client, token=TOKEN, **fields):
    """Send the form of the sign-in page."""
    return await client.post("/console/login", data={"token": token, **fields}, headers=FORM)


@pytest.mark.parametrize("host", ["localhost:8001", "127.0.0.1", "[::1]:80", "a.localhost"])
async def test_in_development_this_machine_needs_no_token(host):
    """A developer opens the page, and may change things."""
    async with console_of(env="development", log="off") as client:
        response = await client.get("/console/api/installation", headers={"host": host})
        change = await client.post(
            "/console/api/upstreams/none/actions",
            json={"action": "open"},
            headers={**CHANGE, "host": host},
        )

    assert response.status_code == 200
    assert response.json()["is_development"] is True
    assert (change.status_code, change.json()["title"]) == (404, "No service is called none")
    assert [one["name"] for one in response.json()["gateways"]] == ["shop"]


@pytest.mark.parametrize(
    ("host", "peer"),
    [
        ("evil.example", "127.0.0.1"),
        ("localhost.evil.example", "127.0.0.1"),
        ("127.0.0.1.evil.example", "127.0.0.1"),
        ("localhost@evil.example", "127.0.0.1"),
        ("", "127.0.0.1"),
        ("localhost", "10.1.2.3"),
        ("localhost", "2001:db8::1"),
    ],
)
async def test_in_development_others_are_refused(host, peer):
    """Neither a name that resolves to this machine nor a client elsewhere gets in."""
    async with console_of(env="development", log="off", peer=peer) as client:
        response = await client.get("/console/api/installation", headers={"host": host})
        page = await client.get("/console", headers={"host": host})

    assert (response.status_code, page.status_code) == (403, 403)
    assert "BFF_OPERATOR_TOKEN" in response.json()["detail"]


@pytest.mark.parametrize("console", [None, "off"])
async def test_in_production_there_is_no_console_unless_it_is_on(console):
    """A gateway that was not configured for it has no such path."""
    async with console_of(**{**PRODUCTION, "console": console}) as client:
        response = await client.get("/console/api/installation", headers=BEARER)

    assert response.status_code == 404


def test_in_production_the_console_is_imported_before_the_gateway_is_ready():
    """Its first page would block requests of clients for as long as that takes."""
    script = """
import asyncio, sys
from bff_core import gateway
from bff_core.testing import running

async def main():
    async with running(gateway("shop")):
        print("bff_core.console.overview.overview" in sys.modules)

asyncio.run(main())
"""
    environ = {
        "BFF_CONSOLE": "on",
        "BFF_OPERATOR_TOKEN": TOKEN,
        "BFF_ALLOWED_HOSTS": "shop.example",
    }
    ended = subprocess.run(
        [sys.executable, "-c", script],
        env={"BFF_LOG": "off", **environ},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (ended.stdout, ended.returncode) == ("True\n", 0), ended.stderr


def test_in_production_the_console_needs_a_token():
    """A gateway that would serve an open console does not start."""
    settings = Settings(env="production", console="on", allowed_hosts=["shop.example"])

    with pytest.raises(ConfigurationError, match="BFF_CONSOLE=on: set BFF_OPERATOR_TOKEN"):
        gateway("shop", settings=settings)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer wrong-wrong-wrong-wrong"},
        {"authorization": f"Bearer {TOKEN}x"},
        {"authorization": TOKEN},
        {"authorization": "Bearer "},
        {"authorization": "Bearer é".encode("latin-1")},
        {"cookie": "bff-console="},
        {"cookie": "bff-console=9999999999.abc.0123"},
        {"cookie": "bff-console=é.é.é".encode("latin-1")},
        {"cookie": "bff-console=" + "." * 3000},
        {"cookie": f"bff-console={TOKEN}"},
    ],
)
async def test_without_token_or_session_there_is_no_access(headers):
    """The API answers 401; a page shows the form for the token."""
    async with console_of(**PRODUCTION) as client:
        api = await client.get("/console/api/installation", headers=headers)
        page = await client.get("/console/requests/17", headers=headers)

    assert api.status_code == 401
    assert api.headers["www-authenticate"] == "Bearer"
    assert page.status_code == 401
    assert 'name="next" value="/console/requests/17"' in page.text
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]


async def test_a_bearer_token_opens_the_api():
    """Scripts send the token itself."""
    async with console_of(**PRODUCTION) as client:
        response = await client.get("/console/api/installation", headers=BEARER)

    assert response.json()["is_development"] is False


async def test_signing_in_makes_a_session_that_signing_out_ends():
    """The cookie is out of reach of scripts and other sites; a stolen copy of it ends, too."""
    async with console_of(**PRODUCTION) as client:
        entered = await sign_in(client, next="/console/requests?state=failed")
        cookie = cookie_of(entered)
        during = await client.get("/console/api/installation")
        left = await client.post("/console/api/logout", json={}, headers=CHANGE)
        stolen = {"cookie": f"bff-console={cookie.value}"}
        after = await client.get("/console/api/installation", headers=stolen)

    assert entered.status_code == 303
    assert entered.headers["location"] == "/console/requests?state=failed"
    assert (cookie.key, cookie["path"]) == ("bff-console", "/console")
    assert (cookie["httponly"], cookie["samesite"]) == (True, "strict")
    assert cookie["max-age"] == str(SESSION_SECONDS)
    assert TOKEN not in cookie.value
    assert (during.status_code, left.status_code, after.status_code) == (200, 204, 401)


async def test_over_https_the_cookie_is_secure():
    """The name begins with __Secure-, so that no page over http can set it."""
    public = {**PRODUCTION, "public_url": "https://shop.example"}
    async with console_of(**public) as client:
        cookie = cookie_of(await sign_in(client))

    assert (cookie.key, cookie["secure"]) == ("__Secure-bff-console", True)


@pytest.mark.parametrize(
    "target", ["https://evil.example", "//evil.example", "/consoles", "/console\r\nx: y", "/v1"]
)
async def test_signing_in_leads_to_the_console_only(target):
    """A link to the form can't lead an operator elsewhere."""
    async with console_of(**PRODUCTION) as client:
        entered = await sign_in(client, next=target)

    assert entered.headers["location"] == "/console"


async def test_a_form_of_another_origin_is_refused():
    """No other site can sign a browser in."""
    async with console_of(**PRODUCTION) as client:
        foreign = {**FORM, "origin": "https://evil.example"}
        response = await client.post("/console/login", data={"token": TOKEN}, headers=foreign)

    assert response.status_code == 403
    assert "set-cookie" not in response.headers


async def test_a_form_of_chromium_without_referrer_signs_in():
    """It sends `Origin: null`; only its `Sec-Fetch-Site` says whose form it is."""
    async with console_of(**PRODUCTION) as client:
        form = {**FORM, "origin": "null"}
        own = {**form, "sec-fetch-site": "same-origin"}
        foreign = {**form, "sec-fetch-site": "cross-site"}
        statuses = [
            (await client.post("/console/login", data={"token": TOKEN}, headers=one)).status_code
            for one in (own, foreign, form)
        ]

    assert statuses == [303, 403, 403]


async def test_wrong_tokens_are_limited_and_the_right_one_is_not():
    """After ten of them an address gets 429 for more; the right one opens the console at once."""
    async with console_of(**PRODUCTION) as client:
        statuses = [(await sign_in(client, "wrong")).status_code for _ in range(MAX_FAILURES)]
        page = await sign_in(client, "wrong")
        script = await client.get("/console/api/live", headers={"authorization": "Bearer wrong"})
        right = await sign_in(client)
        bearer = await client.get("/console/api/installation", headers=BEARER)

    assert statuses == [401] * MAX_FAILURES
    assert (page.status_code, script.status_code) == (429, 429)
    assert 0 < int(page.headers["retry-after"]) <= 300
    assert "Send the right one" in page.text
    assert (right.status_code, bearer.status_code) == (303, 200)


def test_a_session_ends_after_its_time_and_with_its_token():
    """Neither an old cookie nor one of an earlier token or another gateway is accepted."""
    now = [1_800_000_000.0]
    token = OperatorToken(TOKEN, events.Events())
    ours = OperatorSessions(token, "shop", wall=lambda: now[0], ended=EndedSessions())
    value = ours.new()
    new = OperatorToken(f"{TOKEN}2", events.Events())
    later_token = OperatorSessions(new, "shop", wall=lambda: now[0], ended=EndedSessions())
    other = OperatorSessions(token, "other", wall=lambda: now[0], ended=EndedSessions())

    assert ours.nonce(value) is not None
    assert later_token.nonce(value) is None
    assert other.nonce(value) is None
    expiry, rest = value.split(".", 1)
    assert ours.nonce(f"{int(expiry) + 1}.{rest}") is None
    now[0] += SESSION_SECONDS
    assert ours.nonce(value) is None


def test_each_sign_out_counts_and_ended_sessions_are_forgotten_when_they_expire():
    """The newest ones are stored whatever came before, and their number is limited."""
    now = [1_800_000_000.0]
    ended = EndedSessions(lambda: now[0])
    for number in range(MAX_ENDED + 10):
        ended.add(f"{number}", now[0] + 60)

    assert len(ended) == MAX_ENDED
    assert ("9" in ended, "10" in ended, f"{MAX_ENDED + 9}" in ended) == (False, True, True)
    now[0] += 60
    ended.add("later", now[0] + 60)
    assert len(ended) == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": "application/json"},
        {"x-bff-console": "1"},
        {"x-bff-console": "1", "content-type": "text/plain"},
        {**CHANGE, "sec-fetch-site": "cross-site"},
        {**CHANGE, "sec-fetch-site": "same-site", "sec-fetch-mode": "navigate"},
    ],
)
async def test_a_change_from_another_site_is_refused(headers):
    """A page that a developer visits can't change their gateways."""
    async with console_of(env="development", log="off") as client:
        response = await client.post("/console/api/logout", content="{}", headers=headers)

    assert response.status_code == 403


@pytest.mark.parametrize(("mode", "status"), [("navigate", 200), ("no-cors", 403), ("cors", 403)])
async def test_a_link_opens_the_console_and_a_script_does_not(mode, status):
    """Other sites may link to a page, and load nothing of it."""
    headers = {"sec-fetch-site": "cross-site", "sec-fetch-mode": mode}
    async with console_of(env="development", log="off") as client:
        response = await client.get("/console/api/installation", headers=headers)

    assert response.status_code == status


async def test_the_host_is_one_of_the_gateway():
    """With a token, too, a forged Host is refused."""
    async with console_of(**PRODUCTION) as client:
        forged = {**BEARER, "host": "evil.example"}
        response = await client.get("/console/api/installation", headers=forged)

    assert response.status_code == 400


@pytest.mark.parametrize(
    "doubled",
    [
        [("host", "localhost"), ("host", "evil.example")],
        [
            ("host", "localhost"),
            ("authorization", "Bearer x"),
            ("authorization", f"Bearer {TOKEN}"),
        ],
        [("host", "localhost"), ("sec-fetch-site", "none"), ("sec-fetch-site", "cross-site")],
    ],
)
@pytest.mark.parametrize("values", [PRODUCTION, {"env": "development", "log": "off"}])
async def test_a_header_that_access_depends_on_is_sent_once(doubled, values):
    """Proxy and gateway could differ in which of the two counts."""
    async with console_of(**values) as client:
        page = await client.get("/console/api/installation", headers=doubled)
        form = await client.post("/console/login", headers=[*doubled, *FORM.items()], content="")

    assert page.status_code == 400
    assert "sent twice" in page.json()["title"]
    assert form.status_code in {400, 403}


async def test_the_form_leads_to_the_page_that_was_wanted_with_its_filter():
    """Also for a link with a query; the form itself leads to the first page."""
    async with console_of(**PRODUCTION) as client:
        wanted = await client.get("/console/requests?state=failed&text=%22a")
        first = await client.get("/console?gateway=shop")
        form = await client.get("/console/login")
        await sign_in(client)
        later = await client.get("/console/login")

    assert 'value="/console/requests?state=failed&amp;text=%22a"' in wanted.text
    assert 'value="/console?gateway=shop"' in first.text
    assert (form.status_code, 'name="next" value="/console"' in form.text) == (401, True)
    assert (later.status_code, later.headers["location"]) == (307, "/console")


async def test_the_form_suits_password_managers_and_screen_readers():
    """The token is a password of the user `operator`; the error belongs to its field."""
    async with console_of(**PRODUCTION) as client:
        fresh = await client.get("/console")
        wrong = await sign_in(client, "wrong")

    assert 'autocomplete="username"' in fresh.text
    assert 'autocomplete="current-password"' in fresh.text
    assert '<label for="token">' in fresh.text
    assert "aria-invalid" not in fresh.text
    assert 'role="alert">That is not the operator token of this gateway.' in wrong.text
    assert 'aria-describedby="why note" aria-invalid="true"' in wrong.text
    assert "Sign in to shop" in wrong.text


async def test_only_a_browser_with_a_session_can_sign_out():
    """Its page has a button for it; scripts with the token have no session."""
    async with console_of(**PRODUCTION) as client:
        script = await client.get("/console/api/installation", headers=BEARER)
        await sign_in(client)
        browser = await client.get("/console/api/installation")

    assert (script.json()["can_sign_out"], browser.json()["can_sign_out"]) == (False, True)


async def test_changes_are_audited_and_requests_of_the_console_are_not_counted():
    """Signing in is a line of the log with actor and address; pages are no traffic of clients."""
    found = []
    async with console_of(**PRODUCTION, sinks=[found.append]) as client:
        await sign_in(client)
        await client.get("/console/api/installation")

    acted = [one for one in found if isinstance(one, events.OperatorActed)]
    assert [(one.actor, one.client, one.subject, one.action) for one in acted] == [
        ("operator", "127.0.0.1", "console", "signed in")
    ]
    assert not [one for one in found if isinstance(one, events.RequestAnswered)]


@pytest.mark.parametrize(
    ("host", "is_ours"),
    [
        ("localhost", True),
        ("LOCALHOST:1", True),
        ("web.localhost:8001", True),
        ("127.9.9.9", True),
        ("[::1]", True),
        ("127.0.0.1:80:80", False),
        ("localhost:", False),
        ("localhost\n", False),
        (".localhost", False),
        ("[::1].evil.example", False),
        ("0.0.0.0", False),
    ],
)
def test_hosts_of_this_machine(host, is_ours):
    """Names that resolve to this machine by definition, and no others."""
    assert is_loopback(host) is is_ours


@pytest.mark.parametrize("path", ["/shop/console", "/console"])
async def test_below_a_path_all_addresses_have_it(path):
    """Whether the proxy strips the path or not, links, form and cookie are below it."""
    async with console_of(**PRODUCTION, public_url="https://localhost/shop") as client:
        page = await client.get(path)
        entered = await client.post(f"{path}/login", data={"token": TOKEN}, headers=FORM)

    assert 'action="/shop/console/login"' in page.text
    assert entered.headers["location"] == "/shop/console"
    assert cookie_of(entered)["path"] == "/shop/console"


@pytest.mark.parametrize(
    "path", ["/graphql/console", "/v1/console", "/consoles", "/Console", "/other/console/api/live"]
)
async def test_the_console_is_at_its_own_path_only(path):
    """No other path leads there."""
    async with console_of(env="development", log="off") as client:
        response = await client.get(path)

    assert response.status_code == 404
    assert "x-request-id" in response.headers  # the gateway has answered


async def test_web_sockets_are_closed():
    """There are none, and the lifecycle of requests does not see them."""
    app, sent = gateway("shop", settings=Settings(env="development", log="off")), []

    async def receive():
        return {"type": "websocket.connect"}

    async def send(message):
        sent.append(message)

    scope = {"type": "websocket", "path": "/console/api/live", "query_string": b"", "headers": []}
    async with running(app):
        await app(scope, receive, send)

    assert sent == [{"type": "websocket.close", "code": 1008}]


def app_with_own_console(console):
    """Make a gateway that has a route at the console's path."""
    app = gateway("shop", settings=Settings(env="development", log="off", console=console))

    @app.get("/console")
    @access(ANYONE)
    async def own() -> str:
        return "ours"

    return app


async def test_a_route_of_the_application_at_the_same_path_wins():
    """In development the console gives way."""
    async with running(app_with_own_console(None)) as client:
        assert (await client.get("/console")).json() == "ours"


async def test_a_console_that_has_no_path_does_not_start():
    """With BFF_CONSOLE=on the gateway says why it can't serve it."""
    with pytest.raises(ConfigurationError, match="a route of the gateway has the path"):
        async with running(app_with_own_console("on")):
            pass
