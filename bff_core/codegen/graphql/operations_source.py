"""Writes operations.py: a class with a method for each operation, and the documents."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from bff_core.codegen.graphql.code import BatchCode, MethodCode, PageCode, VariableCode
from bff_core.codegen.graphql.scalars import MODULES
from bff_core.codegen.graphql.source import (
    custom_imports,
    exceptions,
    grouped,
    imported,
    without_text,
)
from bff_core.codegen.names import UniqueNames
from bff_core.codegen.python_text import LINE_LENGTH, docstring, exploded, sentence, text_literal

BATCH_SIZE: Final = 100
"""How many keys one query of a batch has at most."""

LOCALS: Final = frozenset({"self", "limit", "keys"})
"""Names that parameters of operations do not get."""


def operations_source(
    name: str,
    methods: Sequence[MethodCode],
    models: Sequence[str],
    custom: Sequence[str],
    *,
    top: str,
    title: str,
) -> str:
    """Return the text of operations.py; `models` are the names that models.py has."""
    ordered = sorted(methods, key=lambda one: one.method)
    body = [line for one in ordered for line in ("", *_document(one))]
    body += ["", "", f"class {name}(GraphQLUpstream):", f'    """{title}"""']
    names = UniqueNames(one.method for one in ordered)
    for one in ordered:
        body += ["", *_method(one)]
        if one.page is not None:
            body += ["", *_pages(one, one.page, names.take(f"each_{one.method}"))]
        if one.batch is not None:
            body += ["", *_batch(one, one.batch, names.take(f"load_{one.method}"))]
    code = without_text("\n".join(body))
    plain = [line for name, line in MODULES.items() if line.startswith("import") and name in code]
    standard = imported("collections.abc", ("AsyncIterator", "Mapping", "Sequence"), code)
    standard += imported("decimal", ("Decimal",), code)
    standard += imported("typing", ("Any", "Final"), code)
    standard += imported("uuid", ("UUID",), code)
    own, others = custom_imports(custom, code)
    imports = grouped(
        [*sorted([*own, *plain]), *standard],
        [*others, *imported("msgspec", ("UNSET", "UnsetType"), code)],
        [
            "from bff_core import GraphQLUpstream",
            *imported("bff_core.service_clients", ("in_chunks", "pages_by_cursor"), code),
        ],
        imported(".models", models, code),
    )
    lines = [f'"""{title}"""', "", *imports, *body]
    return "\n".join([top, *exceptions(lines), *lines, ""])


def _document(code: MethodCode) -> list[str]:
    """Return the constant with a document, as a literal that no text in it can end."""
    lines = [_escaped(line) for line in code.document.split("\n")]
    return [f'{code.constant}: Final = """\\', *lines[:-1], f'{lines[-1]}"""']


def _escaped(line: str) -> str:
    """Return a line within triple quotes."""
    parts = [text_literal(part)[1:-1] for part in line.split('"')]
    return '"'.join(parts).replace('"""', '\\"\\"\\"')


def _parameters(variables: Sequence[VariableCode]) -> list[str]:
    if not variables:
        return ["self"]
    given = [
        f"{one.parameter}: {one.annotation}{'' if one.is_required else ' = UNSET'}"
        for one in variables
    ]
    return ["self", "*", *given]


def _method(code: MethodCode) -> list[str]:
    verb = "query" if code.kind == "query" else "mutate"
    lines = exploded(
        f"async def {code.method}(", _parameters(code.variables), f") -> {code.data}:", 4
    )
    lines += _doc(code.description, f"Send the {code.kind} `{code.name}`")
    arguments = [code.constant, code.data]
    if code.variables:
        local = UniqueNames(one.parameter for one in code.variables).take("variables")
        pairs = [f"{text_literal(one.name)}: {one.parameter}" for one in code.variables]
        lines += exploded(f"{local}: dict[str, object] = {{", pairs, "}", 8)
        arguments.append(f"variables={local}")
    return lines + exploded(f"return await self.{verb}(", arguments, ")", 8)


