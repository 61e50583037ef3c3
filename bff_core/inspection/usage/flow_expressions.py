"""Reads expressions: the values that they have, and what they do with others."""

import ast
from collections.abc import Sequence
from types import GenericAlias
from typing import Any, Final

from bff_core.inspection.function_source import MISSING, named
from bff_core.inspection.usage.flow_assignments import FlowAssignments
from bff_core.inspection.usage.flow_attributes import existing
from bff_core.inspection.usage.flow_values import (
    Existing,
    FlowValue,
    InnerFunction,
    Keyed,
    Several,
    Typed,
    is_record_value,
    many,
    one_of,
    options_of,
)

Comprehension = ast.ListComp | ast.SetComp | ast.GeneratorExp

ABSENT: Final = object()

OPERATORS: Final[dict[type[ast.operator], str]] = {
    ast.Add: "add",
    ast.Sub: "sub",
    ast.Mult: "mul",
    ast.MatMult: "matmul",
    ast.Div: "truediv",
    ast.FloorDiv: "floordiv",
    ast.Mod: "mod",
    ast.Pow: "pow",
    ast.LShift: "lshift",
    ast.RShift: "rshift",
    ast.BitAnd: "and",
    ast.BitOr: "or",
    ast.BitXor: "xor",
}
UNARY: Final[dict[type[ast.unaryop], str]] = {
    ast.USub: "__neg__",
    ast.UAdd: "__pos__",
    ast.Invert: "__invert__",
}


