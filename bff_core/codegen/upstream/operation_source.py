"""Writes operations.py: the class with a method for each operation."""

import re
from collections.abc import Iterator, Sequence
from keyword import iskeyword
from typing import Final

from bff_core.codegen.python_layout import Group, laid_out
from bff_core.codegen.python_text import docstring, exploded, text_literal
from bff_core.codegen.upstream.annotation_imports import names_in, standard_imports, without_text
from bff_core.codegen.upstream.failures import FailurePlan
from bff_core.codegen.upstream.method_docs import method_doc
from bff_core.codegen.upstream.method_plans import MethodPlan

_VERBS: Final = {"GET": "get", "POST": "post", "PUT": "put", "PATCH": "patch", "DELETE": "delete"}

KEYWORDS_OF_VERBS: Final = frozenset(
    {
        "cache",
        "content",
        "fails_with",
        "files",
        "form",
        "headers",
        "json",
        "purges",
        "query",
        "self",
    }
)
"""A path parameter of such a name is in the mapping after the path."""

_CORE: Final = ("Content", "FilePart", "ServerSentEvent", "TypedReply", "Upstream")

_SUPPORT: Final = (
    "MAX_PAGES", "NO_BODY", "as_json", "cookies", "deep_object", "given", "in_chunks", "joined",
    "next_link", "pages_by_cursor", "pages_by_number", "pages_by_offset", "pages_by_url",
    "properties", "read_chunks", "read_text",
)  # fmt: skip

HELPERS: Final = frozenset(_SUPPORT)
"""What bodies of methods call; no parameter may have such a name."""


def operation_source(
    class_name: str,
    description: str,
    methods: Sequence[list[str]],
    failures: Sequence[FailurePlan],
    *,
    top: list[str],
    package: str,
) -> str:
    """Return the text of operations.py."""
    lines = [f"class {class_name}(Upstream):", *docstring(description, 4)]
    attributes: list[str] = []
    if failures:
        attributes += laid_out(Group("fails_with: ClassVar = {", list(_entries(failures)), "}"), 4)
    if attributes:
        lines += ["", *attributes]
    for method in methods:
        lines += ["", *method]
    code = "\n".join(lines)
    return "\n".join([*top, "", *_imports(code, package)]) + "\n\n\n" + code + "\n"


def _entries(failures: Sequence[FailurePlan]) -> Iterator[str]:
    """Yield the entries of `fails_with`: ranges first, so that single statuses replace them."""
    order = {"range(400, 600)": 0, "range(400, 500)": 1, "range(500, 600)": 2}
    for one in sorted(failures, key=lambda one: order.get(one.key, 3)):
        error = f"errors.{one.name}"
        yield f"**dict.fromkeys({one.key}, {error})" if one.is_range else f"{one.key}: {error}"


def _imports(code: str, package: str) -> Iterator[str]:
    used = names_in(code)
    yield from standard_imports(used)
    yield from exploded("from bff_core import ", [one for one in _CORE if one in used], "", 0)
    support = [one for one in _SUPPORT if one in used]
    if support:
        line = f"from bff_core.service_clients import {', '.join(support)}"
        yield from _import_lines(line, support)
    own = [one for one in ("errors", "models") if re.search(rf"\b{one}\.", without_text(code))]
    if own:
        yield f"from {package} import {', '.join(own)}"


def _import_lines(line: str, names: Sequence[str]) -> list[str]:
    if len(line) <= 100:
        return [line]
    return exploded("from bff_core.service_clients import (", [*names], ")", 0)


def method_source(plan: MethodPlan) -> list[str]:
    """Return the lines of a method."""
    returns = plan.reply.annotation
    start = "async def"
    if plan.is_iterator:
        start, returns = "def", f"AsyncIterator[{returns}]"
    lines = signature(start, plan.name, [one.declaration for one in plan.arguments], returns)
    lines += method_doc(plan)
    return lines + laid_out(_call(plan), 8)


def signature(
    start: str,
    name: str,
    declarations: Sequence[str],
    returns: str,
    *,
    positional: Sequence[str] = (),
) -> list[str]:
    """Return the lines of a method's head, with keyword-only parameters."""
    given = ["self", *positional, *(["*", *declarations] if declarations else [])]
    one_line = f"    {start} {name}({', '.join(given)}) -> {returns}:"
    if len(one_line) <= 100:
        return [one_line]
    lines = [f"    {start} {name}("]
    lines += [f"        {one}," for one in given]
    return [*lines, f"    ) -> {returns}:"]


def _call(plan: MethodPlan) -> Group:
    """Return the statement that makes the call."""
    kind, operation = plan.reply.kind, plan.operation
    options: list[str | Group] = [*plan.sent]
    if plan.query:
        options.append(Group("query={", plan.query, "}"))
    headers: list[str | Group] = [*plan.headers]
    if plan.reply.accept:
        headers.insert(0, f'"accept": {text_literal(plan.reply.accept)}')
    if headers:
        options.append(Group("headers={", headers, "}"))
    path = text_literal(plan.path)
    values = Group("{", [f"{text_literal(k)}: {v}" for k, v in plan.values.items()], "}")
    if kind in {"text", "chunks"}:
        return _raw_call(plan, path, values, options)
    model = [plan.reply.annotation] if kind != "events" else []
    verb = {"lines": "ndjson", "events": "sse"}.get(kind) or _VERBS.get(operation.method, "")
    is_odd = operation.method == "DELETE" and plan.sent
    if not verb or is_odd:
        options = [one for one in options if flat_start(one) not in {"query=", "headers="}]
        query = Group("query={", plan.query, "}") if plan.query else "query=None"
        fields = Group("headers={", headers, "}") if headers else "headers=None"
        method = text_literal(operation.method)
        return Group(
            "return await self.typed(", [method, path, *model, values, *options, query, fields]
        )
    given = _path_values(plan, values)
    start = f"return {'' if plan.is_iterator else 'await '}self.{verb}("
    after = given if given and isinstance(given[0], str) else []
    between = given if not after else []
    return Group(start, [path, *between, *model, *options, *after])


def flat_start(option: str | Group) -> str:
    """Return the keyword of an option: `query=`."""
    text = option if isinstance(option, str) else option.start
    return text.partition("=")[0] + "="


def _raw_call(plan: MethodPlan, path: str, values: Group, options: list[str | Group]) -> Group:
    method = text_literal(plan.operation.method)
    rest = [one for one in options if flat_start(one) in {"query=", "headers="}]
    written: list[str | Group] = [
        one.replace("content=", "body=", 1) if isinstance(one, str) else one
        for one in options
        if flat_start(one) not in {"query=", "headers="}
    ]
    if plan.reply.kind == "chunks":
        return Group("return read_chunks(", ["self", method, path, values, *written, *rest])
    return Group("return await read_text(", ["self", method, path, values, *written, *rest])


def _path_values(plan: MethodPlan, values: Group) -> list[str | Group]:
    """Return the path parameters: as keywords if each name can be one, else as a mapping."""
    if not plan.values:
        return []
    can_be_keywords = all(
        name.isidentifier() and name not in KEYWORDS_OF_VERBS and not iskeyword(name)
        for name in plan.values
    )
    if can_be_keywords:
        return [f"{name}={value}" for name, value in plan.values.items()]
    return [values]
