"""A write over several services as a class: its steps in their order, each with its undoing."""

import inspect
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from functools import cached_property
from typing import (
    Annotated,
    ClassVar,
    Generic,
    Self,
    TypeVar,
    dataclass_transform,
    get_type_hints,
    overload,
)

import msgspec

from bff_core.composition.composition import Composition
from bff_core.errors import ConfigurationError
from bff_core.policy.options import Option, check
from bff_core.saga.coordinator import SagaCoordinator
from bff_core.saga.results import Journaled

S = TypeVar("S", bound="Saga")
T = TypeVar("T")

Lookup = Callable[[S], Coroutine[object, object, T | None]]
"""Reads whether a step happened: what it would have returned, or None."""

Undo = Callable[[S, T], Coroutine[object, object, None]]
"""Undoes a step, given what it returned."""

UndoLookup = Callable[[S, T], Coroutine[object, object, bool]]
"""Reads whether a step is undone, given what it returned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SagaPolicy:
    """How long a saga may take over what; durations in seconds.

    Raises `ConfigurationError` where an option is out of its range.
    """

    step_timeout: Annotated[
        float, Option("How long one try of a step or of its undoing may take", 0.01, 600)
    ] = 5.0
    tries: Annotated[
        int, Option("How often in a row a step or its undoing is tried before a pause", 1, 100)
    ] = 5
    backoff: Annotated[
        float, Option("How long the first pause between two tries is; it doubles", 0.001, 60)
    ] = 0.1
    pause: Annotated[
        float, Option("After what time a saga that is stuck is tried again; it doubles", 0.1, 3600)
    ] = 10.0
    longest_pause: Annotated[float, Option("How long that becomes at most", 0.1, 86_400)] = 600.0
    key_lifetime: Annotated[
        float,
        Option("How long services remember a key; later nothing is sent again", 1, 90 * 86_400),
    ] = 86_400.0
    check_delay: Annotated[
        float,
        Option("How long after a timeout a service may still do what was sent", 0, 86_400),
    ] = 10.0
    retention: Annotated[
        float, Option("How long the journal remembers how a saga ended", 1, 90 * 86_400)
    ] = 86_400.0

    def __post_init__(self) -> None:
        check(self)


class Step(Generic[S, T]):
    """A step of a saga; called by a later one, it returns what it returned.

    `@name.compensation` declares what undoes it, given what it returned.
    """

    def __init__(
        self,
        body: Callable[[S], Coroutine[object, object, T]],
        *,
        commits: bool,
        check: Lookup[S, T] | None = None,
    ) -> None:
        _refuse_unless_async(body, f"step {body.__qualname__}", "self")
        if check is not None:
            _refuse_unless_async(check, f"check {_name_of(check)}", "self")
        self.body = body
        self.commits = commits
        self.lookup = check
        self.name = body.__name__
        self.undo: Undo[S, T] | None = None
        self.undo_lookup: UndoLookup[S, T] | None = None
        self.__doc__ = body.__doc__

    @overload
    def compensation(self, undo: Undo[S, T], /) -> Undo[S, T]: ...
    @overload
    def compensation(
        self, undo: None = None, /, *, check: UndoLookup[S, T]
    ) -> Callable[[Undo[S, T]], Undo[S, T]]: ...
    def compensation(
        self, undo: Undo[S, T] | None = None, /, *, check: UndoLookup[S, T] | None = None
    ) -> Undo[S, T] | Callable[[Undo[S, T]], Undo[S, T]]:
        """Declare what undoes the step; it may run more than once, under the same key.

        `check`, given what the step returned, reads whether it is undone. It is called before a
        compensation whose reply was lost is sent again.
        """
        if undo is None:
            return lambda declared: self._undone_by(declared, check)
        return self._undone_by(undo, check)

    def _undone_by(self, undo: Undo[S, T], check: UndoLookup[S, T] | None) -> Undo[S, T]:
        _refuse_unless_async(undo, f"compensation {undo.__qualname__}", "self", self.name)
        if check is not None:
            _refuse_unless_async(check, f"check {_name_of(check)}", "self", self.name)
        if self.undo is not None:
            raise ConfigurationError(f"step {self.name} has a compensation already")
        self.undo, self.undo_lookup = undo, check
        return undo

    @overload
    def __get__(self, saga: None, owner: type) -> Self: ...
    @overload
    def __get__(self, saga: S, owner: type) -> Callable[[], Awaitable[T]]: ...
    def __get__(self, saga: S | None, owner: type) -> Self | Callable[[], Awaitable[T]]:
        """Return the step itself from the class, and what it returned from an instance."""
        if saga is None:
            return self

        async def result() -> T:
            return saga.result_of(self)

        return result

    @cached_property
    def _journaled(self) -> Journaled:
        model = get_type_hints(self.body)["return"]
        try:
            return Journaled(model)
        except ConfigurationError as error:
            name = self.body.__qualname__
            raise ConfigurationError(
                f"step {name} returns {model!r}, which no journal can keep: {error}"
            ) from error

    def write(self, result: T) -> str:
        """Return what the journal has to hold of the step's result."""
        return self._journaled.write(result).decode()

    def read(self, result: str) -> T:
        """Return what the journal has of the step's result."""
        return self._journaled.read(result)  # type: ignore[no-any-return]  # as declared

    def check(self) -> None:
        """Raise `ConfigurationError` where a journal can't keep what the step returns."""
        journaled = self._journaled
        if self.lookup is None:
            return
        try:
            journaled.read("null")
        except msgspec.ValidationError:
            return
        raise ConfigurationError(
            f"step {self.body.__qualname__} may return None, which is how its check says that it "
            "did not happen: return something else, such as the id of what was made"
        )


