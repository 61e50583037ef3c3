"""The errors of a saga that did not complete, with the state of each step."""

from collections.abc import Mapping

from bff_core.errors import BFFError
from bff_core.saga.record import SagaRecord, StepFailure, step_states


class SagaFailed(BFFError):
    """A step failed, and completed steps were compensated; `steps` has the state of each.

    Status, code and title are those of the step's error, as for a critical part of a composition.
    """

    def __init__(self, record: SagaRecord, failure: StepFailure) -> None:
        steps = ", ".join(f"{step.name} {step.state}" for step in record.steps)
        super().__init__(f"saga {record.saga} failed: {failure.code} ({steps})")
        self.status, self.code, self.title = failure.status, failure.code, failure.title
        self.retry_after = failure.retry_after
        self._detail = failure.detail
        self._members = failure.members
        self._steps = step_states(record)

    @property
    def detail(self) -> str:
        """The detail of the step's error."""
        return self._detail

    @property
    def members(self) -> Mapping[str, object]:
        """The further members of problem details."""
        return {**self._members, "steps": self._steps}


class SagaUnsettled(BFFError):
    """The request's deadline has passed before the saga ended; the gateway continues it.

    `is_keyed` is whether the client can send the request again to learn the outcome.
    """

    status = 504
    code = "saga_unsettled"
    title = "Not settled in time"

    def __init__(self, record: SagaRecord, *, is_keyed: bool) -> None:
        steps = ", ".join(f"{step.name} {step.state}" for step in record.steps)
        super().__init__(f"saga {record.saga} is not settled ({steps})")
        self.retry_after = 2.0 if is_keyed else None
        self._is_keyed = is_keyed
        self._steps = step_states(record)

    @property
    def detail(self) -> str:
        """What the client can do."""
        if self._is_keyed:
            return "It continues. Send the request again with the same Idempotency-Key."
        return "It continues. Do not send it again: it had no Idempotency-Key, and may be done."

    @property
    def members(self) -> Mapping[str, object]:
        """The further members of problem details."""
        return {"steps": self._steps}


class SagaUnderWay(SagaUnsettled):
    """An earlier request with the same key began the saga, whose outcome is not known yet."""

    status = 409
    code = "saga_under_way"
    title = "Under way"
