"""What calls return, and where they take their arguments."""

import ast
import inspect
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from types import FunctionType, GenericAlias
from typing import Final, get_args

from bff_core.compat.pydantic import names_of_validators
from bff_core.composition.bulk import BulkMethod, ItemResult
from bff_core.composition.loader import LoaderMethod
from bff_core.inspection.function_source import hints_of, tree_of
from bff_core.inspection.usage.flow_attributes import is_shape
from bff_core.inspection.usage.flow_containers import Given, Keywords, is_dictionary_hint
from bff_core.inspection.usage.flow_generated import FlowGenerated
from bff_core.inspection.usage.flow_recorder import is_saga
from bff_core.inspection.usage.flow_values import (
    AttributeGetter,
    ClientVerb,
    ContainerMethod,
    Existing,
    FlowValue,
    InnerFunction,
    Keyed,
    OwnFunction,
    ScreenPart,
    Several,
    Typed,
    covers,
    hints_in,
    holds_record,
    many,
    one_of,
    options_of,
)
from bff_core.inspection.usage.service_calls import service_call
from bff_core.inspection.usage.type_hints import (
    Hint,
    class_hints,
    class_of,
    classes_in,
    has_variables,
    is_mapping,
    is_opaque,
    is_record,
    item_hint,
    mapped_hint,
    members,
    union,
)

_NODE: Final = ast.Pass()

HOOKS: Final = ("__post_init__", "model_post_init")
"""Methods that run when an object is made."""

COMPOSING: Final = frozenset({"compose", "compose_anew", "wired"})
"""Methods of the context of GraphQL that return an object of the class that they get."""