def _name_of(function: object) -> str:
    return getattr(function, "__qualname__", None) or repr(function)


def _refuse_unless_async(function: Callable[..., object], what: str, *takes: str) -> None:
    """Raise `ConfigurationError` for what is no coroutine function of so many parameters."""
    if not inspect.iscoroutinefunction(function):
        raise ConfigurationError(f"{what}: declare it with `async def`")
    if len(inspect.signature(function).parameters) != len(takes):
        raise ConfigurationError(
            f"{what} takes nothing but {' and '.join(takes)}: what else it needs are fields of the "
            "saga, which the journal keeps, or results of earlier steps"
        )


@overload
def step(body: Callable[[S], Coroutine[object, object, T]], /) -> Step[S, T]: ...
@overload
def step(
    *, commits: bool = False, check: Lookup[S, T]
) -> Callable[[Callable[[S], Coroutine[object, object, T]]], Step[S, T]]: ...
@overload
def step(
    *, commits: bool = False
) -> Callable[[Callable[[S], Coroutine[object, object, T]]], Step[S, T]]: ...
def step(
    body: Callable[[S], Coroutine[object, object, T]] | None = None,
    /,
    *,
    commits: bool = False,
    check: Lookup[S, T] | None = None,
) -> Step[S, T] | Callable[[Callable[[S], Coroutine[object, object, T]]], Step[S, T]]:
    """Declare a step of a saga; steps run in the order of their declaration.

    A step makes one write at most, and as many reads as it likes: of two writes nothing tells
    which of them happened when the second fails.

    With `commits` it is the point of no return: once it is begun there is only forward, unless it
    definitely fails. The last step is, where none is declared to be.

    `check` is for a service that does not keep Idempotency-Keys: an `async def check(self)` that
    reads whether the step happened, and returns what the step would have returned, or None. Where
    the outcome of the step is unknown, also after a crash, it is called before anything is sent
    again.
    """
    if body is not None:
        return Step(body, commits=commits)
    return lambda body: Step(body, commits=commits, check=check)


