"""Reads calls: of parts, of clients, of functions whose source is available."""

import ast
import asyncio
import inspect
import sysconfig
from collections.abc import Mapping, Sequence
from contextlib import aclosing, nullcontext
from types import FunctionType
from typing import Final

from bff_core.cache.response_cache import ResponseCache
from bff_core.composition.composition import Composition
from bff_core.composition.gather import gather
from bff_core.inspection.arguments import arguments_by_name, bound_arguments
from bff_core.inspection.attributes import GRAPHQL_VERBS, attribute, part_ref
from bff_core.inspection.expressions import NOTHING, short
from bff_core.inspection.function_source import class_in, hints_of, plain_function, tree_of
from bff_core.inspection.helpers import arguments_of, helper_of
from bff_core.inspection.statements import Statements
from bff_core.inspection.steps import (
    InOrder,
    PartStart,
    PartWait,
    Repeated,
    Request,
    SagaRun,
    ScreenMade,
    Step,
    Together,
    Unknown,
    in_order,
)
from bff_core.inspection.values import (
    BoundPart,
    Dynamic,
    Instance,
    Known,
    LocalFunction,
    Many,
    Method,
    Pending,
    TaskGroup,
    Text,
    Value,
    Verb,
    WholeNumber,
    is_call,
    is_client,
)
from bff_core.saga.saga import Saga
from bff_core.upstream.client import Upstream
from bff_core.upstream.graphql.operation import name_of

MAX_DEPTH: Final = 24
"""Functions that are read inside one another."""

GATHERS: Final = (gather, asyncio.gather)
TASKS: Final = (
    *(asyncio.create_task, asyncio.ensure_future, asyncio.shield, asyncio.wait_for),
    *(aclosing, aiter, anext),
)
"""Functions that return what they are given, or wait for it."""

LIMITS: Final = (asyncio.timeout, asyncio.timeout_at, nullcontext)
"""Contexts that are entered at once."""

_LIBRARIES: Final = (sysconfig.get_path("stdlib"), sysconfig.get_path("purelib"))

SPECIAL: Final = frozenset({"compose", "compose_anew", "create_task", "many", "run"})
"""Methods of the framework and of task groups that are read by their meaning."""

METHODS: Final = {"ndjson": "GET", "sse": "GET", "stream": "GET", "forward": ""}
"""The HTTP methods of verbs that are not named like theirs."""


