"""Properties of the cache for any reply, policy and time."""

from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec.structs import replace

from bff_core.cache.entry import CacheEntry
from bff_core.cache.freshness import judge
from bff_core.cache.storing import NotStorable, storage_seconds
from bff_core.call import Reply, find_header
from bff_core.policy.upstream.cache import Cache
from tests.cache.exchanges import (
    DATE,
    HOUR_EARLIER,
    MINUTE_LATER,
    NOW,
    TENANT,
    VIEWER,
    admitted,
    call,
    fields,
    reply,
)

RANK = ("fresh", "early", "stale", "revalidate", "miss")

seconds = st.sampled_from(["0", "1", "60", '"60"', "600", "-1", "x", ""])
words = st.sampled_from(
    [
        *("no-store", "no-cache", "private", "public", "must-revalidate", "proxy-revalidate"),
        *("must-understand", "immutable", 'private="set-cookie"', 'no-cache="x"', "junk"),
    ]
)
durations = st.builds(
    "{}={}".format,
    st.sampled_from(["max-age", "s-maxage", "stale-while-revalidate", "stale-if-error"]),
    seconds,
)
controls = st.lists(words | durations, max_size=4).map(", ".join)
dates = st.sampled_from([DATE, HOUR_EARLIER, MINUTE_LATER, "0"])
replies = st.builds(
    reply,
    st.fixed_dictionaries(
        {},
        optional={
            "cache-control": controls,
            "cdn-cache-control": controls,
            "expires": dates,
            "date": dates,
            "last-modified": dates,
            "age": seconds,
            "etag": st.just('"v1"'),
            "vary": st.sampled_from(["accept-language", "*"]),
            "via": st.sampled_from(["1.1 a", "1.0 a"]),
        },
    ),
    st.sampled_from([200, 200, 200, 203, 301, 302, 404, 403, 418]),
)
lengths = st.none() | st.sampled_from([0.0, 1.0, 30.0, 300.0])
policies = st.builds(
    Cache, ttl=lengths, stale=lengths, error=lengths, heuristic=st.sampled_from([0.0, 0.1])
)
shared = st.sampled_from([None, "anonymous", "unbound", TENANT])
askers = st.builds(call, audience=shared | st.just(VIEWER))
wishes = st.sampled_from(
    [
        *("max-age=30", "min-fresh=30", "max-stale=30", "no-cache", "max-age=30, max-stale=5"),
        *("min-fresh=30, max-stale=5", "no-transform"),
    ]
)
wishers = st.builds(
    call,
    audience=shared | st.just(VIEWER),
    headers=st.builds(lambda it: {"cache-control": it}, wishes),
)
moments = st.lists(st.integers(0, 2800), min_size=2, max_size=6).map(
    lambda quarters: [one / 4 for one in sorted(quarters)]
)
chances = st.floats(0, 1, exclude_max=True)


@given(replies, askers, policies, moments, chances)
def test_nothing_is_fresh_after_its_lifetime(answer, asker, options, moments, chance) -> None:
    """An entry whose age reaches its lifetime is neither fresh nor early."""
    entry = admitted(answer, asker, options)
    assume(isinstance(entry, CacheEntry))

    for moment in moments:
        kind = judge(entry, asker, options, now=NOW + moment, chance=lambda: chance).kind
        is_over = entry.age(NOW + moment) >= entry.fresh_for
        assert is_over == (kind not in {"fresh", "early"})


@given(replies, askers | wishers, policies, moments, chances)
def test_an_entry_only_gets_worse(answer, asker, options, moments, chance) -> None:
    """Over time a verdict never improves, whatever a call requests."""
    entry = admitted(answer, asker, options)
    assume(isinstance(entry, CacheEntry))

    verdicts = [
        judge(entry, asker, options, now=NOW + moment, chance=lambda: chance) for moment in moments
    ]

    ranks = [RANK.index(one.kind) for one in verdicts]
    assert ranks == sorted(ranks)


@given(replies, askers, policies, moments)
def test_an_entry_is_stored_until_it_is_of_no_use(answer, asker, options, moments) -> None:
    """An entry is usable while it is stored; after that it can only be revalidated."""
    entry = admitted(answer, asker, options)
    assume(isinstance(entry, CacheEntry))

    for moment in moments:
        verdict = judge(entry, asker, options, now=NOW + moment, chance=lambda: 0.5)
        is_of_use = verdict.kind != "miss" or verdict.error_until > NOW + moment
        assert is_of_use or moment >= storage_seconds(entry, NOW)
        assert not is_of_use or entry.has_validator or moment < storage_seconds(entry, NOW)


@given(replies, shared, policies, controls)
def test_a_private_reply_is_never_stored_for_others(answer, audience, options, control) -> None:
    """Whatever else the service or the policy says."""
    marked = controlled(answer, f"{control}, private")

    assert isinstance(admitted(marked, call(audience=audience), options), NotStorable)


@given(replies, askers, st.sampled_from([0.0, 0.1]), controls)
def test_a_no_store_reply_is_not_stored(answer, asker, heuristic, control) -> None:
    """Unless the policy sets a lifetime."""
    assume("must-understand" not in control)
    marked = controlled(answer, f"no-store, {control}")

    assert isinstance(admitted(marked, asker, Cache(heuristic=heuristic)), NotStorable)


def controlled(answer: Reply, control: str) -> Reply:
    """Return the reply with that Cache-Control, and no targeted field before it."""
    others = tuple(one for one in answer.headers if not one[0].endswith(b"cache-control"))
    return replace(answer, headers=(*others, (b"cache-control", control.encode())))


@given(replies, askers, policies, st.booleans())
def test_a_reply_with_a_cookie_is_never_stored(answer, asker, options, is_first) -> None:
    """Not even in the private cache of the viewer who gets the cookie."""
    cookie = fields({"set-cookie": "session=1"})
    headers = cookie + answer.headers if is_first else answer.headers + cookie

    found = admitted(replace(answer, headers=headers), asker, options)

    assert isinstance(found, NotStorable) or find_header(found.headers, b"set-cookie") is None


@given(replies, askers, st.integers(0, 100))
def test_without_directives_there_are_no_stale_windows(answer, asker, delay) -> None:
    """And the time in transit counts as age."""
    entry = admitted(answer, asker, Cache(), delay)
    assume(isinstance(entry, CacheEntry))
    text = b" ".join(value for name, value in answer.headers if name.endswith(b"control"))

    assert entry.generated_at <= NOW - delay
    assert not entry.stale_for or b"stale-while-revalidate=" in text
    assert not entry.error_for or b"stale-if-error=" in text
