"""What methods of lists and dictionaries and the functions of the standard library return."""

import ast
import asyncio
import contextlib
import copy
import itertools
import operator
import typing
from collections.abc import Mapping, Sequence
from typing import Final

from typing_extensions import is_typeddict

from bff_core.composition.gather import gather
from bff_core.inspection.usage.flow_attributes import FlowAttributes, existing
from bff_core.inspection.usage.flow_values import (
    AttributeGetter,
    ContainerMethod,
    Existing,
    FlowValue,
    Keyed,
    Several,
    Typed,
    holds_record,
    is_hashable,
    is_record_value,
    many,
    one_of,
    options_of,
)
from bff_core.inspection.usage.type_hints import (
    class_of,
    is_mapping,
    is_record,
    item_hint,
    mapped_hint,
    members,
)

Given = Sequence[FlowValue]
Keywords = Mapping[str, FlowValue]

SAME: Final = (
    *(asyncio.create_task, asyncio.ensure_future, asyncio.shield, asyncio.wait_for),
    *(contextlib.aclosing, contextlib.closing, copy.copy, copy.deepcopy),
)
"""Functions that return their first argument, as far as fields are concerned."""

LISTED: Final = (
    *(list, tuple, set, frozenset, iter, aiter, reversed, sorted),
    *(itertools.islice, itertools.chain.from_iterable, itertools.cycle, asyncio.as_completed),
)
"""Functions that return the items of their first argument."""

UNREAD: Final = (all, any, bool, callable, id, isinstance, issubclass, len)
"""Functions that read no field."""

ADDING: Final = frozenset({"add", "append", "appendleft", "extend", "insert", "update", "put"})
LISTING: Final = frozenset({"copy", "keys", "reverse", "result", "clear", "union", "difference"})
ONE: Final = frozenset({"get", "pop", "popleft", "popitem", "setdefault", "result"})


