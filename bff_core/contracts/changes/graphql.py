"""Finds the differences of two GraphQL schemas that matter to clients."""

import re
from collections.abc import Iterator
from typing import Final

from bff_core.contracts.change import Change, Level
from bff_core.contracts.changes.graphql_rules import GRAPHQL_RULES, graphql_rule
from bff_core.contracts.changes.words import shown
from bff_core.extras import needs

with needs("graphql", "to compare GraphQL schemas"):
    from graphql import (
        BreakingChangeType,
        DangerousChangeType,
        DirectiveLocation,
        GraphQLEnumType,
        GraphQLError,
        GraphQLInputObjectType,
        GraphQLInterfaceType,
        GraphQLObjectType,
        GraphQLSchema,
        SchemaChange,
        build_schema,
        find_schema_changes,
        is_specified_scalar_type,
    )

_EXECUTABLE: Final = {
    DirectiveLocation.QUERY,
    DirectiveLocation.MUTATION,
    DirectiveLocation.SUBSCRIPTION,
    DirectiveLocation.FIELD,
    DirectiveLocation.FRAGMENT_DEFINITION,
    DirectiveLocation.FRAGMENT_SPREAD,
    DirectiveLocation.INLINE_FRAGMENT,
    DirectiveLocation.VARIABLE_DEFINITION,
}
_COORDINATE = re.compile(r"(@?\w+)(?:\.(\w+))?(?:\((\w+):\))?")

_Coordinate = tuple[str, ...]


def graphql_changes(before: str, after: str) -> list[Change]:
    """Return what changed for clients between two schemas, each in the schema language.

    `Change.operation` is a type, or a directive with its @; `Change.field` is a field or a value of
    it, and an argument of the field. Descriptions don't matter. Raises `ValueError` if a text is no
    schema.
    """
    old, new = _schema(before), _schema(after)
    return [*_root_changes(old, new), *_schema_changes(old, new), *_deprecations(old, new)]


def _schema(sdl: str) -> GraphQLSchema:
    """Read a schema; directives that it does not define are accepted."""
    try:
        schema = build_schema(sdl, assume_valid_sdl=True)
    except (GraphQLError, TypeError) as error:
        raise ValueError(f"this is no GraphQL schema: {error}") from None
    if schema.query_type is None:
        raise ValueError("this is no GraphQL schema: it has no type for queries")
    return schema


def _root_changes(old: GraphQLSchema, new: GraphQLSchema) -> Iterator[Change]:
    """Yield the kinds of operations that the schema no longer has."""
    for kind in ("query", "mutation", "subscription"):
        was, now = (getattr(schema, f"{kind}_type") for schema in (old, new))
        if was is not None and now is None:
            rule = "graphql-operation-type-removed"
            yield _change(rule, f"the schema has no {kind} any more", (was.name,))


def _schema_changes(old: GraphQLSchema, new: GraphQLSchema) -> Iterator[Change]:
    for one in find_schema_changes(old, new):
        coordinate = _coordinate(one, old, new)
        if one.type.name != "DESCRIPTION_CHANGED" and _matters(coordinate, old, new):
            yield _change(graphql_rule(one.type.name), _text(one), coordinate, _level(one))


def _matters(coordinate: _Coordinate, old: GraphQLSchema, new: GraphQLSchema) -> bool:
    """Whether clients can notice: not if a directive is for schemas, or a scalar is built in."""
    name = coordinate[0] if coordinate else ""
    if name.startswith("@"):
        directives = [schema.get_directive(name[1:]) for schema in (old, new)]
        return any(_EXECUTABLE & set(one.locations) for one in directives if one is not None)
    kind = old.type_map.get(name) or new.type_map.get(name)
    return kind is None or not is_specified_scalar_type(kind)


def _coordinate(one: SchemaChange, old: GraphQLSchema, new: GraphQLSchema) -> _Coordinate:
    """Return the schema coordinate that a description names, empty if it names none.

    Of several types, that which changed is the first; a union is the last.
    """
    found = [
        tuple(part for part in match.groups() if part)
        for match in _COORDINATE.finditer(one.description)
        if match[1] in old.type_map or match[1] in new.type_map or match[1].startswith("@")
    ]
    if not found:
        return ()
    if one.type.name in {"TYPE_ADDED_TO_UNION", "TYPE_REMOVED_FROM_UNION"}:
        return (*found[-1], *found[0])
    return found[-1] if one.type.name == "IMPLEMENTED_INTERFACE_ADDED" else found[0]


def _level(one: SchemaChange) -> Level:
    """Return the level of a kind of change that has no rule here."""
    if isinstance(one.type, BreakingChangeType):
        return "breaking"
    return "warning" if isinstance(one.type, DangerousChangeType) else "info"


def _text(one: SchemaChange) -> str:
    text = one.description.removesuffix(".")
    return text if text.isascii() and text.isprintable() else shown(text)


def _change(rule: str, text: str, coordinate: _Coordinate, level: Level = "breaking") -> Change:
    level = GRAPHQL_RULES[rule].level if rule in GRAPHQL_RULES else level
    operation, *field = coordinate or ("",)
    return Change(
        rule=rule, level=level, text=text, operation=operation, place="type", field=tuple(field)
    )


def _deprecations(old: GraphQLSchema, new: GraphQLSchema) -> Iterator[Change]:
    before = dict(_deprecated(old))
    for coordinate, reason in _deprecated(new):
        if reason is not None and before.get(coordinate, reason) is None:
            text = f"{'.'.join(coordinate)} is deprecated: {shown(reason)}"
            yield _change("graphql-deprecated", text, coordinate)


def _deprecated(schema: GraphQLSchema) -> Iterator[tuple[_Coordinate, str | None]]:
    """Yield why each field, argument and value is deprecated, None if it is not."""
    for kind in schema.type_map.values():
        if isinstance(kind, GraphQLEnumType):
            for name, value in kind.values.items():
                yield (kind.name, name), value.deprecation_reason
        elif isinstance(kind, GraphQLInputObjectType):
            for name, member in kind.fields.items():
                yield (kind.name, name), member.deprecation_reason
        elif isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
            for name, field in kind.fields.items():
                yield (kind.name, name), field.deprecation_reason
                for argument, one in field.args.items():
                    yield (kind.name, name, argument), one.deprecation_reason
