"""Where sagas of one gateway are begun, watched, and taken up again after a crash."""

import asyncio
import random
from collections.abc import Iterable
from itertools import count
from typing import Self

from bff_core.composition.wiring import shape_of
from bff_core.errors import ConfigurationError, KeyReused, StoreUnavailable
from bff_core.events import Crashed
from bff_core.policy.edge.idempotency import derived_key
from bff_core.saga.errors import SagaFailed, SagaUnderWay, SagaUnsettled
from bff_core.saga.execution import SagaExecution
from bff_core.saga.pace import longest_backoff
from bff_core.saga.record import SagaRecord, StepFailure, StepRecord, kind_of
from bff_core.saga.step_runner import Kind, Steps, SagaResources, results_of
from bff_core.saga.unkeyed_steps import plans_of
from bff_core.scope import Scope, writing
from bff_core.upstream.request_bodies import json_of

RESERVE = 0.05
"""Seconds before its deadline that a request stops waiting, so that it can say how things stand."""

AT_ONCE = 8
"""How many sagas that others left are gone on with at a time."""

FAILED = StepFailure(status=500, code="saga_failed", title="Not done")
LATE = StepFailure(status=504, code="deadline_exceeded", title="Deadline exceeded")
LEFT = StepFailure(status=503, code="interrupted", title="Interrupted")


