"""Viewers' tokens in exchange (RFC 8693): one for each viewer and audience, never another's."""

import asyncio
from urllib.parse import parse_qsl

import pytest

from bff_core.call import Reply
from bff_core.errors import CredentialsUnavailable
from bff_core.policy.upstream.credentials import TokenExchange
from bff_core.testing.scripted import reply
from bff_core.upstream.credentials.token_cache import MIN_AGE_SECONDS
from bff_core.upstream.credentials.token_exchange import ACCESS_TOKEN, GRANT, MAX_CACHED_TOKENS
from tests.upstream.holders import Counter, Held, accepting, token

pytestmark = pytest.mark.virtual_time

FOR_ORDERS = TokenExchange(audience="orders", client_id="shop", secret="gateway")


def subject_of(call) -> str:
    """Return whose token a provider was asked to exchange."""
    return dict(parse_qsl(call.body.decode()))["subject_token"]


def exchanging(lifetime: float = 300, *, after: float = 0, refused: tuple[str, ...] = ()):
    """Answer as a provider that exchanges every token but some; the result tells whose it is."""

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
    counter = Counter(FOR_ORDERS, provider=(exchanging(),))

    await counter.send(Held())

    [call] = counter.provider.calls
    assert dict(parse_qsl(call.body.decode())) == {
        "grant_type": GRANT,
        "subject_token": "viewer-1",
        "subject_token_type": ACCESS_TOKEN,
        "requested_token_type": ACCESS_TOKEN,
        "audience": "orders",
    }
    assert counter.shown == ["Bearer for-viewer-1"]


async def test_each_viewer_is_exchanged_once_while_it_lasts() -> None:
    """Twenty calls of each of two viewers ask the provider twice."""
    counter = Counter(FOR_ORDERS, provider=(exchanging(after=0.2),))
    held = [Held("ann"), Held("bob")]

    await asyncio.gather(
        *[counter.send(held[n % 2], target=f"/{n}", audience=f"1:t:{n % 2}") for n in range(40)]
    )

    shown = {call.target: one for call, one in zip(counter.service.calls, counter.shown)}  # noqa: B905
    assert len(counter.provider.calls) == 2
    assert all(shown[f"/{n}"] == f"Bearer for-{held[n % 2].value}" for n in range(40))


async def test_an_exchange_ends_shortly_before_its_token() -> None:
    """A service never meets one that has just expired."""
    counter = Counter(FOR_ORDERS, provider=(exchanging(lifetime=100),))
    await counter.send(Held())
    await asyncio.sleep(88)
    await counter.send(Held())
    await asyncio.sleep(1)
    before = len(counter.provider.calls)
    await asyncio.sleep(6.5)

    await counter.send(Held())

    assert (before, len(counter.provider.calls)) == (1, 2)


async def test_nobody_is_not_exchanged() -> None:
    """Guests go without."""
    counter = Counter(FOR_ORDERS, provider=(exchanging(),))

    await counter.send(None)

    assert (counter.shown, counter.provider.calls) == ([None], [])


async def test_a_viewers_token_that_is_not_taken_is_renewed_once() -> None:
    """It had expired for the provider, and the viewer's session has another."""
    counter = Counter(FOR_ORDERS, provider=(exchanging(refused=("viewer-1",)),))
    held = Held(next=["viewer-2"])

    told = await counter.send(held)

    assert (told.status, counter.shown, held.asked) == (200, ["Bearer for-viewer-2"], ["viewer-1"])


async def test_a_viewers_token_that_is_never_taken_signs_nobody_out() -> None:
    """The provider may be set up wrongly: the answer is a 503, and others are served."""
    counter = Counter(FOR_ORDERS, provider=(exchanging(refused=("ann",)),))

    with pytest.raises(CredentialsUnavailable):
        await counter.send(Held("ann"))
    told = await counter.send(Held("bob"))

    assert (told.status, counter.shown) == (200, ["Bearer for-bob"])


async def test_an_exchange_that_the_service_refuses_is_made_again() -> None:
    """By the same token of the viewer, if that brings another."""
    counter = Counter(
        FOR_ORDERS,
        accepting("second"),
        provider=(
            token("first", issued_token_type=ACCESS_TOKEN),
            token("second", issued_token_type=ACCESS_TOKEN),
        ),
    )
    await counter.send(Held())
    await asyncio.sleep(MIN_AGE_SECONDS)

    told = await counter.send(Held())

    assert told.status == 200
    assert counter.shown == ["Bearer first", "Bearer first", "Bearer second"]


async def test_where_that_does_not_help_the_viewers_token_is_renewed() -> None:
    """Once, and the call sent once more."""
    counter = Counter(FOR_ORDERS, accepting("for-viewer-2"), provider=(exchanging(),))
    held = Held(next=["viewer-2", "viewer-3"])

    told = await counter.send(held)

    assert (told.status, held.asked) == (200, ["viewer-1"])
    assert counter.shown == ["Bearer for-viewer-1", "Bearer for-viewer-2"]


@pytest.mark.parametrize("issued", ["urn:ietf:params:oauth:token-type:refresh_token", None])
async def test_only_an_access_token_is_shown(issued) -> None:
    """What the provider issued has to be one, and it has to say so."""
    counter = Counter(FOR_ORDERS, provider=(token(issued_token_type=issued),))

    with pytest.raises(CredentialsUnavailable, match="issued_token_type"):
        await counter.send(Held())


async def test_exchanges_are_remembered_up_to_a_bound() -> None:
    """Of ten thousand viewers; the one that came longest ago is exchanged again."""
    counter = Counter(FOR_ORDERS, provider=(exchanging(86_400),))
    credential = counter.wallet.open(FOR_ORDERS, counter.bench.runtime, ())
    for number in range(MAX_CACHED_TOKENS + 1):
        await credential.fetched(counter.call(Held(f"viewer-{number}")))

    await credential.fetched(counter.call(Held(f"viewer-{MAX_CACHED_TOKENS}")))
    kept = len(counter.provider.calls)
    await credential.fetched(counter.call(Held("viewer-0")))

    assert (kept, len(counter.provider.calls)) == (MAX_CACHED_TOKENS + 1, MAX_CACHED_TOKENS + 2)
    assert len(credential._tokens) == MAX_CACHED_TOKENS


async def test_no_token_is_a_key_of_what_is_remembered() -> None:
    """They are found by their hash."""
    counter = Counter(FOR_ORDERS, provider=(exchanging(),))
    await counter.send(Held("a-telling-token"))

    credential = counter.wallet.open(FOR_ORDERS, counter.bench.runtime, ())

    assert "a-telling-token" not in repr(dict(credential._tokens))