@dataclass_transform(kw_only_default=True, eq_default=False)
class Saga(Composition):
    """Base of every write composition; a composition whose steps run in order, or are undone.

    Services, the viewer and other wired types are filled by the gateway; every other field is an
    input and is written to the journal, as are the steps' results: no secrets, no card numbers.

        class Checkout(Saga):
            inventory: Inventory
            payments: Payments
            orders: Orders
            viewer: Viewer
            method_id: str

            @step
            async def reserve(self) -> Reservation: ...

            @reserve.compensation
            async def release(self, held: Reservation) -> None: ...

            @step
            async def charge(self) -> Payment: ...

            @charge.compensation
            async def refund(self, payment: Payment) -> None: ...

            @step
            async def place(self) -> Order:
                held, payment = await self.reserve(), await self.charge()
                ...

    A view awaits `run()`, then the results it shows: `await checkout.place()`. Each step's calls
    carry an `Idempotency-Key` that is the same whenever it is tried. A step that writes to a
    service which does not keep such keys (`Policy(keyed=False)`) has to have a `check`.
    """

    policy: ClassVar[SagaPolicy] = SagaPolicy()
    steps: ClassVar[tuple[Step["Saga", object], ...]] = ()

    coordinator: SagaCoordinator

    def __init_subclass__(cls) -> None:
        taken = {"coordinator", "policy", "results", "run", "steps"} & cls.__annotations__.keys()
        if taken:
            raise ConfigurationError(f"{cls.__name__}: rename {', '.join(taken)}: it is taken")
        super().__init_subclass__()
        declared = [one for one in vars(cls).values() if isinstance(one, Step)]
        if not declared:
            raise ConfigurationError(f"{cls.__name__} has no steps: mark its methods with @step")
        _mark_commit(cls, declared)
        for one in declared:
            if "return" not in get_annotations(one.body):
                raise ConfigurationError(
                    f"step {one.body.__qualname__}: say what it returns, so that the journal can "
                    "keep it"
                )
        cls.steps = tuple(declared)

    async def run(self) -> None:
        """Run the steps; raise `SagaFailed` when one failed and what was done is undone.

        Raises `SagaUnsettled` when the request's time is over first: the gateway goes on, undoing
        what was done unless the commit point was begun. Raises `SagaUnderWay` when an earlier
        request with the same Idempotency-Key began it and is not done, `KeyReused` when that one
        had other inputs, `StoreUnavailable` when the journal can't be written: then nothing was
        begun.
        """
        await self.coordinator.run(self)

    def result_of(self, step: Step[Self, T]) -> T:
        """Return what a step returned; raise `RuntimeError` for one that has not run."""
        results: dict[str, object] = vars(self).get("_results", {})
        if step.name not in results:
            raise RuntimeError(
                f"step {step.name} of {type(self).__name__} has not run: await run() first, and "
                "within steps call only earlier ones"
            )
        return results[step.name]  # type: ignore[return-value]  # what the step returned

    def remember(self, results: dict[str, object]) -> None:
        """Know these results from now on."""
        vars(self)["_results"] = results


def get_annotations(body: Callable[..., object]) -> dict[str, object]:
    """Return what a function says of its types."""
    return inspect.get_annotations(body)


def _mark_commit(cls: type, declared: list[Step[Saga, object]]) -> None:
    commits = [one for one in declared if one.commits]
    if len(commits) > 1:
        raise ConfigurationError(
            f"{cls.__name__}: only one step commits, not {commits[0].name} and {commits[1].name}"
        )
    if not commits:
        declared[-1].commits = True
    after = declared[declared.index(next(one for one in declared if one.commits)) :]
    for one in after:
        if one.undo is not None:
            raise ConfigurationError(
                f"{cls.__name__}.{one.name} is not undone: it is the commit point or behind it, "
                "where there is only forward; remove its compensation"
            )
