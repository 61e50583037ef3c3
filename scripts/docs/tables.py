"""Generates the tables of settings, events, errors, options and commands from the code.

A table stands between `<!-- generated: NAME -->` and `<!-- end of generated -->` in a page;
`make docs` rewrites it, and a test fails while it is outdated.
"""

import ast
import inspect
import json
import logging
import math
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, fields
from http.client import responses
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from fastapi import HTTPException
from pydantic import ByteSize, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

import bff_core
from bff_core import errors, events
from bff_core.contracts.changes.graphql_rules import GRAPHQL_RULES
from bff_core.contracts.changes.rules import OPENAPI_RULES, ChangeRule
from bff_core.edge.problem_details import members_of
from bff_core.graphql import QueryLimits
from bff_core.observe.log_levels import LEVELS
from bff_core.observe.metrics.families import FAMILIES, Family
from bff_core.policy.options import DescribedOption, described
from bff_core.proxy.data.json_schema import proxy_schema
from bff_core.public_names import defining_module
from bff_core.server.options import ServerOptions
from bff_core.settings.model import Settings
from bff_core.settings.renamed import RENAMED
from scripts.docs.commands import commands_text

DOCS = Path(__file__).resolve().parents[2] / "docs"
SOURCE = DOCS.with_name("bff_core")

Rows = Sequence[Sequence[str]]

_BLOCK = re.compile(
    r"(?P<begin><!-- generated: (?P<name>[\w ]+) -->\n).*?(?P<end>\n<!-- end of generated -->)",
    re.DOTALL,
)


def rewrite() -> list[Path]:
    """Rewrite the generated tables of all pages; return the pages that changed."""
    changed = []
    for path in sorted(DOCS.rglob("*.md")):
        text = path.read_text()
        current = with_tables(text)
        if current != text:
            path.write_text(current)
            changed.append(path)
    return changed


def with_tables(text: str) -> str:
    """Return a page with its generated tables up to date."""
    return _BLOCK.sub(lambda block: block["begin"] + _table(block["name"]) + block["end"], text)


def names_of_tables(text: str) -> list[str]:
    """Return the names of the generated tables of a page."""
    return [block["name"] for block in _BLOCK.finditer(text)]


def _table(name: str) -> str:
    if name in TEXTS:
        return TEXTS[name]()
    kind, *rest = name.split()
    if kind == "fields":
        head, rows = fields_table(*rest)
    elif kind == "settings":
        head, rows = settings_table(*rest)
    else:
        head, rows = options_table(*rest) if kind == "options" else TABLES[name]()
    rule = "|---" * len(head) + "|"
    begin, *lines = [f"| {' | '.join(cells)} |" for cells in (head, *rows)]
    return "\n".join([begin, rule, *lines])


GROUPS = {
    "basic": "env",
    "requests": "allowed_hosts",
    "load": "max_concurrent",
    "stores": "journal_url",
    "viewers": "public_url",
    "server": "host",
    "logs": "log",
}
"""Groups of settings, each by its first one."""


def settings_of(group: str) -> list[str]:
    """Return the names of the settings of a group."""
    names, firsts = [*Settings.model_fields], [*GROUPS.values(), ""]
    after = firsts[firsts.index(GROUPS[group]) + 1]
    return names[names.index(GROUPS[group]) : names.index(after) if after else None]


def settings_table(group: str) -> tuple[Sequence[str], Rows]:
    """Return variable, type, default and meaning of each setting of a group."""
    meanings = _attribute_docstrings(Settings)
    renamed = RENAMED
    rows = [
        [
            _variable(name),
            _type(field.annotation),
            _default(field),
            f"{meanings[name]} Accepted: {field.description}.{old_name(_variable(name), renamed)}",
        ]
        for name in settings_of(group)
        for field in (Settings.model_fields[name],)
    ]
    return ["variable", "type", "default", "meaning and accepted values"], rows


def old_name(variable: str, renamed: Mapping[str, str]) -> str:
    """Return the sentence about the former name of a variable; `renamed` maps old to new names."""
    former = [old for old, new in renamed.items() if variable == f"`{new}`"]
    return f" Renamed: `{former[0]}` still works in this version, with a warning." if former else ""


def _variable(name: str) -> str:
    family = {"upstreams": "`BFF_UPSTREAM_<NAME>`", "secrets": "`BFF_SECRET_<NAME>`"}
    return family.get(name) or f"`BFF_{name.upper()}`"


