"""The gateway's own token: requested once for all calls, early, and used while it is valid."""

import asyncio
from codecs import BOM_UTF8
from contextvars import copy_context
from types import SimpleNamespace
from urllib.parse import parse_qsl

import pytest

from bff_core.errors import ConfigurationError, CredentialsUnavailable
from bff_core.events import TokenRefused
from bff_core.oauth.tokens import token_sources
from bff_core.policy.upstream.credentials import ClientCredentials
from bff_core.policy.upstream.policy import Policy
from bff_core.scope import running_part
from bff_core.testing.layer_runtime import LayerRuntime
from bff_core.testing.scripted import fail, hang, reply
from bff_core.upstream.credentials.factory import CredentialFactory
from bff_core.upstream.credentials.token_cache import MIN_AGE_SECONDS
from tests.upstream.credential_stubs import SECRET_VALUE, OrdersService, accepting, header_of, token

pytestmark = pytest.mark.virtual_time

OWN = ClientCredentials(client_id="shop", secret="gateway")


def token_requests(orders: OrdersService) -> int:
    """Return how often the provider was called."""
    return len(orders.provider.calls)


async def test_a_token_is_requested_as_the_standard_says() -> None:
    """A form, the client by Basic, scopes and audience if there are any."""
    options = ClientCredentials(
        client_id="shop:1",
        secret="key",
        scope=("orders:read", "orders:write"),
        audience="https://orders",
        path="/oauth2/token",
    )
    orders = OrdersService(options, provider=(token(),), secrets={"key": "s p+c"})

    await orders.send()

    [call] = orders.provider.calls
    assert (call.method, call.target) == ("POST", "/oauth2/token")
    assert dict(parse_qsl(call.body.decode())) == {
        "grant_type": "client_credentials",
        "scope": "orders:read orders:write",
        "audience": "https://orders",
    }
    assert header_of(call) == "Basic c2hvcCUzQTE6cytwJTJCYw=="  # shop%3A1:s+p%2Bc
    assert orders.sent_headers == ["Bearer own-1"]


async def test_a_token_behind_a_byte_order_mark_is_read() -> None:
    """Programs on Windows begin JSON with one."""
    body = BOM_UTF8 + b'{"access_token": "own-1", "token_type": "Bearer", "expires_in": 60}'
    orders = OrdersService(OWN, provider=(reply(200, body),))

    await orders.send()

    assert orders.sent_headers == ["Bearer own-1"]


async def test_calls_that_come_at_once_cause_one_token_request() -> None:
    """And later calls none."""
    orders = OrdersService(OWN, provider=(token(after=0.5),))

    replies = await asyncio.gather(*[orders.send(target=f"/{n}") for n in range(20)])
    await orders.send()

    assert {one.status for one in replies} == {200}
    assert (token_requests(orders), set(orders.sent_headers)) == (1, {"Bearer own-1"})


async def test_a_call_that_ends_does_not_cancel_the_token_request() -> None:
    """Nor does its short deadline end the request for the others."""
    orders = OrdersService(OWN, provider=(token(after=1.0),))
    first = asyncio.create_task(orders.send(timeout=0.2))
    await asyncio.sleep(0.1)

    answer = await orders.send(target="/other")

    with pytest.raises(CredentialsUnavailable):
        await first
    assert (answer.status, token_requests(orders)) == (200, 1)


async def test_the_timeout_of_a_part_does_not_cut_the_token_request() -> None:
    """The token is for all calls, whichever part needs it first."""
    orders = OrdersService(OWN, provider=(token(after=1.0),))
    part = SimpleNamespace(name="price", deadline=orders.bench.now + 0.1)
    context = copy_context()
    context.run(running_part.set, part)
    loop = asyncio.get_running_loop()
    first = loop.create_task(orders.send(timeout=0.1), context=context)

    with pytest.raises(CredentialsUnavailable):
        await first
    answer = await orders.send()

    assert (answer.status, token_requests(orders)) == (200, 1)


