"""Signing keys of an issuer: fetched once for all callers, and used while it is down."""

import asyncio

import pytest

from bff_core.auth.jwks import FETCH_INTERVAL_SECONDS, FRESH_SECONDS, MAX_AGE_SECONDS
from bff_core.errors import NotAuthenticated, ProviderUnavailable
from bff_core.testing.scripted import fail, hang, reply
from tests.auth.identity import Identity
from tests.auth.tokens import EC, RSA, STRANGER, claims, key_set, signed

pytestmark = pytest.mark.virtual_time


def fetches(identity: Identity) -> int:
    """Return how often the issuer was called."""
    return len(identity.service.calls)


async def test_simultaneous_callers_cause_one_fetch() -> None:
    """Later callers cause none."""
    identity = Identity(reply(200, key_set(), after=0.5))

    tokens = [signed(claims(sub=f"user-{number}")) for number in range(20)]
    viewers = await asyncio.gather(*map(identity.authenticate, tokens))
    await identity.authenticate(signed(claims(sub="late")))

    assert [one.subject for one in viewers] == [f"user-{number}" for number in range(20)]
    assert fetches(identity) == 1


async def test_a_new_key_is_found_at_once() -> None:
    """The issuer rotated its keys and signs with an unknown one."""
    rotated = {"keys": key_set(STRANGER, kid="new")["keys"] + key_set(RSA)["keys"]}
    identity = Identity(reply(200, key_set(RSA)), reply(200, rotated))
    await identity.authenticate(signed())
    await asyncio.sleep(FETCH_INTERVAL_SECONDS + 1)

    viewer = await identity.authenticate(signed(key=STRANGER, kid="new"))

    assert viewer.subject == "user-7"
    assert fetches(identity) == 2


async def test_unknown_keys_cause_one_fetch_in_thirty_seconds() -> None:
    """Any client can send tokens that name unknown keys."""
    identity = Identity()
    await identity.authenticate(signed())

    for number in range(100):
        await asyncio.sleep(1)
        with pytest.raises(NotAuthenticated):
            await identity.authenticate(signed(key=STRANGER, kid=f"unknown-{number}"))

    assert fetches(identity) <= 4


@pytest.mark.parametrize("trouble", [fail(), hang(), reply(500), reply(200, b"<html>")])
async def test_keys_are_used_while_their_issuer_is_down(trouble) -> None:
    """New and known tokens are accepted; only one request waits for the issuer."""
    identity = Identity(reply(200, key_set()), trouble)
    await identity.authenticate(signed())
    await asyncio.sleep(FRESH_SECONDS + 1)

    waits = []
    for number in range(100):
        began = identity.bench.now
        await identity.authenticate(signed(claims(sub=f"new-{number}")))
        await identity.authenticate(signed())
        waits.append(identity.bench.now - began)
        await asyncio.sleep(10)

    assert waits[0] <= 5.0
    assert set(waits[1:]) == {0.0}
    await asyncio.sleep(10)  # for the last fetch to end


WITHDRAWN = {"keys": key_set(STRANGER, kid="new")["keys"]}
"""What an issuer publishes that has withdrawn the key of most tokens here."""


@pytest.mark.parametrize("is_new", [True, False], ids=["new token", "cached token"])
@pytest.mark.parametrize(
    "quiet", [FRESH_SECONDS + 0.1, FRESH_SECONDS + 29, 2 * FRESH_SECONDS, 3600, MAX_AGE_SECONDS - 1]
)
@pytest.mark.parametrize("delay", [0, 2])
async def test_a_withdrawn_key_is_refused_by_a_quiet_gateway(quiet, is_new, delay) -> None:
    """The first request after five minutes waits for the keys, even if the issuer is slow."""
    identity = Identity(reply(200, key_set(RSA)), reply(200, WITHDRAWN, after=delay))
    lasting = claims(exp=2e9)
    await identity.authenticate(signed(lasting))
    await asyncio.sleep(quiet)

    with pytest.raises(NotAuthenticated):
        await identity.authenticate(signed({**lasting, "sub": "x"} if is_new else lasting))

    assert fetches(identity) == 2


@pytest.mark.parametrize("pace", [pytest.param(0.5, marks=pytest.mark.slow), 7, 29, 31, 100])
@pytest.mark.parametrize("kinds", ["new tokens", "cached tokens", "both"])
async def test_no_token_of_a_withdrawn_key_is_accepted_after_five_minutes(pace, kinds) -> None:
    """At any pace of requests, and whenever the token was verified."""
    at = [0.0]

    async def published(call):
        is_gone = identity.bench.now - at[0] >= 50
        return await reply(200, WITHDRAWN if is_gone else key_set(RSA))(call)

    identity = Identity(published)
    at[0] = identity.bench.now  # the key is withdrawn 50 seconds later
    accepted, number = 0.0, 0
    while (elapsed := identity.bench.now - at[0]) < 900:
        number += 1
        wanted = {"new tokens": [f"n{number}"], "cached tokens": ["r"]}.get(
            kinds, ["r", f"n{number}"]
        )
        for subject in wanted:
            try:
                await identity.authenticate(signed(claims(sub=subject)))
                accepted = elapsed
            except NotAuthenticated:
                pass
        await asyncio.sleep(pace)

    assert 0 < accepted <= 50 + FRESH_SECONDS


