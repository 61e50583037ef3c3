"""What the source of a function shows about replies: which fields it reads, what it calls."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from types import FunctionType

from bff_core.inspection.usage.flow_values import FlowValue
from bff_core.inspection.usage.type_hints import Hint
from bff_core.upstream.client import Upstream

FieldPath = tuple[str, ...]

FunctionKey = tuple[FunctionType, tuple[tuple[str, FlowValue], ...]]
"""A function, and the values of parameters that its annotations do not show."""


@dataclass(frozen=True, slots=True)
class FieldRead:
    """An attribute is read; `kind` is the class of the object, None if the source hides it."""

    kind: type | None
    name: str
    place: str


@dataclass(frozen=True, slots=True)
class WholeUse:
    """Objects of some classes go where the source does not show which of their fields are read."""

    kinds: frozenset[type]
    reason: str
    place: str


@dataclass(frozen=True, slots=True)
class ClientCall:
    """A call of a service.

    `reply` is the annotation of the reply; None if it has no type that fields are known of. `sends`
    are the names of query parameters and headers and the paths of body fields; None if the source
    does not show them. `via` is the method of the client that sends it. `document` is that of a
    GraphQL service, whose `method` is query or mutation.
    """

    service: type[Upstream]
    via: str
    method: str
    path: str
    reply: Hint | None
    sends: frozenset[FieldPath] | None
    place: str
    ignores_reply: bool = False
    document: str = ""


@dataclass(slots=True)
class FunctionFacts:
    """The facts of one function, with the values that it returns and the functions it calls."""

    reads: dict[FieldRead, None] = field(default_factory=dict)
    wholes: dict[WholeUse, None] = field(default_factory=dict)
    calls: dict[ClientCall, None] = field(default_factory=dict)
    inner: dict[FunctionKey, None] = field(default_factory=dict)
    returned: FlowValue = None
    is_complete: bool = False


def reached(
    start: "FunctionFacts", known: "dict[FunctionKey, FunctionFacts]"
) -> Iterator[FunctionFacts]:
    """Yield facts, then those of all functions that they call, each once."""
    visited: set[FunctionKey] = set()
    pending = [start]
    while pending:
        facts = pending.pop()
        yield facts
        for key in facts.inner:
            if key not in visited:
                visited.add(key)
                pending.append(known[key])