async def test_upstreams_with_the_same_options_share_a_token() -> None:
    """One per client, scope and audience: not one per upstream."""
    orders = OrdersService(OWN, provider=(token(),))
    await orders.send()
    known = orders.credentials.open(OWN, orders.bench.runtime, ())
    again = orders.credentials.open(
        ClientCredentials(client_id="shop", secret="gateway"), orders.bench.runtime, ()
    )

    assert known is again
    assert known.headers(orders.call()) == orders.service.calls[0].headers


async def test_a_token_is_replaced_early_and_no_call_waits() -> None:
    """From four fifths of its life on, less up to a tenth; calls go on with the old one."""
    orders = OrdersService(OWN, provider=(token(lifetime=100), token("own-2", after=1)))
    await orders.send()
    await asyncio.sleep(69)
    await orders.send()
    before = token_requests(orders)
    await asyncio.sleep(12)

    began = orders.bench.now
    await orders.send()
    waited = orders.bench.now - began
    await asyncio.sleep(2)
    await orders.send()

    assert (before, token_requests(orders), waited) == (1, 2, 0)
    assert orders.sent_headers == ["Bearer own-1"] * 3 + ["Bearer own-2"]


@pytest.mark.parametrize("step", [fail(), hang(), reply(500), reply(400, {"error": "bad"})])
async def test_the_last_token_is_used_while_the_provider_is_down(step) -> None:
    """As long as it is valid, and no longer; then the answer is a 503, soon."""
    orders = OrdersService(OWN, provider=(token(lifetime=100), step))
    await orders.send()
    for _ in range(9):
        await asyncio.sleep(10)
        await orders.send()
    await asyncio.sleep(10)

    with pytest.raises(CredentialsUnavailable) as raised:
        await orders.send()

    assert set(orders.sent_headers) == {"Bearer own-1"}
    assert (raised.value.status, raised.value.retry_after) == (503, 2.0)


async def test_a_provider_that_is_down_has_pauses() -> None:
    """A hundred calls in ten seconds call it every two seconds; the others fail at once."""
    orders = OrdersService(OWN, provider=(reply(503),))

    for _ in range(100):
        with pytest.raises(CredentialsUnavailable):
            await orders.send()
        await asyncio.sleep(0.1)

    assert token_requests(orders) <= 6


async def test_a_provider_that_is_back_is_used_at_once() -> None:
    """After the pause, without a restart."""
    orders = OrdersService(OWN, provider=(reply(503), token()))
    with pytest.raises(CredentialsUnavailable):
        await orders.send()
    await asyncio.sleep(2.1)

    answer = await orders.send()

    assert answer.status == 200


async def test_a_refused_token_is_replaced_once_for_all() -> None:
    """The service revoked it: one more token request, and each call once more."""
    orders = OrdersService(OWN, accepting("own-2"), provider=(token(), token("own-2", after=0.1)))
    await orders.send()  # 401: what was given just now is not replaced
    await asyncio.sleep(MIN_AGE_SECONDS)

    replies = await asyncio.gather(*[orders.send(target=f"/{n}") for n in range(10)])

    assert {one.status for one in replies} == {200}
    assert token_requests(orders) == 2


async def test_a_service_that_refuses_all_tokens_does_not_flood_the_provider() -> None:
    """A token that is less than ten seconds old is not replaced."""
    orders = OrdersService(OWN, reply(401), provider=(token(),))

    for _ in range(100):
        await orders.send()
        await asyncio.sleep(0.1)

    assert token_requests(orders) <= 3


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        (reply(400, {"error": "invalid_client"}), "invalid_client"),
        (reply(401, {"error": f"secret {SECRET_VALUE}"}), "status_401"),
        (reply(400, {"error": SECRET_VALUE.lower()}), "status_400"),
        (reply(403, {"error": "access_denied"}), "access_denied"),
        (reply(200, {"error": "invalid_client"}), "invalid_client"),
        (reply(200, {"error": "unauthorized_client", "access_token": "a"}), "unauthorized_client"),
        (reply(400, {"error": {"code": "invalid_client"}}), "status_400"),
        (reply(200, b"<html>"), "malformed"),
        (reply(200, {"access_token": "a"}), "malformed"),
        (reply(200, []), "malformed"),
        (token("two words"), "malformed"),
        (token("line\r\nbreak"), "malformed"),
        (token(""), "malformed"),
        (token("x" * 20_000), "malformed"),
        (token(token_type="DPoP"), "token_type"),
        (token(token_type="N_A"), "token_type"),
        (token(lifetime=0), "expired"),
        (token(lifetime=-5), "expired"),
        (token(lifetime="0"), "expired"),
        (reply(302, headers={"location": "http://evil"}), "status_302"),
        (fail(), "unavailable"),
    ],
)
async def test_an_unusable_token_reply_is_refused_and_reported(step, reason) -> None:
    """An event has the reason, and nothing else that the provider sent."""
    orders = OrdersService(OWN, provider=(step,))

    with pytest.raises(CredentialsUnavailable) as raised:
        await orders.send()

    [event] = orders.bench.events_of(TokenRefused)
    assert (event.upstream, event.operation, event.reason) == ("identity", "POST /token", reason)
    assert SECRET_VALUE not in f"{raised.value} {raised.value.detail} {raised.value!r} {event}"
    assert orders.service.calls == []