class FlowExpressions(FlowAssignments):
    """Reads expressions: the values that they have, and what they do with others."""

    def value_of(  # noqa: C901, PLR0911, PLR0912 # one branch for each kind of expression
        self, node: ast.expr | None
    ) -> FlowValue:
        """Read an expression, and return its value."""
        match node:
            case None:
                return None
            case ast.Name():
                return self._named(node.id)
            case ast.Constant():
                return Existing(node.value)
            case ast.Attribute():
                return self.attribute(self.value_of(node.value), node.attr, node)
            case ast.Call():
                return self._call(node)
            case ast.Await() | ast.Starred():
                return self.value_of(node.value)
            case ast.NamedExpr():
                value = self.value_of(node.value)
                self.bind(node.target, value)
                return value
            case ast.IfExp():
                self.tested(self.value_of(node.test), node)
                return one_of(self.value_of(node.body), self.value_of(node.orelse))
            case ast.BoolOp():
                return one_of(*(self.tested(self.value_of(one), node) for one in node.values))
            case ast.BinOp():
                return self._operation(node)
            case ast.Compare():
                return self._comparison(node)
            case ast.Lambda():
                return InnerFunction(node, self.names, self.function, self)
            case ast.List() | ast.Tuple():
                return self._display(node.elts)
            case ast.Set():
                return self._set([self.value_of(one) for one in node.elts], node)
            case ast.Dict():
                return self._dictionary(node)
            case ast.Subscript():
                return self._subscript(node)
            case ast.ListComp() | ast.GeneratorExp() | ast.SetComp() | ast.DictComp():
                return self._comprehension(node)
            case ast.JoinedStr():
                return self._text(node)
            case ast.Yield() | ast.YieldFrom():
                return self._yield(node)
            case ast.UnaryOp():
                value = self.value_of(node.operand)
                if isinstance(node.op, ast.Not):
                    self.tested(value, node)
                    return None
                return self.special(value, UNARY[type(node.op)], node)
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self.value_of(child)
        return None

    def _named(self, name: str) -> FlowValue:
        if name in self.shared:
            return one_of(self.names.get(name), self.shared[name])
        if name in self.names:
            return self.names[name]
        found = named(self.function, name)
        return None if found is MISSING else existing(found)

    def _call(self, node: ast.Call) -> FlowValue:
        function = self.value_of(node.func)
        given: list[FlowValue] = []
        for one in node.args:
            value = self.value_of(one)
            if not isinstance(one, ast.Starred):
                given.append(value)
                continue
            for option in options_of(value):
                if isinstance(option, Several) and not option.is_repeated:
                    given += option.values
                else:
                    given.append(self.items_of(option, one))
        keywords: dict[str, FlowValue] = {}
        for each in node.keywords:
            value = self.value_of(each.value)
            if each.arg is not None:
                keywords[each.arg] = value
            elif isinstance(value, Keyed):
                keywords |= dict(value.values)
            else:
                self.escape(value, "it is unpacked with **", node)
        if isinstance(node.func, ast.Name) and node.func.id == "super":
            return self._super()
        found = self.apply(function, given, keywords, node)
        self.remember(node, given)
        return found

    def _super(self) -> FlowValue:
        """Return the object itself: its class and those above it are read alike."""
        first = self.function.__code__.co_varnames[:1]
        return self.names.get(first[0]) if first else None

    def _operation(self, node: ast.BinOp) -> FlowValue:
        left, right = self.value_of(node.left), self.value_of(node.right)
        texts = [text_of(left), text_of(right)]
        if isinstance(node.op, ast.Add) and None not in texts:
            return Existing("".join(map(str, texts)))
        if isinstance(node.op, ast.BitOr) and is_annotation(left) and is_annotation(right):
            return Existing(form_of(left) | form_of(right))
        if isinstance(node.op, ast.Mod):
            self.escape(right, "it is formatted", node)
        computed = self.computed(node.op, left, right, node)
        if isinstance(node.op, ast.Add | ast.BitOr | ast.Mult):
            return one_of(left, right, computed)
        return computed

    def computed(
        self, operator: ast.operator, left: FlowValue, right: FlowValue, node: ast.AST
    ) -> FlowValue:
        """Return what the project's classes make of an operator such as `+`."""
        name = OPERATORS[type(operator)]
        return one_of(
            self.special(left, f"__{name}__", node, [right]),
            self.special(left, f"__i{name}__", node, [right]),
            self.special(right, f"__r{name}__", node, [left]),
        )

    def _comparison(self, node: ast.Compare) -> FlowValue:
        left = self.value_of(node.left)
        for operator, one in zip(node.ops, node.comparators, strict=True):
            right = self.value_of(one)
            if isinstance(operator, ast.In | ast.NotIn):
                self.special(right, "__contains__", node, [left])
                inside = self.items_of(right, node) if not _is_text(right) else None
                for each in (left, inside):
                    if is_record_value(each):
                        self.escape(each, "it is compared", node)
            elif not isinstance(operator, ast.Is | ast.IsNot):
                for each, other in ((left, right), (right, left)):
                    is_plain = isinstance(other, Existing) and not isinstance(other.value, type)
                    if is_record_value(each) and not is_plain:
                        self.escape(each, "it is compared", node)
            left = right
        return None

    def _display(self, nodes: Sequence[ast.expr]) -> FlowValue:
        values: list[FlowValue] = []
        is_repeated = False
        for one in nodes:
            value = self.value_of(one)
            if isinstance(one, ast.Starred):
                is_repeated = True
                value = self.items_of(value, one)
            values.append(value)
        return many(one_of(*values)) if is_repeated else Several(tuple(values))

    def _set(self, values: Sequence[FlowValue], node: ast.AST) -> FlowValue:
        for one in values:
            if is_record_value(one):
                self.escape(one, "its hash is read", node)
        return many(one_of(*values))

    def _dictionary(self, node: ast.Dict) -> FlowValue:
        values: dict[str, FlowValue] = {}
        has_others = False
        for key, one in zip(node.keys, node.values, strict=True):
            value = self.value_of(one)
            name = None if key is None else self.value_of(key)
            if key is None:  # {**other}
                if isinstance(value, Keyed):
                    values |= dict(value.values)
                    has_others |= value.has_others
                    continue
                if is_record_value(value):
                    self.escape(value, "it is unpacked with **", node)
            text = name.value if isinstance(name, Existing) else None
            if is_record_value(name):
                self.escape(name, "its hash is read", node)
            if isinstance(text, str):
                values[text] = value
            else:
                has_others = True
                inner = (
                    value
                    if key is not None
                    else one_of(*(self._mapped(each) for each in options_of(value)))
                )
                values["*"] = one_of(values.get("*"), inner)
        return Keyed(tuple(values.items()), has_others)

    def _subscript(self, node: ast.Subscript) -> FlowValue:
        value = self.value_of(node.value)
        if isinstance(value, Existing) and is_annotation(value):
            found = self._parametrized(value.value, node.slice)
            if found is not ABSENT:
                return Existing(found)
        if isinstance(node.slice, ast.Slice):
            for part in (node.slice.lower, node.slice.upper, node.slice.step):
                self.value_of(part)
            return value
        key = self.value_of(node.slice)
        is_services = isinstance(node.value, ast.Attribute) and node.value.attr == "services"
        if is_services and isinstance(key, Existing) and isinstance(key.value, type):
            return Typed(key.value)
        return self.element_of(value, key, node)

    def _parametrized(self, form: Any, node: ast.expr) -> object:
        """Return an annotation with its arguments, such as `list[Order]`."""
        given = node.elts if isinstance(node, ast.Tuple) else [node]
        values = [self.value_of(one) for one in given]
        if not all(isinstance(one, Existing) for one in values):
            return ABSENT
        arguments = tuple(form_of(one) for one in values)
        try:
            return form[arguments if len(arguments) > 1 else arguments[0]]
        except (TypeError, KeyError, AttributeError):
            return ABSENT

    def _comprehension(self, node: Comprehension | ast.DictComp) -> FlowValue:
        before = dict(self.names)
        for one in node.generators:
            self.bind(one.target, self.items_of(self.value_of(one.iter), one.iter))
            for condition in one.ifs:
                self.tested(self.value_of(condition), condition)
        if isinstance(node, ast.DictComp):
            key, value = self.value_of(node.key), self.value_of(node.value)
            if is_record_value(key):
                self.escape(key, "its hash is read", node)
            found: FlowValue = Keyed((("*", value),), has_others=True)
        else:
            value = self.value_of(node.elt)
            is_set = isinstance(node, ast.SetComp)
            found = self._set([value], node) if is_set else many(value)
        self.names = before
        return found

    def _text(self, node: ast.JoinedStr) -> FlowValue:
        texts: list[str | None] = []
        for one in node.values:
            value = self.value_of(one.value if isinstance(one, ast.FormattedValue) else one)
            texts.append(text_of(value))
            if isinstance(one, ast.FormattedValue):
                self.escape(value, "it is formatted", node)
                self.value_of(one.format_spec)
                if one.conversion != -1 or one.format_spec is not None:
                    texts.append(None)
        return None if None in texts else Existing("".join(map(str, texts)))

    def _yield(self, node: ast.Yield | ast.YieldFrom) -> FlowValue:
        value = self.value_of(node.value)
        item = self.items_of(value, node) if isinstance(node, ast.YieldFrom) else value
        self.facts.returned = one_of(self.facts.returned, many(item))
        return None


def text_of(value: FlowValue) -> str | None:
    """Return a text that the source shows; None for any other value."""
    is_text = isinstance(value, Existing) and isinstance(value.value, str)
    return value.value if is_text else None  # type: ignore[union-attr,return-value]  # as checked


def _is_text(value: FlowValue) -> bool:
    return isinstance(value, Existing) and isinstance(value.value, str)


def is_annotation(value: FlowValue) -> bool:
    """Whether a value is a class, None or another annotation."""
    if not isinstance(value, Existing):
        return False
    one = value.value
    is_form = hasattr(one, "__origin__") or type(one).__module__ in {"typing", "types"}
    return one is None or isinstance(one, type | GenericAlias) or is_form


def form_of(value: FlowValue) -> Any:
    """Return the annotation that a value is; `Any` for other values."""
    return value.value if isinstance(value, Existing) else Any
