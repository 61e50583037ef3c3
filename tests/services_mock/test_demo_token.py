"""Demo tokens and sign-in by hint: what pages of the reference application use at the provider."""

import re

import httpx
import pytest

from services_mock.identity import origins_of
from services_mock.identity.clients import FOR_CUSTOMERS
from tests.services_mock.test_identity import BASIC, WEB, running

FORM = {"client_id": "mobile", "customer": "1"}
PAGE = {"origin": WEB}
HIDDEN = re.compile(r'type="hidden" name="([^"]*)" value="([^"]*)"')


async def demo(provider, headers=PAGE, **changed) -> httpx.Response:
    """Request a token; None leaves a field out."""
    form = {name: value for name, value in (FORM | changed).items() if value is not None}
    return await provider.client.post("/demo/token", data=form, headers=headers)


@pytest.mark.parametrize(
    ("client", "customer", "extra"),
    [("mobile", "1", set()), ("desktop", "3", set()), ("desktop", "9", {"prices:write"})],
)
async def test_a_token_is_as_after_a_sign_in(client, customer, extra):
    """For the client's gateway, with the scopes of that customer, and active."""
    async with running() as provider:
        answer = await demo(provider, client_id=client, customer=customer)
        token = answer.json()["access_token"]
        claims = await provider.claims(token)
        form = {"token": token}
        introspected = (await provider.client.post("/introspect", data=form, auth=BASIC)).json()
    scopes = FOR_CUSTOMERS - {"offline_access"} | extra

    assert answer.headers["cache-control"] == "no-store"
    assert {*answer.json()} == {"access_token", "token_type", "expires_in", "scope"}
    assert (answer.json()["token_type"], answer.json()["expires_in"]) == ("Bearer", 300)
    assert set(answer.json()["scope"].split()) == set(claims["scope"].split()) == scopes
    assert (claims["sub"], claims["client_id"]) == (customer, client)
    assert claims["aud"] == f"https://{client}.shop.example"
    assert claims["exp"] - claims["auth_time"] == 300
    assert introspected["active"]


async def test_a_token_has_only_the_scopes_that_are_requested():
    """A page can try what an app with fewer scopes sees; staff scopes are not for customers."""
    async with running() as provider:
        fewer = await demo(provider, scope="openid cart:read")
        staff = await demo(provider, client_id="desktop", scope="openid prices:write")

    assert fewer.json()["scope"] == "cart:read openid"
    assert staff.json()["scope"] == "openid"


@pytest.mark.parametrize(
    ("changed", "error", "says"),
    [
        ({"customer": "0"}, "invalid_request", "1 to 320"),
        ({"customer": "321"}, "invalid_request", "1 to 320"),
        ({"customer": "x"}, "invalid_request", "1 to 320"),
        ({"customer": None}, "invalid_request", "1 to 320"),
        ({"client_id": "nonsense"}, "invalid_client", "nonsense"),
        ({"client_id": None}, "invalid_client", "''"),
        ({"client_id": "web"}, "unauthorized_client", "secret"),
        ({"client_id": "jobs"}, "unauthorized_client", "secret"),
        ({"client_id": "opaque"}, "unauthorized_client", "secret"),
        ({"scope": "openid nonsense"}, "invalid_scope", "nonsense"),
    ],
)
async def test_an_error_says_what_is_wrong(changed, error, says):
    """The page can read it, and no browser opens its password dialog."""
    async with running() as provider:
        answer = await demo(provider, **changed)

    assert (answer.status_code, answer.json()["error"]) == (400, error)
    assert says in answer.json()["error_description"]
    assert answer.headers["access-control-allow-origin"] == WEB
    assert "www-authenticate" not in answer.headers


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", f"{WEB}.evil.example", "http://shop.example", ""]
)
async def test_pages_of_other_origins_get_no_token(origin):
    """Neither by a form nor by a script."""
    async with running() as provider:
        answer = await demo(provider, {"origin": origin})
        preflight = await provider.client.options("/demo/token", headers={"origin": origin})

    assert answer.status_code == preflight.status_code == 403
    assert "access_token" not in answer.text
    assert "access-control-allow-origin" not in {*answer.headers, *preflight.headers}


async def test_a_terminal_gets_a_token():
    """What is no browser sends no origin."""
    async with running() as provider:
        answer = await demo(provider, {})

    assert answer.status_code == 200
    assert answer.headers["vary"] == "Origin"


