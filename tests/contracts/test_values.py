"""Values are checked against the types of a document."""

import pytest

from bff_core.contracts.document import Document, NamedType
from bff_core.contracts.types import (
    Anything,
    Array,
    Enum,
    Field,
    Json,
    Map,
    Nullable,
    ObjectType,
    Ref,
    Scalar,
    Tuple,
    Type,
    Union,
)
from tests.contracts.values import fits, misfit

TEXT = Scalar("string")
NODE = ObjectType((Field("name", TEXT, is_required=True), Field("next", Ref("Node"))))
DOCUMENT = Document("Shop", "1", "3.1.0", types={"Node": NamedType("Node", NODE)})
USER = ObjectType(
    (
        Field("id", TEXT, is_required=True, is_read_only=True),
        Field("secret", TEXT, is_required=True, is_write_only=True),
    )
)

NO_TEXT = "the value: found null, expected a text"
NO_INTEGER = "the value: found null, expected an integer"


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Anything(), {"a": [None]}),
        (TEXT, ""),
        (Scalar("binary"), "bytes"),
        (Scalar("integer"), 3),
        (Scalar("integer"), 3.0),
        (Scalar("number"), 3),
        (Scalar("boolean"), False),
        (Enum(("a", "b")), "b"),
        (Enum((1,)), 1.0),
        (Nullable(TEXT), None),
        (Nullable(TEXT), "a"),
        (Array(TEXT), []),
        (Tuple((TEXT, Scalar("integer"))), ["a", 1]),
        (Map(Scalar("integer")), {"a": 1}),
        (Union((TEXT, Scalar("integer"))), 1),
        (ObjectType((Field("a", TEXT),)), {}),
        (ObjectType((Field("a", TEXT),)), {"b": 1}),
        (ObjectType((Field("a", TEXT),), others=Scalar("integer")), {"a": "x", "b": 1}),
        (Ref("Node"), {"name": "a", "next": {"name": "b"}}),
    ],
)
def test_a_value_fits(kind: Type, value: Json) -> None:
    """Whatever the type."""
    assert fits(kind, value, DOCUMENT)


@pytest.mark.parametrize(
    ("kind", "value", "reason"),
    [
        (TEXT, 1, "the value: found 1, expected a text"),
        (TEXT, None, "the value: found null, expected a text"),
        (Scalar("integer"), 3.5, "the value: found 3.5, expected an integer"),
        (Scalar("integer"), True, "the value: found True, expected an integer"),
        (Scalar("number"), True, "the value: found True, expected a number"),
        (Scalar("boolean"), 0, "the value: found 0, expected true or false"),
        (Enum(("a",)), "b", "the value: found 'b', expected one of ('a',)"),
        (Enum((1,)), True, "the value: found True, expected one of (1,)"),
        (Array(TEXT), ["a", 1], "[1]: found 1, expected a text"),
        (Array(TEXT), "a", "the value: found 'a', expected a list"),
        (Tuple((TEXT,)), [], "the value: it has 0 items, expected 1"),
        (Map(TEXT), {"a": []}, "a: found a list, expected a text"),
        (
            ObjectType((Field("a", TEXT),), None, is_closed=True),
            {"b": 1},
            "the value: it has 'b', which the type does not allow",
        ),
        (ObjectType((Field("a", TEXT),), others=TEXT), {"b": 1}, "b: found 1, expected a text"),
        (Ref("Node"), {"name": "a", "next": {}}, "next: it has no 'name'"),
        (
            Array(Ref("Node")),
            [{"name": "a", "next": {"name": {}}}],
            "[0].next.name: found an object, expected a text",
        ),
        (
            Union((TEXT, Scalar("integer"))),
            None,
            f"the value: it is none of the options ({NO_TEXT}; {NO_INTEGER})",
        ),
    ],
)
def test_a_value_that_does_not_fit_is_explained(kind: Type, value: Json, reason: str) -> None:
    """With the path to the fault."""
    assert misfit(kind, value, DOCUMENT) == reason


@pytest.mark.parametrize(
    ("direction", "value", "expected"),
    [
        ("request", {"secret": "x"}, True),
        ("request", {"id": "1"}, False),
        ("response", {"id": "1"}, True),
        ("response", {"secret": "x"}, False),
        ("", {}, True),
    ],
)
def test_members_of_the_other_direction_may_be_absent(
    direction, value: Json, *, expected: bool
) -> None:
    """Read-only ones from requests, write-only ones from responses."""
    assert fits(USER, value, DOCUMENT, direction) is expected
