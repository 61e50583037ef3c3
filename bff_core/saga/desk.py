"""Where sagas of one gateway are begun, watched, and taken up again after a crash."""

import asyncio
import random
from collections.abc import Iterable
from typing import Self

import msgspec

from bff_core.composition.wiring import shape_of
from bff_core.errors import ConfigurationError, StoreUnavailable
from bff_core.events import Crashed
from bff_core.policy.idempotency import derived_key
from bff_core.saga.driver import Driver
from bff_core.saga.entry import Entry, Failure, Step, may_turn_back
from bff_core.saga.errors import SagaFailed, SagaUnderWay, SagaUnsettled
from bff_core.saga.steps import Kind, Steps, Surroundings, results_of
from bff_core.scope import Scope

RESERVE = 0.05
"""Seconds before its deadline that a request stops waiting, so that it can say how things stand."""

AT_ONCE = 8
"""How many sagas that others left are gone on with at a time."""

FAILED = Failure(status=500, code="saga_failed", title="Not done")
LATE = Failure(status=504, code="deadline_exceeded", title="Deadline exceeded")
LEFT = Failure(status=503, code="interrupted", title="Interrupted")


class Desk:
    """Begins sagas and goes on with those that others left; a saga's field of this type is wired.

    An entry is held for `lease` seconds beyond the longest try, so one that a killed process left
    is taken up by any other that long after its last record.
    """

    def __init__(self, kinds: Iterable[Kind]) -> None:
        self._kinds: dict[str, Kind] = {kind.__name__: kind for kind in kinds}
        self._inputs = {name: _inputs(kind) for name, kind in self._kinds.items()}
        self._scope: Scope | None = None
        self._running: set[Driver] = set()
        self._home: Surroundings | None = None
        self._owner = ""

    def open(self, home: Surroundings) -> None:
        """Work from now on; what was left is taken up in the background."""
        self._home = home
        self._owner = f"{home.name}:{random.SystemRandom().getrandbits(96):024x}"
        home.spawn(self._resume())

    def bind(self, scope: Scope) -> Self:
        """Return a desk that acts for one request."""
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
        driver = self._driver(entry)
        known = await self._home.journal.begin(
            entry.id, entry.encode(), self._owner, self._lease(type(saga))
        )
        if known is not None:
            entry = Entry.decode(known)
            if not self._answer(saga, scope, entry):
                raise SagaUnderWay(entry)
            return
        await self._watch(driver, scope)
        if not self._answer(saga, scope, driver.entry):
            raise SagaUnsettled(driver.entry)

    async def _watch(self, driver: Driver, scope: Scope) -> None:
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
        if driver.error is not None:
            scope.outcome = "unknown"
            raise driver.error

    def _answer(self, saga: Kind, scope: Scope, entry: Entry) -> bool:
        """Tell how an entry ended, by its results or an error; False where it has not."""
        if entry.outcome == "done":
            scope.outcome = "final"
            saga.remember(results_of(self._kinds[entry.saga], entry))
            return True
        if entry.outcome == "undone":
            scope.outcome = "final" if entry.had_effects else ""
            raise SagaFailed(entry, entry.failure or FAILED)
        scope.outcome = "unknown"
        if any(step.state == "not-undone" for step in entry.steps):
            raise SagaFailed(entry, entry.failure or FAILED)
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
    def _here(self) -> Surroundings:
        if self._home is None:
            raise RuntimeError("the desk is closed")
        return self._home

    def _entry(self, saga: Kind, scope: Scope) -> Entry:
        name = type(saga).__name__
        if name not in self._kinds:
            raise ConfigurationError(
                f"{name} is not known to the gateway: gateway(..., sagas=[{name}])"
            )
        home = self._here
        key = scope.idempotency_key or f"{random.SystemRandom().getrandbits(128):032x}"
        inputs = {field: getattr(saga, field) for field in self._inputs[name]}
        return Entry(
            id=derived_key(key, "saga", name),
            saga=name,
            inputs=msgspec.json.encode(inputs).decode(),
            viewer=home.viewers.encode(scope.viewer),
            audience=scope.audience,
            steps=[Step(name=one.name) for one in type(saga).steps],
            traceparent=scope.traceparent,
            created=home.wall(),
        )

    def _driver(self, entry: Entry) -> Driver:
        home, kind = self._here, self._kinds[entry.saga]
        return Driver(
            entry,
            [one.plan for one in kind.steps],
            Steps(kind, self._inputs[entry.saga], home),
            home.journal,
            owner=self._owner,
            lease=self._lease(kind),
            pace=kind.policy,
            chance=home.chance,
            events=home.events,
        )

    def _lease(self, kind: Kind) -> float:
        """Return for how long a record holds an entry: a whole try, a pause, and some."""
        return float(self._here.lease + kind.policy.step_timeout + kind.policy.backoff * 64)

    def _start(self, driver: Driver) -> None:
        async def run() -> None:
            try:
                await driver.run()
            except asyncio.CancelledError:
                await _leave(driver)
                raise
            finally:
                self._running.discard(driver)

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
            except Exception as error:  # noqa: BLE001 # one bad entry must not end the watch
                if home.events.sinks:
                    home.events.emit(Crashed("saga", "", error))
            await asyncio.sleep(home.lease / 2 * (0.75 + home.chance() / 2))

    async def _take_over(self, home: Surroundings) -> None:
        room = AT_ONCE - len(self._running)
        if room <= 0:
            return
        lease = max(map(self._lease, self._kinds.values()))
        for body in await home.journal.claim(self._owner, lease, room):
            entry = Entry.decode(body)
            if entry.saga not in self._kinds or not _fits(entry, self._kinds[entry.saga]):
                # Of another version or gateway: somebody else's to go on with.
                await home.journal.park(entry.id, body, self._owner, 60.0)
                continue
            driver = self._driver(entry)
            if may_turn_back(entry, [one.plan for one in self._kinds[entry.saga].steps]):
                driver.turn_back(LEFT)
            self._start(driver)


async def _leave(driver: Driver) -> None:
    """Hand a saga that is cut short to whoever comes next, at once."""
    try:
        async with asyncio.timeout(1.0):
            await driver.park()
    except (StoreUnavailable, TimeoutError):
        pass  # its time runs out by itself


def _inputs(kind: Kind) -> dict[str, object]:
    return {one.name: one.annotation for one in shape_of(kind).inputs}


def _fits(entry: Entry, kind: Kind) -> bool:
    return [step.name for step in entry.steps] == [one.name for one in kind.steps]
