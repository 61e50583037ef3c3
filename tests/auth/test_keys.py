"""Keys of an issuer: fetched seldom, by one for all, and kept while it is down."""

import asyncio

import pytest

from bff_core.auth.keys import FRESH, LAST_GOOD, SELDOM, ProviderUnavailable
from bff_core.errors import NotAuthenticated
from bff_core.testing.scripted import fail, hang, reply
from tests.auth.identity import Identity
from tests.auth.tokens import RSA, STRANGER, claims, key_set, signed

pytestmark = pytest.mark.virtual_time


def fetches(identity: Identity) -> int:
    """Return how often the issuer was asked."""
    return len(identity.service.calls)


async def test_many_who_come_at_once_cause_one_fetch() -> None:
    """And later ones none."""
    identity = Identity(reply(200, key_set(), after=0.5))

    tokens = [signed(claims(sub=f"user-{number}")) for number in range(20)]
    viewers = await asyncio.gather(*map(identity.ask, tokens))
    await identity.ask(signed(claims(sub="late")))

    assert [one.subject for one in viewers] == [f"user-{number}" for number in range(20)]
    assert fetches(identity) == 1


async def test_a_new_key_is_found_at_once() -> None:
    """The issuer rotated, and signs with a key that was not there before."""
    rotated = {"keys": key_set(STRANGER, kid="new")["keys"] + key_set(RSA)["keys"]}
    identity = Identity(reply(200, key_set(RSA)), reply(200, rotated))
    await identity.ask(signed())
    await asyncio.sleep(SELDOM + 1)

    viewer = await identity.ask(signed(key=STRANGER, kid="new"))

    assert viewer.subject == "user-7"
    assert fetches(identity) == 2


async def test_unknown_keys_cause_one_fetch_in_thirty_seconds() -> None:
    """Anybody can name keys."""
    identity = Identity()
    await identity.ask(signed())

    for number in range(100):
        await asyncio.sleep(1)
        with pytest.raises(NotAuthenticated):
            await identity.ask(signed(key=STRANGER, kid=f"unknown-{number}"))

    assert fetches(identity) <= 4


async def test_keys_are_believed_while_their_issuer_is_down() -> None:
    """New tokens are accepted, and nobody waits for the issuer."""
    identity = Identity(reply(200, key_set()), hang())
    await identity.ask(signed())
    await asyncio.sleep(FRESH + 1)
    began = identity.bench.now

    viewer = await identity.ask(signed(claims(sub="new")))
    ended = identity.bench.now
    await asyncio.wait(identity.bench.background)

    assert viewer.subject == "new"
    assert ended == began


async def test_a_withdrawn_key_is_believed_no_longer() -> None:
    """Also for a token that was verified before."""
    identity = Identity(reply(200, key_set(RSA, STRANGER)), reply(200, key_set(STRANGER, kid="x")))
    await identity.ask(signed())
    await asyncio.sleep(FRESH + 1)
    await identity.ask(signed())  # the last: new keys are fetched behind it
    await asyncio.sleep(FRESH + 1)

    with pytest.raises(NotAuthenticated):
        await identity.ask(signed())


@pytest.mark.parametrize(
    "trouble",
    [
        fail(),
        fail(is_sent=False),
        hang(),
        reply(500),
        reply(200, b"<html>"),
        reply(200, {"keys": 7}),
    ],
)
async def test_without_keys_nobody_is_taken_for_signed_out(trouble) -> None:
    """The answer is a 503 that says when to come again."""
    identity = Identity(trouble)

    with pytest.raises(ProviderUnavailable) as unavailable:
        await identity.ask(signed())

    assert (unavailable.value.status, unavailable.value.retry_after) == (503, 5.0)


async def test_keys_of_long_ago_are_believed_no_more() -> None:
    """After a day without the issuer nobody can tell what it has withdrawn."""
    identity = Identity(reply(200, key_set()), fail())
    await identity.ask(signed())
    await asyncio.sleep(LAST_GOOD + 1)

    with pytest.raises(ProviderUnavailable):
        await identity.ask(signed())


async def test_a_verified_token_is_not_verified_again() -> None:
    """Until it expires."""
    identity = Identity(reply(200, key_set()))

    viewers = [await identity.ask(signed()) for _ in range(2)]
    token = signed()
    first, second = await identity.ask(token), await identity.ask(token)

    assert viewers[0] == viewers[1]
    assert first is second
