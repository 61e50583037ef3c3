"""The lists of the cache, member by member: statuses, fields and directives."""

import pytest

from bff_core.cache.directives import parse_cache_control
from bff_core.cache.entry import CacheEntry
from bff_core.cache.freshness import bypass
from bff_core.cache.key import primary_key, varying_values
from bff_core.cache.lifetime import Terms
from bff_core.cache.storing import NotStorable
from bff_core.cache.tags import declared_tags as tags_in
from bff_core.cache.tags import group
from bff_core.cache.validation import updated, updated_by_head
from bff_core.policy.upstream.cache import Cache
from tests.cache.exchanges import (
    DATE,
    HOUR_EARLIER,
    VIEWER,
    admitted,
    call,
    entry_of,
    fields,
    reply,
)

HEURISTIC = [200, 203, 204, 300, 301, 308, 404, 405, 410, 414]
UNDERSTOOD = [
    *HEURISTIC,
    *(302, 303, 307, 400, 401, 402, 403, 406, 407, 408, 409),
    *(411, 412, 413, 415, 416, 417, 421, 422, 426),
]
NEVER = [304, 428, 429, 431]
FINAL = range(200, 600)


@pytest.mark.parametrize("status", HEURISTIC)
def test_a_reply_with_this_status_is_cacheable_by_default(status):
    """With a heuristic lifetime, or the policy's (RFC 9110, section 15.1)."""
    guessed = entry_of(
        reply({"date": DATE, "last-modified": HOUR_EARLIER}, status), options=Cache(heuristic=0.1)
    )
    by_policy = entry_of(reply({}, status), options=Cache(ttl=30))

    assert guessed.fresh_for == pytest.approx(360)
    assert by_policy.fresh_for == 30


@pytest.mark.parametrize("status", [one for one in FINAL if one not in HEURISTIC])
def test_a_reply_with_another_status_is_not_cacheable_by_default(status):
    """Neither with a heuristic lifetime nor with the policy's."""
    modified = reply({"date": DATE, "last-modified": HOUR_EARLIER}, status)

    assert isinstance(admitted(modified, options=Cache(heuristic=0.1)), NotStorable)
    assert isinstance(admitted(reply({}, status), options=Cache(ttl=30)), NotStorable)


@pytest.mark.parametrize("status", NEVER)
def test_a_reply_of_this_status_is_never_stored(status):
    """Whatever its headers say (RFC 6585; a 304 is no reply of its own)."""
    assert admitted(reply("public, max-age=60", status)) == NotStorable("status")


@pytest.mark.parametrize("status", range(500, 512))
def test_a_failure_is_never_stored(status):
    """Later requests would learn too late that it is over."""
    assert admitted(reply("public, max-age=60", status)) == NotStorable("error")


@pytest.mark.parametrize(
    "status", [one for one in range(200, 500) if one not in {*NEVER, 206}], ids=str
)
def test_a_reply_of_any_other_status_is_stored_with_an_explicit_lifetime(status):
    """RFC 9111, section 3."""
    assert entry_of(reply("max-age=60", status)).fresh_for == 60


@pytest.mark.parametrize("status", UNDERSTOOD)
def test_this_status_is_understood(status):
    """So `must-understand` overrides `no-store` (RFC 9111, section 5.2.2.3)."""
    terms = Terms(reply("must-understand, no-store, max-age=60", status), Cache())

    assert terms.is_understood
    assert not terms.is_no_store


@pytest.mark.parametrize("status", [one for one in range(200, 500) if one not in UNDERSTOOD])
def test_another_status_is_not_understood(status):
    """So `must-understand` forbids storing it."""
    assert isinstance(admitted(reply("must-understand, max-age=60", status)), NotStorable)


@pytest.mark.parametrize(
    ("directive", "attribute"),
    [
        ("no-store", "no_store"),
        ("no-cache", "no_cache"),
        ("private", "private"),
        ("public", "public"),
        ("must-revalidate", "must_revalidate"),
        ("proxy-revalidate", "proxy_revalidate"),
        ("must-understand", "must_understand"),
        ("immutable", "immutable"),
    ],
)
def test_this_directive_is_a_flag(directive, attribute):
    """In any case, and among other directives."""
    assert getattr(parse_cache_control(directive.encode()), attribute) is True
    assert getattr(parse_cache_control(f"x, {directive.upper()} ,y".encode()), attribute) is True
    assert getattr(parse_cache_control(b"x"), attribute) is False


