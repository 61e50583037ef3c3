"""The JSON Schema of a file of routes, for editors: made from the dataclasses of the model."""

from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from math import isfinite
from pathlib import Path
from types import NoneType
from typing import Annotated, Any, Final, Literal, get_args, get_origin

from bff_core.auth.access import Anyone
from bff_core.client_kinds import CLIENT_KINDS
from bff_core.policy.options import described
from bff_core.policy.upstream.endpoints import EndpointOptions
from bff_core.policy.upstream.policy import Policy
from bff_core.proxy.conditions import Condition
from bff_core.proxy.data.binding import (
    ACCESS_FIELDS,
    ACCESS_WORDS,
    has_switches,
    hints_of,
    is_required,
    members,
    settable_fields,
)
from bff_core.proxy.files import Files
from bff_core.proxy.match import Match
from bff_core.proxy.path_checks import MAX_PATH
from bff_core.proxy.patterns import MAX_PATTERN
from bff_core.proxy.route import Route
from bff_core.proxy.traffic import Mirror, Split
from bff_core.proxy.transform import Transform
from bff_core.proxy.value_checks import SAFE_METHODS

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

Schema = dict[str, Any]

_ID: Final = "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
_METHOD: Final = "^[!#$%&'*+.^_`|~0-9A-Z-]+$"
_UPSTREAM_NAME: Final = "^[A-Za-z][A-Za-z0-9_-]{0,63}$"
_ADDRESS: Final = "^[a-z][a-z0-9+.-]*://"

_FURTHER: Final[Mapping[tuple[type, str], Schema]] = {
    (Route, "id"): {"pattern": _ID},
    (Match, "path"): {"pattern": "^/[^?#\\\\\\s]*$", "maxLength": MAX_PATH},
    (Match, "methods"): {"items": {"type": "string", "pattern": _METHOD}, "uniqueItems": True},
    (Match, "client"): {"enum": [*CLIENT_KINDS]},
    (Condition, "prefix"): {"minLength": 1},
    (Condition, "regex"): {"maxLength": MAX_PATTERN},
    (Split, "by"): {"pattern": "^(viewer|request|(header|cookie):[^\\s:]+)$"},
    (Mirror, "methods"): {"items": {"enum": [*SAFE_METHODS]}, "minItems": 1, "uniqueItems": True},
    (Mirror, "compare"): {"items": {"enum": ["status", "json"]}, "uniqueItems": True},
    (Mirror, "ignore"): {"items": {"type": "string", "pattern": "^\\$."}},
    (Transform, "method"): {"pattern": _METHOD},
    (Files, "directory"): {"minLength": 1},
    (EndpointOptions, "url"): {"description": "The address", "pattern": _ADDRESS},
    (EndpointOptions, "metadata"): {"description": "Texts by name, for people"},
}
"""What the types of some fields do not say."""

_WHOLE: Final[Mapping[type, Schema]] = {
    Route: {"oneOf": [{"required": ["to"]}, {"required": ["files"]}]},
    Condition: {"minProperties": 1, "maxProperties": 1},
}
"""What holds for several fields together."""


def proxy_schema() -> Schema:
    """Return the schema of a file of routes, in the dialect of 2020-12."""
    definitions: dict[str, Schema] = {}
    upstream = _upstream(definitions)
    route = _reference(Route, definitions)
    return {
        "$schema": DIALECT,
        "title": "Routes without code, and their upstreams",
        "type": "object",
        "properties": {
            "upstreams": {
                "description": "Upstreams without code, by name",
                "type": "object",
                "propertyNames": {"pattern": _UPSTREAM_NAME},
                "additionalProperties": {"$ref": "#/$defs/Upstream"},
            },
            "routes": {
                "description": "The routes; their order never counts",
                "type": "array",
                "items": route,
            },
        },
        "additionalProperties": False,
        "$defs": {"Upstream": upstream, **dict(sorted(definitions.items()))},
    }


def _upstream(definitions: dict[str, Schema]) -> Schema:
    address: Schema = {"type": "string", "pattern": _ADDRESS}
    one = {"anyOf": [address, _reference(EndpointOptions, definitions)]}
    schema = _table(Policy, definitions)
    endpoints = {
        "description": "The addresses; BFF_UPSTREAM_<NAME> replaces them",
        "anyOf": [address, {"type": "array", "items": one}],
    }
    schema["properties"] = {"endpoints": endpoints, **schema["properties"]}
    return {**schema, "description": "An upstream: its endpoints, and the options of its policy"}


