"""Cache tags, by templates and by services' headers."""

from datetime import UTC, datetime
from enum import Enum

import pytest

from bff_core.cache.tags import are_too_many, declared_tags, filled, group, invalidated_groups
from bff_core.errors import ConfigurationError
from tests.cache.exchanges import fields


class Kind(str, Enum):  # noqa: UP042 # its str() is the member's name, unlike a StrEnum's
    """An enum, as a call's parameter."""

    SHOE = "shoe"


@pytest.mark.parametrize(
    ("templates", "values", "expected"),
    [
        ((), {}, ()),
        (("products",), {"id": 7}, ("products",)),
        (("product:{id}",), {"id": 7}, ("product:7",)),
        (("{kind}:{id}", "all"), {"id": "a:b", "kind": "x y,z"}, ("x y,z:a:b", "all")),
        (("product:{ids}",), {"ids": [7, "8", 7]}, ("product:7", "product:8")),
        (("product:{ids}",), {"ids": ()}, ()),
        (("of:{status}", "orders"), {"status": None}, ("orders",)),
        (("on:{flag}",), {"flag": True}, ("on:true",)),
        (("is:{kind}",), {"kind": Kind.SHOE}, ("is:shoe",)),
        (("is:{kinds}",), {"kinds": {"b", Kind.SHOE}}, ("is:b", "is:shoe")),
        (("at:{day}",), {"day": datetime(2026, 1, 2, tzinfo=UTC)}, ("at:2026-01-02T00:00:00Z",)),
        (("{{id}}:{id}",), {"id": 7}, ("{id}:7",)),
        (("t:{a}-{b}",), {"a": [1, 2], "b": [3, 4]}, ("t:1-3", "t:1-4", "t:2-3", "t:2-4")),
    ],
)
def test_templates_are_filled_from_parameters(templates, values, expected) -> None:
    """A sequence makes a tag for each member, and an absent value makes none."""
    assert filled(templates, values) == expected


@pytest.mark.parametrize(
    ("template", "values", "message"),
    [
        ("product:{ID}", {"id": 7, "full": 1}, "ID is none of the parameters: full, id"),
        ("product:{id}", {}, "id is none of the parameters: none"),
        ("product:{}", {"id": 7}, "name each parameter"),
        ("product:{id.x}", {"id": 7}, "id.x is none of the parameters: id"),
        ("product:{id", {"id": 7}, "product:{id"),
        ("", {}, "name each parameter"),
    ],
)
def test_a_tag_that_cannot_be_filled_is_an_error(template, values, message) -> None:
    """The message has the template, the name and the known names."""
    with pytest.raises(ConfigurationError) as error:
        filled((template,), values)

    assert message in str(error.value)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, ()),
        ({"surrogate-key": "a  b,c\td"}, ("a", "b,c", "d")),
        ({"surrogate-key": ["a b", "b c"]}, ("a", "b", "c")),
        ({"cache-tag": "a b, c,,d "}, ("a b", "c", "d")),
        ({"surrogate-key": "a", "cache-tag": "a,b"}, ("a", "b")),
        (
            {"cache-groups": '"scripts", "styles";x=1'},
            ("group:3:web:scripts", "group:3:web:styles"),
        ),
        ({"cache-groups": "scripts"}, ()),
        ({"cache-groups": '"scripts'}, ()),
    ],
    ids=str,
)
def test_services_name_tags_in_headers(headers: dict, expected: tuple[str, ...]) -> None:
    """Surrogate-Key by spaces, Cache-Tag by commas, groups as in RFC 9875."""
    assert declared_tags(fields(headers), "web") == expected


def test_tags_may_be_in_any_script() -> None:
    """They are UTF-8, so a purge by the same word finds them; other bytes are escaped."""
    headers = ((b"cache-tag", "café".encode()), (b"cache-tag", b"\xff"))

    assert declared_tags(headers, "web") == ("café", "\\xff")


def test_groups_are_those_of_one_service() -> None:
    """RFC 9875: the same name at two services is two groups, whatever the services are called."""
    assert len({group("a", "b"), group("b", "b"), group("a:b", ""), group("a", ":b")}) == 4


def test_a_write_names_the_groups_that_it_changed() -> None:
    """RFC 9875, section 3: a list of strings."""
    headers = fields({"cache-group-invalidation": '"eurovision-results", "kylie"'})

    assert invalidated_groups(headers, "music") == (
        group("music", "eurovision-results"),
        group("music", "kylie"),
    )


def test_groups_in_several_lines_are_one_list() -> None:
    """RFC 9110, section 5.3: a proxy may split them, and each group is purged."""
    headers = (
        (b"cache-group-invalidation", b'"results"'),
        (b"cache-group-invalidation", b'"kylie", "abba"'),
    )

    assert invalidated_groups(headers, "music") == tuple(
        group("music", one) for one in ("results", "kylie", "abba")
    )


def test_tags_have_limits() -> None:
    """128 tags of 256 letters, as many as a purge can hold."""
    assert not are_too_many(tuple(f"{number:0256}" for number in range(128)))
    assert are_too_many(tuple(map(str, range(129))))
    assert are_too_many(("x" * 257,))
