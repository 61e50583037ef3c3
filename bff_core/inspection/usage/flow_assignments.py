"""Assigns values to names, attributes, items of containers."""

import ast
from collections.abc import Sequence

from bff_core.inspection.usage.flow_calls import FlowCalls
from bff_core.inspection.usage.flow_containers import ADDING
from bff_core.inspection.usage.flow_values import (
    Existing,
    FlowValue,
    Keyed,
    Several,
    Typed,
    covers,
    is_record_value,
    many,
    one_of,
    options_of,
)
from bff_core.inspection.usage.type_hints import attribute_hint, members, plain


class FlowAssignments(FlowCalls):
    """Assigns values, and adds them to containers."""

    def value_of(self, node: ast.expr | None) -> FlowValue:
        """Read an expression, and return its value."""
        raise NotImplementedError

    def bind(self, target: ast.expr, value: FlowValue) -> None:
        """Assign a value to a name, an attribute, an item, or several of them."""
        match target:
            case ast.Name():
                self.names[target.id] = value
                if target.id in self.module_names:
                    self.escape(value, "a variable of the module holds it", target)
            case ast.Starred():
                self.bind(target.value, many(value))
            case ast.Tuple() | ast.List():
                self._unpack(target, value)
            case ast.Attribute():
                self._store(target, value)
            case ast.Subscript():
                self._add_to(target, value)

    def _unpack(self, target: ast.Tuple | ast.List, value: FlowValue) -> None:
        for index, one in enumerate(target.elts):
            found: list[FlowValue] = []
            for option in options_of(value):
                is_tuple = isinstance(option, Typed) and _is_fixed(option.hint)
                if is_tuple and len(option.hint.__args__) == len(target.elts):  # type: ignore[union-attr]
                    found.append(Typed(option.hint.__args__[index]))  # type: ignore[union-attr]
                elif isinstance(option, Several) and not option.is_repeated:
                    is_same = len(option.values) == len(target.elts)
                    found.append(option.values[index] if is_same else one_of(*option.values))
                else:
                    found.append(self.items_of(option, target))
            self.bind(one, one_of(*found))

    def _store(self, target: ast.Attribute, value: FlowValue) -> None:

        for owner in options_of(self.value_of(target.value)):
            hints = members(owner.hint) if isinstance(owner, Typed) else ()
            declared = [attribute_hint(one, target.attr) for one in hints]
            if not declared or not all(covers(one, value) for one in declared):
                self.escape(value, f".{target.attr} without an annotation holds it", target)

    def _add_to(self, target: ast.Subscript, value: FlowValue) -> None:
        """Add an item to a dictionary or a list that has a name."""
        key = self.value_of(target.slice)
        if is_record_value(key):
            self.escape(key, "its hash is read", target)
        if isinstance(target.value, ast.Name) and target.value.id in self.names:
            name = target.value.id
            text = key.value if isinstance(key, Existing) else None
            item = Keyed(((text, value),)) if isinstance(text, str) else many(value)
            self.names[name] = _merged(self.names[name], item)
            return

        holder = self.value_of(target.value)
        if not (isinstance(holder, Typed) and covers(holder.hint, value)):
            self.escape(value, "it is stored in an object that is not followed", target)

    def remember(self, node: ast.Call, given: Sequence[FlowValue]) -> None:
        """Add what a method such as `append` gets to the container that has a name."""
        func = node.func
        if not (isinstance(func, ast.Attribute) and func.attr in ADDING and given):
            return
        is_several = func.attr in {"extend", "update"}
        item = given[-1]
        added = item if is_several else many(item)
        if func.attr == "add" and is_record_value(item):
            self.escape(item, "its hash is read", node)
        if isinstance(func.value, ast.Name) and func.value.id in self.names:
            name = func.value.id
            self.names[name] = _merged(self.names[name], added)
            return

        holder = self.value_of(func.value)
        if not (isinstance(holder, Typed) and covers(holder.hint, item)):
            self.escape(item, "it is stored in an object that is not followed", node)


def _merged(holder: FlowValue, added: FlowValue) -> FlowValue:
    """Return a container with one more value."""
    if isinstance(holder, Keyed) and isinstance(added, Keyed):
        return Keyed(
            tuple({**dict(holder.values), **dict(added.values)}.items()), holder.has_others
        )
    if isinstance(holder, Keyed) and isinstance(added, Several):
        others = one_of(dict(holder.values).get("*"), *added.values)
        return Keyed(tuple({**dict(holder.values), "*": others}.items()), has_others=True)
    return one_of(holder, added)


def _is_fixed(hint: object) -> bool:
    """Whether an annotation is a tuple of a fixed number of values."""
    hint = plain(hint)
    arguments = getattr(hint, "__args__", ())
    return getattr(hint, "__origin__", None) is tuple and ... not in arguments