async def test_cached_tokens_are_refused_as_soon_as_their_key_is_withdrawn() -> None:
    """A fetch that another token caused brings the news; tokens of other keys stay."""
    both = {"keys": [*key_set(RSA)["keys"], *key_set(EC)["keys"]]}
    only = {"keys": [*key_set(EC)["keys"], *WITHDRAWN["keys"]]}
    identity = Identity(reply(200, both), reply(200, only))
    stays, gone = signed(key=EC, algorithm="ES256"), signed()
    viewer, _ = await identity.authenticate(stays), await identity.authenticate(gone)
    await asyncio.sleep(FETCH_INTERVAL_SECONDS + 1)
    await identity.authenticate(signed(key=STRANGER, kid="new"))

    with pytest.raises(NotAuthenticated):
        await identity.authenticate(gone)
    again = await identity.authenticate(stays)

    assert again is viewer
    assert fetches(identity) == 2


async def test_a_key_that_another_takes_the_name_of_is_withdrawn() -> None:
    """Keys differ by their numbers, not by their names alone."""
    identity = Identity(reply(200, key_set(RSA)), reply(200, key_set(STRANGER)))
    await identity.authenticate(signed())
    await asyncio.sleep(FRESH_SECONDS + 1)
    await identity.authenticate(signed(key=STRANGER))

    with pytest.raises(NotAuthenticated):
        await identity.authenticate(signed())


@pytest.mark.parametrize("none", [{"keys": []}, {"keys": [{"kty": "oct", "kid": "x", "k": "AA"}]}])
async def test_an_issuer_may_withdraw_all_its_keys(none) -> None:
    """Then no token is accepted, and the answer is a 503 until there are others."""
    identity = Identity(reply(200, key_set(RSA)), reply(200, none))
    await identity.authenticate(signed())
    await asyncio.sleep(FRESH_SECONDS + 1)

    with pytest.raises(ProviderUnavailable):
        await identity.authenticate(signed())


async def test_a_busy_gateway_waits_for_no_keys() -> None:
    """Keys are fetched in the background before callers have to wait."""
    identity = Identity(reply(200, key_set()), reply(200, key_set(), after=1.0))
    await identity.authenticate(signed())

    waits = []
    for number in range(200):
        await asyncio.sleep(5)
        began = identity.bench.now
        await identity.authenticate(signed(claims(sub=f"user-{number}")))
        waits.append(identity.bench.now - began)

    assert set(waits) == {0.0}
    assert fetches(identity) == pytest.approx(1 + 1000 / 240, abs=1)


def down_until(instant, bench):
    """Return a step that fails until an instant, and then publishes the keys that are left."""

    async def published(call):
        return await (fail() if bench.now < instant else reply(200, WITHDRAWN))(call)

    return published


@pytest.mark.parametrize(
    "back",
    [
        FRESH_SECONDS + 5,
        FRESH_SECONDS + 45,
        2 * FRESH_SECONDS,
        pytest.param(3600, marks=pytest.mark.slow),
    ],
)
async def test_a_key_that_was_withdrawn_during_an_outage_is_refused_soon_after_it(back) -> None:
    """Within a minute of the issuer's return, at any pace of requests."""
    for pace in (1, 20, 45, 170):
        identity = Identity(reply(200, key_set(RSA)))
        bench = identity.bench
        await identity.authenticate(signed())
        start = bench.now
        identity.service.then(down_until(start + back, bench))
        accepted = 0.0
        while (elapsed := bench.now - start) < back + 600:
            try:
                await identity.authenticate(signed())
                accepted = elapsed
            except NotAuthenticated:
                pass
            await asyncio.sleep(pace)

        assert accepted <= back + 60


@pytest.mark.parametrize("early", [5, 40])
async def test_callers_wait_for_keys_even_if_an_early_fetch_failed(early) -> None:
    """The issuer was down for a moment before the five minutes were over."""
    identity = Identity(reply(200, key_set(RSA)))
    await identity.authenticate(signed())
    identity.service.then(down_until(identity.bench.now + FRESH_SECONDS, identity.bench))
    await asyncio.sleep(FRESH_SECONDS - early)
    await identity.authenticate(signed(claims(sub="early")))
    await asyncio.sleep(early + 1)

    with pytest.raises(NotAuthenticated):
        await identity.authenticate(signed())


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
async def test_without_keys_no_caller_is_signed_out(trouble) -> None:
    """The answer is a 503 with Retry-After."""
    identity = Identity(trouble)

    with pytest.raises(ProviderUnavailable) as unavailable:
        await identity.authenticate(signed())

    assert (unavailable.value.status, unavailable.value.retry_after) == (503, 5.0)


async def test_keys_expire_after_a_day_without_their_issuer() -> None:
    """The issuer may have withdrawn any of them."""
    identity = Identity(reply(200, key_set()), fail())
    await identity.authenticate(signed())
    await asyncio.sleep(MAX_AGE_SECONDS + 1)

    with pytest.raises(ProviderUnavailable):
        await identity.authenticate(signed())


async def test_a_verified_token_is_not_verified_again() -> None:
    """It is cached until it expires."""
    identity = Identity(reply(200, key_set()))

    viewers = [await identity.authenticate(signed()) for _ in range(2)]
    token = signed()
    first, second = await identity.authenticate(token), await identity.authenticate(token)

    assert viewers[0] == viewers[1]
    assert first is second
