"""Reads the schema of a GraphQL service: SDL, the result of introspection, or a live service."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from bff_core.contracts.graphql.fetch import fetch_introspection, shown
from bff_core.errors import ConfigurationError
from bff_core.extras import needs

with needs("graphql", "reading a GraphQL schema"):
    from graphql import (
        GraphQLError,
        GraphQLSchema,
        KnownDirectivesRule,
        Source,
        UniqueFieldDefinitionNamesRule,
        build_ast_schema,
        build_client_schema,
        lexicographic_sort_schema,
        parse,
        print_schema,
    )

    from bff_core.compat.graphql_core import specified_sdl_rules, validate_sdl

MAX_SCHEMA_BYTES: Final = 64 * 1024 * 1024
"""The longest schema that is read."""

MAX_ERRORS: Final = 20
"""How many errors of a schema a message lists."""

NOT_CHECKED: Final = {KnownDirectivesRule, UniqueFieldDefinitionNamesRule}
SDL_RULES: Final = tuple(rule for rule in specified_sdl_rules if rule not in NOT_CHECKED)
"""The rules for SDL, without two that published schemas break.

Subgraphs use the directives of federation undeclared, and some schemas define a field twice.
"""

_decode: Final = msgspec.json.Decoder().decode


def load(source: str | Path, *, headers: Mapping[str, str] | None = None) -> str:
    """Return the schema of a service as normalised SDL.

    `source` is a file with SDL or with the JSON of an introspection, or the URL of the service,
    which is then sent the introspection query with `headers`. Raises `ConfigurationError`, whose
    message says what to do.
    """
    text = str(source)
    if text.lower().startswith(("http://", "https://")):
        return printed(_of_introspection(fetch_introspection(text, headers or {}), shown(text)))
    try:
        content = Path(source).read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{text}: can't be read: {error.strerror}") from error
    if len(content) > MAX_SCHEMA_BYTES:
        raise ConfigurationError(f"{text}: the schema has over {MAX_SCHEMA_BYTES} bytes")
    if content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        return printed(_of_json(content, text))
    try:
        return normalized(content.decode("utf-8-sig"), text)
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{text}: is not UTF-8") from error


def normalized(sdl: str, source: str = "the schema") -> str:
    """Return SDL in the form that is pinned: sorted, so that two versions compare line by line."""
    return printed(schema_of(sdl, source))


def printed(schema: GraphQLSchema) -> str:
    """Return the normalised SDL of a schema."""
    return f"{print_schema(lexicographic_sort_schema(schema))}\n"


def schema_of(sdl: str, source: str = "the schema") -> GraphQLSchema:
    """Return the schema that SDL describes; raise `ConfigurationError` with all errors."""
    try:
        document = parse(Source(sdl, source))
    except GraphQLError as error:
        raise ConfigurationError(_listed(source, [error])) from error
    if errors := validate_sdl(document, None, SDL_RULES):
        raise ConfigurationError(_listed(source, errors))
    return _with_query(build_ast_schema(document, assume_valid=True), source)


def _of_json(content: bytes, source: str) -> GraphQLSchema:
    try:
        value = _decode(content.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigurationError(f"{source}: is not JSON: {error}") from error
    return _of_introspection(value, source)


def _of_introspection(value: object, source: str) -> GraphQLSchema:
    """Return the schema of an introspection: its `data`, or the whole response."""
    data = value.get("data", value) if isinstance(value, dict) else value
    if not isinstance(data, dict) or not isinstance(data.get("__schema"), dict):
        raise ConfigurationError(
            f"{source}: has no __schema: pass SDL, or the response to an introspection query"
        )
    try:
        schema = build_client_schema(data, assume_valid=True)  # type: ignore[arg-type]  # it checks the members
    except (TypeError, ValueError, KeyError, AttributeError, GraphQLError) as error:
        raise ConfigurationError(f"{source}: the introspection is incomplete: {error}") from error
    return _with_query(schema, source)


def _with_query(schema: GraphQLSchema, source: str) -> GraphQLSchema:
    """Return a schema that can be queried.

    That its types fit their interfaces is not checked: those of some published schemas do not.
    """
    if schema.query_type is None:
        raise ConfigurationError(f"{source}: has no type Query: pass the whole schema")
    return schema


def _listed(source: str, errors: list[GraphQLError]) -> str:
    """Return errors as lines, each with its place: file:line:column."""
    lines = [f"{_place(source, error)}: {error.message}" for error in errors[:MAX_ERRORS]]
    if len(errors) > MAX_ERRORS:
        lines.append(f"{source}: and {len(errors) - MAX_ERRORS} more")
    return "\n".join(lines)


def _place(source: str, error: GraphQLError) -> str:
    at = error.locations[0] if error.locations else None
    return source if at is None else f"{source}:{at.line}:{at.column}"
