"""Which entries a write invalidates (RFC 9111, section 4.4)."""

import pytest

from bff_core.cache.invalidation import invalidated, url_tag
from bff_core.cache.tags import MAX_TAG_LENGTH, group
from tests.cache.exchanges import VIEWER, call, entry_of, reply


def purged(headers: dict, origins: tuple[str, ...] = (), target: str = "/orders/7") -> list[str]:
    """Return the further targets that a successful POST invalidates."""
    tags = invalidated(call(target, method="POST"), reply(headers, 201), origins)
    assert tags[0] == f"url:catalog:{target}"
    return [tag.removeprefix("url:catalog:") for tag in tags[1:]]


def test_a_write_purges_all_variants_of_its_url() -> None:
    """Entries of all audiences and variants have the tag that a write purges."""
    mine = entry_of(reply("max-age=60"), call("/a%2fb?q=%7e", audience=VIEWER))
    all_ours = entry_of(reply("max-age=60"), call("/a%2Fb?q=~"))

    [tag] = invalidated(call("/a%2Fb?q=%7E", method="PUT"), reply(status=204))

    assert mine.tags == all_ours.tags == (tag,)


@pytest.mark.parametrize(
    ("method", "status", "counts"),
    [
        ("POST", 201, True),
        ("DELETE", 204, True),
        ("PATCH", 303, True),
        ("PURGE", 200, True),
        ("PUT", 404, False),
        ("PUT", 500, False),
        ("PUT", 101, False),
        ("GET", 200, False),
        ("HEAD", 200, False),
        ("OPTIONS", 200, False),
    ],
)
def test_only_successful_unsafe_calls_purge(method: str, status: int, counts: bool) -> None:
    """Reads and failures change nothing; an unknown method may."""
    tags = invalidated(call(method=method, purges=("shelf",)), reply(status=status))

    assert tags == (("url:catalog:/products/7", "shelf") if counts else ())


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"location": "/orders/8"}, ["/orders/8"]),
        ({"location": "8"}, ["/orders/8"]),
        ({"location": "../carts?full=1#top"}, ["/carts?full=1"]),
        ({"location": "?page=2"}, ["/orders/7?page=2"]),
        ({"content-location": "/orders/8", "location": "/orders/9"}, ["/orders/9", "/orders/8"]),
        ({"location": "/orders/7"}, []),
        ({"location": "//evil.example/orders/8"}, []),
        ({"location": "https://catalog/orders/8"}, []),
        ({"location": "http://[::1/orders/8"}, []),
        ({"location": "http://a:b/orders/8"}, []),
    ],
    ids=str,
)
def test_a_relative_reference_is_of_the_same_origin(headers: dict, expected: list[str]) -> None:
    """Without known addresses, no other host counts as the same origin."""
    assert purged(headers) == expected


ORIGINS = ("http://catalog:8000/api", "https://10.0.0.7")


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("http://catalog:8000/api/orders/8", ["/orders/8"]),
        ("http://CATALOG:8000/api/orders/8", ["/orders/8"]),
        ("/api/orders/8", ["/orders/8", "/api/orders/8"]),  # as each address would mean it
        ("https://10.0.0.7:443/orders/8", ["/orders/8"]),
        ("http://catalog:8000/orders/8", []),
        ("http://catalog:8000/apiary", []),
        ("http://catalog/api/orders/8", []),
        ("https://catalog:8000/api/orders/8", []),
        ("https://evil.example/api/orders/8", []),
    ],
)
def test_an_absolute_reference_has_to_be_at_an_address(location, expected) -> None:
    """RFC 9111, section 4.4: only the upstream's own addresses count, without their base path."""
    assert purged({"location": location}, ORIGINS) == expected


def test_groups_are_invalidated_too() -> None:
    """RFC 9875: a service may name what else changed."""
    reply_of_write = reply({"cache-group-invalidation": '"results"'}, 200)

    tags = invalidated(call(method="POST"), reply_of_write)

    assert tags[1:] == (group("catalog", "results"),)


def test_the_tag_of_a_long_url_is_short() -> None:
    """Different URLs have different tags all the same."""
    tags = {url_tag("catalog", "/search?q=" + "x" * size) for size in (500, 501)}

    assert len(tags) == 2
    assert all(len(tag) <= MAX_TAG_LENGTH for tag in tags)
