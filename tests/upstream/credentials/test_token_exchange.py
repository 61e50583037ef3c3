"""Token exchange (RFC 8693): one token for each viewer and audience, never another viewer's."""

import asyncio
from urllib.parse import parse_qsl

import pytest

from bff_core.call import Reply
from bff_core.errors import CredentialsUnavailable
from bff_core.policy.upstream.credentials import TokenExchange
from bff_core.testing.scripted import reply
from bff_core.upstream.credentials.token_cache import MIN_AGE_SECONDS
from bff_core.upstream.credentials.token_exchange import ACCESS_TOKEN, GRANT, MAX_CACHED_TOKENS
from tests.upstream.credential_stubs import OrdersService, ScriptedToken, accepting, token

pytestmark = pytest.mark.virtual_time

FOR_ORDERS = TokenExchange(audience="orders", client_id="shop", secret="gateway")


def subject_of(call) -> str:
    """Return the token that a provider has to exchange."""
    return dict(parse_qsl(call.body.decode()))["subject_token"]


def exchanging(lifetime: float = 300, *, after: float = 0, refused: tuple[str, ...] = ()):
    """Answer as a provider that exchanges all tokens but the `refused` ones."""

    async def step(call) -> Reply:
        subject = subject_of(call)
        if subject in refused:
            return await reply(400, {"error": "invalid_request"})(call)
        given = token(
            f"for-{subject}", lifetime=lifetime, after=after, issued_token_type=ACCESS_TOKEN
        )
        return await given(call)

    return step


async def test_a_token_is_exchanged_as_the_standard_says() -> None:
    """The viewer's token as the subject, the service as the audience."""
    orders = OrdersService(FOR_ORDERS, provider=(exchanging(),))

    await orders.send(ScriptedToken())

    [call] = orders.provider.calls
    assert dict(parse_qsl(call.body.decode())) == {
        "grant_type": GRANT,
        "subject_token": "viewer-1",
        "subject_token_type": ACCESS_TOKEN,
        "requested_token_type": ACCESS_TOKEN,
        "audience": "orders",
    }
    assert orders.sent_headers == ["Bearer for-viewer-1"]


async def test_each_viewer_is_exchanged_once_while_it_lasts() -> None:
    """Twenty calls of each of two viewers cause two token requests."""
    orders = OrdersService(FOR_ORDERS, provider=(exchanging(after=0.2),))
    viewer_token = [ScriptedToken("ann"), ScriptedToken("bob")]

    await asyncio.gather(
        *[
            orders.send(viewer_token[n % 2], target=f"/{n}", audience=f"1:t:{n % 2}")
            for n in range(40)
        ]
    )

    sent = {call.target: one for call, one in zip(orders.service.calls, orders.sent_headers)}  # noqa: B905
    assert len(orders.provider.calls) == 2
    assert all(sent[f"/{n}"] == f"Bearer for-{viewer_token[n % 2].value}" for n in range(40))


async def test_an_exchange_ends_shortly_before_its_token() -> None:
    """A service never receives one that has just expired."""
    orders = OrdersService(FOR_ORDERS, provider=(exchanging(lifetime=100),))
    await orders.send(ScriptedToken())
    await asyncio.sleep(88)
    await orders.send(ScriptedToken())
    await asyncio.sleep(1)
    before = len(orders.provider.calls)
    await asyncio.sleep(6.5)

    await orders.send(ScriptedToken())

    assert (before, len(orders.provider.calls)) == (1, 2)


async def test_anonymous_calls_exchange_no_token() -> None:
    """They carry none."""
    orders = OrdersService(FOR_ORDERS, provider=(exchanging(),))

    await orders.send(None)

    assert (orders.sent_headers, orders.provider.calls) == ([None], [])


async def test_a_viewers_token_that_the_provider_refuses_is_renewed_once() -> None:
    """It had expired for the provider, and the viewer's session has another."""
    orders = OrdersService(FOR_ORDERS, provider=(exchanging(refused=("viewer-1",)),))
    viewer_token = ScriptedToken(next=["viewer-2"])

    answer = await orders.send(viewer_token)

    assert (answer.status, orders.sent_headers, viewer_token.refused) == (
        200,
        ["Bearer for-viewer-2"],
        ["viewer-1"],
    )


