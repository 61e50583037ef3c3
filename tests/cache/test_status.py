"""Cache-Status: the examples of RFC 9211, parsed as structured fields."""

import http_sf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bff_core.cache.status import forwarded, hit


@pytest.mark.parametrize(
    ("member", "example"),
    [
        (hit("ExampleCache", 376), b"ExampleCache; hit; ttl=376"),
        (hit("ExampleCache", -412), b"ExampleCache; hit; ttl=-412"),
        (hit("CDN Company Here", 545.9), b'"CDN Company Here"; hit; ttl=545'),
        (forwarded("ExampleCache", "miss"), b"ExampleCache; fwd=miss"),
        (forwarded("ExampleCache", "miss", is_stored=True), b"ExampleCache; fwd=miss; stored"),
        (
            forwarded("web", "bypass", detail="set-cookie"),
            b"web; fwd=bypass; detail=set-cookie",
        ),
        (forwarded("web", "miss", detail="two words"), b'web; fwd=miss; detail="two words"'),
    ],
)
def test_members_look_like_the_examples(member: bytes, example: bytes) -> None:
    """RFC 9211, sections 2 and 3; a name that is no token becomes a string."""
    assert member == example


names = st.text(min_size=1, max_size=20)


@given(names, st.integers(-10_000, 10_000), names)
def test_every_member_is_a_structured_field(name: str, quarters: int, detail: str) -> None:
    """For any name of a gateway, a client's parser reads exactly this member."""
    field = hit(name, quarters / 4) + b", " + forwarded(name, "miss", detail=detail)
    [(name_in_hit, of_hit), (name_in_miss, of_miss)] = http_sf.parse(field, tltype="list")

    assert len(str(name_in_hit)) == len(str(name_in_miss)) == len(name)
    assert list(of_hit) == ["hit", "ttl"]
    assert of_hit["ttl"] == quarters // 4
    assert list(of_miss) == ["fwd", "detail"]
