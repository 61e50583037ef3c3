"""Any mixture of keywords is read into types that hold together, or refused as a whole."""

from collections.abc import Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bff_core.contracts.errors import ContractError
from bff_core.contracts.types import (
    Anything,
    Array,
    Map,
    Nullable,
    ObjectType,
    Ref,
    Tuple,
    Type,
    Union,
)
from tests.contracts.openapi.documents import with_schemas

NAMES = ("A", "B", "C")
REFERENCES = st.sampled_from([{"$ref": f"#/components/schemas/{name}"} for name in NAMES])
LEAVES = REFERENCES | st.sampled_from(
    [True, False, {}, {"type": "string"}, {"type": "null"}, {"enum": ["x", None]}, {"const": 1}]
)


def combined(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Return schemas that contain others."""
    several = st.lists(inner, min_size=1, max_size=2)
    return st.fixed_dictionaries(
        {},
        optional={
            "properties": st.dictionaries(st.sampled_from("pqr"), inner, max_size=2),
            "required": st.just(["p"]),
            "allOf": several,
            "oneOf": several,
            "anyOf": several,
            "items": inner,
            "additionalProperties": inner,
            "discriminator": st.just({"propertyName": "p", "mapping": {"a": "A"}}),
            "nullable": st.booleans(),
            "type": st.sampled_from(["object", "array", ["object", "null"]]),
        },
    )


SCHEMAS = st.recursive(LEAVES, combined, max_leaves=6)


def parts_of(kind: Type) -> Iterator[Type]:
    """Yield a type and all that it consists of."""
    yield kind
    match kind:
        case Nullable(one) | Array(one) | Map(one):
            yield from parts_of(one)
        case Union(several) | Tuple(several):
            for one in several:
                yield from parts_of(one)
        case ObjectType(fields, others):
            for one in (*(field.type for field in fields), *([others] if others else [])):
                yield from parts_of(one)


@given(st.fixed_dictionaries(dict.fromkeys(NAMES, SCHEMAS)), st.sampled_from(["3.0.3", "3.1.0"]))
@settings(deadline=None, max_examples=60)
def test_types_hold_together(schemas: dict[str, Any], openapi: str) -> None:
    """References lead to types, unions have options of which none is null or anything."""
    try:
        types = with_schemas(schemas, openapi=openapi).types
    except ContractError:
        return
    for named in types.values():
        for kind in parts_of(named.type):
            if isinstance(kind, Ref):
                assert kind.name in types
            if isinstance(kind, Nullable):
                assert not isinstance(kind.of, Nullable | Anything)
            if isinstance(kind, Union):
                assert len(kind.options) > 1
                assert not any(isinstance(one, Nullable | Anything) for one in kind.options)
                names = {one.name for one in kind.options if isinstance(one, Ref)}
                spec = kind.discriminator
                assert spec is None or names.issuperset(spec.mapping.values())
