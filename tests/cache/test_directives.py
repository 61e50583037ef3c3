"""Header fields as services send them: malformed, repeated, hostile."""

from functools import partial
from math import inf

import pytest

from bff_core.cache.dates import parse_http_date
from bff_core.cache.directives import (
    fields_of,
    parse_age,
    parse_cache_control,
    targeted_directives,
    vary_names,
)
from tests.cache.exchanges import WALL
from tests.cpu_time import cpu_seconds


def said(field: bytes) -> dict[str, object]:
    """Return the directives of a field that are set."""
    directives, nothing = parse_cache_control(field), parse_cache_control(None)
    names = directives.__slots__
    return {
        name: value
        for name in names
        if (value := getattr(directives, name)) != getattr(nothing, name)
    }


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        (b"", {}),
        (b",, ,", {}),
        (b"no-store,,max-age=3,", {"no_store": True, "max_age": 3.0}),
        (b"\tpublic\t, max-age=3 ", {"public": True, "max_age": 3.0}),
        (b"max-age=0060", {"max_age": 60.0}),
        (b"max-age=", {"max_age": 0.0}),
        (b"max-age", {"max_age": 0.0}),
        (b"max-age = 60", {"max_age": 0.0}),
        (b"max-age= 60", {"max_age": 0.0}),
        (b"max-age='60'", {"max_age": 0.0}),
        (b'max-age="60', {"max_age": 0.0}),
        (b"max-age=60 public", {"max_age": 0.0}),
        (b"max-age=\xb2", {"max_age": 0.0}),
        (b'max-age="6\\0"', {"max_age": 60.0}),
        (b"max-age=1;stale=1", {"max_age": 0.0}),
        (b"max-stale", {"max_stale": inf}),
        (b"max-stale=5, min-fresh=2", {"max_stale": 5.0, "min_fresh": 2.0}),
        (b"stale-while-revalidate=x", {"stale_while_revalidate": 0.0}),
        (b'no-cache="A, b"', {"withheld": frozenset({b"a", b"b"})}),
        (b"no-cache=a", {"withheld": frozenset({b"a"})}),
        (b'no-cache=""', {"no_cache": True}),
        (b'private="a', {"private": True, "withheld": frozenset({b'"a'})}),
        (b'x="\\", no-store", public', {"public": True}),
        (b"x" * 1100, {"no_store": True}),
    ],
)
def test_malformed_cache_control_is_read_cautiously(field: bytes, expected: dict) -> None:
    """A malformed directive makes a reply stale or private, never fresh or shared."""
    assert said(field) == expected


@pytest.mark.parametrize("field", [b'"' * 1024, b'"\\' * 512, b'=,"' * 341, b", " * 512], ids=str)
def test_a_hostile_field_is_parsed_in_linear_time(field: bytes) -> None:
    """Quotes and commas do not make the parser backtrack."""
    fields = {b"cdn-cache-control": field}

    assert cpu_seconds(partial(parse_cache_control, field)) < 0.1
    assert cpu_seconds(partial(targeted_directives, fields, ("cdn-cache-control",))) < 0.1


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        (b"Sun, 06 Nov 1994 08:49:37 GMT", WALL),
        (b"Sunday, 06-Nov-94 08:49:37 GMT", WALL),
        (b"Sun Nov  6 08:49:37 1994", WALL),
        (b"Thu, 18 Aug 2050 02:01:18 GMT", 2544400878.0),
        (b"Sunday, 06-Nov-44 08:49:37 GMT", 2362034977.0),
        (b"Sat, 31 Dec 2016 23:59:60 GMT", 1483228800.0),
        (b"Sun, 06 Nov 1994 08:49:37 CET", None),
        (b"Sun, 06 Nov 1994 08:49:37 +0000", None),
        (b"Sun, 06 Nov 1994 08:49:37", None),
        (b"Sun, 6 Nov 1994 08:49:37 GMT", None),
        (b"Sun, 06 Nov 94 08:49:37 GMT", None),
        (b"Sun, 99 Nov 1994 08:49:37 GMT", None),
        (b"Sun, 06 Nov 0000 08:49:37 GMT", None),
        (b"Sun, 06 Nov 1994 25:49:37 GMT", None),
        (b"0", None),
        (b"", None),
        (b"\xff" * 29, None),
        (None, None),
    ],
)
def test_dates_are_read_in_three_formats_and_no_other(field, expected) -> None:
    """RFC 9110, section 5.6.7; a leap second is the first of the next minute."""
    assert parse_http_date(field) == expected


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        (b"Accept-Language, Origin,accept-language", (b"accept-language", b"origin")),
        (b"", ()),
        (None, ()),
        (b"*", None),
        (b"origin, *", None),
        (b"a b", None),
        (b"x" * 1100, None),
    ],
)
def test_vary_names_fields_or_forbids_reuse(field, expected) -> None:
    """Order, case and repetition do not matter; a malformed list matches no request."""
    assert vary_names(field) == expected


def test_lines_of_one_field_are_one_value() -> None:
    """RFC 9110, section 5.3: a service may send each member on a line of its own."""
    headers = ((b"vary", b"a"), (b"x", b"1"), (b"vary", b"b"))

    assert fields_of(headers, frozenset({b"vary"})) == {b"vary": b"a, b"}


@pytest.mark.parametrize(
    ("field", "expected"),
    [(b"20", 20), (b"20, 30", 20), (b"-1", 0), (b"1.5", 0), (b"9" * 30, 2**31), (None, 0)],
)
def test_an_invalid_age_is_ignored(field, expected) -> None:
    """RFC 9111, section 5.1."""
    assert parse_age(field) == expected
