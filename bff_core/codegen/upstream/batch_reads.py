"""Recognises reads of many objects by their keys, and writes what loaders call."""

import re
from dataclasses import dataclass
from typing import Final

from bff_core.codegen.names import UniqueNames, snake
from bff_core.codegen.python_layout import Group, assigned, laid_out
from bff_core.codegen.python_text import LINE_LENGTH, docstring
from bff_core.codegen.upstream.method_plans import Argument, MethodPlan
from bff_core.codegen.upstream.operation_source import signature
from bff_core.codegen.upstream.plans import ClassPlan, PythonType
from bff_core.codegen.upstream.reply_fields import items_of, key_of, root_of
from bff_core.contracts.types import Array, Scalar

DEFAULT_CHUNK: Final = 100

_KEYS: Final = re.compile(r"(?:\w+_)?(?:id|uuid|guid|key|sku|slug|code|isbn|ean|gtin)")
_SIZES: Final = frozenset({"limit", "per_page", "page_size", "size", "first", "max_results"})

_OWN_NAMES: Final = frozenset({"chunk", "found", "load"})
"""Names of the code of a batch read, which no parameter of it may have."""


@dataclass(frozen=True, slots=True)
class BatchRead:
    """An operation that reads objects by a list of keys.

    `key` is the attribute of an object, empty if the reply is a map by key. `size` is how many keys
    a call may have, and `page_size` the argument that has to allow so many.
    """

    plan: MethodPlan
    argument: Argument
    key_type: str
    value: PythonType
    objects: str
    key: str
    size: int
    page_size: Argument | None = None
    is_nullable: bool = False
    """Whether the list of objects may be None."""


def batch_read_of(plan: MethodPlan) -> BatchRead | None:
    """Return how an operation reads objects by their keys, or None."""
    if plan.operation.method != "GET" or plan.reply.kind != "json" or plan.reply.type.is_nullable:
        return None
    for argument in plan.arguments:
        stem = _stem(argument)
        if stem:
            found = _read(plan, argument, stem)
            if found is not None:
                return found
    return None


def _stem(argument: Argument) -> str:
    """Return the name of a key whose list a parameter is: `id` of `ids`, `id[]`, `filter[id]`."""
    source = argument.source
    if source is None or source.place != "query":
        return ""
    if argument.type.kind != "array":
        is_separated = "comma" in source.description.lower() and isinstance(source.type, Scalar)
        if not is_separated or argument.type.text.removesuffix(" | None") != "str":
            return ""
    inner = re.fullmatch(r"\w+\[(\w+)\](?:\[\w*\])?", source.name)
    name = key_of(inner[1] if inner else source.name)
    name = name.removesuffix("s") if name.endswith("s") else name
    return name if _KEYS.fullmatch(name) else ""


def _read(plan: MethodPlan, argument: Argument, stem: str) -> BatchRead | None:
    key_type = "str"
    if argument.type.kind == "array":
        match = re.fullmatch(r"Sequence\[(str|int|UUID)\](?: \| None)?", argument.type.text)
        if match is None:
            return None
        key_type = match[1]
    root = root_of(plan)
    page_size = next((one for one in plan.arguments if _is_size(one)), None)
    size = _size(argument, page_size)
    kind = plan.reply.type
    if kind.kind == "map" and kind.options and key_type == "str":
        return BatchRead(plan, argument, key_type, kind.options[0], root, "", size, page_size)
    items = items_of(plan, root)
    if items is None or not isinstance(items.type.plan, ClassPlan):
        return None
    for field in items.type.plan.fields:
        name = key_of(field.name)
        is_key = name == stem or (name == "id" and stem == f"{key_of(items.type.plan.name)}_id")
        if is_key and field.shape.text == key_type:
            return BatchRead(
                plan, argument, key_type, items.type, items.expression, field.attribute, size,
                page_size, items.is_nullable,
            )  # fmt: skip
    return None


