"""A token of the gateway's own: asked for once by all, early, believed while it is valid."""

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
from tests.upstream.holders import GOLDEN, Counter, accepting, shown_in, token

pytestmark = pytest.mark.virtual_time

OWN = ClientCredentials(client_id="shop", secret="gateway")


def asked(counter: Counter) -> int:
    """Return how often the provider was asked."""
    return len(counter.provider.calls)


async def test_a_token_is_asked_for_as_the_standard_says() -> None:
    """A form, the client by Basic, scopes and audience where there are some."""
    options = ClientCredentials(
        client_id="shop:1",
        secret="key",
        scope=("orders:read", "orders:write"),
        audience="https://orders",
        path="/oauth2/token",
    )
    counter = Counter(options, provider=(token(),), secrets={"key": "s p+c"})

    await counter.send()

    [call] = counter.provider.calls
    assert (call.method, call.target) == ("POST", "/oauth2/token")
    assert dict(parse_qsl(call.body.decode())) == {
        "grant_type": "client_credentials",
        "scope": "orders:read orders:write",
        "audience": "https://orders",
    }
    assert shown_in(call) == "Basic c2hvcCUzQTE6cytwJTJCYw=="  # shop%3A1:s+p%2Bc
    assert counter.shown == ["Bearer own-1"]


async def test_a_token_behind_a_byte_order_mark_is_read() -> None:
    """Programs on Windows begin JSON with one."""
    body = BOM_UTF8 + b'{"access_token": "own-1", "token_type": "Bearer", "expires_in": 60}'
    counter = Counter(OWN, provider=(reply(200, body),))

    await counter.send()

    assert counter.shown == ["Bearer own-1"]


async def test_many_who_come_at_once_cause_one_request() -> None:
    """And those who come later none."""
    counter = Counter(OWN, provider=(token(after=0.5),))

    told = await asyncio.gather(*[counter.send(target=f"/{n}") for n in range(20)])
    await counter.send()

    assert {one.status for one in told} == {200}
    assert (asked(counter), set(counter.shown)) == (1, {"Bearer own-1"})


async def test_the_first_who_leaves_takes_nothing_from_the_others() -> None:
    """Nor does the short time that it had."""
    counter = Counter(OWN, provider=(token(after=1.0),))
    first = asyncio.create_task(counter.send(timeout=0.2))
    await asyncio.sleep(0.1)

    told = await counter.send(target="/other")

    with pytest.raises(CredentialsUnavailable):
        await first
    assert (told.status, asked(counter)) == (200, 1)


async def test_a_part_that_asks_first_does_not_cut_the_request_for_all() -> None:
    """Its short time is its own: the token is for everybody."""
    counter = Counter(OWN, provider=(token(after=1.0),))
    part = SimpleNamespace(name="price", deadline=counter.bench.now + 0.1)
    context = copy_context()
    context.run(running_part.set, part)
    loop = asyncio.get_running_loop()
    first = loop.create_task(counter.send(timeout=0.1), context=context)

    with pytest.raises(CredentialsUnavailable):
        await first
    told = await counter.send()

    assert (told.status, asked(counter)) == (200, 1)


async def test_upstreams_with_the_same_options_share_a_token() -> None:
    """One per client, scope and audience: not one per upstream."""
    counter = Counter(OWN, provider=(token(),))
    await counter.send()
    known = counter.wallet.open(OWN, counter.bench.runtime, ())
    again = counter.wallet.open(
        ClientCredentials(client_id="shop", secret="gateway"), counter.bench.runtime, ()
    )

    assert known is again
    assert known.ready(counter.call()) == counter.service.calls[0].headers


async def test_a_token_is_replaced_early_and_nobody_waits() -> None:
    """From four fifths of its life on, less up to a tenth; calls go on with the old one."""
    counter = Counter(OWN, provider=(token(lifetime=100), token("own-2", after=1)))
    await counter.send()
    await asyncio.sleep(69)
    await counter.send()
    before = asked(counter)
    await asyncio.sleep(12)

    began = counter.bench.now
    await counter.send()
    waited = counter.bench.now - began
    await asyncio.sleep(2)
    await counter.send()

    assert (before, asked(counter), waited) == (1, 2, 0)
    assert counter.shown == ["Bearer own-1"] * 3 + ["Bearer own-2"]


@pytest.mark.parametrize("step", [fail(), hang(), reply(500), reply(400, {"error": "bad"})])
async def test_the_last_token_is_used_while_the_provider_is_down(step) -> None:
    """As long as it is valid, and no longer; then the answer is a 503, soon."""
    counter = Counter(OWN, provider=(token(lifetime=100), step))
    await counter.send()
    for _ in range(9):
        await asyncio.sleep(10)
        await counter.send()
    await asyncio.sleep(10)

    with pytest.raises(CredentialsUnavailable) as told:
        await counter.send()

    assert set(counter.shown) == {"Bearer own-1"}
    assert (told.value.status, told.value.retry_after) == (503, 2.0)


