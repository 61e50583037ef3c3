"""Recognises paginated operations, and writes iterators over the items of all pages."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from bff_core.codegen.names import UniqueNames, words
from bff_core.codegen.python_layout import Expression, Group, assigned, laid_out
from bff_core.codegen.python_text import LINE_LENGTH, docstring, text_literal
from bff_core.codegen.upstream.method_plans import Argument, MethodPlan
from bff_core.codegen.upstream.operation_source import signature
from bff_core.codegen.upstream.plans import PythonType
from bff_core.codegen.upstream.replies import successes
from bff_core.codegen.upstream.reply_fields import (
    FieldExpression,
    Items,
    fields_of,
    first_of,
    items_of,
    key_of,
    root_of,
)

_CURSORS: Final = frozenset(
    {"cursor", "after", "page_token", "next_token", "start_cursor", "continuation_token", "marker",
     "next_cursor", "page_cursor", "bookmark", "token", "next", "page_after", "next_page_token"}
)  # fmt: skip

_NEXT_CURSORS: Final = (
    "next_cursor", "next_page_token", "next_token", "next_page_cursor", "next_marker",
    "continuation_token", "end_cursor", "after", "cursor", "next", "marker", "bookmark",
)  # fmt: skip

_NEXT_URLS: Final = (
    "next_url", "next_link", "next_page_url", "odata_next_link", "next_page", "next_href", "next",
)  # fmt: skip

_PAGES: Final = frozenset({"page", "page_number", "page_no", "page_num", "page_index"})
_OFFSETS: Final = frozenset({"offset", "skip", "start", "start_index", "start_at", "page_offset"})

_HAS_MORE: Final = ("has_more", "has_next", "has_next_page", "more", "is_more")
_TOTAL_PAGES: Final = ("total_pages", "page_count", "pages", "last_page", "number_of_pages")

_VERBS: Final = frozenset({"list", "get", "find", "search", "fetch", "query", "all", "read"})

_OTHERS: Final = {
    "limit": "page_size",
    "pages": "pages_parameter",
    "place": "place_parameter",
    "found": "found_parameter",
    "read_page": "read_page_parameter",
}
"""Other names for parameters of iterators that would hide those of the iterator itself."""

LIMIT: Final = Argument(
    "limit", PythonType("int | None", "integer"), "None", "How many items it yields at most."
)
PAGES: Final = Argument(
    "pages", PythonType("int", "integer"), "MAX_PAGES", "How many pages it reads at most."
)


_LITERALS_AND_NAMES: Final = re.compile(r""""(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[A-Za-z_]\w*""")


@dataclass(frozen=True, slots=True)
class Pager:
    """How the pages of an operation are read: by `cursor`, `number`, `offset` or `url`.

    `argument` is the parameter that selects a page; `after` is what the next page is found by.
    """

    plan: MethodPlan
    kind: str
    items: Items
    argument: Argument | None = None
    after: str = ""
    first: int = 1


def pager_of(plan: MethodPlan) -> Pager | None:
    """Return how an operation is paginated, or None."""
    if plan.operation.method != "GET" or plan.reply.kind != "json" or plan.reply.type.is_nullable:
        return None
    items = items_of(plan, root_of(plan))
    if items is None:
        return None
    fields = list(fields_of(plan, root_of(plan)))
    return _by_cursor(plan, items, fields) or _by_url(plan) or _by_number(plan, items, fields)


def _arguments(plan: MethodPlan, names: frozenset[str]) -> Iterator[Argument]:
    for one in plan.arguments:
        if one.source is not None and one.source.place == "query" and one.default:
            name = key_of(one.source.name)
            if name in names or name.removeprefix("page_") in names:
                yield one


def _by_cursor(plan: MethodPlan, items: Items, fields: Sequence[FieldExpression]) -> Pager | None:
    for argument in _arguments(plan, _CURSORS):
        kind = argument.type.text.removesuffix(" | None")
        found = first_of(fields, _NEXT_CURSORS, kind) if kind in {"str", "int"} else None
        if found is None:
            continue
        after = found.expression
        more = first_of(fields, _HAS_MORE, "bool")
        if more is not None and " if " not in more.expression and " if " not in after:
            after = f"{after} if {more.expression} else None"
        return Pager(plan, "cursor", items, argument, after)
    return None


def _by_url(plan: MethodPlan) -> Pager | None:
    """Return a pager by the address of the next page: a field of the reply, or its header Link."""
    value = "reply.value"
    found = first_of(fields_of(plan, value), _NEXT_URLS, "str")
    inner = items_of(plan, "found")
    if inner is None:
        return None
    if found is not None:
        return Pager(plan, "url", inner, None, found.expression)
    for response in successes(plan.operation):
        if any(one.name.lower() == "link" for one in response.headers):
            return Pager(plan, "url", inner)
    return None


def _by_number(plan: MethodPlan, items: Items, fields: Sequence[FieldExpression]) -> Pager | None:
    for kind, names in (("number", _PAGES), ("offset", _OFFSETS)):
        for argument in _arguments(plan, names):
            if argument.type.text.removesuffix(" | None") == "int" and argument.source is not None:
                first = _first(argument, 1 if kind == "number" else 0)
                more = _more(fields, first) if kind == "number" else _has_more(fields)
                return Pager(plan, kind, items, argument, more, first)
    return None


def _first(argument: Argument, usual: int) -> int:
    if argument.default.isdigit():
        return int(argument.default)
    limits = getattr(argument.source.type, "limits", {}) if argument.source else {}
    minimum = limits.get("minimum")
    return minimum if type(minimum) is int and minimum in {0, 1} and usual else usual


