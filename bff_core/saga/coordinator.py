"""The saga execution coordinator of a gateway: it starts sagas and resumes them after a crash."""

import asyncio
import random
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import count
from typing import Self

from bff_core.composition.wiring import shape_of
from bff_core.errors import (
    ConfigurationError,
    InvalidInput,
    KeyReused,
    NotFound,
    StoreUnavailable,
)
from bff_core.events import Crashed
from bff_core.policy.edge.idempotency import derived_key
from bff_core.saga.errors import SagaFailed, SagaUnderWay, SagaUnsettled
from bff_core.saga.execution import SagaExecution
from bff_core.saga.record import SagaRecord, StepFailure, StepRecord, kind_of
from bff_core.saga.step_runner import Kind, SagaResources, StepRunner, results_of
from bff_core.saga.step_writes import plans_of
from bff_core.scope import Scope, writing
from bff_core.upstream.request_bodies import json_of

RESERVE_SECONDS = 0.05
"""Seconds before its deadline at which a request stops waiting, to report the steps' states."""

MAX_LISTED = 200
"""Open sagas that operators see at most."""

MAX_RESUMED = 8
"""Abandoned sagas that one process resumes at a time."""

FAILED = StepFailure(status=500, code="saga_failed", title="Not done")
LATE = StepFailure(status=504, code="deadline_exceeded", title="Deadline exceeded")
INTERRUPTED = StepFailure(status=503, code="interrupted", title="Interrupted")


class SagaRegistry:
    """The saga classes of a gateway, checked when the gateway is built."""

    def __init__(self, saga_classes: Iterable[Kind]) -> None:
        self.classes: dict[str, Kind] = {kind.__name__: kind for kind in saga_classes}
        self.inputs = {name: _inputs(kind) for name, kind in self.classes.items()}
        for kind in self.classes.values():
            for step in kind.steps:
                step.check()
        self.plans = {name: plans_of(kind) for name, kind in self.classes.items()}

    def open(self, resources: SagaResources) -> "SagaCoordinator":
        """Return a coordinator, which resumes abandoned sagas in the background."""
        coordinator = SagaCoordinator(self, resources)
        resources.spawn(coordinator.resume_abandoned())
        return coordinator


@dataclass(frozen=True, slots=True)
class OpenSaga:
    """A saga that has not ended: `is_leased` while a process runs it.

    Otherwise it is resumed in `due_in` seconds.
    """

    record: SagaRecord
    is_leased: bool
    due_in: float