@pytest.mark.parametrize("lifetime", [None, 1e12])
async def test_a_missing_or_absurd_lifetime_is_bounded(lifetime) -> None:
    """Five minutes if there is none, a day at most."""
    orders = OrdersService(OWN, provider=(token(lifetime=lifetime), token("own-2")))
    await orders.send()
    await asyncio.sleep(290 if lifetime is None else 86_390)
    await orders.send()
    await asyncio.sleep(10)

    await orders.send()

    assert orders.sent_headers[-1] == "Bearer own-2"


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("3600", 3600),
        (" 3600 ", 3600),
        ("3600.0", 3600),
        (3600.0, 3600),
        ("10", 10),
        (0.001, 1),
        ("", 300),
        ("an hour", 300),
        ("-5", 300),
        ("NaN", 300),
        (True, 300),
        ([3600], 300),
        ({"s": 3600}, 300),
        (10**400, 300),
        ("9" * 400, 300),
        ("9" * 20, 86_400),
        (1e308, 86_400),
    ],
)
async def test_a_lifetime_counts_as_it_is_meant(said, seconds) -> None:
    """A number or its digits; five minutes for anything else."""
    orders = OrdersService(OWN, provider=(token(lifetime=said), token("own-2")))
    await orders.send()
    await asyncio.sleep(0.69 * seconds)
    await orders.send()
    before = token_requests(orders)
    await asyncio.sleep(0.3 * seconds)

    await orders.send()
    await asyncio.sleep(0.001)

    assert (before, token_requests(orders)) == (1, 2)


@pytest.mark.parametrize("lifetime", [1, 2, 5, 8])
async def test_a_short_lived_token_does_not_flood_the_provider(lifetime) -> None:
    """One request in a lifetime, cut short by a third at most."""
    orders = OrdersService(OWN, provider=(token(lifetime=lifetime),))

    for _ in range(100):
        await orders.send()
        await asyncio.sleep(lifetime / 20)

    assert 5 <= token_requests(orders) <= 8


async def test_a_token_that_ends_before_it_arrives_is_requested_with_pauses() -> None:
    """The request takes longer than the token lives: a pause follows, as after a failure."""
    orders = OrdersService(OWN, provider=(token(lifetime=1, after=1.5),))

    for _ in range(100):
        with pytest.raises(CredentialsUnavailable, match="expired"):
            await orders.send()
        await asyncio.sleep(0.1)

    assert 2 <= token_requests(orders) <= 8
    assert {one.reason for one in orders.bench.events_of(TokenRefused)} == {"expired"}


async def test_replies_to_the_gateways_token_may_be_declared_public() -> None:
    """All calls carry the same token, so `public` is allowed."""
    assert Policy(credentials=OWN, public=True).public


async def test_a_secret_that_is_missing_stops_the_start() -> None:
    """Before anything is called."""

    def missing(name: str) -> str:
        raise ConfigurationError(f"BFF_SECRET_{name.upper()} is not set")

    factory = CredentialFactory(missing, token_sources(dict))

    with pytest.raises(ConfigurationError, match="BFF_SECRET_GATEWAY"):
        factory.open(OWN, LayerRuntime().runtime, ())