async def test_a_page_of_the_web_gateway_may_call():
    """The preflight names what it may send."""
    async with running() as provider:
        answer = await provider.client.options("/demo/token", headers=PAGE)

    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == WEB
    assert answer.headers["access-control-allow-methods"] == "POST"
    assert answer.headers["access-control-allow-headers"] == "Content-Type"
    assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize(
    ("web", "origins"),
    [
        ("http://localhost:8001", {"http://localhost:8001", "http://127.0.0.1:8001"}),
        ("http://127.0.0.1", {"http://localhost", "http://127.0.0.1"}),
        ("https://shop.example/store", {"https://shop.example"}),
        ("http://localhost.evil.example", {"http://localhost.evil.example"}),
    ],
)
def test_this_machine_has_two_names(web, origins):
    """Other hosts have one."""
    assert origins_of(web) == origins


async def test_a_hint_signs_that_customer_in():
    """Without the page; the browser stays signed in, and another hint changes the customer."""
    async with running() as provider:
        first = await provider.chosen(login_hint="3")
        again = await provider.chosen()
        other = await provider.chosen(login_hint="9")
        subjects = [
            (await provider.claims((await provider.redeemed(one["code"])).json()["id_token"]))
            for one in (first, again, other)
        ]

    assert [one["sub"] for one in subjects] == ["3", "3", "9"]
    assert subjects[0]["sid"] == subjects[1]["sid"] != subjects[2]["sid"]


@pytest.mark.parametrize(
    ("changed", "headers"),
    [
        ({"login_hint": "0"}, {}),
        ({"login_hint": "somebody@example.com"}, {}),
        ({"login_hint": ""}, {}),
        ({"login_hint": "3", "prompt": "login"}, {}),
        ({"login_hint": "3", "prompt": "select_account"}, {}),
        ({"login_hint": "3", "max_age": "100"}, {}),
        ({"login_hint": "3", "acr_values": "2"}, {}),
        ({"login_hint": "3"}, {"sec-fetch-site": "cross-site"}),
    ],
)
async def test_the_page_is_shown_where_a_hint_is_not_enough(changed, headers):
    """No such customer, or a request that demands more, or one that another site has started."""
    async with running() as provider:
        provider.client.headers.update(headers)
        page = await provider.authorize(**changed)

    assert page.status_code == 200
    assert "Who are you?" in page.text
    assert "set-cookie" not in page.headers


@pytest.mark.parametrize("site", ["none", "same-site", "same-origin"])
async def test_a_hint_works_from_the_gateway_and_the_address_bar(site):
    """The gateway is another port of the same site."""
    async with running() as provider:
        provider.client.headers["sec-fetch-site"] = site
        answer = await provider.authorize(login_hint="3")

    assert answer.status_code == 303
    assert "code=" in answer.headers["location"]


async def test_a_hint_is_no_sign_in_without_a_page_where_none_may_be_shown():
    """`prompt=none` succeeds only for who is signed in already."""
    async with running() as provider:
        back = await provider.chosen(login_hint="3", prompt="none")

    assert back["error"] == "login_required"


async def test_customers_of_one_name_differ_on_the_page():
    """The page shows number, tier and points, and who is staff."""
    async with running() as provider:
        page = (await provider.authorize()).text
    buttons = re.findall(r'<button class="customer".*?</button>', page, re.DOTALL)
    shown = [re.sub(r"<[^>]*>|\s+", " ", one) for one in buttons]

    assert sum("Rémi Guérin" in one for one in shown) == 2
    assert len(set(shown)) == len(shown) == 4
    assert "Customer 1, gold, 7,450 points" in shown[0]
    assert ["staff" in one for one in shown] == [False, False, False, True]


async def test_the_enter_key_signs_the_typed_number_in():
    """The number has a form of its own: Enter presses the first button of a form."""
    async with running() as provider:
        page = (await provider.authorize()).text
    typed = next(one for one in page.split("<form ") if 'name="other"' in one)

    assert 'name="user"' not in typed
    assert dict(HIDDEN.findall(typed))["code_challenge"]


async def test_the_page_has_the_one_style_that_its_policy_allows():
    """By hash: a style that got into the page some other way would be ignored."""
    async with running() as provider:
        page = await provider.authorize()
    policy = page.headers["content-security-policy"]

    assert re.search(r"style-src 'sha256-[A-Za-z0-9+/]{43}='", policy)
    assert "unsafe" not in policy
    assert " style=" not in page.text