class SagaCoordinator:
    """Starts sagas and resumes abandoned ones; a gateway wires a saga's field of this type.

    A record is leased for `lease` seconds longer than the longest attempt. After a process is
    killed, another one resumes its sagas when their leases have expired. Each lease has an owner
    of its own: if a clock jumps or a process was frozen, a coordinator may take over its own saga,
    and the previous execution has to lose its lease like that of another process.
    """

    def __init__(self, registry: SagaRegistry, resources: SagaResources) -> None:
        self._registry = registry
        self._resources = resources
        self._running: set[SagaExecution] = set()
        self._resumed: set[SagaExecution] = set()
        self._process = f"{resources.name}:{_random()}"
        self._lease_numbers = count(1)

    def bind(self, scope: Scope) -> Self:
        """Return the coordinator itself, which serves all requests."""
        del scope
        return self

    async def run(self, saga: Kind, scope: Scope) -> None:
        """Run the steps of a saga, or report the outcome of an earlier request with its key."""
        record = self._new_record(saga, scope)
        owner = self._owner()
        execution = self._execution(record, owner)
        existing = await self._resources.journal.begin(
            record.id, record.kind, record.encode(), owner, self._lease(type(saga))
        )
        if existing is None:
            await self._wait(execution, scope)
            self._report(saga, scope, execution)
        else:
            self._report_again(saga, scope, record, SagaRecord.decode(existing))

    async def _wait(self, execution: SagaExecution, scope: Scope) -> None:
        """Wait until the request's deadline; the gateway continues the saga after that."""
        self._start(execution)
        left = scope.deadline - self._resources.clock() - RESERVE_SECONDS
        try:
            async with asyncio.timeout(max(0.0, left)):
                await execution.ended.wait()
        except TimeoutError:
            execution.compensate(LATE)
        except asyncio.CancelledError:
            execution.compensate(INTERRUPTED)
            raise

    def _report(self, saga: Kind, scope: Scope, execution: SagaExecution) -> None:
        record = execution.record
        if not self._report_end(saga, scope, record, execution.cause):
            is_keyed, cause = bool(scope.idempotency_key), execution.error or execution.last_error
            raise SagaUnsettled(record, is_keyed=is_keyed) from cause

    def _report_again(
        self, saga: Kind, scope: Scope, record: SagaRecord, existing: SagaRecord
    ) -> None:
        if existing.inputs != record.inputs:
            raise KeyReused("This Idempotency-Key came with another request before.")
        if existing.rights != record.rights:
            raise KeyReused("This Idempotency-Key was used when you had other rights.")
        if not self._report_end(saga, scope, existing, None):
            raise SagaUnderWay(existing, is_keyed=True)

    def _report_end(
        self, saga: Kind, scope: Scope, record: SagaRecord, cause: Exception | None
    ) -> bool:
        """Return True with the results of a completed saga; False if it has not ended.

        Raises `SagaFailed` for a compensated one.
        """
        is_compensated = record.outcome == "undone"
        is_settled = record.outcome == "done" or (is_compensated and not record.may_be_repeated)
        scope.outcome = "final" if is_settled else "unknown"
        if record.outcome == "done":
            saga.remember(results_of(self._registry.classes[record.saga], record))
            return True
        if is_compensated or any(step.state == "not-undone" for step in record.steps):
            raise SagaFailed(record, record.failure or FAILED) from cause
        return False

    async def aclose(self, grace: float) -> None:
        """Wait `grace` seconds for sagas to end; other processes resume the rest."""
        running = tuple(self._running)
        if running:
            waiting = [asyncio.ensure_future(execution.ended.wait()) for execution in running]
            await asyncio.wait(waiting, timeout=grace)
            for one in waiting:
                one.cancel()

    def _new_record(self, saga: Kind, scope: Scope) -> SagaRecord:
        name = type(saga).__name__
        if name not in self._registry.classes:
            raise ConfigurationError(f"{name} is not registered: pass gateway(..., sagas=[{name}])")
        resources = self._resources
        inputs = {field: getattr(saga, field) for field in self._registry.inputs[name]}
        return SagaRecord(
            id=_id_of(scope, name) if scope.idempotency_key else _random(),
            run=_random(),
            saga=name,
            inputs=json_of(inputs).decode(),
            viewer=resources.viewers.encode(scope.viewer),
            rights=resources.viewers.rights(scope.viewer),
            audience=scope.audience,
            steps=[StepRecord(name=one.name) for one in type(saga).steps],
            traceparent=scope.traceparent,
            created=resources.wall(),
        )

    def _owner(self) -> str:
        return f"{self._process}:{next(self._lease_numbers)}"

    def _execution(self, record: SagaRecord, owner: str) -> SagaExecution:
        resources, registry = self._resources, self._registry
        kind = registry.classes[record.saga]
        return SagaExecution(
            record,
            registry.plans[record.saga],
            StepRunner(kind, registry.inputs[record.saga], resources),
            resources.journal,
            owner=owner,
            lease=self._lease(kind),
            policy=kind.policy,
            wall=resources.wall,
            chance=resources.chance,
            events=resources.events,
        )

    def _lease(self, kind: Kind) -> float:
        """Return the seconds of a lease: an attempt, a backoff, and the lease of the settings."""
        policy = kind.policy
        return float(self._resources.lease + policy.step_timeout + policy.longest_backoff)

    def _start(self, execution: SagaExecution) -> None:
        async def run() -> None:
            try:
                await execution.run()
            except asyncio.CancelledError:
                await _park(execution)
                raise
            finally:
                self._running.discard(execution)
                self._resumed.discard(execution)

        self._running.add(execution)
        self._resources.spawn(run())

    async def open_sagas(self) -> list[OpenSaga]:
        """Return the sagas of this gateway that have not ended, the ones that are due first."""
        found = []
        for one in await self._resources.journal.open_leases(MAX_LISTED):
            record = SagaRecord.decode(one.body)
            if record.kind in self._kinds():
                found.append(OpenSaga(record, is_leased=one.is_leased, due_in=one.due_in))
        return found

    async def resume(self, record_id: str) -> None:
        """Resume a saga that waits for its next try at once.

        Raises `NotFound` for a saga that is not open here, `InvalidInput` for one that runs.
        """
        found = [one.record for one in await self.open_sagas() if one.record.id == record_id]
        if not found:
            raise NotFound(f"No saga {record_id} of this gateway is open.")
        if not await self._resources.journal.release(record_id):
            raise InvalidInput(f"The saga {found[0].saga} {record_id} runs: it needs no resume.")
        await self._claim_abandoned(self._resources)

    def _kinds(self) -> set[str]:
        """Return the names of the sagas, with their steps, that this gateway can continue."""
        classes = self._registry.classes.values()
        return {kind_of(kind.__name__, [one.name for one in kind.steps]) for kind in classes}

    async def resume_abandoned(self) -> None:
        """Resume abandoned sagas, for as long as the gateway runs."""
        resources = self._resources
        while True:
            try:
                await self._claim_abandoned(resources)
            except StoreUnavailable:
                pass  # the Redis client reports it; the loop retries
            except Exception as error:  # noqa: BLE001 # no error may end the loop
                self._emit_crash(error)
            await asyncio.sleep(resources.lease / 2 * (0.75 + resources.chance() / 2))

    async def _claim_abandoned(self, resources: SagaResources) -> None:
        for kind in self._registry.classes.values():
            free = MAX_RESUMED - len(self._resumed)
            if free <= 0:
                return
            name = kind_of(kind.__name__, [one.name for one in kind.steps])
            owner = self._owner()
            for encoded in await resources.journal.claim(name, owner, self._lease(kind), free):
                self._resume_record(encoded, owner)

    def _resume_record(self, encoded: bytes, owner: str) -> None:
        try:
            execution = self._execution(SagaRecord.decode(encoded), owner)
        except Exception as error:  # noqa: BLE001 # one bad record must not block others
            self._emit_crash(error)
            return
        execution.compensate(INTERRUPTED)
        self._resumed.add(execution)
        self._start(execution)

    def _emit_crash(self, error: Exception) -> None:
        if self._resources.events.sinks:
            self._resources.events.emit(Crashed("saga", "", error))


async def _park(execution: SagaExecution) -> None:
    """Release the lease of a cancelled execution, so that another process resumes it at once."""
    try:
        async with asyncio.timeout(1.0):
            await execution.park()
    except (StoreUnavailable, TimeoutError):
        pass  # its lease expires


def _inputs(kind: Kind) -> dict[str, object]:
    return {one.name: one.annotation for one in shape_of(kind).inputs}


def _random() -> str:
    return f"{random.SystemRandom().getrandbits(128):032x}"


def _id_of(scope: Scope, name: str) -> str:
    """Return the id of a saga, by which a repeated request finds it.

    Several sagas of one class in a request are distinguished by their order.
    """
    names = (scope.idempotency_key, writing.get(), "saga", name)
    if scope.writes is None:
        scope.writes = {}
    ordinal = scope.writes[names] = scope.writes.get(names, 0) + 1
    return derived_key(*names, str(ordinal))
