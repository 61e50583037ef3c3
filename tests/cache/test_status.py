"""Cache-Status: the examples of RFC 9211, parsed as structured fields."""

import http_sf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bff_core.cache.status import age, forwarded, hit


@pytest.mark.parametrize(
    ("member", "example"),
    [
        (hit("ExampleCache", 376), b"ExampleCache; hit; ttl=376"),
        (hit("ExampleCache", -412), b"ExampleCache; hit; ttl=-412"),
        (hit("CDN Company Here", 545.9), b'"CDN Company Here"; hit; ttl=545'),
        (forwarded("ExampleCache", "uri-miss"), b"ExampleCache; fwd=uri-miss"),
        (
            forwarded("ExampleCache", "stale", status=304),
            b"ExampleCache; fwd=stale; fwd-status=304",
        ),
        (
            forwarded("ExampleCache", "uri-miss", is_collapsed=True),
            b"ExampleCache; fwd=uri-miss; collapsed",
        ),
        (
            forwarded("ForwardProxyCache", "uri-miss", is_stored=True, ttl=60, is_collapsed=True),
            b"ForwardProxyCache; fwd=uri-miss; ttl=60; stored; collapsed",
        ),
        (
            forwarded("web", "bypass", detail="set-cookie"),
            b"web; fwd=bypass; detail=set-cookie",
        ),
        (hit("web", 1, detail="two words"), b'web; hit; ttl=1; detail="two words"'),
    ],
)
def test_members_look_like_the_examples(member: bytes, example: bytes) -> None:
    """RFC 9211, sections 2 and 3; a name that is no token becomes a string."""
    assert member == example


names = st.text(min_size=1, max_size=20)


@given(names, st.integers(-10_000, 10_000), names)
def test_every_member_is_a_structured_field(name: str, quarters: int, detail: str) -> None:
    """For any name of a gateway, a client's parser reads exactly this member."""
    members = http_sf.parse(hit(name, quarters / 4, detail), tltype="list")

    [(name_in_field, parameters)] = members
    assert len(str(name_in_field)) == len(name)
    assert list(parameters) == ["hit", "ttl", "detail"]
    assert parameters["ttl"] == quarters // 4


@pytest.mark.parametrize(("seconds", "expected"), [(0, b"0"), (59.99, b"59"), (-1, b"0")])
def test_an_age_is_in_whole_seconds(seconds: float, expected: bytes) -> None:
    """RFC 9111, section 5.1."""
    assert age(seconds) == expected
