"""What an attribute of a value is: a part of a screen, a client, a method, a verb."""

import inspect
import sys
from functools import cached_property
from types import FunctionType, ModuleType
from typing import Final

from bff_core.composition.bulk import BulkMethod
from bff_core.composition.composition import Composition
from bff_core.composition.decorators import PartMethod
from bff_core.composition.loader import LoaderMethod
from bff_core.composition.wiring import shape_of
from bff_core.inspection.function_source import class_in, hints_of, plain_function
from bff_core.inspection.steps import PartKind, PartRef
from bff_core.inspection.values import (
    BoundPart,
    Dynamic,
    Instance,
    Known,
    Method,
    PartMember,
    Text,
    Value,
    Verb,
    WholeNumber,
)
from bff_core.saga.saga import Step as SagaStep
from bff_core.upstream.client import Upstream
from bff_core.upstream.graphql.client import GraphQLUpstream

VERBS: Final = frozenset(
    {"delete", "forward", "get", "ndjson", "patch", "post", "put", "request", "sse", "stream"}
    | {"typed"}
)
"""The methods of `Upstream` that send a request."""

GRAPHQL_VERBS: Final = {"query": "query", "mutate": "mutation"}
"""The methods of `GraphQLUpstream` that send a request, each with its kind of operation."""


def uses_graphql() -> bool:
    """Whether a gateway of this process has GraphQL."""
    return "bff_core.graphql.face" in sys.modules


def attribute(value: Value, name: str) -> Value:
    """Return the attribute of a value."""
    if isinstance(value, Instance):
        return _of_instance(value, name)
    if isinstance(value, Known):
        return _of_object(value.value, name)
    return None


def part_ref(screen: type[Composition], member: PartMember) -> PartRef:
    """Return a part of a screen by its descriptor."""
    return PartRef(screen, member.name, kind_of(member))


def kind_of(member: PartMember) -> PartKind:
    """Return what kind of part a descriptor declares."""
    if isinstance(member, LoaderMethod):
        return "loader"
    if isinstance(member, BulkMethod):
        return "bulk"
    if isinstance(member, SagaStep):
        return "step"
    return "optional" if hasattr(member.failure, "fallback") else "critical"


def _of_instance(value: Instance, name: str) -> Value:  # noqa: PLR0911 # one branch for each kind of attribute
    kind = value.kind
    static = inspect.getattr_static(kind, name, None)
    if isinstance(static, PartMethod | LoaderMethod | BulkMethod | SagaStep):
        return BoundPart(kind, static)
    if issubclass(kind, Upstream) and name in VERBS:
        return Verb(kind, name)
    if issubclass(kind, GraphQLUpstream) and name in GRAPHQL_VERBS:
        return Verb(kind, name)
    if isinstance(static, classmethod | staticmethod):
        return _method(static.__func__, Known(kind) if isinstance(static, classmethod) else None)
    if isinstance(static, FunctionType):
        return _method(static, value)
    if isinstance(static, str):
        return Text(static)
    found = _declared(kind, name, static)
    if found is not None:
        return Instance(found)
    is_client = issubclass(kind, Composition | Upstream)
    return Dynamic(kind, name) if is_client and static is None and name[:1] != "_" else None


def _method(function: object, owner: Value) -> Value:
    plain = plain_function(function)
    return None if plain is None else Method(plain, owner)


def _declared(kind: type, name: str, static: object) -> type | None:
    """Return the class that a field, a property or a source is declared to have."""
    if issubclass(kind, Composition):
        shape = shape_of(kind)
        for field, one in (*shape.services, *shape.facts):
            if field == name:
                return one
    if uses_graphql():
        # Imported here because gateways without GraphQL need no library of it.
        from bff_core.inspection.graphql_shapes import held  # noqa: PLC0415 # see above

        found = held(kind, name)
        if found is not None:
            return found
    if isinstance(static, property) and static.fget is not None:
        return class_in(hints_of(static.fget).get("return"))
    if isinstance(static, cached_property):
        return class_in(hints_of(static.func).get("return"))
    return class_in(hints_of(kind).get(name))


def _of_object(one: object, name: str) -> Value:
    """Return an attribute of an object that exists; no code of it is run."""
    if isinstance(one, ModuleType):
        return known(vars(one)[name]) if name in vars(one) else None
    static = inspect.getattr_static(one, name, None)
    if isinstance(one, type):
        if isinstance(static, classmethod):
            return _method(static.__func__, Known(one))
        found = static.__func__ if isinstance(static, staticmethod) else static
        return None if found is None else known(found)
    if static is not None and isinstance(static, FunctionType):
        return _method(static, known(one))
    return None if static is None else known(static)


def constant(one: object) -> Value:
    """Return the value of a text or a whole number; None for other constants."""
    if isinstance(one, str):
        return Text(one)
    return WholeNumber(one) if type(one) is int else None


def known(one: object) -> Value:
    """Return the value of an object that exists before a function runs."""
    found = constant(one)
    if found is not None:
        return found
    if isinstance(one, classmethod | staticmethod):
        return _method(one.__func__, None)
    return Known(one)
