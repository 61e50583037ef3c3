"""Revalidation: of services' replies (304, HEAD), and by clients (If-None-Match)."""

import pytest

from bff_core.cache.entry import CacheEntry
from bff_core.cache.storing import NotStorable
from bff_core.cache.validation import (
    conditional,
    matches,
    renewed,
    updated,
    updated_by_head,
    weakly_match,
)
from bff_core.call import find_header
from bff_core.policy.upstream.cache import Cache
from tests.cache.exchanges import (
    DATE,
    HOUR_EARLIER,
    MINUTE_LATER,
    NOW,
    VIEWER,
    WALL,
    call,
    entry_of,
    reply,
)

STORED = {
    "cache-control": "max-age=60",
    "etag": '"v1"',
    "last-modified": HOUR_EARLIER,
    "age": "30",
    "x-shelf": "1",
}


def confirmed(headers: dict, stored: dict | None = None) -> CacheEntry | NotStorable | None:
    """Update the entry by a 304 with these headers, half a minute later."""
    entry, asker = entry_of(reply(stored or STORED), call(audience=VIEWER)), call(audience=VIEWER)
    whole = updated(entry, reply(headers, 304, b""))
    if whole is None:
        return None
    later = NOW + 30
    return renewed(entry, asker, whole, Cache(), sent_at=later, now=later, wall=WALL + 30)


def test_a_call_carries_both_validators() -> None:
    """RFC 9111, section 4.3.1; the call's own headers stay."""
    request = conditional(call(), entry_of(reply(STORED)))

    assert request.headers == (
        *call().headers,
        (b"if-none-match", b'"v1"'),
        (b"if-modified-since", HOUR_EARLIER.encode()),
    )


def test_without_a_validator_the_call_has_no_condition() -> None:
    """The whole reply is requested."""
    asker = call()

    assert conditional(asker, entry_of(reply("max-age=60"))) is asker


def test_a_304_makes_an_entry_fresh_again() -> None:
    """RFC 9111, section 4.3.4: body and status are the stored ones, the age is that of the 304."""
    entry = confirmed({"etag": '"v1"', "cache-control": "max-age=120", "x-shelf": "2"})

    assert (entry.status, entry.body) == (200, b'{"id": 7}')
    assert (entry.age(NOW + 30), entry.fresh_for) == (0, 120)
    assert dict(entry.headers)[b"x-shelf"] == b"2"
    assert dict(entry.headers)[b"last-modified"] == HOUR_EARLIER.encode()


def test_a_304_does_not_describe_the_body() -> None:
    """RFC 9111, section 3.2: fields about the stored body stay, whatever the 304 says."""
    entry = confirmed(
        {"content-type": "text/plain", "content-length": "0", "content-encoding": "br"}
    )

    assert find_header(entry.headers, b"content-type") == b"application/json"
    assert find_header(entry.headers, b"content-length") is None
    assert find_header(entry.headers, b"content-encoding") is None


@pytest.mark.parametrize(
    ("headers", "stored"),
    [
        ({"etag": '"v2"'}, STORED),
        ({"last-modified": DATE}, {"last-modified": HOUR_EARLIER, "cache-control": "max-age=9"}),
    ],
)
def test_a_304_about_another_answer_confirms_nothing(headers: dict, stored: dict) -> None:
    """RFC 9111, section 4.3.4: its validator has to match the stored one."""
    assert confirmed(headers, stored) is None


@pytest.mark.parametrize(
    "headers", [{}, {"etag": '"v1"'}, {"etag": 'W/"v1"'}, {"last-modified": HOUR_EARLIER}], ids=str
)
def test_a_304_with_a_matching_validator_or_none_confirms_the_entry(headers: dict) -> None:
    """It answers the one condition that was sent, which may be compared weakly."""
    assert isinstance(confirmed(headers), CacheEntry)


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({"cache-control": "no-store"}, "no-store"),
        ({"set-cookie": "a=1"}, "set-cookie"),
        ({"vary": "*"}, "vary"),
    ],
)
def test_a_304_may_end_the_storage(headers: dict, reason: str) -> None:
    """Its directives count as if they came with the body; the caller gets the reply anyway."""
    assert confirmed(headers) == NotStorable(reason)


def test_decoded_values_survive_a_304() -> None:
    """The body is the same, and so are its decoded values."""
    entry = entry_of(reply(STORED))
    entry.decoded["model"] = "value"
    whole = updated(entry, reply({}, 304, b""))

    again = renewed(entry, call(), whole, Cache(), sent_at=NOW, now=NOW, wall=WALL)

    assert again.decoded == {"model": "value"}


@pytest.mark.parametrize(
    ("headers", "holds"),
    [
        ({"etag": '"v1"', "cache-control": "max-age=90"}, True),
        ({"content-length": "9"}, True),
        ({"etag": '"v2"'}, False),
        ({"last-modified": MINUTE_LATER}, False),
        ({"content-length": "10"}, False),
    ],
)
def test_a_head_confirms_or_invalidates_an_entry(headers: dict, holds: bool) -> None:
    """RFC 9111, section 4.3.5: with the same validators and length the entry is still valid."""
    stored = {"content-length": "9", "last-modified": HOUR_EARLIER, "cache-control": "max-age=9"}
    entry = entry_of(reply(stored | ({"etag": '"v1"'} if "etag" in headers else {})))

    whole = updated_by_head(entry, reply(headers, 200, b""))

    assert (whole is not None) == holds
    assert whole is None or whole.body == b'{"id": 7}'


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (b'W/"1"', b'W/"1"', True),
        (b'W/"1"', b'W/"2"', False),
        (b'W/"1"', b'"1"', True),
        (b'"1"', b'"1"', True),
    ],
)
def test_entity_tags_are_compared_without_their_weakness(one, other, expected) -> None:
    """The table of RFC 9110, section 8.8.3.2, in its weak half."""
    assert weakly_match(one, other) is expected


@pytest.mark.parametrize(
    ("field", "etag", "expected"),
    [
        (b'"xyzzy"', b'"xyzzy"', True),  # RFC 9110, section 13.1.2
        (b'W/"xyzzy"', b'"xyzzy"', True),
        (b'"xyzzy", "r2d2xxxx", "c3piozzzz"', b'"c3piozzzz"', True),
        (b'W/"xyzzy", W/"r2d2xxxx", W/"c3piozzzz"', b'W/"r2d2xxxx"', True),
        (b"*", b'"any"', True),
        (b' "a"\t,"b"', b'"b"', True),
        (b'"a,b"', b'"a,b"', True),
        (b'"a,b"', b'"b"', False),
        (b'"ab"', b'"a"', False),
        (b'""', b'""', True),
        (b"xyzzy", b'"xyzzy"', False),
        (b'"xyzzy', b'"xyzzy"', False),
        (b"", b'"a"', False),
    ],
)
def test_if_none_match_compares_weakly(field: bytes, etag: bytes, expected: bool) -> None:
    """A tag may contain commas."""
    assert matches(field, etag) is expected
