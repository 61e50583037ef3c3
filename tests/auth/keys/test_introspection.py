"""Opaque tokens: introspected at their issuer, once a minute at most."""

import asyncio
from contextlib import asynccontextmanager
from urllib.parse import parse_qs

import pytest

from bff_core import FirstOf, gateway
from bff_core.auth.introspection import Introspection, IntrospectionAuthenticator
from bff_core.errors import ConfigurationError
from bff_core.events import Events
from bff_core.testing.scripted import Scripted, fail, reply
from tests.auth.test_bearer_gateway import views
from tests.auth.tokens import AUDIENCE, ISSUER, NOW, signed, wall
from tests.shop_with_view_cache import by_script, client_of, in_production

OPTIONS = Introspection(
    client_id="shop", client_secret="s3cret", audience=(AUDIENCE,), issuer=ISSUER
)


def active(**changed):
    """Return an issuer's reply for a good token; None leaves a member out."""
    members = {
        "active": True,
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "user-7",
        "scope": "orders:read",
        "client_id": "app",
        "exp": NOW + 600,
        **changed,
    }
    return reply(200, {name: value for name, value in members.items() if value is not None})


@asynccontextmanager
async def open_shop(*steps):
    """Run a gateway over an issuer that answers by a script."""
    service = Scripted(*steps)
    app = gateway(
        "shop",
        faces=[views],
        settings=in_production(["identity"]),
        authenticator=FirstOf(IntrospectionAuthenticator(OPTIONS, wall=wall)),
        events=Events(),
        transport=by_script({"identity": service}),
    )
    async with client_of(app) as client:
        yield client, service


def bearer(token="opaque-1"):
    """Return the headers of a client that has a token."""
    return {"authorization": f"Bearer {token}"}


async def test_an_active_token_is_introspected_once():
    """Any number of requests with it cause one introspection."""
    async with open_shop(active()) as (client, service):
        requests = [client.get("/v1/me", headers=bearer()) for _ in range(10)]
        answers = await asyncio.gather(*requests)

    assert [one.status_code for one in answers] == [200] * 10
    assert answers[0].json() == {"subject": "user-7"}
    (call,) = service.calls
    assert parse_qs(call.body.decode())["token"] == ["opaque-1"]


@pytest.mark.parametrize(
    "step",
    [
        reply(200, {"active": False}),
        active(aud="elsewhere"),
        active(aud=None),
        active(iss="https://evil.example"),
        active(exp=NOW - 61),
        active(exp=str(int(NOW - 61))),
        active(exp=0),
        active(exp="tomorrow"),
        active(exp=True),
        active(exp=[NOW + 600]),
        active(exp=10**400),
        active(nbf=str(int(NOW + 61))),
        active(nbf="tomorrow"),
        active(nbf=10**400),
        active(nbf=NOW + 61),
        active(sub=None),
        active(sub=""),
        active(cnf={"jkt": "x"}),
    ],
)
async def test_all_refused_tokens_get_the_same_answer(step):
    """They are not introspected again for a while."""
    async with open_shop(step) as (client, service):
        answers = [await client.get("/v1/me", headers=bearer()) for _ in range(2)]

    assert [one.status_code for one in answers] == [401, 401]
    assert answers[0].json()["detail"] == "The access token is not valid."
    assert len(service.calls) == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"exp": str(int(NOW + 600))},
        {"exp": f"{NOW + 600}"},
        {"exp": NOW - 59},
        {"exp": 1e300},
        {"nbf": str(int(NOW))},
        {"nbf": NOW + 59},
    ],
)
async def test_times_count_as_numbers_or_as_their_digits(changed):
    """Some issuers write them as text."""
    async with open_shop(active(**changed)) as (client, _):
        answer = await client.get("/v1/me", headers=bearer())

    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("scope", "status"),
    [
        ("orders:read", 200),
        ("a  orders:read ", 200),
        (["a", "orders:read"], 200),
        (["a orders:read"], 403),
        ("a\torders:read", 403),
        ("a\u2003orders:read", 403),
        ("a,orders:read", 403),
        ({"orders:read": True}, 403),
        (["a", ["orders:read"]], 403),
        (7, 403),
        (True, 403),
        ("", 403),
        (None, 403),
    ],
)
async def test_only_scopes_that_are_spelt_as_such_are_granted(scope, status):
    """Words with spaces between them, or a list of words; anything else grants nothing."""
    async with open_shop(active(scope=scope)) as (client, _):
        answer = await client.get("/v1/me", headers=bearer())

    assert answer.status_code == status


async def test_an_expiry_of_null_counts_as_missing():
    """The token is accepted for a minute."""
    answer = {"active": True, "iss": ISSUER, "aud": AUDIENCE, "sub": "user-7", "exp": None}
    async with open_shop(reply(200, {**answer, "scope": "orders:read"})) as (client, _):
        answer = await client.get("/v1/me", headers=bearer())

    assert answer.status_code == 200


@pytest.mark.parametrize(
    "step", [fail(), reply(500), reply(401), reply(200, {}), reply(200, {"active": "yes"})]
)
async def test_an_issuer_in_trouble_signs_no_one_out(step):
    """503 with Retry-After; the next request is sent to the issuer again."""
    async with open_shop(step) as (client, service):
        down = await client.get("/v1/me", headers=bearer())
        service.then(active())
        back = await client.get("/v1/me", headers=bearer())

    assert (down.status_code, back.status_code) == (503, 200)
    assert down.headers["retry-after"]


async def test_a_finished_introspection_leaves_no_entry():
    """This holds for failures too, since any client can send many tokens."""
    steps = (active(), fail(), reply(200, {"active": False}))
    service = Scripted(*steps)
    authenticator = IntrospectionAuthenticator(OPTIONS, wall=wall)
    app = gateway(
        "shop",
        faces=[views],
        settings=in_production(["identity"]),
        authenticator=authenticator,
        events=Events(),
        transport=by_script({"identity": service}),
    )
    async with client_of(app) as client:
        for number in range(len(steps)):
            await client.get("/v1/me", headers=bearer(f"opaque-{number}"))
        await asyncio.sleep(0)
        pending = dict(authenticator.running._requests)

    assert pending == {}


async def test_a_jwt_is_left_to_other_authenticators():
    """Another authenticator verifies it; the issuer is not called."""
    async with open_shop(active()) as (client, service):
        answer = await client.get("/v1/me", headers=bearer(signed()))

    assert answer.status_code == 401
    assert service.calls == []


@pytest.mark.parametrize(
    "changed", [{"audience": ()}, {"audience": "x"}, {"client_secret": ""}, {"client_id": ""}]
)
def test_options_that_would_accept_too_much_do_not_start(changed):
    """The options have to name an audience, and this gateway as a client."""
    options = {"client_id": "a", "client_secret": "b", "audience": ("c",), **changed}
    with pytest.raises(ConfigurationError):
        Introspection(**options)
