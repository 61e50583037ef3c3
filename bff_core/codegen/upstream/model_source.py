"""Writes models.py: enums, classes and unions."""

import ast
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from bff_core.codegen.names import camel
from bff_core.codegen.python_text import (
    LINE_LENGTH,
    docstring,
    exploded,
    literal,
    sentence,
    text_literal,
)
from bff_core.codegen.upstream.annotation_imports import without_text
from bff_core.codegen.upstream.plans import MODEL, ClassField, ClassPlan, EnumPlan, UnionPlan
from bff_core.upstream.reading.coercion import UNRECOGNIZED

_modules: Final = (
    (r"\bdt\.", "import datetime as dt"),
    (r"\b(?:Mapping|Sequence)\[", "from collections.abc import {Mapping} {Sequence}"),
    (r"^@dataclass\(", "from dataclasses import dataclass"),
    (r"\bDecimal\b", "from decimal import Decimal"),
    (r"\((?:IntEnum|StrEnum)\)", "from enum import {IntEnum} {StrEnum}"),
    (r".", "from typing import {TYPE_CHECKING} {Any} {ClassVar} {Literal} {TypeAlias}"),
    (r"\bUUID\b", "from uuid import UUID"),
)


def model_source(
    classes: Iterable[ClassPlan], enums: Iterable[EnumPlan], unions: list[UnionPlan], top: list[str]
) -> str:
    """Return the text of models.py; `top` are its first lines, its docstring included."""
    ordered = list(_ordered(unions))
    blocks = [_enum(one) for one in sorted(enums, key=lambda one: one.name)]
    blocks += [_class(one) for one in sorted(classes, key=lambda one: one.name)]
    blocks += [_union(one) for one in ordered]
    code = "\n".join(line for block in blocks for line in ["", "", *block])
    named = " ".join(one.within_models() for union in unions for one in union.options)
    used = f"{without_text(code)}\n{without_text(named)}"
    if not blocks:
        return "\n".join(top) + "\n"
    lines = [*top, "", "from __future__ import annotations", "", *_imports(used)]
    return "\n".join(lines) + "\n" + code + "\n"


def _imports(code: str) -> Iterator[str]:
    third = []
    if "msgspec.field(" in code:
        third.append("import msgspec")
    names = [one for one in ("UNSET", "Struct", "UnsetType") if re.search(rf"\b{one}\b", code)]
    if names:
        third.append(f"from msgspec import {', '.join(names)}")
    ours = ["from bff_core.service_clients import one_of"] if "one_of(" in code else []
    sections = [one for one in (list(_standard(code)), third, ours) if one]
    for number, lines in enumerate(sections):
        yield from ([""] if number else [])
        yield from lines


def _standard(code: str) -> Iterator[str]:
    """Yield the imports of the standard library that code needs."""
    for pattern, line in _modules:
        if not re.search(pattern, code, re.MULTILINE):
            continue
        start, brace, _ = line.partition("{")
        if not brace:
            yield line
            continue
        names = re.findall(r"\{(\w+)\}", line)
        used = [name for name in names if re.search(rf"\b{name}\b", code)]
        if used:
            yield start + ", ".join(used)


def _enum(plan: EnumPlan) -> list[str]:
    is_text = all(isinstance(value, str) for value in plan.members.values())
    lines = [f"class {plan.name}({'StrEnum' if is_text else 'IntEnum'}):"]
    lines += [*_doc(plan.description, plan.name), ""]
    lines += [f"    {name} = {literal(value)}" for name, value in plan.members.items()]
    if plan.is_read:
        lines += [f"    {UNRECOGNIZED} = {literal(_unrecognized(plan, is_text=is_text))}"]
        lines += ['    """In place of a member that the contract does not have."""']
    return lines


def _unrecognized(plan: EnumPlan, *, is_text: bool) -> str | int:
    """Return a value that no member has."""
    if is_text:
        value = "unrecognized"
        while value in plan.members.values():
            value += "_"
        return value
    return min([0, *(one for one in plan.members.values() if isinstance(one, int))]) - 1


def _class(plan: ClassPlan) -> list[str]:
    fields = list(plan.declared_fields)
    is_sent = plan.side != "read"
    omits = is_sent and any(one.default not in {"", "UNSET"} for one in fields)
    rename = _rename(fields)
    is_renamed = any(one.attribute != one.name for one in fields)
    if plan.tag is None and not omits and not is_renamed:
        head = ["@dataclass(frozen=True, slots=True, kw_only=True)", f"class {plan.name}:"]
    else:
        options = ["Struct", "frozen=True", "kw_only=True"]
        options += ["omit_defaults=True"] if omits else []
        options += [f'rename="{rename}"'] if rename else []
        if plan.tag is not None:
            options += [
                f"tag_field={text_literal(plan.tag[0])}",
                f"tag={text_literal(plan.tag[1])}",
            ]
        head = exploded(f"class {plan.name}(", options, "):", 0)
    text = plan.description
    if plan.has_others:
        text = f"{text}\n\nProperties that it does not name are not read."
    lines = [*head, *_doc(text, plan.name), ""]
    if plan.tag is not None:
        lines += [*_tag(plan, plan.tag)]
    for one in fields:
        lines += _field(one, rename)
    while not lines[-1]:
        lines.pop()
    return lines


