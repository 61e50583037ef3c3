"""Fields that are written by hand for speed are what http-sf would write."""

from types import SimpleNamespace

import http_sf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bff_core.cache.status import forwarded, hit
from bff_core.composition.part_status import WORST_LAST
from bff_core.http_exchange.part_headers import part_status, part_status_ok
from bff_core.policy.upstream.signature import digest_field, parameters, sign

NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,20}", fullmatch=True)
PRINTABLE = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30)
PARTS = st.builds(
    SimpleNamespace,
    name=NAMES,
    state=st.sampled_from(WORST_LAST),
    reason=st.one_of(st.just(""), NAMES),
    age=st.one_of(st.just(0.0), st.floats(1.0, 1e6)),
)


def rewritten(field: bytes, kind: str) -> str:
    """Return a field as http-sf writes it, once it has read it."""
    return http_sf.ser(http_sf.parse(field, tltype=kind))


@settings(deadline=None)
@given(st.lists(PARTS, min_size=1, max_size=8, unique_by=lambda one: one.name))
def test_part_status_is_a_dictionary(parts):
    """A client may parse it with any library."""
    field = part_status(parts)

    assert rewritten(field, "dictionary") == field.decode()
    assert [*http_sf.parse(field, tltype="dictionary")] == [one.name for one in parts]


@settings(deadline=None)
@given(st.lists(NAMES, min_size=1, max_size=8, unique=True))
def test_part_status_of_complete_answers_is_a_dictionary(names):
    """The fast path renders the same."""
    field = part_status_ok(tuple(names))

    assert field == part_status(
        SimpleNamespace(name=name, state="ok", reason="", age=0.0) for name in names
    )
    assert rewritten(field, "dictionary") == field.decode()


@settings(deadline=None)
@given(PRINTABLE, st.floats(-1e6, 1e6), PRINTABLE)
def test_cache_status_is_a_list(name, ttl, detail):
    """For any name of a gateway and any detail; only spaces are additional."""
    for field in (
        hit(name, ttl),
        forwarded(name, "miss", is_stored=True, detail=detail),
    ):
        assert http_sf.parse(rewritten(field, "list").encode(), tltype="list") == http_sf.parse(
            field, tltype="list"
        )


@settings(deadline=None)
@given(st.lists(NAMES, min_size=1, max_size=6), st.integers(0, 2**40), PRINTABLE)
def test_signature_input_is_a_dictionary(names, created, key_id):
    """A service that verifies the signature parses what was signed."""
    value = parameters([(name, "") for name in names], created=created, key_id=key_id)

    assert rewritten(f"sig={value}".encode(), "dictionary") == f"sig={value}"


@pytest.mark.parametrize("body", [b"", b"{}", bytes(range(256))])
def test_digests_and_signatures_are_bytes(body):
    """Base64 is enclosed in colons."""
    for field in (b"sha-256=" + sign(b"key", [], "()"), digest_field(body)):
        assert rewritten(field, "dictionary") == field.decode()