class SagaCoordinator:
    """Begins sagas and goes on with those that others left; a saga's field of this type is wired.

    An entry is held for `lease` seconds beyond the longest try, so one that a killed process left
    is taken up by any other that long after its last record. Each hold has an owner of its own:
    a clock that jumps, or a process that was frozen, lets a coordinator take over what it has under way,
    and then the former hold has to be lost like that of another process.
    """

    def __init__(self, kinds: Iterable[Kind]) -> None:
        self._kinds: dict[str, Kind] = {kind.__name__: kind for kind in kinds}
        self._inputs = {name: _inputs(kind) for name, kind in self._kinds.items()}
        self._scope: Scope | None = None
        self._running: set[SagaExecution] = set()
        self._resumed: set[SagaExecution] = set()
        self._home: SagaResources | None = None
        self._process = ""
        self._holds = count(1)
        self._plans = {name: plans_of(kind) for name, kind in self._kinds.items()}
        for kind in self._kinds.values():
            for step in kind.steps:
                step.check()

    def open(self, home: SagaResources) -> None:
        """Work from now on; what was left is taken up in the background."""
        self._home = home
        self._process = f"{home.name}:{_random()}"
        home.spawn(self._resume())

    def bind(self, scope: Scope) -> Self:
        """Return a coordinator that acts for one request."""
        bound = object.__new__(type(self))
        vars(bound).update(vars(self), _scope=scope)
        return bound

    async def run(self, saga: Kind) -> None:
        """Run the steps of a saga, or answer as an earlier request with its key was answered."""
        scope = self._scope
        if scope is None or self._home is None:
            raise ConfigurationError(
                f"{type(saga).__name__} runs in a gateway: build it with compose(), and name it in "
                f"gateway(..., sagas=[{type(saga).__name__}])"
            )
        entry = self._entry(saga, scope)
        owner = self._owner()
        driver = self._driver(entry, owner)
        known = await self._home.journal.begin(
            entry.id, entry.kind, entry.encode(), owner, self._lease(type(saga))
        )
        if known is None:
            await self._watch(driver, scope)
            self._answer(saga, scope, driver)
        else:
            self._answer_again(saga, scope, entry, SagaRecord.decode(known))

    async def _watch(self, driver: SagaExecution, scope: Scope) -> None:
        """Wait as long as the request may; then the saga belongs to nobody but the gateway."""
        home = self._here
        self._start(driver)
        try:
            async with asyncio.timeout(max(0.0, scope.deadline - home.clock() - RESERVE)):
                await driver.ended.wait()
        except TimeoutError:
            driver.turn_back(LATE)
        except asyncio.CancelledError:
            driver.turn_back(LEFT)
            raise

    def _answer(self, saga: Kind, scope: Scope, driver: SagaExecution) -> None:
        entry = driver.entry
        if not self._tell_end(saga, scope, entry, driver.cause):
            is_keyed, cause = bool(scope.idempotency_key), driver.error or driver.trouble
            raise SagaUnsettled(entry, is_keyed=is_keyed) from cause

    def _answer_again(self, saga: Kind, scope: Scope, entry: SagaRecord, known: SagaRecord) -> None:
        if known.inputs != entry.inputs:
            raise KeyReused("This Idempotency-Key came with another request before.")
        if known.rights != entry.rights:
            raise KeyReused("This Idempotency-Key was used when you had other rights.")
        if not self._tell_end(saga, scope, known, None):
            raise SagaUnderWay(known, is_keyed=True)

    def _tell_end(
        self, saga: Kind, scope: Scope, entry: SagaRecord, cause: Exception | None
    ) -> bool:
        """Tell how an entry ended, by its results or an error; False where it has not."""
        is_undone = entry.outcome == "undone"
        is_settled = entry.outcome == "done" or (is_undone and not entry.may_be_repeated)
        scope.outcome = "final" if is_settled else "unknown"
        if entry.outcome == "done":
            saga.remember(results_of(self._kinds[entry.saga], entry))
            return True
        if is_undone or any(step.state == "not-undone" for step in entry.steps):
            raise SagaFailed(entry, entry.failure or FAILED) from cause
        return False

    async def aclose(self, grace: float) -> None:
        """Let sagas end for `grace` seconds; leave the others to whoever starts next."""
        running = tuple(self._running)
        if running:
            waiting = [asyncio.ensure_future(driver.ended.wait()) for driver in running]
            await asyncio.wait(waiting, timeout=grace)
            for one in waiting:
                one.cancel()
        self._home = None

    @property
    def _here(self) -> SagaResources:
        if self._home is None:
            raise RuntimeError("the coordinator is closed")
        return self._home

    def _entry(self, saga: Kind, scope: Scope) -> SagaRecord:
        name = type(saga).__name__
        if name not in self._kinds:
            raise ConfigurationError(
                f"{name} is not known to the gateway: gateway(..., sagas=[{name}])"
            )
        home = self._here
        inputs = {field: getattr(saga, field) for field in self._inputs[name]}
        return SagaRecord(
            id=_id_of(scope, name) if scope.idempotency_key else _random(),
            run=_random(),
            saga=name,
            inputs=json_of(inputs).decode(),
            viewer=home.viewers.encode(scope.viewer),
            rights=home.viewers.rights(scope.viewer),
            audience=scope.audience,
            steps=[StepRecord(name=one.name) for one in type(saga).steps],
            traceparent=scope.traceparent,
            created=home.wall(),
        )

    def _owner(self) -> str:
        return f"{self._process}:{next(self._holds)}"

    def _driver(self, entry: SagaRecord, owner: str) -> SagaExecution:
        home, kind = self._here, self._kinds[entry.saga]
        return SagaExecution(
            entry,
            self._plans[entry.saga],
            Steps(kind, self._inputs[entry.saga], home),
            home.journal,
            owner=owner,
            lease=self._lease(kind),
            pace=kind.policy,
            wall=home.wall,
            chance=home.chance,
            events=home.events,
        )

    def _lease(self, kind: Kind) -> float:
        """Return for how long a record holds an entry: a whole try, a pause, and some."""
        policy = kind.policy
        return float(self._here.lease + policy.step_timeout + longest_backoff(policy))

    def _start(self, driver: SagaExecution) -> None:
        async def run() -> None:
            try:
                await driver.run()
            except asyncio.CancelledError:
                await _leave(driver)
                raise
            finally:
                self._running.discard(driver)
                self._resumed.discard(driver)

        self._running.add(driver)
        self._here.spawn(run())

    async def _resume(self) -> None:
        """Take up what others left, for as long as the gateway runs."""
        home = self._here
        while True:
            try:
                await self._take_over(home)
            except StoreUnavailable:
                pass  # the link tells its sinks; it is tried again
            except Exception as error:  # noqa: BLE001 # nothing must end the watch
                self._crashed(error)
            await asyncio.sleep(home.lease / 2 * (0.75 + home.chance() / 2))

    async def _take_over(self, home: SagaResources) -> None:
        for kind in self._kinds.values():
            room = AT_ONCE - len(self._resumed)
            if room <= 0:
                return
            name = kind_of(kind.__name__, [one.name for one in kind.steps])
            owner = self._owner()
            for body in await home.journal.claim(name, owner, self._lease(kind), room):
                self._take_up(body, owner)

    def _take_up(self, body: bytes, owner: str) -> None:
        try:
            driver = self._driver(SagaRecord.decode(body), owner)
        except Exception as error:  # noqa: BLE001 # an entry that can't be read keeps back no other
            self._crashed(error)
            return
        driver.turn_back(LEFT)
        self._resumed.add(driver)
        self._start(driver)

    def _crashed(self, error: Exception) -> None:
        home = self._home
        if home is not None and home.events.sinks:
            home.events.emit(Crashed("saga", "", error))


async def _leave(driver: SagaExecution) -> None:
    """Hand a saga that is cut short to whoever comes next, at once."""
    try:
        async with asyncio.timeout(1.0):
            await driver.park()
    except (StoreUnavailable, TimeoutError):
        pass  # its time runs out by itself


def _inputs(kind: Kind) -> dict[str, object]:
    return {one.name: one.annotation for one in shape_of(kind).inputs}


def _random() -> str:
    return f"{random.SystemRandom().getrandbits(128):032x}"


def _id_of(scope: Scope, name: str) -> str:
    """Return what a saga is found by when its request comes again.

    Where a request has several of one kind, they are told apart by their order.
    """
    names = (scope.idempotency_key, writing.get(), "saga", name)
    if scope.writes is None:
        scope.writes = {}
    ordinal = scope.writes[names] = scope.writes.get(names, 0) + 1
    return derived_key(*names, str(ordinal))
