"""Strict JSON: invalid texts and values are refused, with their position."""

import contextlib
import json
import math
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bff_core.edge.strict_json import MAX_DEPTH, JSONRefused, is_flat, is_plain, place_of, read_json
from tests.cpu_time import cpu_seconds

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
LOOSE = st.recursive(
    st.integers() | st.floats() | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def refused(text: bytes) -> tuple[str, tuple[str | int, ...], tuple[int, int] | None]:
    """Return the fault of a text: its type, its path, its line and column."""
    with pytest.raises(JSONRefused) as caught:
        read_json(text)
    fault, text_read = caught.value.fault, caught.value.text
    place = None if fault.position is None else place_of(fault.position, text_read)
    return fault.type, fault.path, place


@given(VALUES, st.booleans())
def test_all_json_is_read_as_what_it_is(value, is_ascii):
    """All valid JSON is read, with and without escapes."""
    text = json.dumps(value, ensure_ascii=is_ascii).encode()

    assert read_json(text) == value


@given(LOOSE)
def test_plain_text_holds_nothing_that_is_refused(value):
    """The fast check never accepts a text that the full check refuses."""
    text = json.dumps(value).encode()

    if is_plain(text):
        read_json(text)


@pytest.mark.parametrize(
    ("text", "kind", "path"),
    [
        (b"NaN", "finite_number", ()),
        (b'{"a": [1, -Infinity]}', "finite_number", ("a", 1)),
        (b"[1e999]", "finite_number", (0,)),
        (b"[-1E+0400]", "finite_number", (0,)),
        (b"[" + b"9" * 310 + b".0]", "finite_number", (0,)),
        (b"[" + b"9" * 290 + b"e50]", "finite_number", (0,)),
        (b'{"a": NaN, "a": 1}', "finite_number", ()),
        (b'{"a": {"b": "x\\ud83d"}}', "string_unicode", ("a", "b")),
        (b'["\\uDE00\\uD83D"]', "string_unicode", (0,)),
        (b'{"a": {"\\ud83d": 1}}', "string_unicode", ("a",)),
        (b'{"a": [' + b"1" * 5000 + b"]}", "int_parsing_size", ("a", 0)),
        (b"-" + b"1" * 4301, "int_parsing_size", ()),
    ],
)
def test_values_that_json_cannot_pass_on_are_refused_where_they_stand(text, kind, path):
    """`NaN` would become null, and half an emoji can't be encoded."""
    assert refused(text) == (kind, path, None)
    assert not is_plain(text)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (b"", (1, 1)),
        (b"  ", (1, 3)),
        (b'{"a": 1,\n "b": tru}', (2, 7)),
        (b'{"a": 1}}', (1, 9)),
        (b'["\xc3\xa9", "\xff"]', (1, 8)),
        (b'"\xed\xa0\xbd"', (1, 2)),
        (b'\xef\xbb\xbf{"a"}', (1, 5)),
        ('{"a": 1}'.encode("utf-16"), (1, 1)),
        ('{"a": 1}'.encode("utf-16-le"), (1, 2)),
        (b"[" * 10_000, (1, MAX_DEPTH + 1)),
        (b'{"a":' * 10_000, (1, 5 * MAX_DEPTH + 1)),
        (b"[\n" * 10_000 + b"]" * 10_000, (MAX_DEPTH + 1, 1)),
        (b'["[[", ' + b"[" * 200 + b"]" * 200 + b"]", (1, 8 + MAX_DEPTH - 1)),
    ],
)
def test_malformed_and_deep_text_is_refused_by_line_and_column(text, place):
    """The error names the character; lines and columns count from 1."""
    assert refused(text) == ("json_invalid", (), place)


@pytest.mark.parametrize(
    "text",
    [
        b'\xef\xbb\xbf{"a": 1}',
        b'"NaN Infinity 1e999"',
        b'"\\ud83d\\ude00"',
        b"[" * MAX_DEPTH + b"]" * MAX_DEPTH,
        b'["' + b"[" * 500 + b'\\"' + b"{" * 500 + b'"]',
        b"[" + b"1" * 4300 + b", 1e308, 1e-999]",
        b"[" + b"[],{}," * 500 + b"1]",
    ],
)
def test_unusual_text_that_is_json_is_read(text):
    """Unusual but valid JSON is accepted."""
    assert read_json(text) == json.loads(text.removeprefix(b"\xef\xbb\xbf"))


def test_a_float_is_refused_only_beyond_its_range():
    """The largest float is accepted, the next power of ten is refused."""
    assert read_json(b"1.7976931348623157e308") == math.nextafter(math.inf, 0)
    assert refused(b"1e309")[0] == "finite_number"


SLOW = {
    "wide": b"[" + b"[]," * 80_000 + b"1]",
    "deep": b"[" * 250_000,
    "nested": b"[" * 125_000 + b"]" * 125_000,
    "a hundred levels": b"[" + (b"[" * 99 + b"]" * 99 + b",") * 1_250 + b"1]",
    "digits": b"[" + b"1" * 199 + b"," + b"1" * 250_000 + b"]",
    "short runs of digits": b"[" + (b"1" * 199 + b",") * 1_250 + b"1]",
    "exponents": b"1e9" * 80_000,
    "quotes": b'"' * 250_000,
    "escapes": b'"' + b"\\u00e9" * 40_000 + b'"',
}


def read_or_refused(text: bytes) -> None:
    """Run all checks of a text that come before decoding."""
    with contextlib.suppress(JSONRefused):
        is_plain(text), is_flat(text), read_json(text)


@pytest.fixture(scope="module")
def usual():
    """Return how long Python's parser takes for many values."""
    return cpu_seconds(partial(json.loads, SLOW["wide"]))


@pytest.mark.mostly_slow
@pytest.mark.parametrize("text", SLOW.values(), ids=SLOW)
def test_no_text_takes_long_to_refuse(text, usual):
    """A malicious text takes no longer than any other text of its length."""
    took = cpu_seconds(partial(read_or_refused, text))

    assert took < 20 * usual
