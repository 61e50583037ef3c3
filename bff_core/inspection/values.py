"""The values that a reader of source distinguishes; any other value is None."""

import ast
from dataclasses import dataclass, field
from types import FunctionType
from typing import TypeAlias

from bff_core.composition.bulk import BulkMethod
from bff_core.composition.composition import Composition
from bff_core.composition.decorators import PartMethod
from bff_core.composition.loader import LoaderMethod
from bff_core.inspection.steps import Step
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
class Method:
    """A function with the value of its first parameter, if that is bound."""

    function: FunctionType
    owner: "Value" = None


@dataclass(frozen=True, slots=True)
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
    """A task group, and the steps of its tasks."""

    steps: list[Step] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Many:
    """Several values; if it is repeated, the only one stands for any number."""

    values: tuple["Value", ...]
    is_repeated: bool = False


Value: TypeAlias = (
    Instance
    | Known
    | Text
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


def is_client(value: Value) -> bool:
    """Whether calls can be made with a value: it is a screen or a client, or holds one."""
    if isinstance(value, Many):
        return any(map(is_client, value.values))
    return isinstance(value, Instance) and issubclass(value.kind, Composition | Upstream)
