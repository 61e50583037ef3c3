"""How a saga is declared: a class with ordered steps, their compensations and checks."""

import inspect
from collections.abc import Awaitable, Callable, Coroutine
from functools import cached_property
from typing import (
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
from bff_core.keywords import check_async, check_attribute, checks_keywords
from bff_core.saga.coordinator import SagaCoordinator
from bff_core.saga.policy import SagaPolicy
from bff_core.saga.results import JournalCodec

S = TypeVar("S", bound="Saga")
T = TypeVar("T")

StepCheck = Callable[[S], Coroutine[object, object, T | None]]
"""Finds out whether a step took effect: returns what the step would have returned, or None."""

Compensation = Callable[[S, T], Coroutine[object, object, None]]
"""Compensates a step, given its result."""

CompensationCheck = Callable[[S, T], Coroutine[object, object, bool]]
"""Finds out whether a step is compensated, given its result."""


class Step(Generic[S, T]):
    """A step of a saga; a later step calls it to get its result.

    `@name.compensation` declares the compensation of the step, which gets its result.
    """

    def __init__(
        self,
        body: Callable[[S], Coroutine[object, object, T]],
        *,
        commits: bool,
        check: StepCheck[S, T] | None = None,
        needs_compensation: bool = True,
    ) -> None:
        _check_async(body, "step", "self")
        if check is not None:
            _check_async(check, "check", "self")
        self.body = body
        self.commits = commits
        self.lookup = check
        self.needs_compensation = needs_compensation
        self.name = body.__name__
        self.undo: Compensation[S, T] | None = None
        self.undo_lookup: CompensationCheck[S, T] | None = None
        self.__doc__ = body.__doc__

    @overload
    def compensation(self, undo: Compensation[S, T], /) -> Compensation[S, T]: ...
    @overload
    def compensation(
        self, undo: None = None, /, *, check: CompensationCheck[S, T]
    ) -> Callable[[Compensation[S, T]], Compensation[S, T]]: ...
    @checks_keywords
    def compensation(
        self,
        undo: Compensation[S, T] | None = None,
        /,
        *,
        check: CompensationCheck[S, T] | None = None,
    ) -> Compensation[S, T] | Callable[[Compensation[S, T]], Compensation[S, T]]:
        """Declare the compensation of the step; it may run more than once, under the same key.

        `check` gets the result of the step and finds out whether the step is compensated. It runs
        before a compensation whose reply was lost is sent again.
        """
        if undo is None:
            return lambda declared: self._set_compensation(declared, check)
        return self._set_compensation(undo, check)

    def _set_compensation(
        self, undo: Compensation[S, T], check: CompensationCheck[S, T] | None
    ) -> Compensation[S, T]:
        _check_async(undo, "compensation", "self", self.name)
        if check is not None:
            _check_async(check, "check", "self", self.name)
        if self.undo is not None:
            raise ConfigurationError(f"step {self.name} has a compensation already")
        if not self.needs_compensation:
            raise ConfigurationError(
                f"step {self.name} has a compensation: remove needs_compensation=False"
            )
        self.undo, self.undo_lookup = undo, check
        return undo

    @overload
    def __get__(self, saga: None, owner: type) -> Self: ...
    @overload
    def __get__(self, saga: S, owner: type) -> Callable[[], Awaitable[T]]: ...
    def __get__(self, saga: S | None, owner: type) -> Self | Callable[[], Awaitable[T]]:
        """Return the step itself from the class, and its result from an instance."""
        if saga is None:
            return self

        async def result() -> T:
            return saga.result_of(self)

        return result

    @cached_property
    def _codec(self) -> JournalCodec:
        model = get_type_hints(self.body)["return"]
        try:
            return JournalCodec(model)
        except ConfigurationError as error:
            name = self.body.__qualname__
            raise ConfigurationError(
                f"step {name} returns {model!r}, which a journal can't store: {error}"
            ) from error

    def write(self, result: T) -> str:
        """Return the step's result as JSON for the journal."""
        return self._codec.write(result).decode()

    def read(self, result: str) -> T:
        """Decode the step's result from the journal."""
        return self._codec.read(result)  # type: ignore[no-any-return]  # as declared

    def check(self) -> None:
        """Raise `ConfigurationError` if a journal can't store the step's result."""
        codec = self._codec
        if self.lookup is None:
            return
        try:
            codec.read("null")
        except msgspec.ValidationError:
            return
        raise ConfigurationError(
            f"step {self.body.__qualname__} may return None, by which its check reports that the "
            "step had no effect: return something else, such as the id of what was created"
        )


def _check_async(function: Callable[..., object], role: str, *parameters: str) -> None:
    """Raise `ConfigurationError` unless a function is `async` and has these parameters."""
    check_async(function, role)
    if len(inspect.signature(function).parameters) != len(parameters):
        raise ConfigurationError(
            f"{role} {function.__qualname__} takes only {' and '.join(parameters)}: declare other "
            "inputs as fields of the saga, which the journal stores, or use results of earlier "
            "steps"
        )


@overload
def step(body: Callable[[S], Coroutine[object, object, T]], /) -> Step[S, T]: ...
@overload
def step(
    *, commits: bool = False, check: StepCheck[S, T], needs_compensation: bool = True
) -> Callable[[Callable[[S], Coroutine[object, object, T]]], Step[S, T]]: ...
@overload
def step(
    *, commits: bool = False, needs_compensation: bool = True
) -> Callable[[Callable[[S], Coroutine[object, object, T]]], Step[S, T]]: ...
@checks_keywords
def step(
    body: Callable[[S], Coroutine[object, object, T]] | None = None,
    /,
    *,
    commits: bool = False,
    check: StepCheck[S, T] | None = None,
    needs_compensation: bool = True,
) -> Step[S, T] | Callable[[Callable[[S], Coroutine[object, object, T]]], Step[S, T]]:
    """Declare a step of a saga; steps run in the order of their declaration.

    A step makes at most one write, and any number of reads: if the second of two writes failed,
    the outcome of the first would be lost.

    With `commits` the step is the commit point (pivot): once it has begun, the saga only goes
    forward, unless the step definitely fails. By default the last step is the commit point.

    `check` is for a service without Idempotency-Keys: an `async def check(self)` that finds out
    whether the step took effect, and returns what the step would have returned, or None. If the
    outcome of the step is indeterminate, also after a crash, it runs before the request is sent
    again.

    A step that writes before the commit point has a compensation. With `needs_compensation=False`
    it stays done if the saga fails: for a POST that only reads, for instance.
    """
    if body is not None:
        return Step(body, commits=commits)
    return lambda body: Step(
        body, commits=commits, check=check, needs_compensation=needs_compensation
    )


@dataclass_transform(kw_only_default=True, eq_default=False)
class Saga(Composition):
    """Base class of sagas: a composition whose steps run in order, or are compensated.

    The gateway fills fields of services, the viewer and other wired types. Every other field is an
    input. The journal stores inputs and the steps' results: no secrets, no card numbers.

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

    A view awaits `run()`, then the results it returns: `await checkout.place()`. Each step's calls
    carry an `Idempotency-Key`, the same for each attempt. A step that writes to a service without
    such keys (`Policy(keyed=False)`) needs a `check`.
    """

    policy: ClassVar[SagaPolicy] = SagaPolicy()
    steps: ClassVar[tuple[Step["Saga", object], ...]] = ()

    coordinator: SagaCoordinator

    def __init_subclass__(cls, **options: object) -> None:
        taken = {"coordinator", "policy", "results", "run", "steps"} & cls.__annotations__.keys()
        if taken:
            raise ConfigurationError(
                f"{cls.__name__}: rename {', '.join(taken)}: a saga has a member of that name"
            )
        super().__init_subclass__(**options)
        check_attribute(cls, "policy", SagaPolicy)
        declared = [one for one in vars(cls).values() if isinstance(one, Step)]
        if not declared:
            raise ConfigurationError(f"{cls.__name__} has no steps: mark its methods with @step")
        _mark_commit(cls, declared)
        for one in declared:
            if "return" not in get_annotations(one.body):
                raise ConfigurationError(
                    f"step {one.body.__qualname__}: annotate its return type, so that the journal "
                    "can store the result"
                )
        cls.steps = tuple(declared)

    async def run(self) -> None:
        """Run the steps; raise `SagaFailed` if a step failed and completed ones are compensated.

        Raises `SagaUnsettled` at the request's deadline: the gateway continues the saga, and
        compensates unless the commit point has begun. Raises `SagaUnderWay` if an earlier request
        with the same Idempotency-Key began the saga and its outcome is not known, `KeyReused` if
        that request had other inputs, `StoreUnavailable` if the journal can't be written: then no
        step has run.
        """
        scope = self.part_registry.scope
        if scope is None:
            name = type(self).__name__
            raise ConfigurationError(
                f"{name} runs in a gateway: build it with compose(), and name it in "
                f"gateway(..., sagas=[{name}])"
            )
        await self.coordinator.run(self, scope)

    def result_of(self, step: Step[Self, T]) -> T:
        """Return the result of a step; raise `RuntimeError` if it has not run."""
        results: dict[str, object] = vars(self).get("_results", {})
        if step.name not in results:
            raise RuntimeError(
                f"step {step.name} of {type(self).__name__} has not run: await run() first, and "
                "within steps call only earlier ones"
            )
        return results[step.name]  # type: ignore[return-value]  # as the step declares

    def remember(self, results: dict[str, object]) -> None:
        """Store the results of the steps, which `result_of` returns."""
        vars(self)["_results"] = results


def get_annotations(body: Callable[..., object]) -> dict[str, object]:
    """Return the annotations of a function."""
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
                f"{cls.__name__}.{one.name} can't have a compensation: it is the commit point or "
                "comes after it, where the saga only goes forward; remove its compensation"
            )