def _is_size(argument: Argument) -> bool:
    source = argument.source
    is_query = source is not None and source.place == "query" and key_of(source.name) in _SIZES
    return is_query and argument.type.text.removesuffix(" | None") == "int"


def _size(argument: Argument, page_size: Argument | None) -> int:
    """Return how many keys a call may have, by `maxItems` and the largest page."""
    known = [DEFAULT_CHUNK]
    source = argument.source
    if source is not None and isinstance(source.type, Array):
        most = source.type.limits.get("maxItems")
        if type(most) is int and most > 0:
            known = [most]
    if page_size is not None and page_size.source is not None:
        most = getattr(page_size.source.type, "limits", {}).get("maximum")
        if type(most) is int and most > 0:
            known.append(most)
    return min(known)


def batch_name(read: BatchRead, names: UniqueNames) -> str:
    """Return the name of a batch read: `products_by_id`."""
    plan = read.value.plan
    one = snake(plan.name) if isinstance(plan, ClassPlan) else read.plan.name
    key = read.key or "key"
    many = _plural(one) if isinstance(plan, ClassPlan) else one
    return names.take(f"{many}_by_{key.rstrip('_')}", f"{read.plan.name}_by_{key.rstrip('_')}")


def _plural(name: str) -> str:
    if name.endswith(("s", "x", "ch", "sh", "z")):
        return f"{name}es"
    if name.endswith("y") and name[-2:-1] not in "aeiou":
        return f"{name[:-1]}ies"
    return f"{name}s"


def batch_source(read: BatchRead, name: str) -> list[str]:
    """Return the lines of a method that loads objects by their keys."""
    others = [
        one for one in read.plan.arguments if one is not read.argument and one is not read.page_size
    ]
    value = read.value.elsewhere()
    result = f"Mapping[{read.key_type}, {value}]"
    declared = [_renamed(one.declaration) for one in others]
    keys = f"{read.key.rstrip('_') or 'key'}s"
    while keys in {one.name for one in others}:
        keys += "_"
    lines = signature(
        "async def", name, declared, result, positional=[f"{keys}: Sequence[{read.key_type}]"]
    )
    lines += docstring(_text(read), 8)
    lines += ["", *_load(read, others, result), ""]
    return [*lines, f"        return await in_chunks({keys}, load, size={read.size})"]


def _renamed(code: str) -> str:
    """Return a declaration or a name of an argument that hides none of the method's own names."""
    name = re.match(r"\w*", code)
    is_taken = name is not None and name[0] in _OWN_NAMES
    return f"{name[0]}_parameter{code.removeprefix(name[0])}" if is_taken and name else code


def _text(read: BatchRead) -> str:
    what = f"by `{read.key}`" if read.key else "by key"
    return (
        f"Return those objects of `{read.plan.name}` that exist, {what}.\n\n"
        "A loader of a composition calls it with its keys. "
        f"Each call has {read.size} distinct keys at most."
    )


def _load(read: BatchRead, others: list[Argument], result: str) -> list[str]:
    keys = "chunk" if read.argument.type.kind == "array" else 'joined(chunk) or ""'
    passed = [
        f"{read.argument.name}={keys}",
        *(f"{one.name}={_renamed(one.name)}" for one in others),
    ]
    if read.page_size is not None:
        passed.append(f"{read.page_size.name}=len(chunk)")
    lines = [f"        async def load(chunk: Sequence[{read.key_type}]) -> {result}:"]
    if not read.key and not read.plan.reply.is_typed:
        return lines + laid_out(Group(f"return await self.{read.plan.name}(", passed), 12)
    lines += assigned("found", Group(f"await self.{read.plan.name}(", passed), 12)
    if not read.key:
        return [*lines, f"            return {read.objects}"]
    pairs = f"one.{read.key}: one for one in {read.objects}{' or ()' if read.is_nullable else ''}"
    if len(pairs) <= LINE_LENGTH - 21:
        return [*lines, f"            return {{{pairs}}}"]
    return [*lines, "            return {", f"                {pairs}", "            }"]
