"""What a function does for a screen, as its source shows: the steps that it waits for."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from bff_core.composition.composition import Composition
from bff_core.saga.saga import Saga
from bff_core.upstream.client import Upstream

PartKind = Literal["critical", "optional", "loader", "bulk", "step"]


@dataclass(frozen=True, slots=True)
class Request:
    """One request to a service.

    `via` is the method of the client that sends it, empty if a screen calls a verb itself. `verb`
    and `path` are empty if they are decided at run time.
    """

    service: type[Upstream]
    via: str
    verb: str
    path: str
    is_stream: bool = False

    def __str__(self) -> str:
        return f"{self.verb or 'any method'} {self.path or '(a path made at run time)'}"


@dataclass(frozen=True, slots=True)
class PartRef:
    """A part of a screen."""

    screen: type[Composition]
    name: str
    kind: PartKind


@dataclass(frozen=True, slots=True)
class PartStart:
    """A part is started, if it has not been started yet; the function goes on."""

    part: PartRef


@dataclass(frozen=True, slots=True)
class PartWait:
    """The function waits for a part that was started."""

    part: PartRef


@dataclass(frozen=True, slots=True)
class ScreenMade:
    """A resolver composes a screen; nothing starts yet."""

    screen: type[Composition]


@dataclass(frozen=True, slots=True)
class SagaRun:
    """The steps of a saga run in order."""

    saga: type[Saga]


@dataclass(frozen=True, slots=True)
class Unknown:
    """The source does not show what happens here; `where` is a file and a line."""

    reason: str
    where: str


@dataclass(frozen=True, slots=True)
class InOrder:
    """Steps one after the other."""

    steps: tuple["Step", ...] = ()


@dataclass(frozen=True, slots=True)
class Together:
    """Steps at the same time."""

    steps: tuple["Step", ...]


@dataclass(frozen=True, slots=True)
class Maybe:
    """Steps of which at most one is taken: the branches of a condition."""

    steps: tuple["Step", ...]


@dataclass(frozen=True, slots=True)
class Repeated:
    """A step as often as there are items: one after the other, or `at_once`.

    `most` is how often at most, None if the source does not show it; `unit` is what is counted.
    """

    step: "Step"
    at_once: bool = False
    most: int | None = None
    unit: str = "item"


Step: TypeAlias = (
    Request
    | PartStart
    | PartWait
    | ScreenMade
    | SagaRun
    | Unknown
    | InOrder
    | Together
    | Maybe
    | Repeated
)

Leaf: TypeAlias = Request | PartStart | PartWait | ScreenMade | SagaRun | Unknown


def leaves(step: Step) -> Iterator[Leaf]:
    """Yield the steps that have no others inside, in the order of the source."""
    if isinstance(step, InOrder | Together | Maybe):
        for one in step.steps:
            yield from leaves(one)
    elif isinstance(step, Repeated):
        yield from leaves(step.step)
    else:
        yield step


def in_order(steps: list[Step]) -> Step:
    """Return steps as one."""
    flat = [one for step in steps for one in (step.steps if isinstance(step, InOrder) else (step,))]
    return flat[0] if len(flat) == 1 else InOrder(tuple(flat))
