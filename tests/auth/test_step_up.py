"""Step-up authentication of routes and fields: `Require(acr=…, max_age=…)`."""

from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import strawberry

from bff_core import ANYONE, Gateway, Require, Settings, Views, access, gateway
from bff_core.auth.access import StepUpRequired, admit
from bff_core.auth.bearer import BearerAuthenticator
from bff_core.auth.issuer_config import Issuer
from bff_core.auth.viewer import Viewer
from bff_core.errors import ConfigurationError, NotAllowed, NotAuthenticated
from bff_core.events import Events
from bff_core.graphql import GraphQL
from bff_core.scope import Scope
from bff_core.testing.scripted import Scripted, ScriptedTransport, reply
from tests.auth.browser.site import GOES, HERE, Browser, open_site
from tests.auth.tokens import AUDIENCE, ISSUER, NOW, claims, key_set, signed, wall


@dataclass
class Done:
    """What was done."""

    done: bool = True


def guarded_views() -> Views:
    """Return routes that require stronger authentication."""
    views = Views(prefix="/v1")

    @views.get("/strong", access=Require(acr="2"))
    async def get_strong() -> Done:
        return Done()

    @views.get("/fresh", access=Require(max_age=300))
    async def get_fresh() -> Done:
        return Done()

    @views.post("/pay", access=Require(acr=("2", "3"), max_age=60))
    async def pay() -> Done:
        return Done()

    return views


def graph() -> GraphQL:
    """Return a schema with a field that requires strong authentication."""

    @strawberry.type
    class Query:
        @strawberry.field
        @access(Require(acr="2", max_age=300))
        def secret(self) -> str | None:
            return "value"

        @strawberry.field
        @access(ANYONE)
        def open(self) -> str:
            return "value"

    return GraphQL(strawberry.Schema(Query))


async def went(browser: Browser, login: str) -> httpx.Response:
    """Go where a problem says, with the page to come back to, and sign in there."""
    page = await browser.go(f"{HERE}{login}&returnUrl=/v1/welcome")
    return page if page.url.host == "shop.example" else await browser.choose(page, "1")


@pytest.mark.parametrize(
    ("path", "method", "wanted"),
    [
        ("/v1/strong", "GET", {"acr_values": "2"}),
        ("/v1/pay", "POST", {"acr_values": "2 3", "max_age": 60}),
    ],
)
async def test_a_page_learns_the_required_sign_in(path, method, wanted):
    """The answer is 401 with the login address; after that sign-in the request is answered."""
    async with open_site(more=[guarded_views()]) as site:
        browser = site.browser()
        await browser.sign_in("1")
        refused = await browser.fetch(path, method)
        problem = refused.json()
        await went(browser, problem["login"])
        done = await browser.fetch(path, method)
        user = (await browser.fetch("/bff/user")).json()

    assert refused.status_code == 401
    assert problem["code"] == "insufficient_user_authentication"
    assert wanted.items() <= problem.items()
    assert "cookie-name" in refused.headers["www-authenticate"]
    expected = {name: [str(value)] for name, value in wanted.items()}
    assert parse_qs(urlsplit(problem["login"]).query) == expected
    assert (done.status_code, done.json()) == (200, {"done": True})
    assert (user["acr"], user["auth_time"]) == ("2", round(site.wall.now))


async def test_a_sign_in_gets_too_old():
    """It is accepted for `max_age` seconds; after a new sign-in the user stays signed in."""
    async with open_site(more=[guarded_views()]) as site:
        browser = site.browser()
        await browser.sign_in("1")
        statuses = [(await browser.fetch("/v1/fresh")).status_code]
        site.wall.now += 300
        statuses.append((await browser.fetch("/v1/fresh")).status_code)
        site.wall.now += 1
        refused = await browser.fetch("/v1/fresh")
        page = await browser.go(f"{HERE}{refused.json()['login']}&returnUrl=/v1/welcome")
        await browser.choose(page, "1")
        statuses.append((await browser.fetch("/v1/fresh")).status_code)
        site.wall.now += 400
        me = await browser.fetch("/v1/me")

    assert refused.status_code == 401
    assert refused.json()["login"] == "/bff/login?max_age=300"
    assert statuses == [200, 200, 200]
    assert me.status_code == 200