def _type(annotation: object) -> str:
    """Return the type of a setting in a word."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type(arguments[0])
    if origin is Literal:
        return "one of"
    if origin in {Union, UnionType}:
        return _type(next(one for one in arguments if one is not NoneType))
    if origin is tuple:
        return "list of secrets" if arguments[0] is SecretStr else "list"
    if origin is dict:
        return _type(arguments[1])
    words: dict[object, str] = {
        bool: "boolean",
        int: "integer",
        float: "number",
        str: "text",
        ByteSize: "bytes",
        SecretStr: "secret",
    }
    return words[annotation]


def _default(field: FieldInfo) -> str:
    value = field.default
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if value is PydanticUndefined or value in {None, ()} or not str(value):
        return "—"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _attribute_docstrings(kind: type) -> dict[str, str]:
    """Return the first paragraph of the string below each attribute of a class."""
    module = ast.parse(inspect.getsource(sys.modules[defining_module(kind)]))
    [body] = [
        one for one in module.body if isinstance(one, ast.ClassDef) and one.name == kind.__name__
    ]
    found = {}
    for attribute, below in zip(body.body, body.body[1:], strict=False):
        match attribute, below:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                found[name] = _first_paragraph(text)
    return found


def _first_paragraph(text: str | None) -> str:
    return " ".join(inspect.cleandoc(text or "").partition("\n\n")[0].split()).replace("|", "\\|")


def call_events_table() -> tuple[Sequence[str], Rows]:
    """Return the events of calls to services."""
    return _events_table(lambda kind: issubclass(kind, events.Event))


def gateway_events_table() -> tuple[Sequence[str], Rows]:
    """Return all other events."""
    return _events_table(lambda kind: not issubclass(kind, events.Event))


def _events_table(is_wanted: Callable[[type], bool]) -> tuple[Sequence[str], Rows]:
    common = set(events.Event.__struct_fields__)
    rows = [
        [
            f"`{name}`",
            f"`{getattr(events, name).name}`",
            shown_level(LEVELS[kind]),
            ", ".join(f"`{one}`" for one in kind.__struct_fields__ if one not in common),
            _first_paragraph(kind.__doc__),
        ]
        for name in events.__all__
        if isinstance(kind := getattr(events, name), type)
        and issubclass(kind, events.Event | events.GatewayEvent)
        and kind not in {events.Event, events.GatewayEvent}
        and is_wanted(kind)
    ]
    return ["event", "in the log", "level", "fields", "what happened"], rows


def shown_level(level: int | Callable[..., int]) -> str:
    """Return the name of a level, or the sentence of the function that decides it."""
    if isinstance(level, int):
        return logging.getLevelName(level).lower()
    return _first_paragraph(level.__doc__).rstrip(".").lower()


def metrics_table() -> tuple[Sequence[str], Rows]:
    """Return name, kind, labels and meaning of each family of metrics."""
    rows = [
        [
            f"`{one.name}`",
            one.kind,
            ", ".join(f"`{label}`" for label in _labels_of(one)) or "—",
            one.help,
        ]
        for one in FAMILIES.values()
    ]
    return ["metric", "kind", "labels", "meaning"], rows


def _labels_of(family: Family) -> tuple[str, ...]:
    is_of_worker = family.kind == "gauge" and not family.is_over_workers
    return (*family.labels, "worker") if is_of_worker else family.labels


def errors_table() -> tuple[Sequence[str], Rows]:
    """Return class, status, code and meaning of each public error."""
    rows = [
        [f"`{name}`", str(kind.status), f"`{kind.code}`", _first_paragraph(kind.__doc__)]
        for name in errors.__all__
        for kind in [getattr(errors, name)]
    ]
    return ["error", "status", "code", "meaning"], rows


def statuses_table() -> tuple[Sequence[str], Rows]:
    """Return code and title of each HTTP status."""
    rows = [
        [str(status), f"`{members['code']}`", str(members["title"])]
        for status in responses
        if status >= 400
        for members in [members_of(HTTPException(status))]
    ]
    return ["status", "code", "title"], rows


def query_limits_table() -> tuple[Sequence[str], Rows]:
    """Return name and default of each limit of a GraphQL query."""
    return ["limit", "default"], [
        [f"`{one.name}`", f"{one.default:,}"] for one in fields(QueryLimits)
    ]


def openapi_rules_table() -> tuple[Sequence[str], Rows]:
    """Return each rule of changes of OpenAPI documents."""
    return _rules_table(OPENAPI_RULES)


def graphql_rules_table() -> tuple[Sequence[str], Rows]:
    """Return each rule of changes of GraphQL schemas."""
    return _rules_table(GRAPHQL_RULES)


def _rules_table(rules: Mapping[str, ChangeRule]) -> tuple[Sequence[str], Rows]:
    names: dict[int, list[str]] = {}
    for name, rule in rules.items():
        names.setdefault(id(rule), []).append(f"`{name}`")
    distinct = {id(rule): rule for rule in rules.values()}
    rows = [[", ".join(names[key]), one.level, one.meaning] for key, one in distinct.items()]
    return ["rule", "level", "what it means for a client"], rows


def options_table(policy: str, *names: str) -> tuple[Sequence[str], Rows]:
    """Return the options of a class, or only the named ones."""
    kind = ServerOptions if policy == ServerOptions.__name__ else getattr(bff_core, policy)
    rows = [
        [f"`{one.name}`", _option_default(one), _option_range(one), one.option.sentence]
        for one in described(kind)
        if not names or one.name in names
    ]
    return ["option", "default", "range", "what it does"], rows


def fields_table(kind: str) -> tuple[Sequence[str], Rows]:
    """Return the fields of a table of a file of routes."""
    definitions = proxy_schema()["$defs"][kind]
    rows = [
        [
            f"`{name}`",
            _shown_schema(one),
            _schema_default(name, one, definitions),
            one["description"],
        ]
        for name, one in definitions["properties"].items()
    ]
    return ["field", "value", "default", "what it does"], [list(map(_in_cell, row)) for row in rows]


def _in_cell(text: str) -> str:
    return text.replace("|", "\\|")


def _schema_default(name: str, one: Mapping[str, Any], table: Mapping[str, Any]) -> str:
    if name in table.get("required", ()):
        return "required"
    return f"`{json.dumps(one['default'])}`" if "default" in one else "—"


def _shown_schema(one: Mapping[str, Any]) -> str:
    """Return which values a schema accepts, in words."""
    if "anyOf" in one:
        choices = [_shown_schema(each) for each in one["anyOf"]]
        return ", or ".join(dict.fromkeys(filter(None, choices)))
    if "$ref" in one:
        return f"table: `{one['$ref'].rpartition('/')[2]}`"
    if "enum" in one:
        return ", ".join(f"`{json.dumps(each)}`" for each in one["enum"])
    if "const" in one:
        return f"`{json.dumps(one['const'])}`"
    return _shown_type(one)


def _shown_type(one: Mapping[str, Any]) -> str:
    kind = one.get("type", "")
    if kind in {"integer", "number"}:
        limits = [one.get("minimum"), one.get("maximum")]
        shown = [f"{each:,}" for each in limits if each is not None]
        return (
            " to ".join(shown) if len(shown) == 2 else f"at least {shown[0]}" if shown else "number"
        )
    if kind == "array":
        inner = _shown_schema(one["items"]) if "items" in one else "text"
        return f"list of {inner}"
    if kind == "object" and isinstance(one.get("additionalProperties"), dict):
        return f"by name: {_shown_schema(one['additionalProperties'])}"
    return _TYPES_IN_WORDS.get(kind, "")


_TYPES_IN_WORDS: Mapping[str, str] = {
    "string": "text",
    "boolean": "`true` or `false`",
    "object": "table",
}


def _option_default(one: DescribedOption) -> str:
    return "—" if one.default in {MISSING, ""} else f"`{one.default!r}`"


def _option_range(one: DescribedOption) -> str:
    if bool in one.types:
        return "`True` or `False`"
    if math.isinf(one.option.at_least):
        return "—"
    return one.option.range + (", or `None`" if NoneType in one.types else "")


def decisions_table() -> tuple[Sequence[str], Rows]:
    """Return number and title of each decision record."""
    rows = []
    for path in sorted((DOCS / "decisions").glob("*.md")):
        number, _, title = path.read_text().partition("\n")[0].removeprefix("# ").partition(" ")
        rows.append([number, f"[{title}](decisions/{path.name})"])
    return ["number", "decision"], rows


def source_folders_table() -> tuple[Sequence[str], Rows]:
    """Return each folder of the framework and the first sentence of its docstring."""
    rows = []
    for path in sorted(SOURCE.glob("*/__init__.py")):
        docstring = ast.get_docstring(ast.parse(path.read_text())) or ""
        rows.append([f"`{path.parent.name}`", docstring.partition("\n")[0]])
    return ["folder", "what it does"], rows


TABLES: Mapping[str, Callable[[], tuple[Sequence[str], Rows]]] = {
    "events of calls": call_events_table,
    "events of the gateway": gateway_events_table,
    "errors": errors_table,
    "http statuses": statuses_table,
    "query limits": query_limits_table,
    "openapi rules": openapi_rules_table,
    "graphql rules": graphql_rules_table,
    "decisions": decisions_table,
    "source folders": source_folders_table,
    "metrics": metrics_table,
}
"""Each table by the name that pages use."""

TEXTS: Mapping[str, Callable[[], str]] = {"commands": commands_text}
"""Generated text that is no single table, by the name that pages use."""