def _tag(plan: ClassPlan, tag: tuple[str, str]) -> list[str]:
    """Return the attribute of the tag, which msgspec reads and writes itself."""
    field = plan.field_of(tag[0])
    if field is None:
        return []
    value = text_literal(tag[1])
    line = f"    {field.attribute}: ClassVar[Literal[{value}]] = {value}"
    return [_fitting(line)]


def _rename(fields: list[ClassField]) -> str:
    """Return the rule that names most fields as the contract does."""
    fits = {
        rule: sum(make(one.attribute) == one.name for one in fields)
        for rule, make in _RULES.items()
    }
    return max(fits, key=lambda rule: fits[rule])


def _pascal(name: str) -> str:
    return "".join(word.title() for word in name.split("_"))


def _kebab(name: str) -> str:
    return name.strip("_").replace("_", "-")


_RULES: Final[dict[str, Callable[[str], str]]] = {
    "": lambda name: name,
    "camel": camel,
    "pascal": _pascal,
    "kebab": _kebab,
}
"""The rules of msgspec that rename fields."""


def _field(one: ClassField, rename: str) -> list[str]:
    make = _RULES[rename]
    plain = one.default.replace(MODEL, "")
    value = f" = {plain}" if plain else ""
    if make(one.attribute) != one.name:
        default = f", default={plain}" if plain else ""
        value = f" = msgspec.field(name={text_literal(one.name)}{default})"
    lines = [_fitting(f"    {one.attribute}: {one.shape.within_models()}{value}")]
    if sentence(one.description):
        lines += docstring(one.description, 4)
    return lines


def _fitting(line: str) -> str:
    return line if len(line) <= LINE_LENGTH else f"{line}  # fmt: skip"


def _union(plan: UnionPlan) -> list[str]:
    options = [one.within_models() for one in plan.options]
    if not plan.is_decoded_by_us:
        return [*_alias(plan.name, options, 0), *_doc(plan.description, plan.name, 0)]
    lines = ["if TYPE_CHECKING:", *_alias(plan.name, options, 4)]
    lines += [*_doc(plan.description, plan.name), "else:"]
    given = [text_literal(plan.name), f"lambda: ({', '.join(options)},)"]
    if plan.by and plan.values:
        pairs = (f"{text_literal(value)}: {one.name}" for value, one in plan.values.items())
        given += [f"by={text_literal(plan.by)}", f"values=lambda: {{{', '.join(pairs)}}}"]
    if len(options) > 1:
        given[1] = f"lambda: ({', '.join(options)})"
    return lines + _call(plan.name, given)


def _call(name: str, given: list[str]) -> list[str]:
    lines = exploded(f"{name} = one_of(", given, ")", 4)
    is_long = any(len(line) > LINE_LENGTH for line in lines)
    return ["    # fmt: off", *lines, "    # fmt: on"] if is_long else lines


def _alias(name: str, options: list[str], indent: int) -> list[str]:
    pad = " " * indent
    text = f"{pad}{name}: TypeAlias = {' | '.join(options)}"
    if name in re.findall(r"\w+", " ".join(options)):
        text = f'{pad}{name}: TypeAlias = "{" | ".join(options)}"'
    if len(text) <= LINE_LENGTH:
        return [text]
    if len(options) == 1:
        start, _, _ = options[0].partition("[")
        return exploded(f"{name}: TypeAlias = {start}[", _arguments(options[0]), "]", indent)
    inner = f"{pad}    {' | '.join(options)}"
    if len(inner) <= LINE_LENGTH:
        return [f"{pad}{name}: TypeAlias = (", inner, f"{pad})"]
    lines = [f"{pad}{name}: TypeAlias = (", f"{pad}    {options[0]}"]
    return [*lines, *(f"{pad}    | {one}" for one in options[1:]), f"{pad})"]


def _arguments(annotation: str) -> list[str]:
    """Return the arguments of a type, such as the members of a `Literal`."""
    tree = ast.parse(annotation, mode="eval").body
    inner = tree.slice if isinstance(tree, ast.Subscript) else tree
    nodes = inner.elts if isinstance(inner, ast.Tuple) else [inner]
    return [ast.get_source_segment(annotation, node) or "" for node in nodes]


def _doc(text: str, name: str, indent: int = 4) -> list[str]:
    if not sentence(text):
        text = f"An object `{name}` of the contract."
    return docstring(text, indent)


def _ordered(unions: list[UnionPlan]) -> Iterator[UnionPlan]:
    """Yield the unions by name, each after those that it names."""
    by_name = {one.name: one for one in sorted(unions, key=lambda one: one.name)}
    done: set[str] = set()

    def visit(plan: UnionPlan) -> Iterator[UnionPlan]:
        if plan.name in done:
            return
        done.add(plan.name)
        for name in re.findall(rf"{MODEL}(\w+)", " ".join(one.text for one in plan.options)):
            if name in by_name:
                yield from visit(by_name[name])
        yield plan

    for plan in by_name.values():
        yield from visit(plan)