class FlowContainers(FlowAttributes):
    """Reads calls of what is not the project's: containers, built-in functions."""

    def items_of(self, value: FlowValue, node: ast.AST | None) -> FlowValue:
        """Return what iteration over a value yields."""
        return one_of(*(self._items_of(one, node) for one in options_of(value)))

    def _items_of(self, value: FlowValue, node: ast.AST | None) -> FlowValue:
        if isinstance(value, Several):
            return one_of(*value.values)
        if isinstance(value, Existing) and isinstance(value.value, list | tuple | set | frozenset):
            return one_of(*(Existing(one) for one in value.value))
        if not isinstance(value, Typed):
            return None
        found: list[FlowValue] = []
        for hint in members(value.hint):
            kind = class_of(hint)
            if kind is not None and is_record(kind):
                self.escape(Typed(hint), "its fields are iterated", node)
            item = item_hint(hint)
            found.append(None if item is None else Typed(item))
            if kind is not None and node is not None:
                walked = self.special(Typed(hint), "__iter__", node)
                found.append(None if walked is None else self.items_of(walked, node))
        return one_of(*found)

    def element_of(self, value: FlowValue, key: FlowValue, node: ast.AST) -> FlowValue:
        """Return an item of a value by its index or its key."""
        return one_of(*(self._element_of(one, key, node) for one in options_of(value)))

    def _element_of(self, value: FlowValue, key: FlowValue, node: ast.AST) -> FlowValue:
        constant = key.value if isinstance(key, Existing) else None
        if isinstance(value, Several):
            count = 0 if value.is_repeated else len(value.values)
            if isinstance(constant, int) and -count <= constant < count:
                return value.values[constant]
            return one_of(*value.values)
        if isinstance(value, Keyed):
            found = [one for name, one in value.values if constant in {None, name}]
            return one_of(*found)
        if isinstance(value, Existing):
            return self._existing_element(value.value, constant)
        if isinstance(value, Typed):
            return one_of(
                *(self._typed_element(one, constant, node) for one in members(value.hint))
            )
        return None

    def _existing_element(self, holder: object, key: object) -> FlowValue:
        if isinstance(holder, dict):
            found = [holder[key]] if isinstance(key, str) and key in holder else holder.values()
            return one_of(*(self.of_object(one) for one in found))
        if isinstance(holder, list | tuple):
            return one_of(*(self.of_object(one) for one in holder))
        return None

    def of_object(self, one: object) -> FlowValue:
        """Return the value of an object that exists."""
        return existing(one)

    def _typed_element(self, hint: object, key: object, node: ast.AST) -> FlowValue:
        kind = class_of(hint)
        own = self.special(Typed(hint), "__getitem__", node, [None])
        if own is not None:
            return own
        if kind is None or not is_record(kind):
            found = mapped_hint(hint)
            return None if found is None else Typed(found)
        if isinstance(key, str):
            return self.attribute(Typed(hint), key, node)
        self.escape(Typed(hint), "its fields are read by index", node)
        return None

    def of_container(
        self, method: ContainerMethod, given: Given, keywords: Keywords, node: ast.AST
    ) -> FlowValue:
        """Return what a method of a list, a dictionary or another built-in value returns."""
        name, owner = method.name, method.owner
        if name in ADDING:
            return owner
        if name == "sort":
            self._keyed_by(self.items_of(owner, node), keywords, node)
            return None
        if name in {"index", "count", "remove"}:
            self.escape(one_of(*given), "it is compared", node)
            return None
        if name in {"items", "values"} or name in ONE or name in LISTING:
            return self._held_by(owner, name, given, node)
        for one in (*given, *keywords.values()):
            self.escape(one, f"it is passed to .{name}(...)", node)
        return one_of(self.items_of(owner, node), owner) if holds_record(owner) else None

    def _held_by(self, owner: FlowValue, name: str, given: Given, node: ast.AST) -> FlowValue:
        values = one_of(*(self._mapped(one) for one in options_of(owner)))
        if name == "items":
            return many(Several((self.items_of(owner, node), values)))
        if name == "values":
            return many(values)
        if name in ONE:
            key = given[0] if given else None
            is_table = isinstance(owner, Keyed) and isinstance(key, Existing)
            found = self.element_of(owner, key, node) if is_table else values
            return one_of(found, *given[1:], *([owner] if name == "result" else []))
        return many(self.items_of(owner, node)) if name == "keys" else owner

    def _mapped(self, value: FlowValue) -> FlowValue:
        if isinstance(value, Keyed):
            return one_of(*(one for _, one in value.values))
        if isinstance(value, Several):
            return one_of(*value.values)
        if isinstance(value, Typed):
            found = mapped_hint(value.hint)
            return None if found is None else Typed(found)
        return None

    def of_library(  # noqa: C901, PLR0911, PLR0912 # one branch for each function
        self, one: object, given: Given, keywords: Keywords, node: ast.AST
    ) -> tuple[bool, FlowValue]:
        """Return whether a function of a library is known, and what it returns."""
        first = given[0] if given else None
        if not is_hashable(one):  # no function
            return False, None
        if any(one is each for each in UNREAD):
            if one in {any, all}:
                self.tested(self.items_of(first, node), node)
            if one in {bool, len}:
                self.tested(first, node)
            if one is len and is_dictionary(first):
                self.escape(first, "its fields are counted", node)
            return True, None
        if any(one is each for each in SAME):
            return True, first
        if one in {gather, asyncio.gather}:
            return True, Several(tuple(given)) if len(given) != 1 else first
        if any(one is each for each in LISTED):
            return True, self._listed(one, first, keywords, node)
        if one in {min, max}:
            item = self.items_of(first, node) if len(given) == 1 else one_of(*given)
            self._keyed_by(item, keywords, node)
            return True, one_of(item, keywords.get("default"))
        if one in {next, anext}:
            return True, one_of(self.items_of(first, node), *given[1:])
        if one is enumerate:
            return True, many(Several((None, self.items_of(first, node))))
        if one in {zip, itertools.zip_longest, itertools.product}:
            return True, many(Several(tuple(self.items_of(each, node) for each in given)))
        if one is itertools.chain:
            return True, many(one_of(*(self.items_of(each, node) for each in given)))
        if one is map:
            items = [self.items_of(each, node) for each in given[1:]]
            return True, many(self.apply(first, items, {}, node))
        if one is filter:
            item = self.items_of(given[-1], node) if given else None
            if first == Existing(None):
                self.tested(item, node)
            else:
                self.apply(first, [item], {}, node)
            return True, many(item)
        if one is getattr and len(given) > 1:
            return True, self._got(given, node)
        if one is typing.cast and len(given) > 1:
            target = first.value if isinstance(first, Existing) else None
            return True, given[1] if holds_record(given[1]) else Typed(target)
        if one is operator.attrgetter and all(isinstance(each, Existing) for each in given):
            return True, AttributeGetter(
                tuple(str(each.value) for each in given if isinstance(each, Existing))
            )
        if one is asyncio.to_thread:
            return True, self.apply(first, given[1:], keywords, node)
        return False, None

    def _listed(
        self, one: object, first: FlowValue, keywords: Keywords, node: ast.AST
    ) -> FlowValue:
        item = self.items_of(first, node)
        if one in {set, frozenset} and is_record_value(item):
            self.escape(item, "its hash is read", node)
        if one is sorted:
            self._keyed_by(item, keywords, node)
        is_nested = one is itertools.chain.from_iterable
        return many(self.items_of(item, node) if is_nested else item)

    def _keyed_by(self, item: FlowValue, keywords: Keywords, node: ast.AST) -> None:
        """Read the function that objects are compared by; without one they are compared wholly."""
        if "key" in keywords:
            self.apply(keywords["key"], [item], {}, node)
        elif is_record_value(item):
            self.escape(item, "it is compared", node)

    def _got(self, given: Given, node: ast.AST) -> FlowValue:
        name = given[1]
        if isinstance(name, Existing) and isinstance(name.value, str):
            return one_of(self.attribute(given[0], name.value, node), *given[2:])
        self.escape(given[0], "getattr reads a name that is chosen at run time", node)
        return None


def is_dictionary_hint(hint: object) -> bool:
    """Whether values of an annotation are dictionaries, typed ones included."""
    kind = class_of(hint)
    return kind is not None and (is_mapping(hint) or issubclass(kind, dict))


def is_dictionary(value: FlowValue) -> bool:
    """Whether a value is a typed dictionary."""
    return any(
        is_typeddict(class_of(one))
        for each in options_of(value)
        if isinstance(each, Typed)
        for one in members(each.hint)
    )
