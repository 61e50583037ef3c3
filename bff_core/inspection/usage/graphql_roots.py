"""What the fields of a GraphQL schema read of services' replies."""

import ast
import inspect
from collections.abc import Iterator, Sequence
from types import FunctionType
from typing import Final

from graphql import (
    GraphQLField,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_abstract_type,
)

from bff_core.compat.strawberry import class_of as class_behind
from bff_core.compat.strawberry import graphql_schema, python_name, resolver_of
from bff_core.gateway.app import Gateway
from bff_core.graphql.face import GraphQL
from bff_core.graphql.field_plan import (
    Composed,
    ComposedPart,
    FieldPlan,
    FromSource,
    HeldPart,
    LoadedValue,
)
from bff_core.graphql.shape import source_type
from bff_core.graphql.strawberry_field import plan_of
from bff_core.inspection.function_source import place_of, plain_function
from bff_core.inspection.usage.flow_attributes import existing
from bff_core.inspection.usage.flow_facts import FunctionFacts
from bff_core.inspection.usage.flow_values import (
    FlowValue,
    OwnFunction,
    ScreenPart,
    Typed,
    options_of,
)
from bff_core.inspection.usage.root_reader import RootReader
from bff_core.inspection.usage.source_readings import SourceReadings
from bff_core.inspection.usage.type_hints import class_of, is_record, members

_NODE: Final = ast.Pass()


def fields_read(
    app: Gateway, readings: SourceReadings
) -> Iterator[tuple[str, Sequence[FunctionFacts]]]:
    """Yield each root field of the schemas of a gateway with the facts of all fields below it."""
    for face in app.config.faces:
        if isinstance(face, GraphQL):
            yield from _Schema(graphql_schema(face.schema), readings).roots()


class _Schema:
    """Reads the fields of one schema, each once."""

    def __init__(self, schema: GraphQLSchema, readings: SourceReadings) -> None:
        self._schema = schema
        self._readings = readings
        self._of_field: dict[tuple[str, str], FunctionFacts] = {}

    def roots(self) -> Iterator[tuple[str, Sequence[FunctionFacts]]]:
        """Yield the root fields with the facts of all fields below them."""
        for root in (self._schema.query_type, self._schema.mutation_type):
            if root is None:
                continue
            for name, field in root.fields.items():
                if not name.startswith("_"):
                    found = [self._read(root, name, field)]
                    for kind in self._below(get_named_type(field.type)):
                        found += [self._read(kind, one, each) for one, each in kind.fields.items()]
                    yield f"{root.name}.{name}", found

    def _below(self, kind: GraphQLNamedType) -> Sequence[GraphQLObjectType]:
        """Return the object types of a value and of all values below it."""
        found: dict[str, GraphQLObjectType] = {}
        pending = [kind]
        while pending:
            one = pending.pop()
            if is_abstract_type(one):
                pending += self._schema.get_possible_types(one)
            if isinstance(one, GraphQLObjectType) and one.name not in found:
                found[one.name] = one
                pending += [get_named_type(each.type) for each in one.fields.values()]
        return list(found.values())

    def _read(self, kind: GraphQLObjectType, name: str, field: GraphQLField) -> FunctionFacts:
        key = (kind.name, name)
        if key not in self._of_field:
            behind = class_behind(kind)
            self._of_field[key] = self._facts(behind if isinstance(behind, type) else None, field)
        return self._of_field[key]

    def _facts(self, kind: type | None, field: GraphQLField) -> FunctionFacts:
        resolver = resolver_of(field)
        plan = plan_of(resolver)
        shown = getattr(plan, "shape", None) or resolver or kind
        plain = plain_function(shown)
        place = place_of(plain) if plain is not None else _file_of(kind)
        reader = RootReader(self._readings, place)
        holder: FlowValue = None if kind is None else Typed(kind)
        if plan is not None:
            self._plan(plan, reader, holder, kind)
        elif resolver is not None and plain is not None:
            function = OwnFunction(plain, holder if _takes_self(plain) else None)
            self._returned(reader.apply(function, [], {}, _NODE), reader)
        else:
            reader.attribute(_source(kind, holder), python_name(field), None)
        return reader.facts

    def _plan(
        self, plan: FieldPlan, reader: RootReader, holder: FlowValue, kind: type | None
    ) -> None:
        """Read how `part()`, `screen()` or `value()` give a field its value."""
        value: FlowValue = None
        if isinstance(plan, HeldPart | ComposedPart):
            value = reader.apply(ScreenPart(plan.screen, plan.part), [], {}, _NODE)
        elif isinstance(plan, LoadedValue):
            key = _source(kind, holder)
            for name in plan.key.split("."):
                key = reader.attribute(key, name, None)
            part = ScreenPart(plan.screen, plan.loader)
            value = reader.apply(part, [key], {}, _NODE)
        elif isinstance(plan, Composed):
            value = Typed(plan.screen)
        elif isinstance(plan, FromSource):
            value = Typed(plan.source)
        if plan.shape is not None:
            value = reader.apply(existing(plan.shape), [value], {}, _NODE)
        self._returned(value, reader)

    @staticmethod
    def _returned(value: FlowValue, reader: RootReader) -> None:
        """Record that objects are sent whole which no type of the schema stands for."""
        for one in options_of(value):
            for hint in members(one.hint) if isinstance(one, Typed) else ():
                found = class_of(hint)
                if found is not None and is_record(found) and not _is_graphql(found):
                    reader.escape(Typed(hint), "it is in the answer", None)


def _source(kind: type | None, holder: FlowValue) -> FlowValue:
    """Return what the fields of a type are read from: the source of a `ShapeOf`, or itself."""
    source = None if kind is None else source_type(kind)
    return holder if source is None else Typed(source)


def _takes_self(function: FunctionType) -> bool:
    return function.__code__.co_varnames[:1] == ("self",)


def _file_of(kind: type | None) -> str:
    """Return the file of a class; empty if it has none."""
    try:
        return "" if kind is None else inspect.getsourcefile(kind) or ""
    except TypeError:
        return ""


def _is_graphql(kind: type) -> bool:
    return hasattr(kind, "__strawberry_definition__")
