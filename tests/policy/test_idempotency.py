"""Idempotency: what a key is, what derives from it, and which answers are final."""

import re
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bff_core.policy.edge.idempotency import (
    KEY_PATTERN,
    derived_key,
    fingerprint,
    is_final_answer,
    parse_key,
)

UUID4 = "8e03978e-40d5-43dd-bc93-6894a57f9324"
PRINTABLE = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=255)


@pytest.mark.parametrize(
    ("field", "key"),
    [
        (f'"{UUID4}"', UUID4),
        (UUID4, UUID4),
        (f"  {UUID4} ", UUID4),
        (r'"a \"quoted\" \\ word"', r'a "quoted" \ word'),
        ("x" * 255, "x" * 255),
        ('"' + "x" * 255 + '"', "x" * 255),
    ],
)
def test_a_key_comes_with_quotes_or_without(field, key):
    """A structured string, as in the draft, and the bare form of most clients are the same key."""
    assert parse_key(field.encode()) == key


@pytest.mark.parametrize(
    "field",
    [
        b"",
        b'""',
        b'"',
        b'"open',
        b'a"b',
        b"a b",
        b"a,b",
        b"a;b=1",
        b'"a";b=1',
        b"a\tb",
        b'"a\tb"',
        b"\xff",
        b'"\xc3\xa9"',
        rb'"a\b"',
        b"x" * 256,
        b'"' + b"x" * 256 + b'"',
    ],
)
def test_a_malformed_key_is_refused(field):
    """Empty, unterminated, too long and listed values are malformed."""
    assert parse_key(field) is None


@given(PRINTABLE)
def test_any_printable_text_can_be_a_key(text):
    """A quoted and escaped text is parsed to the text itself."""
    field = text.replace("\\", r"\\").replace('"', r"\"")

    assert parse_key(f'"{field}"'.encode()) == text


@given(st.binary(max_size=300))
def test_any_field_is_parsed_or_refused(field):
    """Any bytes are a key or malformed, and a key is never longer than allowed."""
    key = parse_key(field)

    assert key is None or 1 <= len(key) <= 255


FIELDS = st.text('ab ,;"\\\x7f\xe9', max_size=8) | st.text("a", min_size=250, max_size=260)


@given(FIELDS | FIELDS.map(lambda text: f'"{text}"'))
def test_the_openapi_pattern_matches_exactly_the_accepted_keys(field):
    """A client that validates its requests sends no key that is refused."""
    is_taken = parse_key(field.encode("latin-1")) is not None

    assert (re.search(KEY_PATTERN, field) is not None) == (is_taken and field == field.strip())


def test_a_derived_key_is_the_same_in_every_process():
    """A retry after a restart, or at another process, derives the same key."""
    assert derived_key("base", "charge", "1") == "15e27d46-a69f-8663-a426-e10b8ad737af"


@given(st.lists(st.text(), min_size=1, max_size=4), st.lists(st.text(), min_size=1, max_size=4))
def test_different_names_give_different_keys(one, other):
    """Names are not joined: ("ab", "c") and ("a", "bc") give different keys."""
    assert (derived_key(*one) == derived_key(*other)) is (one == other)


@given(st.text(), st.text())
def test_a_derived_key_is_a_uuid(base, name):
    """It is a UUID of version 8, since some services accept nothing else."""
    assert UUID(derived_key(base, name)).version == 8


@given(st.binary(), st.binary(), st.binary(), st.binary())
def test_query_and_body_are_distinguished(query, body, other_query, other_body):
    """Moving bytes from the query to the body gives another fingerprint."""
    is_same = (query, body) == (other_query, other_body)

    assert (fingerprint(query, body) == fingerprint(other_query, other_body)) is is_same


@pytest.mark.parametrize("status", [200, 201, 207, 303, 402, 404, 409, 410, 422])
def test_an_answer_to_the_request_is_final(status):
    """A success, and a refusal of the request itself, are replayed."""
    assert is_final_answer(status)


@pytest.mark.parametrize("status", [400, 401, 403, 408, 413, 415, 425, 429, 500, 502, 503, 504])
def test_an_answer_without_an_outcome_is_not_stored(status):
    """If the outcome is unknown, a retry has to find out."""
    assert not is_final_answer(status)


def test_a_refusal_with_retry_after_is_not_stored():
    """A 409 with Retry-After means that another request is in progress."""
    assert not is_final_answer(409, has_retry_after=True)
    assert is_final_answer(202, has_retry_after=True)


@pytest.mark.parametrize(("outcome", "status"), [("final", 503), ("unknown", 200)])
def test_the_outcome_of_the_handler_takes_precedence(outcome, status):
    """A 503 after a complete compensation is final; a 200 that hides a timeout is not."""
    assert is_final_answer(status, outcome) is (outcome == "final")