async def test_a_graphql_field_reports_the_required_sign_in():
    """Its error has the parameters in `extensions`; other fields are answered."""
    async with open_site(more=[graph()]) as site:
        browser = site.browser()
        await browser.sign_in("1")
        query = {"query": "{ secret open }"}
        answer = (await browser.fetch("/graphql", "POST", json=query)).json()
        extensions = answer["errors"][0]["extensions"]
        await went(browser, extensions["login"])
        done = (await browser.fetch("/graphql", "POST", json=query)).json()

    assert answer["data"] == {"secret": None, "open": "value"}
    assert extensions["code"].lower() == "insufficient_user_authentication"
    assert extensions["acr_values"] == "2"
    assert extensions["max_age"] == 300
    assert done["data"] == {"secret": "value", "open": "value"}


@pytest.mark.parametrize(
    ("wish", "reason"),
    [
        ("acr_values=9", "unmet_authentication_requirements"),
        ("acr_values=a%22b%0D%0A", "invalid_request"),
        ("acr_values=" + "x" * 257, "invalid_request"),
        ("max_age=-1", "invalid_request"),
        ("max_age=1e3", "invalid_request"),
        ("max_age=%D9%A3", "invalid_request"),
        ("max_age=" + "9" * 10, "invalid_request"),
    ],
)
async def test_an_invalid_or_unmet_requirement_signs_no_user_in(wish, reason):
    """The old session stays active."""
    async with open_site() as site:
        browser = site.browser()
        await browser.sign_in("1")
        before = browser.cookie
        page = await browser.go(f"{HERE}/bff/login?returnUrl=/v1/welcome&{wish}")
        me = await browser.fetch("/v1/me")

    assert str(page.url) == f"{HERE}/v1/welcome?login_error={reason}"
    assert me.json() == {"subject": "1"}
    assert browser.cookie == before


@pytest.mark.mostly_slow
@pytest.mark.parametrize(
    ("wanted", "changed", "is_accepted"),
    [
        ({"acr_values": "2 3"}, {"acr": "3"}, True),
        ({"acr_values": "2 3"}, {"acr": "1"}, False),
        ({"acr_values": "2 3"}, {"acr": None}, False),
        ({"acr_values": "2 3"}, {"acr": ["2"]}, False),
        ({"acr_values": "2 3"}, {"acr": "2 3"}, False),
        ({"max_age": "100"}, {"auth_time": -160}, True),
        ({"max_age": "100"}, {"auth_time": -162}, False),
        ({"max_age": "100"}, {"auth_time": None}, False),
        ({"max_age": "100"}, {"auth_time": 62}, False),
        ({"max_age": "100"}, {"auth_time": "soon"}, False),
        ({"max_age": "0"}, {"auth_time": 0}, True),
        ({"max_age": "0"}, {"auth_time": -62}, False),
        ({}, {"acr": None, "auth_time": None}, True),
    ],
)
@pytest.mark.parametrize("by", ["page", "options"])
async def test_an_id_token_meets_what_was_required(wanted, changed, is_accepted, by):
    """`acr` and `auth_time` are checked, whether a page required them or `OpenIDProvider(extra=…)`.

    `auth_time` is in seconds from the start of the sign-in, with 60 of leeway.
    """
    extra = wanted if by == "options" else {}
    async with open_site(changed={"extra": extra}, claims=changed) as site:
        browser = site.browser()
        query = "&".join(f"{name}={value.replace(' ', '+')}" for name, value in wanted.items())
        query = query if by == "page" else ""
        page = await browser.go(f"{HERE}/bff/login?returnUrl=/v1/welcome&{query}")
        page = await browser.choose(page, "1")

    assert (browser.cookie is not None) is is_accepted
    assert str(page.url).endswith(
        "/welcome" if is_accepted else "unmet_authentication_requirements"
    )


def native() -> Gateway:
    """Return a gateway for access tokens."""
    keys = Scripted(reply(200, key_set()))
    return gateway(
        "mobile",
        faces=[guarded_views(), graph()],
        settings=Settings(
            env="development",
            gc_freeze=False,
            allowed_hosts=["testserver"],
            upstreams={"identity": ("http://10.0.0.1",)},
        ),
        authenticator=BearerAuthenticator(Issuer(issuer=ISSUER, audience=(AUDIENCE,)), wall=wall),
        transport=lambda *_: ScriptedTransport({"10.0.0.1": keys}),
        events=Events(),
    )