class Frame(Statements):
    """Reads one function, with the functions that it calls; `outer` are those around it.

    `via` is the method of a client that is being read: requests are sent by it.
    """

    def __init__(
        self,
        function: FunctionType,
        names: dict[str, Value],
        outer: tuple[object, ...] = (),
        via: tuple[type[Upstream], str] | None = None,
    ) -> None:
        super().__init__(function, names)
        self._outer = outer
        self._via = via

    def call(self, node: ast.Call) -> Value:
        """Read a call: its function, its arguments, and what it does."""
        found = self._special(node)
        if found is not None:
            return found
        function = self.value_of(node.func)
        given = [self.value_of(one) for one in node.args]
        keywords = {one.arg or "": self.value_of(one.value) for one in node.keywords}
        return self._called(function, node, given, keywords)

    def called(self, function: Value, given: Sequence[Value]) -> Value:
        """Return what a function that is passed to a helper returns."""
        node = ast.Call(ast.Name("function"), [], [], lineno=0)
        return self._called(function, node, given, {})

    def sent(
        self, service: type[Upstream], method: str, path: str, *, is_stream: bool = False
    ) -> Request:
        """Return a request of a client, sent by the method that is being read."""
        sender, via = self._via or (service, "")
        return Request(sender, via, method, path, is_stream=is_stream)

    def _called(  # noqa: PLR0911 # one branch for each kind of callee
        self, function: Value, node: ast.Call, given: Sequence[Value], keywords: Mapping[str, Value]
    ) -> Value:
        match function:
            case BoundPart():
                return self._part(function)
            case Verb():
                return self._request(function, given, keywords)
            case Method():
                return self._function(function, node, given, keywords)
            case LocalFunction():
                return self._local(function, given, keywords)
            case Known():
                return self._object(function.value, node, given, keywords)
            case Dynamic():
                self.unknown(f"calls {function.kind.__name__}.{function.name}", node)
                return Known(NOTHING)
        return self._escaped(node, [*given, *keywords.values()])

    def _special(self, node: ast.Call) -> Value:
        """Return the value of a composed screen, a loader's `many`, a saga's run, a new task."""
        if not isinstance(node.func, ast.Attribute) or node.func.attr not in SPECIAL:
            return None
        name, first = node.func.attr, node.args[0] if node.args else None
        with self.apart() as steps:
            found = (
                self._composed(first)
                if name.startswith("compose")
                else self._of_owner(name, self.value_of(node.func.value), first)
            )
        if found is not None:  # else the call is read as any other
            self.steps += steps
        return found

    def _composed(self, node: ast.expr | None) -> Value:
        screen = self.value_of(node)
        kind = screen.value if isinstance(screen, Known) else None
        if not (isinstance(kind, type) and issubclass(kind, Composition)):
            return None
        self.steps.append(ScreenMade(kind))
        return Instance(kind)

    def _of_owner(self, name: str, owner: Value, first: ast.expr | None) -> Value:
        if name == "many" and isinstance(owner, BoundPart):
            self.value_of(first)
            return self._part(owner)
        if name == "run" and isinstance(owner, Instance) and issubclass(owner.kind, Saga):
            return Pending(SagaRun(owner.kind))
        if name == "create_task" and isinstance(owner, TaskGroup):
            task = self.value_of(first)
            step = task.step if isinstance(task, Pending) else Unknown("starts a task", "")
            is_repeated = self.loops > owner.loops
            owner.steps.append(Repeated(step, at_once=True) if is_repeated else step)
            return Pending(InOrder())
        return None

    def _part(self, bound: BoundPart) -> Pending:
        ref = part_ref(bound.screen, bound.member)
        if ref.kind == "bulk":  # a coroutine: it starts when it is awaited
            return Pending(InOrder((PartStart(ref), PartWait(ref))))
        self.steps.append(PartStart(ref))
        value = class_in(hints_of(plain_function(bound.member.body)).get("return"))
        worth = None if value is None else Instance(value)
        return Pending(PartWait(ref), worth, is_started=True)

    def _request(
        self, verb: Verb, given: Sequence[Value], keywords: Mapping[str, Value]
    ) -> Pending:
        """Return the request of a verb; a method or a path that is no constant stays empty."""
        name, texts = verb.name, [one.value if isinstance(one, Text) else "" for one in given]
        if name in GRAPHQL_VERBS:
            service, via = self._via or (verb.service, "")
            operation = name_of(texts[0]) if texts else ""
            return Pending(Request(service, via, GRAPHQL_VERBS[name], operation))
        method = METHODS.get(name, name.upper())
        if name in {"request", "typed"}:
            method, texts = (texts[0].upper() if texts else ""), texts[1:]
        if name == "stream" and "method" in keywords:
            chosen = keywords["method"]
            method = chosen.value if isinstance(chosen, Text) else ""
        path = texts[0] if texts and name != "forward" else ""
        service, via = self._via or (verb.service, "")
        is_stream = name in {"ndjson", "sse", "stream"}
        return Pending(Request(service, via, method, path, is_stream=is_stream))

    def _object(  # noqa: C901, PLR0911 # one branch for each kind of object
        self, one: object, node: ast.Call, given: Sequence[Value], keywords: Mapping[str, Value]
    ) -> Value:
        if one is NOTHING:
            return Known(NOTHING)
        if any(one is each for each in GATHERS):
            return _gathered(node, given)
        helper = helper_of(one)
        if helper is not None and callable(one):
            found = helper(self, arguments_of(one, given, keywords))
            if found is None:
                self.unknown(f"calls {short(node.func)}(...)", node)
            return Known(NOTHING) if found is None else found
        if one is range:
            only = given[0] if len(given) == 1 else None
            return Many(
                (None,), True, max(only.value, 0) if isinstance(only, WholeNumber) else None
            )
        if any(one is each for each in TASKS):
            return given[0] if given and isinstance(given[0], Pending) else None
        if one is asyncio.TaskGroup:
            return TaskGroup(loops=self.loops)
        if any(one is each for each in LIMITS):
            return Known(NOTHING)
        if one is getattr and len(given) > 1 and isinstance(given[1], Text):
            return attribute(given[0], given[1].value)
        if isinstance(one, type):
            return self._made(one, node, given, keywords)
        plain = plain_function(one)
        if plain is not None:
            return self._function(Method(plain), node, given, keywords)
        return self._escaped(node, [*given, *keywords.values()])

    def _made(
        self, kind: type, node: ast.Call, given: Sequence[Value], keywords: Mapping[str, Value]
    ) -> Value:
        init = inspect.getattr_static(kind, "__init__", None)
        is_own = isinstance(init, FunctionType) and init.__code__.co_filename.startswith("<")
        if not is_own and isinstance(init, FunctionType) and _is_of_user(init):
            self._function(Method(init, Instance(kind)), node, given, keywords)
        return Instance(kind)

    def _function(
        self, method: Method, node: ast.Call, given: Sequence[Value], keywords: Mapping[str, Value]
    ) -> Value:
        """Read a function; one that is not the user's, or can't make calls, is left out."""
        function, owner = method.function, method.owner
        arguments = [owner, *given] if owner is not None else [*given]
        can_call = any(is_call(one) or is_client(one) for one in (*arguments, *keywords.values()))
        if not (can_call or _is_asynchronous(function)):
            return None
        if isinstance(owner, Instance) and owner.kind is ResponseCache:
            return Known(NOTHING)
        tree = tree_of(function) if _is_of_user(function) else None
        if tree is None or isinstance(tree, ast.Lambda):
            return self._escaped(node, [*arguments, *keywords.values()])
        key = (function.__code__, arguments[0] if arguments else None)
        if key in self._outer or len(self._outer) >= MAX_DEPTH:
            return Pending(Unknown(f"{function.__name__} calls itself, or is too deep", ""))
        names = bound_arguments(function, tree.args, arguments, keywords)
        via = self._via
        if via is None and isinstance(owner, Instance) and issubclass(owner.kind, Upstream):
            via = (owner.kind, function.__name__)
        inner = Frame(function, names, (*self._outer, key), via)
        inner.run(tree.body)
        return self._result(inner, isinstance(tree, ast.AsyncFunctionDef))

    def _local(
        self, local: LocalFunction, given: Sequence[Value], keywords: Mapping[str, Value]
    ) -> Value:
        node = local.node
        if node in self._outer or len(self._outer) >= MAX_DEPTH:
            return Pending(Unknown("a function calls itself", ""))
        names = {**local.names, **arguments_by_name(node.args, given, keywords)}
        inner = Frame(self.function, names, (*self._outer, node), self._via)
        if isinstance(node, ast.Lambda):
            inner.returned = inner.value_of(node.body)
        else:
            inner.run(node.body)
        return self._result(inner, isinstance(node, ast.AsyncFunctionDef))

    def _result(self, inner: "Frame", is_asynchronous: bool) -> Value:
        if is_asynchronous:
            return Pending(in_order(inner.steps), inner.returned)
        self.steps += inner.steps
        return inner.returned

    def _escaped(self, node: ast.Call, values: Sequence[Value]) -> Value:
        """Record that screens, clients or calls are passed to code that can't be read."""
        if any(is_call(one) or is_client(one) for one in values):
            self.unknown(f"calls {short(node.func)}(...)", node)
            return Known(NOTHING)
        return None


def _gathered(node: ast.Call, given: Sequence[Value]) -> Pending:
    """Return the steps of `gather`, at the same time."""
    steps: list[Step] = []
    values: list[Value] = []
    for argument, value in zip(node.args, given, strict=True):
        several = value.values if isinstance(value, Many) else (value,)
        is_repeated = isinstance(value, Many) and value.is_repeated
        for one in several:
            values.append(one.value if isinstance(one, Pending) else None)
            if isinstance(one, Pending):
                steps.append(Repeated(one.step, at_once=True) if is_repeated else one.step)
            elif not (isinstance(one, Known) and one.value is NOTHING):
                steps.append(Unknown(f"awaits {short(argument)}", ""))
    return Pending(
        Together(tuple(steps)) if len(steps) > 1 else in_order(steps), Many(tuple(values))
    )


def _is_asynchronous(function: FunctionType) -> bool:
    return inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)


def _is_of_framework(function: FunctionType) -> bool:
    return str(function.__globals__.get("__name__", "")).startswith("bff_core.")


def _is_of_user(function: FunctionType) -> bool:
    is_library = function.__code__.co_filename.startswith((*_LIBRARIES, "<"))
    return not is_library and not _is_of_framework(function)
