"""The values that a reader of source distinguishes; any other value is None."""

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field
from types import FunctionType
from typing import TypeAlias

from bff_core.composition.bulk import BulkMethod
from bff_core.composition.composition import Composition
from bff_core.composition.decorators import PartMethod
from bff_core.composition.loader import LoaderMethod
from bff_core.inspection.steps import Maybe, Step
from bff_core.saga.saga import Step as SagaStep
from bff_core.upstream.client import Upstream

PartMember: TypeAlias = (
    "PartMethod[..., object] | LoaderMethod[object, object] | BulkMethod[object, object]"
    " | SagaStep[object, object]"
)


@dataclass(frozen=True, slots=True)
class Instance:
    """An instance of a class."""

    kind: type


@dataclass(frozen=True, slots=True)
class Known:
    """An object that exists before the function runs: a module, a class, a function, a constant."""

    value: object


@dataclass(frozen=True, slots=True)
class Text:
    """A text that the source shows."""

    value: str


@dataclass(frozen=True, slots=True)
class WholeNumber:
    """A whole number that the source shows."""

    value: int


@dataclass(frozen=True, slots=True)
class Method:
    """A function with the value of its first parameter, if that is bound."""

    function: FunctionType
    owner: "Value" = None


@dataclass(frozen=True, slots=True, eq=False)
class LocalFunction:
    """A function that is defined inside another; `names` are the values around it."""

    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    names: dict[str, "Value"]


@dataclass(frozen=True, slots=True)
class BoundPart:
    """A part of a screen, before it is called."""

    screen: type[Composition]
    member: PartMember


@dataclass(frozen=True, slots=True)
class Verb:
    """A verb of a client, such as `self.get`."""

    service: type[Upstream]
    name: str


@dataclass(frozen=True, slots=True)
class Pending:
    """What is awaited: its steps, and the value that it has then."""

    step: Step
    value: "Value" = None
    is_started: bool = False


@dataclass(frozen=True, slots=True)
class Dynamic:
    """An attribute of a screen or a client that its class does not have."""

    kind: type
    name: str


@dataclass(slots=True)
class TaskGroup:
    """A task group, and the steps of its tasks; `loops` is how many loops are around it."""

    steps: list[Step] = field(default_factory=list)
    loops: int = 0


@dataclass(frozen=True, slots=True)
class Many:
    """Several values; if it is repeated, each stands for any number, or for `most` together."""

    values: tuple["Value", ...]
    is_repeated: bool = False
    most: int | None = None

    @property
    def count(self) -> int | None:
        """How many there are at most; None if that is not known."""
        return self.most if self.is_repeated else len(self.values)


Value: TypeAlias = (
    Instance
    | Known
    | Text
    | WholeNumber
    | Method
    | LocalFunction
    | BoundPart
    | Verb
    | Pending
    | Dynamic
    | TaskGroup
    | Many
    | None
)


def is_call(value: Value) -> bool:
    """Whether a value is a call that has not been sent yet, or contains one."""
    if isinstance(value, Many):
        return any(map(is_call, value.values))
    return isinstance(value, Pending) and not value.is_started


def can_call(value: Value) -> bool:
    """Whether a value is a call, or may be called, or calls can be made with it."""
    if isinstance(value, Many):
        return any(map(can_call, value.values))
    return isinstance(value, Pending | BoundPart | Verb | LocalFunction | Method) or is_client(
        value
    )


def is_client(value: Value) -> bool:
    """Whether calls can be made with a value: it is a screen or a client, or holds one."""
    if isinstance(value, Many):
        return any(map(is_client, value.values))
    return isinstance(value, Instance) and issubclass(value.kind, Composition | Upstream)


def one_of(values: Iterable[Value]) -> Value:
    """Return what one of several values stands for; None if they differ, and are not all calls."""
    found = list(values)
    some = [one for index, one in enumerate(found) if one is not None and one not in found[:index]]
    if len(some) <= 1 and not (some and len(some) < len(found) and isinstance(some[0], Pending)):
        return some[0] if some else None
    calls = [one for one in some if isinstance(one, Pending)]
    if len(calls) < len(some):
        return None
    worth = one_of(one.value for one in calls)
    is_started = all(one.is_started for one in calls)
    return Pending(Maybe(tuple(one.step for one in calls)), worth, is_started)
