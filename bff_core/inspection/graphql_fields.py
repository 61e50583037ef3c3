"""The fields of a GraphQL schema: the parts and screens that give their values."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import strawberry
from graphql import GraphQLField as Field
from graphql import (
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_leaf_type,
    is_required_argument,
)

from bff_core.answer_cacheability import Sharing
from bff_core.auth.access import Access
from bff_core.compat.strawberry import argument_names, graphql_schema, resolver_of
from bff_core.composition.composition import Composition
from bff_core.gateway.app import Gateway
from bff_core.graphql.access import rules_of
from bff_core.graphql.face import GraphQL
from bff_core.graphql.field_plan import Composed, ComposedPart, FieldPlan, HeldPart, LoadedValue
from bff_core.graphql.strawberry_field import plan_of
from bff_core.inspection.attributes import part_ref
from bff_core.inspection.reader import screens_in, steps_of_function
from bff_core.inspection.steps import InOrder, PartStart, PartWait, Step, Together


@dataclass(frozen=True)
class GraphQLField:
    """One field of an object type; `composes` is the screen that it composes, if it does."""

    schema: GraphQLSchema
    type_name: str
    name: str
    field: Field
    rules: tuple[Access | None, ...]

    @property
    def coordinate(self) -> str:
        """The type and the field: `Query.home`."""
        return f"{self.type_name}.{self.name}"

    @property
    def is_root(self) -> bool:
        """Whether it is a field of the query or the mutation."""
        roots = (self.schema.query_type, self.schema.mutation_type)
        return self.type_name in {one.name for one in roots if one is not None}

    @property
    def is_query(self) -> bool:
        """Whether it is a root field of the query."""
        root = self.schema.query_type
        return root is not None and root.name == self.type_name

    @property
    def plan(self) -> FieldPlan | None:
        """How `part()`, `screen()` or `value()` declare it; None for a resolver of the user."""
        return plan_of(resolver_of(self.field))

    @property
    def resolver(self) -> Callable[..., Any] | None:
        """The user's resolver; None if there is none."""
        found = resolver_of(self.field)
        return found if callable(found) and self.plan is None else None

    @cached_property
    def step(self) -> Step:
        """What gives its value: a part, or what its resolver does."""
        plan = self.plan
        if isinstance(plan, HeldPart | ComposedPart):
            return _of_part(plan.screen, plan.part)
        if isinstance(plan, LoadedValue):
            return _of_part(plan.screen, plan.loader)
        return InOrder() if self.resolver is None else steps_of_function(self.resolver)

    @property
    def screens(self) -> tuple[type[Composition], ...]:
        """The screens whose parts it awaits, or that it composes."""
        plan = self.plan
        if isinstance(plan, Composed):
            return (plan.screen,)
        return tuple(screens_in(self.step))

    @cached_property
    def inner(self) -> tuple["GraphQLField", ...]:
        """The fields of the type of its value."""
        kind = get_named_type(self.field.type)
        if not isinstance(kind, GraphQLObjectType):
            return ()
        return tuple(_fields_of(self.schema, kind))


def fields_of(schema: strawberry.Schema) -> Iterator[GraphQLField]:
    """Yield the fields of all object types, those of the query and the mutation first."""
    inner = graphql_schema(schema)
    roots = [one for one in (inner.query_type, inner.mutation_type) if one is not None]
    others = [one for one in inner.type_map.values() if isinstance(one, GraphQLObjectType)]
    for kind in dict.fromkeys([*roots, *others]):
        if not kind.name.startswith("__"):
            yield from _fields_of(inner, kind)


def _fields_of(schema: GraphQLSchema, kind: GraphQLObjectType) -> Iterator[GraphQLField]:
    for name, field in kind.fields.items():
        yield GraphQLField(schema, kind.name, name, field, tuple(rules_of(kind, name)))


def _of_part(screen: type[Composition], member: Any) -> Step:
    own = getattr(screen, member.attribute, member)
    ref = part_ref(screen, own)
    return InOrder((PartStart(ref), PartWait(ref)))


def steps_of_field(one: GraphQLField, above: tuple[str, ...] = ()) -> Step:
    """Return the steps of a field, then of all fields below it, at the same time.

    A type within itself is read once.
    """
    if one.type_name in above:
        return InOrder()
    inner = tuple(
        step
        for field in one.inner
        if (step := steps_of_field(field, (*above, one.type_name))) != InOrder()
    )
    own: tuple[Step, ...] = () if one.step == InOrder() else (one.step,)
    return InOrder((*own, Together(inner))) if inner else InOrder(own)


def listed_fields(app: Gateway, path: str) -> Iterator[tuple[GraphQLField, Sharing | None]]:
    """Yield the root fields of the schema at a path, and other fields with an access rule.

    Each comes with who may share the answer to a query of it; None for what is not cached.
    """
    for face in app.config.faces:
        if isinstance(face, GraphQL) and face.path == path:
            for one in fields_of(face.schema):
                if one.is_root or any(rule is not None for rule in one.rules):
                    yield one, face.sharing_of(one.name) if one.is_query else None


def root_field(app: Gateway, coordinate: str) -> tuple[str, GraphQLField]:
    """Return a root field by its coordinate, with the path of its endpoint."""
    for face in app.config.faces:
        for one in fields_of(face.schema) if isinstance(face, GraphQL) else ():
            if one.coordinate == coordinate:
                return face.path, one  # type: ignore[attr-defined]  # of a GraphQL face
    raise LookupError(coordinate)


def query_of(one: GraphQLField, given: Mapping[str, str], depth: int) -> str:
    """Return a query that selects a field and all below it, `depth` levels of objects deep.

    `given` are arguments by their name in GraphQL or in Python. A field below it that requires an
    argument is left out, and so is a type within itself. Raises `LookupError` with the names (in
    Python) of arguments that are required and not given.
    """
    names = dict(argument_names(one.field))
    values = {name: given.get(name, given.get(names.get(name, ""))) for name in one.field.args}
    missing = [name for name in _required(one.field) if values[name] is None]
    if missing:
        raise LookupError(*(names.get(name, name) for name in missing))
    arguments = ", ".join(
        f"{name}: {_literal(value, one.field.args[name].type)}"
        for name, value in values.items()
        if value is not None
    )
    call = f"{one.name}({arguments})" if arguments else one.name
    return f"{{ {call}{_selection(one, (one.type_name,), depth)} }}"


def _required(field: Field) -> list[str]:
    return [name for name, one in field.args.items() if is_required_argument(one)]


def _literal(value: str, kind: object) -> str:
    """Return a value of the command line as GraphQL writes it."""
    is_text = get_named_type(kind).name in {"ID", "String"}  # type: ignore[call-overload]  # a type
    return json.dumps(value) if is_text else value


def _selection(one: GraphQLField, above: tuple[str, ...], depth: int) -> str:
    if not isinstance(get_named_type(one.field.type), GraphQLObjectType):
        return "" if is_leaf_type(get_named_type(one.field.type)) else " { __typename }"
    names = []
    for field in one.inner:
        is_object = not is_leaf_type(get_named_type(field.field.type))
        is_repeated = field.type_name in above
        if _required(field.field) or (is_object and (is_repeated or depth <= 1)):
            continue
        names.append(field.name + _selection(field, (*above, field.type_name), depth - 1))
    return f" {{ {' '.join(names) or '__typename'} }}"