class FlowCalls(FlowGenerated):
    """Reads calls of functions, classes, parts and clients."""

    def apply(
        self, function: FlowValue, given: Given, keywords: Keywords, node: ast.AST
    ) -> FlowValue:
        """Return what a call of a value returns."""
        found = [self._apply(one, given, keywords, node) for one in options_of(function)]
        return one_of(*found)

    def _apply(  # noqa: PLR0911 # one branch for each kind of callee
        self, function: FlowValue, given: Given, keywords: Keywords, node: ast.AST
    ) -> FlowValue:
        match function:
            case OwnFunction():
                return self._function(function, given, keywords, node)
            case InnerFunction():
                return self.run_inner(function, given, keywords)
            case ScreenPart():
                return self._part(function, given, keywords, node)
            case ClientVerb():
                return self._verb(function, given, keywords, node)
            case ContainerMethod():
                return self.of_container(function, given, keywords, node)
            case AttributeGetter():
                found = [self._path(one, given, node) for one in function.paths]
                return found[0] if len(found) == 1 else Several(tuple(found))
            case Existing(value=type() as kind):
                return self._object(kind, given, keywords, node)
            case Existing():
                return self._existing(function.value, given, keywords, node)
            case Typed():
                return self._called_object(function, given, keywords, node)
        self.escape_all(given, keywords, "it is passed to code that is chosen at run time", node)
        return None

    def escape_all(self, given: Given, keywords: Keywords, reason: str, node: ast.AST) -> None:
        """Record that all arguments of a call go where the source does not show."""
        for one in (*given, *keywords.values()):
            self.escape(one, reason, node)

    def _path(self, path: str, given: Given, node: ast.AST) -> FlowValue:
        value = given[0] if given else None
        for name in path.split("."):
            value = self.attribute(value, name, node)
        return value

    def _existing(self, one: object, given: Given, keywords: Keywords, node: ast.AST) -> FlowValue:
        is_known, found = self.of_library(one, given, keywords, node)
        if is_known:
            return found
        of_item = getattr(one, "of_item", None)  # each(WebCard.of)
        if type(one).__name__ == "Each" and of_item is not None:
            return many(
                self.apply(self.of_object(of_item), [self.items_of(given[0], node)], {}, node)
            )
        call = inspect.getattr_static(type(one), "__call__", None)
        if isinstance(call, FunctionType) and self.readings.is_own(call):
            return self._function(OwnFunction(call, Typed(type(one))), given, keywords, node)
        name = getattr(one, "__qualname__", type(one).__name__)
        self.escape_all(given, keywords, f"it is passed to {name}", node)
        return None

    def _called_object(
        self, value: Typed, given: Given, keywords: Keywords, node: ast.AST
    ) -> FlowValue:
        """Return what an object returns that is called: `__call__`, or a class in a parameter."""
        for hint in members(value.hint):
            if class_of(hint) is type and get_args(hint):
                self._object(class_of(get_args(hint)[0]) or object, given, keywords, node)
                return Typed(get_args(hint)[0])
        call = self.attribute(value, "__call__", node) if not holds_record(value) else None
        if isinstance(call, OwnFunction):
            return self._function(call, given, keywords, node)
        self.escape_all(given, keywords, "it is passed to code that is chosen at run time", node)
        returned = [get_args(one)[-1] for one in members(value.hint) if len(get_args(one)) == 2]
        return one_of(*(Typed(one) for one in returned if one is not ...))

    def _function(
        self, one: OwnFunction, given: Given, keywords: Keywords, node: ast.AST
    ) -> FlowValue:
        function, owner = one.function, one.owner
        if not self.readings.is_own(function):
            return self._foreign(one, given, keywords, node)
        tree = tree_of(function)
        if tree is None:
            self.escape_all(given, keywords, f"the source of {function.__name__} is missing", node)
            return None
        arguments = [owner, *given] if owner is not None else [*given]
        hints = hints_of(function)
        bound = bound_to(tree.args, arguments, keywords)
        informative = {
            name: value
            for name, value in bound.items()
            if value is not None and _adds_to(hints.get(name), value)
        }
        self._rest(tree.args, given, keywords, owner, node)
        facts = self.uses_function(function, None, informative)
        around = [self.uses_function(each) for each in one.wrappers]
        return one_of(*(each.returned for each in (facts, *around) if each is not None))

    def _rest(
        self,
        declared: ast.arguments,
        given: Given,
        keywords: Keywords,
        owner: FlowValue,
        node: ast.AST,
    ) -> None:
        """Record what goes into `*args` and `**options`, which are not followed."""
        names = {one.arg for one in (*declared.posonlyargs, *declared.args, *declared.kwonlyargs)}
        count = len(declared.posonlyargs) + len(declared.args) - (owner is not None)
        rest = [
            *given[max(count, 0) :],
            *(one for name, one in keywords.items() if name not in names),
        ]
        for one in rest:
            self.escape(one, "it is passed in *args or **options", node)

    def _foreign(
        self, one: OwnFunction, given: Given, keywords: Keywords, node: ast.AST
    ) -> FlowValue:
        """Return what a function of a library returns."""
        function, owner = one.function, one.owner
        for read in (self.of_library, self.of_helper):
            is_known, found = read(function, given, keywords, node)
            if is_known:
                return found
        name = function.__name__
        is_shape_of = name == "of" and isinstance(owner, Existing) and isinstance(owner.value, type)
        if is_shape_of and is_shape(owner.value):  # type: ignore[union-attr,arg-type]  # as checked
            return self._shape(owner.value, one_of(*given), node)  # type: ignore[union-attr,arg-type]  # as checked
        if name in COMPOSING and given and isinstance(given[0], Existing):
            return Typed(given[0].value)
        if name == "run" and isinstance(owner, Typed) and _is_saga(owner.hint):
            self.escape(owner, "", node)
            return None
        self.escape_all(given, keywords, f"it is passed to {function.__qualname__}", node)
        if isinstance(owner, Typed) and is_record(class_of(owner.hint) or object):
            self.escape(owner, f"{name} reads all fields", node)
        hint = hints_of(function).get("return")
        is_useful = hint is not None and not is_opaque(hint) and not has_variables(hint)
        return Typed(hint) if is_useful else None

    def _shape(self, kind: type, source: FlowValue, node: ast.AST) -> FlowValue:
        """Return a GraphQL type that shows a value; which fields it shows is read elsewhere."""
        from bff_core.graphql.shape import source_type  # noqa: PLC0415 # needs its library

        if not covers(source_type(kind), source):
            self.escape(source, f"{kind.__name__} shows it", node)
        return Typed(kind)

    def _part(self, part: ScreenPart, given: Given, keywords: Keywords, node: ast.AST) -> FlowValue:
        member = part.member
        is_plain = not isinstance(member, LoaderMethod | BulkMethod)
        named = {}
        if is_plain:
            tree = tree_of(inspect.unwrap(member.body))
            if tree is not None:
                bound = bound_to(tree.args, [None, *given], keywords)
                named = {
                    key: one for key, one in bound.items() if one is not None and holds_record(one)
                }
        else:
            self.escape_all([], keywords, "it is passed to a loader", node)
        facts = self.use_member(part.screen, member, named)
        returned = None if facts is None else facts.returned
        if isinstance(member, LoaderMethod):
            value = one_of(*(self._loaded(one) for one in options_of(returned)))
            fallback = Existing(None)
            return many(value) if part.is_many else one_of(value, many(value), fallback)
        if isinstance(member, BulkMethod):
            found = [GenericAlias(ItemResult, (one,)) for one in hints_in(returned)]
            return many(one_of(*(Typed(one) for one in found)))
        return returned

    def _loaded(self, value: FlowValue) -> FlowValue:
        """Return one value of what a loader returns: a mapping, or a list."""
        if isinstance(value, Typed):
            found = [
                mapped_hint(one) if is_mapping(one) else item_hint(one)
                for one in members(value.hint)
            ]
            return one_of(*(Typed(one) for one in found if one is not None))
        return self._mapped(value)

    def _decoded(self, reply: Hint) -> None:
        """Read the code that runs when objects of a reply are made: `__post_init__`, validators."""
        for kind in sorted(classes_in(reply), key=lambda one: one.__qualname__):
            if not is_record(kind):
                continue
            for name in (*HOOKS, *names_of_validators(kind)):
                hook = inspect.getattr_static(kind, name, None)
                self.apply(self.member(kind, hook, Typed(kind)), [], {}, _NODE)

    def _verb(self, verb: ClientVerb, given: Given, keywords: Keywords, node: ast.AST) -> FlowValue:
        call = service_call(verb, given, keywords, self.via, self.place(node))
        self.facts.calls[call] = None
        if call.reply is None:
            return None
        self._decoded(call.reply)
        return many(Typed(call.reply)) if verb.name == "ndjson" else Typed(call.reply)

    def _object(self, kind: type, given: Given, keywords: Keywords, node: ast.AST) -> FlowValue:
        """Return an object that is made; its fields hold the arguments if their types fit."""
        is_known, found = self.of_library(kind, given, keywords, node)
        if is_known:
            return found
        if kind is dict or (isinstance(kind, type) and issubclass(kind, OrderedDict)):
            return self._table(given, keywords, node)
        if kind is type and given:
            return None
        init = inspect.getattr_static(kind, "__init__", None)
        has_own_init = isinstance(init, FunctionType) and self.readings.is_own(init)
        for name in HOOKS:
            after = inspect.getattr_static(kind, name, None)
            if isinstance(after, FunctionType):
                self.uses_function(after, Typed(kind))
        if has_own_init:
            self._function(OwnFunction(init, Typed(kind)), given, keywords, node)
            return Typed(kind)
        return self._record(kind, given, keywords, node)

    def _table(self, given: Given, keywords: Keywords, node: ast.AST) -> FlowValue:
        """Return a dictionary that is made of another one, of pairs, of keywords."""
        found: list[FlowValue] = []
        for option in (each for one in given for each in options_of(one)):
            is_table = isinstance(option, Keyed) or (
                isinstance(option, Typed) and all(map(is_dictionary_hint, members(option.hint)))
            )
            if is_table:
                found.append(option)
                continue
            pair = self.items_of(option, node)
            found.append(Keyed((("*", self.element_of(pair, Existing(1), node)),), has_others=True))
        if keywords or not given:
            found.append(Keyed(tuple(keywords.items())))
        return one_of(*found)

    def _record(self, kind: type, given: Given, keywords: Keywords, node: ast.AST) -> FlowValue:
        hints = class_hints(kind)
        names = [one.name for one in fields(kind)] if is_dataclass(kind) else list(hints)
        named = {**dict(zip(names, given, strict=False)), **keywords}
        parameters = getattr(kind, "__parameters__", ())
        inside: list[Hint] = []
        for name, value in named.items():
            hint = hints.get(name)
            if hint is not None and has_variables(hint) and len(parameters) == 1:
                inside += hints_in(value)
            elif not covers(hint, value):
                self.escape(value, f"{kind.__name__} holds it as {name}", node)
        for value in given[len(names) :]:
            self.escape(value, f"it is passed to {kind.__name__}", node)
        if inside:
            held = [item_hint(one) or one for one in inside]
            return Typed(GenericAlias(kind, (union(held),)))
        return Typed(kind)


def _adds_to(hint: Hint, value: FlowValue) -> bool:
    """Whether a value says more of a parameter than its annotation."""
    if hint is None or is_opaque(hint) or has_variables(hint):
        return True
    if isinstance(value, Typed):
        return not covers(hint, value)
    return True


def _is_saga(hint: Hint) -> bool:
    kind = class_of(hint)
    return kind is not None and is_saga(kind)


def bound_to(
    declared: ast.arguments, given: Sequence[FlowValue], keywords: Mapping[str, FlowValue]
) -> dict[str, FlowValue]:
    """Return the values of parameters: those that are given, else their defaults."""
    names = [one.arg for one in (*declared.posonlyargs, *declared.args)]
    found: dict[str, FlowValue] = dict.fromkeys(names)
    defaults = zip(reversed(names), reversed(declared.defaults), strict=False)
    found |= {name: _constant(node) for name, node in defaults}
    for one, node in zip(declared.kwonlyargs, declared.kw_defaults, strict=True):
        found[one.arg] = _constant(node)
    found |= dict(zip(names, given, strict=False))
    return found | {name: value for name, value in keywords.items() if name in found}


def _constant(node: ast.expr | None) -> FlowValue:
    return Existing(node.value) if isinstance(node, ast.Constant) else None
