"""The sagas that have not ended: what each step did, and when the next try is."""

from bff_core.console.model import SagaRow, SagaStep
from bff_core.saga.coordinator import OpenSaga
from bff_core.saga.record import SagaRecord, StepRecord


def saga_row(gateway: str, saga: OpenSaga, now: float) -> SagaRow:
    """Return the line of a saga, without its inputs, results and viewer; `now` is Unix time."""
    record = saga.record
    back = record.direction == "back"
    is_parked = not saga.is_leased and saga.due_in > 0
    return SagaRow(
        id=record.id,
        gateway=gateway,
        saga=record.saga,
        state="stuck" if not saga.is_leased else "undoing" if back else "running",
        started=record.created,
        next_try=None if saga.is_leased else now + max(0.0, saga.due_in),
        reason=_reason(record) if is_parked else _of_process(saga),
        steps=[_step(one) for one in record.steps],
        can_resume=is_parked,
    )


def _of_process(saga: OpenSaga) -> str:
    return "" if saga.is_leased else "Its process ended; another one resumes it."


def _reason(record: SagaRecord) -> str:
    """Return why it is stuck: the step whose outcome is unknown or that could not be undone."""
    stuck = [one for one in record.steps if one.state in {"started", "undoing", "not-undone"}]
    failed = [one for one in record.steps if one.failure is not None]
    for step in (*stuck, *failed):
        if step.failure is not None:
            return f"{step.name}: {step.failure.title} ({step.failure.code})"
    return f"{stuck[0].name}: its outcome is unknown" if stuck else "It waits for its next try."


def _step(step: StepRecord) -> SagaStep:
    return SagaStep(
        step=step.name,
        state=step.state,
        attempts=step.tries,
        error="" if step.failure is None else step.failure.code,
    )
