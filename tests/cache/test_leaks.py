"""No viewer gets another's canary, whatever is cached, from any screen, in any order."""

import asyncio
import random
from collections.abc import Mapping, Sequence

import httpx
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from bff_core.policy.upstream.cache import Cache
from tests.cache.canaries import (
    PEOPLE,
    SCREENS,
    SERVICES,
    Declared,
    Request,
    Service,
    canaries_of_others,
    serving,
)

pytestmark = pytest.mark.virtual_time

VISITS = 40
CACHED = Cache(ttl=30.0)
PAUSES = (*[0.0] * 12, *[0.1] * 12, 2.0, 40.0)
"""Seconds between two requests: mostly so few that cached answers are still fresh."""

Page = tuple[str, str, str]
"""A screen, the requested parts, and the face."""

CACHES = st.one_of(
    st.none(),
    st.just(CACHED),
    st.just(Cache(ttl=1.0, stale=100.0, error=60.0)),
    st.builds(
        Cache,
        ttl=st.sampled_from([None, 0.0, 1.0, 30.0]),
        stale=st.sampled_from([None, 0.0, 5.0, 100.0]),
        error=st.sampled_from([None, 0.0, 60.0]),
        early=st.sampled_from([0.0, 0.1, 0.9]),
    ),
)
SAID = st.sampled_from(
    [
        "",
        "max-age=5",
        "public, max-age=60",
        "private, max-age=60",
        "no-store",
        "no-cache",
        "max-age=1, stale-while-revalidate=60, stale-if-error=60",
        "s-maxage=9",
    ]
)
FIELDS = st.lists(
    st.sampled_from([("etag", '"1"'), ("vary", "authorization"), ("vary", "accept")]), max_size=2
)
DRAWN = st.one_of(
    st.just(Service(CACHED)),
    st.builds(Service, CACHES, SAID, FIELDS, st.sampled_from([0.0, 0.0, 0.15])),
)
PAGES = st.tuples(
    st.sampled_from(SCREENS),
    st.sets(st.sampled_from("cmtr"), max_size=3).map(lambda parts: "".join(sorted(parts))),
    st.sampled_from(["rest", "graphql"]),
)


async def visit(
    of: Mapping[str, Service],
    pages: Sequence[Page],
    dice: random.Random,
    declared: Declared,
    purges: int = 0,
) -> list[tuple[Request, httpx.Response]]:
    """Return the answers to many requests for a few pages, at once or one after another."""
    requests = []
    async with serving(of, dice, declared) as (app, client):
        for _ in range(VISITS):
            screen, parts, face = dice.choice(pages)
            request = Request(dice.choice(PEOPLE), screen, parts, face)
            await asyncio.sleep(dice.choice(PAUSES))
            if app.has_cache and dice.randrange(VISITS) < purges:
                await app.cache.purge("anything")
            sent = client.get(request.url, headers=request.headers)
            requests.append((request, asyncio.create_task(sent)))
        return [(request, await answer) for request, answer in requests]


@pytest.mark.slow
@settings(max_examples=80, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(
    of=st.fixed_dictionaries(dict.fromkeys(SERVICES.values(), DRAWN)),
    pages=st.lists(PAGES, min_size=1, max_size=2),
    declared=st.sampled_from(["public", "public", "per_tenant"]),
    purges=st.integers(0, 3),
    seed=st.integers(0, 2**32),
)
async def test_no_viewer_gets_anothers_canary(of, pages, declared, purges, seed) -> None:
    """Viewers of two tenants and anonymous ones, by REST and GraphQL, in any order."""
    visits = await visit(of, pages, random.Random(seed), declared, purges)

    for request, answer in visits:
        assert canaries_of_others(request.viewer, answer.text) == [], request
        if request.screen == "greeted" and answer.status_code == 200:
            assert f"Hello canary-{request.viewer.partition('@')[0]}" in answer.text


@pytest.mark.mostly_slow
@pytest.mark.parametrize("declared", ["public", "per_tenant", ""])
@pytest.mark.parametrize("face", ["rest", "graphql"])
@pytest.mark.parametrize("screen", SCREENS)
async def test_cached_answers_are_served(screen, face, declared) -> None:
    """Public, per tenant and per viewer: there are cached answers that could leak."""
    of = {name: Service(CACHED) for name in SERVICES.values()}
    hits = {}
    for letter in SERVICES:
        visits = await visit(of, [(screen, letter, face)], random.Random(7), declared)
        assert [canaries_of_others(one.viewer, answer.text) for one, answer in visits] == [
            []
        ] * VISITS
        hits[letter] = sum("hit" in answer.headers["cache-status"] for _, answer in visits)

    if screen == "relaying":  # made of what one request signed: composed each time
        assert hits == dict.fromkeys(SERVICES, 0)
    else:
        assert min(hits.values()) > VISITS / 4