@pytest.mark.parametrize(
    ("directive", "attribute"),
    [
        ("max-age", "max_age"),
        ("s-maxage", "s_maxage"),
        ("stale-while-revalidate", "stale_while_revalidate"),
        ("stale-if-error", "stale_if_error"),
        ("min-fresh", "min_fresh"),
        ("max-stale", "max_stale"),
    ],
)
@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0", 0), ("7", 7), ('"7"', 7), ("-1", 0), ("1.5", 0), ("x", 0), ("9" * 30, 2.0**31)],
)
def test_this_directive_is_a_number_of_seconds(directive, attribute, text, seconds):
    """At most 2**31; a malformed number is 0 (RFC 9111, sections 1.2.2 and 4.2.1)."""
    assert getattr(parse_cache_control(f"{directive}={text}".encode()), attribute) == seconds
    assert getattr(parse_cache_control(b"x"), attribute) is None


@pytest.mark.parametrize("name", ["accept", "authorization", "cookie"])
def test_this_request_header_is_part_of_every_key(name):
    """Whether or not the service names it in Vary."""
    keys = {primary_key(call(headers={name: value})) for value in ("one", "two")}

    assert len(keys) == 2


@pytest.mark.parametrize("name", ["accept", "authorization", "cookie"])
def test_a_header_of_every_key_makes_no_variant(name):
    """The primary key has it already."""
    assert varying_values(fields({name: "one"}), (name.encode(),)) == ()


@pytest.mark.parametrize("name", ["accept-encoding", "host", "request-timeout", "traceparent"])
def test_a_header_of_the_transport_makes_no_variant(name):
    """It is the same for all callers, or does not affect the reply."""
    assert varying_values(fields({name: "one"}), (name.encode(),)) == ()


@pytest.mark.parametrize("name", ["accept-language", "x-country", "user-agent", "range", "origin"])
def test_another_header_makes_a_variant(name):
    """With its value, or without one."""
    assert varying_values(fields({name: "one"}), (name.encode(),)) == ((name.encode(), b"one"),)
    assert varying_values((), (name.encode(),)) == ((name.encode(), None),)


@pytest.mark.parametrize(
    ("header", "value", "tag"),
    [
        ("surrogate-key", "a b", "a"),
        ("surrogate-key", "a b", "b"),
        ("cache-tag", "a, b", "a"),
        ("cache-tag", "a, b", "b"),
        ("cache-groups", '"a", "b"', group("catalog", "a")),
        ("cache-groups", '"a", "b"', group("catalog", "b")),
    ],
)
def test_this_header_names_tags(header, value, tag):
    """A purge of such a tag finds the entry."""
    answer = reply({header: value, "cache-control": "max-age=60"})

    assert tag in tags_in(answer.headers, "catalog")
    assert tag in entry_of(answer).tags


@pytest.mark.parametrize(
    "name", ["content-length", "content-encoding", "content-type", "content-range"]
)
def test_a_304_does_not_change_this_field(name):
    """It describes the stored body, which a 304 does not have (RFC 9111, section 3.2)."""
    entry = CacheEntry(
        200, fields({name: "stored", "x-a": "stored"}), b"{}", generated_at=0.0, fresh_for=60.0
    )
    news = reply({name: "new", "x-a": "new"}, 304)

    answer = updated(entry, news)

    assert answer is not None
    assert answer.header(name) == "stored"
    assert answer.header("x-a") == "new"


@pytest.mark.parametrize("name", ["etag", "last-modified"])
def test_a_304_or_head_with_another_validator_is_about_another_answer(name):
    """It neither confirms nor describes the stored one (RFC 9111, section 4.3.4)."""
    entry = CacheEntry(200, fields({name: '"one"'}), b"{}", generated_at=0.0, fresh_for=60.0)
    same, other = reply({name: '"one"'}, 304), reply({name: '"two"'}, 304)

    assert updated(entry, same) is not None
    assert updated(entry, other) is None
    assert updated_by_head(entry, same) is not None
    assert updated_by_head(entry, other) is None


@pytest.mark.parametrize(
    "name",
    ["if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "if-range"],
)
def test_a_call_with_this_condition_bypasses_the_cache(name):
    """Its author wants the service's own reply."""
    assert bypass(call(headers={name: "x"})) == "conditional"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY"])
def test_a_call_with_this_method_bypasses_the_cache(method):
    """Only GET and HEAD use the cache."""
    assert bypass(call(method=method)) == "method"
    assert bypass(call()) == bypass(call(method="HEAD")) == ""


@pytest.mark.parametrize("name", ["Set-Cookie", "Content-Range"])
def test_a_reply_with_this_field_is_not_stored(name):
    """A cookie is for one client; a part is not the whole."""
    assert isinstance(admitted(reply({name: "x", "cache-control": "max-age=60"})), NotStorable)
    mine = call(audience=VIEWER)
    assert isinstance(
        admitted(reply({name: "x", "cache-control": "max-age=60"}), mine), NotStorable
    )