async def test_a_viewers_token_that_is_always_refused_signs_no_one_out() -> None:
    """The provider may be misconfigured: the answer is a 503, and other viewers are served."""
    orders = OrdersService(FOR_ORDERS, provider=(exchanging(refused=("ann",)),))

    with pytest.raises(CredentialsUnavailable):
        await orders.send(ScriptedToken("ann"))
    answer = await orders.send(ScriptedToken("bob"))

    assert (answer.status, orders.sent_headers) == (200, ["Bearer for-bob"])


async def test_an_outage_renews_no_viewers_token() -> None:
    """The provider is down, and does not refuse the token."""
    orders = OrdersService(FOR_ORDERS, provider=(reply(503),))
    viewer_token = ScriptedToken(next=["viewer-2"])

    with pytest.raises(CredentialsUnavailable):
        await orders.send(viewer_token)

    assert viewer_token.refused == []


async def test_an_exchange_that_the_service_refuses_is_made_again() -> None:
    """With the same token of the viewer, if that brings another."""
    orders = OrdersService(
        FOR_ORDERS,
        accepting("second"),
        provider=(
            token("first", issued_token_type=ACCESS_TOKEN),
            token("second", issued_token_type=ACCESS_TOKEN),
        ),
    )
    await orders.send(ScriptedToken())
    await asyncio.sleep(MIN_AGE_SECONDS)

    answer = await orders.send(ScriptedToken())

    assert answer.status == 200
    assert orders.sent_headers == ["Bearer first", "Bearer first", "Bearer second"]


async def test_if_a_second_exchange_brings_no_other_token_the_viewers_is_renewed() -> None:
    """Once, and the call sent once more."""
    orders = OrdersService(FOR_ORDERS, accepting("for-viewer-2"), provider=(exchanging(),))
    viewer_token = ScriptedToken(next=["viewer-2", "viewer-3"])

    answer = await orders.send(viewer_token)

    assert (answer.status, viewer_token.refused) == (200, ["viewer-1"])
    assert orders.sent_headers == ["Bearer for-viewer-1", "Bearer for-viewer-2"]


@pytest.mark.parametrize("issued", ["urn:ietf:params:oauth:token-type:refresh_token", None])
async def test_only_an_access_token_is_used(issued) -> None:
    """The provider has to declare that it issued one."""
    orders = OrdersService(FOR_ORDERS, provider=(token(issued_token_type=issued),))

    with pytest.raises(CredentialsUnavailable, match="issued_token_type"):
        await orders.send(ScriptedToken())


@pytest.mark.slow
async def test_exchanged_tokens_are_cached_up_to_a_bound() -> None:
    """Of ten thousand viewers; the least recently used one is exchanged again."""
    orders = OrdersService(FOR_ORDERS, provider=(exchanging(86_400),))
    credential = orders.credentials.open(FOR_ORDERS, orders.bench.runtime, ())
    for number in range(MAX_CACHED_TOKENS + 1):
        await credential.headers(orders.call(ScriptedToken(f"viewer-{number}")))

    await credential.headers(orders.call(ScriptedToken(f"viewer-{MAX_CACHED_TOKENS}")))
    before = len(orders.provider.calls)
    await credential.headers(orders.call(ScriptedToken("viewer-0")))

    assert (before, len(orders.provider.calls)) == (MAX_CACHED_TOKENS + 1, MAX_CACHED_TOKENS + 2)
    assert len(credential._tokens) == MAX_CACHED_TOKENS


async def test_a_stored_failure_does_not_hold_a_call() -> None:
    """There is one for each viewer while the provider is down."""
    orders = OrdersService(FOR_ORDERS, provider=(reply(503),))
    viewer_token = ScriptedToken("secret-of-ann")
    with pytest.raises(CredentialsUnavailable) as raised:
        await orders.send(viewer_token)

    failure = raised.value.__cause__

    assert str(failure) == "status_503"
    assert (failure.__cause__, failure.__context__, failure.__traceback__) == (None, None, None)


async def test_no_viewers_token_is_a_key_of_the_cache() -> None:
    """The keys are hashes."""
    orders = OrdersService(FOR_ORDERS, provider=(exchanging(),))
    await orders.send(ScriptedToken("a-telling-token"))

    credential = orders.credentials.open(FOR_ORDERS, orders.bench.runtime, ())

    assert "a-telling-token" not in repr(dict(credential._tokens))