def _has_more(fields: Sequence[FieldExpression]) -> str:
    found = first_of(fields, _HAS_MORE, "bool")
    if found is not None:
        return found.expression
    last = first_of(fields, ("last", "is_last"), "bool")
    if last is not None and not last.type.is_nullable:
        return f"not {last.expression}"
    return "None"


def _more(fields: Sequence[FieldExpression], first: int) -> str:
    known = _has_more(fields)
    total = first_of(fields, _TOTAL_PAGES, "int")
    if known != "None" or total is None or total.type.is_nullable:
        return known
    return f"place < {total.expression}" if first else f"place + 1 < {total.expression}"


def pager_name(plan: MethodPlan, names: UniqueNames) -> str:
    """Return the name of an iterator: `all_reviews` for `list_reviews`."""
    rest = [word for word in words(plan.name) if word not in _VERBS]
    return names.take(f"all_{'_'.join(rest) or plan.name}", f"all_of_{plan.name}")


def pager_source(pager: Pager, name: str) -> list[str]:
    """Return the lines of an iterator over the items of all pages."""
    plan = pager.plan
    own = [one for one in plan.arguments if pager.argument is None or one is not pager.argument]
    taken = {one.name for one in own}
    shown = [
        (one, _free(_OTHERS[one.name], taken) if one.name in _OTHERS else one.name) for one in own
    ]
    declared = [f"{new}: {one.declaration.removeprefix(one.name + ': ')}" for one, new in shown]
    declared += [LIMIT.declaration, PAGES.declaration]
    item = pager.items.type.elsewhere()
    lines = signature("def", name, declared, f"AsyncIterator[{item}]")
    text = f"Yield the items of all pages of `{plan.name}`, page by page.\n\n"
    text += "It ends after `limit` items or `pages` pages. Each page is a call within the deadline."
    lines += docstring(text, 8)
    if pager.kind == "url":
        return lines + laid_out(_url_call(pager, {one.name: new for one, new in shown}), 8)
    return lines + _page_function(pager, [f"{one.name}={new}" for one, new in shown], item)


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_"
    return name


def _page_function(pager: Pager, passed: list[str], item: str) -> list[str]:
    argument = pager.argument
    if argument is None:
        return []
    kind = argument.type.text.removesuffix(" | None")
    is_cursor = pager.kind == "cursor"
    place = f"{kind} | None" if is_cursor else "int"
    second = place if is_cursor else "bool | None"
    result = Group("tuple[", [f"Sequence[{item}] | None", second], "]")
    lines = ["", *_head(place, result)]
    value = "place"
    if is_cursor and not argument.type.text.endswith("None"):
        value = f"{argument.default} if place is None else place"
    call = Group(f"await self.{pager.plan.name}(", [*passed, f"{argument.name}={value}"])
    lines += assigned("found", call, 12)
    lines += laid_out(_returned(pager), 12)
    options = ["read_page", *([f"first={pager.first}"] if pager.kind != "cursor" else [])]
    end = Group(f"return pages_by_{pager.kind}(", [*options, "limit=limit", "pages=pages"])
    return [*lines, "", *laid_out(end, 8)]


def _returned(pager: Pager) -> Group | str:
    line = f"return {pager.items.expression}, {pager.after}"
    if len(line) <= 88:
        return line
    return Group("return (", [pager.items.expression, pager.after], ")")


def _head(place: str, result: Group) -> list[str]:
    """Return the head of the function that reads a page."""
    line = f"        async def read_page(place: {place}) -> {result.on_one_line()}:"
    if len(line) <= LINE_LENGTH:
        return [line]
    lines = ["        async def read_page(", f"            place: {place},"]
    return lines + laid_out(Group(f") -> {result.start}", result.items, "]"), 8, ":")


def _url_call(pager: Pager, renamed: dict[str, str]) -> Group:
    plan = pager.plan
    pairs = [f"{text_literal(k)}: {_renamed(v, renamed)}" for k, v in plan.values.items()]
    values = Group("{", pairs, "}")
    options: list[str | Group | Expression] = [
        Expression("items=lambda found: ", pager.items.expression),
        Expression("next_url=lambda reply: ", pager.after) if pager.after else "next_url=next_link",
    ]
    if plan.query:
        options.append(Group("query={", [_renamed(one, renamed) for one in plan.query], "}"))
    headers: list[str | Group | Expression] = [_renamed_in(one, renamed) for one in plan.headers]
    if plan.reply.accept:
        headers.insert(0, f'"accept": {text_literal(plan.reply.accept)}')
    if headers:
        options.append(Group("headers={", headers, "}"))
    model = plan.reply.type.elsewhere()
    first: list[str | Group | Expression] = ["self", text_literal(plan.path), values, model]
    return Group("return pages_by_url(", [*first, *options, "limit=limit", "pages=pages"])


def _renamed_in(node: str | Group | Expression, names: dict[str, str]) -> str | Group | Expression:
    """Return code with the new names of arguments."""
    if isinstance(node, str):
        return _renamed(node, names)
    if isinstance(node, Expression):
        return Expression(node.start, _renamed(node.inner, names))
    return Group(node.start, [_renamed_in(one, names) for one in node.items], node.end)


def _renamed(entry: str, names: dict[str, str]) -> str:
    """Return code with the new names of arguments, its literals aside."""

    def new(match: re.Match[str]) -> str:
        return names.get(match[0], match[0])

    return _LITERALS_AND_NAMES.sub(new, entry)