async def test_a_provider_that_is_down_is_asked_seldom() -> None:
    """A hundred calls in ten seconds ask it every two seconds; the others fail at once."""
    counter = Counter(OWN, provider=(reply(503),))

    for _ in range(100):
        with pytest.raises(CredentialsUnavailable):
            await counter.send()
        await asyncio.sleep(0.1)

    assert asked(counter) <= 6


async def test_a_provider_that_is_back_is_used_at_once() -> None:
    """After the pause, without a restart."""
    counter = Counter(OWN, provider=(reply(503), token()))
    with pytest.raises(CredentialsUnavailable):
        await counter.send()
    await asyncio.sleep(2.1)

    told = await counter.send()

    assert told.status == 200


async def test_a_refused_token_is_replaced_once_for_all() -> None:
    """The service forgot it: one more request to the provider, and each call once more."""
    counter = Counter(OWN, accepting("own-2"), provider=(token(), token("own-2", after=0.1)))
    await counter.send()  # 401: what was given just now is not replaced
    await asyncio.sleep(MIN_AGE_SECONDS)

    told = await asyncio.gather(*[counter.send(target=f"/{n}") for n in range(10)])

    assert {one.status for one in told} == {200}
    assert asked(counter) == 2


async def test_a_service_that_refuses_everything_is_no_storm_on_the_provider() -> None:
    """A token that is some seconds old is not replaced by the like."""
    counter = Counter(OWN, reply(401), provider=(token(),))

    for _ in range(100):
        await counter.send()
        await asyncio.sleep(0.1)

    assert asked(counter) <= 3


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        (reply(400, {"error": "invalid_client"}), "invalid_client"),
        (reply(401, {"error": f"secret {GOLDEN}"}), "status_401"),
        (reply(400, {"error": GOLDEN.lower()}), "status_400"),
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
async def test_what_is_no_token_is_refused_and_told(step, reason) -> None:
    """As an event with a word; of what the provider said nothing goes on."""
    counter = Counter(OWN, provider=(step,))

    with pytest.raises(CredentialsUnavailable) as told:
        await counter.send()

    [event] = counter.bench.heard_of(TokenRefused)
    assert (event.upstream, event.operation, event.reason) == ("identity", "POST /token", reason)
    assert GOLDEN not in f"{told.value} {told.value.detail} {told.value!r} {event}"
    assert counter.service.calls == []


@pytest.mark.parametrize("lifetime", [None, 1e12])
async def test_a_lifetime_that_is_not_told_or_absurd_is_bounded(lifetime) -> None:
    """Five minutes where none is told, a day at most."""
    counter = Counter(OWN, provider=(token(lifetime=lifetime), token("own-2")))
    await counter.send()
    await asyncio.sleep(290 if lifetime is None else 86_390)
    await counter.send()
    await asyncio.sleep(10)

    await counter.send()

    assert counter.shown[-1] == "Bearer own-2"


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
    """A number or its digits; five minutes where it says nothing."""
    counter = Counter(OWN, provider=(token(lifetime=said), token("own-2")))
    await counter.send()
    await asyncio.sleep(0.69 * seconds)
    await counter.send()
    before = asked(counter)
    await asyncio.sleep(0.3 * seconds)

    await counter.send()
    await asyncio.sleep(0.001)

    assert (before, asked(counter)) == (1, 2)


@pytest.mark.parametrize("lifetime", [1, 2, 5, 8])
async def test_a_short_lived_token_is_no_storm_on_the_provider(lifetime) -> None:
    """One request in a lifetime, cut short by a third at most."""
    counter = Counter(OWN, provider=(token(lifetime=lifetime),))

    for _ in range(100):
        await counter.send()
        await asyncio.sleep(lifetime / 20)

    assert 5 <= asked(counter) <= 8


async def test_a_token_that_ends_before_it_arrives_is_asked_for_seldom() -> None:
    """A provider that is slower than its tokens live is left alone for a moment."""
    counter = Counter(OWN, provider=(token(lifetime=1, after=1.5),))

    for _ in range(100):
        with pytest.raises(CredentialsUnavailable, match="expired"):
            await counter.send()
        await asyncio.sleep(0.1)

    assert 2 <= asked(counter) <= 8
    assert {one.reason for one in counter.bench.heard_of(TokenRefused)} == {"expired"}


async def test_replies_for_the_gateway_may_be_shared_where_the_author_says_so() -> None:
    """Everybody is shown the same token, so that `public` may be meant."""
    assert Policy(credentials=OWN, public=True).public


async def test_a_secret_that_is_missing_stops_the_start() -> None:
    """Before anything is called."""

    def missing(name: str) -> str:
        raise ConfigurationError(f"BFF_SECRET_{name.upper()} is not set")

    wallet = CredentialFactory(missing, token_sources(dict))

    with pytest.raises(ConfigurationError, match="BFF_SECRET_GATEWAY"):
        wallet.open(OWN, LayerRuntime().runtime, ())