def _pages(code: MethodCode, page: PageCode, method: str) -> list[str]:
    """Return the method that yields the items of all pages."""
    others = [one for one in code.variables if one.parameter != page.variable]
    parameters = _parameters(others)
    parameters = [*parameters, *([] if others else ["*"]), "limit: int | None = None"]
    locals_ = UniqueNames([*(one.parameter for one in others), "limit"])
    cursor, read = locals_.take("cursor"), locals_.take("read")
    data = locals_.take("data")
    lines = exploded(f"def {method}(", parameters, f") -> AsyncIterator[{page.item}]:", 4)
    about = f"Yield the items of all pages of `{code.method}`, at most `limit`."
    lines += [f'        """{about}"""', ""]
    result = f"tuple[Sequence[{page.item}] | None, str | None]"
    lines += exploded(f"async def {read}(", [f"{cursor}: str | None"], f") -> {result}:", 8)
    after = f"{page.variable}=UNSET if {cursor} is None else {cursor}"
    given = [*(f"{one.parameter}={one.parameter}" for one in others), after]
    lines += exploded(f"{data} = await self.{code.method}(", given, ")", 12)
    lines += _reach(data, locals_, page)
    lines += [f"        return pages_by_cursor({read}, limit=limit)"]
    return lines


def _reach(data: str, names: UniqueNames, page: PageCode) -> Iterator[str]:
    """Yield the lines from the data of a page to its items and the next cursor."""
    pad, source = " " * 12, data
    items, info = names.take("items"), names.take("info")
    for attribute, may_be_none in page.path:
        found = names.take(f"found_{attribute}")
        yield f"{pad}{found} = {source}.{attribute}"
        source = found
        if may_be_none:
            yield f"{pad}if {source} is None:"
            yield f"{pad}    return None, None"
    given = f"{source}.{page.items}{' or ()' if page.items_may_be_none else ''}"
    checks = ["one is not None"] if page.item_may_be_none else []
    node = f"one.{page.node}" if page.node else "one"
    checks += [f"{node} is not None"] if page.node_may_be_none else []
    condition = f" if {' and '.join(checks)}" if checks else ""
    if node == "one" and not checks:
        yield f"{pad}{items} = {given}"
    else:
        yield from _comprehension(items, f"{node} for one in {given}{condition}", pad)
    yield f"{pad}{info} = {source}.{page.info}"
    if page.info_may_be_none:
        yield f"{pad}if {info} is None:"
        yield f"{pad}    return {items}, None"
    yield f"{pad}return {items}, {info}.{page.cursor} if {info}.{page.has_next} else None"
    yield ""


def _comprehension(name: str, inner: str, pad: str) -> list[str]:
    """Return the assignment of a list comprehension, on one line or on several."""
    line = f"{pad}{name} = [{inner}]"
    if len(line) <= LINE_LENGTH:
        return [line]
    within = f"{pad}    {inner}"
    if len(within) <= LINE_LENGTH:
        return [f"{pad}{name} = [", within, f"{pad}]"]
    parts = re.split(r" (?=for one in |if )", inner, maxsplit=2)
    return [f"{pad}{name} = [", *(f"{pad}    {part}" for part in parts), f"{pad}]"]


def _batch(code: MethodCode, batch: BatchCode, method: str) -> list[str]:
    """Return the method that reads many keys, as a loader needs it."""
    others = [one for one in code.variables if one.parameter != batch.variable]
    parameters = [f"keys: Sequence[{batch.key_type}]"]
    if others:
        parameters += ["*", *_parameters(others)[2:]]
    result = f"Mapping[{batch.key_type}, {batch.item}]"
    locals_ = UniqueNames([*(one.parameter for one in others), "keys"])
    chunk, load, data = locals_.take("chunk"), locals_.take("load"), locals_.take("data")
    lines = exploded(f"async def {method}(", ["self", *parameters], f") -> {result}:", 4)
    lines += [
        f'        """Return what `{code.method}` reads by its `{batch.key}`, for loaders."""',
        "",
    ]
    lines += exploded(
        f"async def {load}(", [f"{chunk}: Sequence[{batch.key_type}]"], f") -> {result}:", 8
    )
    given = [*(f"{one.parameter}={one.parameter}" for one in others), f"{batch.variable}={chunk}"]
    lines += exploded(f"{data} = await self.{code.method}(", given, ")", 12)
    items = f"{data}.{batch.field}{' or ()' if batch.field_may_be_none else ''}"
    condition = " if one is not None" if batch.item_may_be_none else ""
    lines += [
        f"            return {{one.{batch.key}: one for one in {items}{condition}}}",
        "",
        f"        return await in_chunks(keys, {load}, size={BATCH_SIZE})",
    ]
    return lines


def _doc(text: str, first: str) -> list[str]:
    lines = f"{first}.\n\n{text}" if sentence(text) else f"{first}."
    return docstring(lines, 8)