def _reference(kind: type, definitions: dict[str, Schema]) -> Schema:
    name = kind.__name__
    if name not in definitions:
        definitions[name] = {}  # it may refer to itself
        definitions[name] = _table(kind, definitions)
    return {"$ref": f"#/$defs/{name}"}


def _table(kind: type, definitions: dict[str, Schema]) -> Schema:
    """Return the schema of a table: an object of a dataclass."""
    known = settable_fields(kind)
    schema: Schema = {
        "description": (kind.__doc__ or "").partition("\n")[0],
        "type": "object",
        "properties": {name: _field(kind, name, definitions) for name in known},
        "additionalProperties": False,
        **_WHOLE.get(kind, {}),
    }
    required = [name for name, one in known.items() if is_required(one)]
    return {**schema, "required": required} if required else schema


def _field(kind: type, name: str, definitions: dict[str, Schema]) -> Schema:
    option = next((one for one in described(kind) if one.name == name), None)
    hint = hints_of(kind)[name]
    schema = _value(get_args(hint)[0] if get_origin(hint) is Annotated else hint, definitions)
    schema = {**schema, **_FURTHER.get((kind, name), {})}
    if option is not None:
        _limit(schema, option.option.at_least, option.option.at_most)
        schema = {"description": option.option.sentence, **schema}
    if has_switches(kind):
        schema = _switched(schema, members(hint))
    default = next(one.default for one in fields(kind) if one.name == name)
    if default is not MISSING and isinstance(default, str | int | float) and default != "":
        schema["default"] = default
    return schema


def _limit(schema: Schema, at_least: float, at_most: float) -> None:
    """Add the range of an option to its numbers."""
    limits = {"minimum": at_least, "maximum": at_most}
    limits = {name: value for name, value in limits.items() if isfinite(value)}
    for one in [schema, *schema.get("anyOf", [])]:
        if one.get("type") in {"number", "integer"}:
            one.update(limits)


def _switched(schema: Schema, kinds: tuple[Any, ...]) -> Schema:
    """Return the schema of a field that `true` and `false` may turn on and off."""
    part = next((kind for kind in kinds if is_dataclass(kind)), None)
    switches = [{"const": True}] if part is not None else []
    switches += [{"const": False}] if NoneType in kinds else []
    if bool in kinds or not switches:
        return schema
    if "anyOf" in schema:
        return {**schema, "anyOf": [*schema["anyOf"], *switches]}
    inner = {name: value for name, value in schema.items() if name != "description"}
    outer = {name: value for name, value in schema.items() if name == "description"}
    return {**outer, "anyOf": [inner, *switches]}


def _value(hint: Any, definitions: dict[str, Schema]) -> Schema:
    kinds = members(hint)
    if Anyone in kinds:
        return _access(definitions)
    if any(get_origin(kind) is type for kind in kinds):
        return {"type": "string", "pattern": _UPSTREAM_NAME}
    found: list[Schema] = []
    for kind in kinds:
        one = {"type": "null"} if kind is NoneType else _kind(kind, definitions)
        found += [] if one in found else [one]
    return found[0] if len(found) == 1 else {"anyOf": found}


def _access(definitions: dict[str, Schema]) -> Schema:
    properties = {name: _value(kind, definitions) for name, kind in ACCESS_FIELDS.items()}
    rule = {"type": "object", "properties": properties, "additionalProperties": False}
    return {"anyOf": [{"enum": [*ACCESS_WORDS]}, rule, {"type": "null"}]}


def _kind(kind: Any, definitions: dict[str, Schema]) -> Schema:
    origin, inner = get_origin(kind), get_args(kind)
    if is_dataclass(kind):
        return _reference(kind, definitions)  # type: ignore[arg-type]
    if origin is Literal:
        return {"enum": [*inner]}
    if origin is tuple and inner[-1] is not ...:
        items = [_value(one, definitions) for one in inner]
        return {
            "type": "array",
            "prefixItems": items,
            "minItems": len(items),
            "maxItems": len(items),
        }
    if origin in {tuple, frozenset}:
        return {"type": "array", "items": _value(inner[0], definitions)}
    if origin is not None:
        return {"type": "object", "additionalProperties": _value(inner[1], definitions)}
    return {"type": _TYPES[kind]}


_TYPES: Final[Mapping[Any, str]] = {
    str: "string",
    Path: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
}
