"""Writes models.py: enums, input objects, classes and unions of responses."""

from collections.abc import Sequence

from bff_core.codegen.graphql.code import AliasCode, ClassCode, EnumCode, FieldCode
from bff_core.codegen.graphql.inputs import UNRECOGNIZED
from bff_core.codegen.graphql.scalars import MODULES
from bff_core.codegen.graphql.source import (
    custom_imports,
    exceptions,
    grouped,
    imported,
    without_text,
)
from bff_core.codegen.names import camel
from bff_core.codegen.python_text import LINE_LENGTH, docstring, exploded, sentence, text_literal


def models_source(
    enums: Sequence[EnumCode],
    classes: Sequence[ClassCode],
    aliases: Sequence[AliasCode],
    scalars: Sequence[str],
    *,
    top: str,
    title: str,
) -> str:
    """Return the text of models.py; `top` is its first line, `title` its docstring."""
    blocks = [_enum(one) for one in sorted(enums, key=lambda one: one.name)]
    blocks += [_class(one) for one in sorted(classes, key=lambda one: (not one.is_input, one.name))]
    blocks += [_alias(one) for one in sorted(aliases, key=lambda one: one.name)]
    body = [line for block in blocks for line in ("", "", *block)]
    code = without_text("\n".join(body))
    plain = [line for name, line in MODULES.items() if line.startswith("import") and name in code]
    standard = imported("collections.abc", ("Sequence",), code)
    standard += imported("decimal", ("Decimal",), code)
    standard += imported("enum", ("StrEnum",), code)
    standard += imported("typing", ("Any", "Self", "TypeAlias"), code)
    standard += imported("uuid", ("UUID",), code)
    own, others = custom_imports(scalars, code)
    standard = [*sorted([*own, *plain]), *standard]
    foreign = imported("msgspec", ("UNSET", "Struct", "UnsetType", "field"), code)
    imports = grouped(
        ["from __future__ import annotations"],
        standard,
        [*others, *foreign],
    )
    lines = [f'"""{title}"""', "", *imports, *body]
    return "\n".join([top, *exceptions(lines), *lines, ""])


def _enum(code: EnumCode) -> list[str]:
    lines = [f"class {code.name}(StrEnum):", *_doc(code.description, code.name), ""]
    for one in code.members:
        lines.append(f"    {one.name} = {text_literal(one.value)}")
        lines += docstring(one.description, 4) if sentence(one.description) else []
    if code.is_read:
        lines += [
            f'    {UNRECOGNIZED} = "{_free_value(code)}"',
            '    """In place of a member that the schema does not have yet."""',
            "",
            "    @classmethod",
            "    def _missing_(cls, value: object) -> Self:",
            "        del value",
            f"        return cls.{UNRECOGNIZED}",
        ]
    return lines


def _free_value(code: EnumCode) -> str:
    value, taken = "unrecognized", {one.value for one in code.members}
    while value in taken:
        value += "_"
    return value


def _class(code: ClassCode) -> list[str]:
    options = ["Struct", "frozen=True", "kw_only=True"]
    is_camel = any(one.attribute != one.key for one in code.fields)
    is_camel = is_camel and sum(camel(one.attribute) == one.key for one in code.fields) * 2 >= len(
        code.fields
    )
    options += ['rename="camel"'] if is_camel else []
    if code.tag:
        options += ['tag_field="__typename"', f"tag={text_literal(code.tag)}"]
    lines = exploded(f"class {code.name}(", options, "):", 0)
    lines += _doc(code.description, code.name)
    if code.fields:
        lines.append("")
    for one in code.fields:
        lines += _field(one, is_camel=is_camel)
    return lines


def _field(code: FieldCode, *, is_camel: bool) -> list[str]:
    value = f" = {code.default}" if code.default else ""
    if (camel(code.attribute) if is_camel else code.attribute) != code.key:
        default = f"default={code.default}, " if code.default else ""
        value = f" = field({default}name={text_literal(code.key)})"
    line = f"    {code.attribute}: {code.annotation}{value}"
    lines = [line if len(line) <= LINE_LENGTH else f"{line}  # fmt: skip"]
    return lines + (docstring(code.description, 4) if sentence(code.description) else [])


def _alias(code: AliasCode) -> list[str]:
    line = f"{code.name}: TypeAlias = {' | '.join(code.options)}"
    if len(line) <= LINE_LENGTH:
        lines = [line]
    else:
        first, *others = code.options
        start = [f"{code.name}: TypeAlias = (", f"    {first}"]
        lines = [*start, *(f"    | {one}" for one in others), ")"]
    return [*lines, *docstring(code.description, 0)]


def _doc(text: str, name: str) -> list[str]:
    return docstring(text if sentence(text) else f"The type {name} of the schema.", 4)
