"""Content negotiation with fields that no browser sends."""

import pytest

from bff_core.policy.edge.negotiation import MAX_READ_BYTES, preferences, preferred

TYPES = (b"application/json", b"application/x-ndjson")


@pytest.mark.parametrize(
    "member", [b"a,", b"a;q=0.1,", b'"', b'"\\', b";", b'a;x="\\"",', b",", b"*/*;q=0.001,"]
)
def test_a_long_field_costs_no_more_than_a_short_one(member):
    """A client that sends 30 KiB of members occupies the event loop for a few milliseconds."""
    assert len(preferences(member * (30_000 // len(member)))) <= MAX_READ_BYTES // 2


def test_members_up_to_the_limit_count_and_the_one_that_is_cut_does_not():
    """What is cut could have another name, or another weight."""
    first = b"application/x-ndjson, " + b"text/html, " * 200
    cut = b"a/b," * ((MAX_READ_BYTES - 24) // 4) + b"application/x-ndjson;q=0.1, application/json"

    assert preferred(first, TYPES) == b"application/x-ndjson"
    assert preferred(cut, TYPES) is None


@pytest.mark.parametrize("weight", [b"nan", b"inf", b"-1", b"1e0", b"2", b"0.5.5", b"", b"\xb2"])
def test_a_member_whose_weight_is_no_weight_is_left_out(weight):
    """It is neither the best nor an error."""
    assert preferred(b"application/json;q=" + weight + b", */*;q=0.1", TYPES[1:]) == TYPES[1]
    assert preferences(b"application/json;q=" + weight) == ()