async def answer_of(path: str, **changed) -> httpx.Response:
    """Return the answer of a native gateway to a token."""
    app = native()
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://testserver")
    async with app.router.lifespan_context(app), client:
        headers = {"authorization": f"Bearer {signed(claims(**changed))}"}
        return await client.get(path, headers=headers)


@pytest.mark.parametrize(
    ("path", "changed"),
    [
        ("/v1/strong", {"acr": "2"}),
        ("/v1/fresh", {"auth_time": NOW - 299}),
        ("/v1/fresh", {"auth_time": NOW + 30}),
    ],
)
async def test_an_access_token_may_be_sufficient(path, changed):
    """Its claims `acr` and `auth_time` are checked (RFC 9470, section 6.1)."""
    assert (await answer_of(path, **changed)).status_code == 200


@pytest.mark.parametrize(
    ("path", "changed", "challenge"),
    [
        ("/v1/strong", {}, 'acr_values="2"'),
        ("/v1/strong", {"acr": "1"}, 'acr_values="2"'),
        ("/v1/strong", {"acr": 2}, 'acr_values="2"'),
        ("/v1/fresh", {}, 'max_age="300"'),
        ("/v1/fresh", {"auth_time": NOW - 301}, 'max_age="300"'),
        ("/v1/fresh", {"auth_time": NOW + 3600}, 'max_age="300"'),
        ("/v1/fresh", {"auth_time": str(NOW)}, 'max_age="300"'),
        ("/v1/fresh", {"auth_time": True}, 'max_age="300"'),
    ],
)
async def test_an_app_is_challenged_as_the_standard_says(path, changed, challenge):
    """`insufficient_user_authentication` in `WWW-Authenticate` (RFC 9470, section 3)."""
    answer = await answer_of(path, **changed)

    assert answer.status_code == 401
    header = answer.headers["www-authenticate"]
    assert header.startswith('Bearer error="insufficient_user_authentication"')
    assert challenge in header
    assert "login" not in answer.json()


def test_an_app_with_a_bound_token_is_challenged_by_its_scheme():
    """A request with `Authorization: DPoP` is challenged by DPoP."""
    headers = ((b"authorization", b"DPoP token"),)
    scope = Scope(0.0, headers=headers, viewer=Viewer("1", acr="1"), is_guarded=True)

    with pytest.raises(StepUpRequired) as refused:
        admit(Require(acr="2"), scope)
    assert refused.value.challenge.startswith('DPoP error="insufficient_user_authentication"')


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_age": 0},
        {"max_age": -1},
        {"max_age": 1.5},
        {"max_age": True},
        {"acr": 'a"b'},
        {"acr": "a b"},
        {"acr": ("",)},
        {"acr": (7,)},
    ],
)
def test_wrong_rules_are_refused(wrong):
    """Before the gateway starts."""
    with pytest.raises(ConfigurationError):
        Require(**wrong)


def test_the_rule_is_readable():
    """The list of access rules shows it."""
    text = str(Require("pay", acr=("2", "3"), max_age=60))

    assert text == "signed in, with pay, acr 2 or 3, a sign-in of the last 60 seconds"


async def test_a_missing_scope_needs_no_new_sign_in():
    """403: signing in again would not help. An anonymous caller gets 401."""
    needs = Require("pay", acr="2")

    with pytest.raises(NotAllowed):
        needs.admit(Viewer("1"))
    with pytest.raises(NotAuthenticated) as anonymous:
        needs.admit(Viewer(""))
    assert not isinstance(anonymous.value, StepUpRequired)


async def test_a_navigation_is_answered_with_the_login_page():
    """A page load is anonymous: its cookie is not read."""
    async with open_site(more=[guarded_views()]) as site:
        browser = site.browser()
        await browser.sign_in("1")
        answer = await browser.send("GET", f"{HERE}/v1/strong", headers=GOES)

    assert answer.status_code == 401
    assert "/bff/login" in answer.headers["www-authenticate"]
