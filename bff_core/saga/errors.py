"""What a saga that did not come through tells: step by step, and truthfully."""

from collections.abc import Mapping

from bff_core.errors import BFFError
from bff_core.saga.record import SagaRecord, StepFailure, told


class SagaFailed(BFFError):
    """A step failed, and what was done before it was undone as far as `steps` tell.

    Status, code and title are those of the failed step's cause, as with the critical part of a
    composition.
    """

    def __init__(self, entry: SagaRecord, failure: StepFailure) -> None:
        steps = ", ".join(f"{step.name} {step.state}" for step in entry.steps)
        super().__init__(f"saga {entry.saga} failed: {failure.code} ({steps})")
        self.status, self.code, self.title = failure.status, failure.code, failure.title
        self.retry_after = failure.retry_after
        self._detail = failure.detail
        self._members = failure.members
        self._steps = told(entry)

    @property
    def detail(self) -> str:
        """What the cause may tell."""
        return self._detail

    @property
    def members(self) -> Mapping[str, object]:
        """What problem details say beside the usual."""
        return {**self._members, "steps": self._steps}


class SagaUnsettled(BFFError):
    """The time of the request is over and the saga's is not; the gateway goes on with it.

    `is_keyed` is whether the request can be sent again, to learn what became of it.
    """

    status = 504
    code = "saga_unsettled"
    title = "Not settled in time"

    def __init__(self, entry: SagaRecord, *, is_keyed: bool) -> None:
        steps = ", ".join(f"{step.name} {step.state}" for step in entry.steps)
        super().__init__(f"saga {entry.saga} is not settled ({steps})")
        self.retry_after = 2.0 if is_keyed else None
        self._is_keyed = is_keyed
        self._steps = told(entry)

    @property
    def detail(self) -> str:
        """What to do."""
        if self._is_keyed:
            return "It goes on. Send the request again with the same Idempotency-Key."
        return "It goes on. Do not send it again: it had no Idempotency-Key, and may be done."

    @property
    def members(self) -> Mapping[str, object]:
        """What problem details say beside the usual."""
        return {"steps": self._steps}


class SagaUnderWay(SagaUnsettled):
    """An earlier request with the same key began it, and it is not settled."""

    status = 409
    code = "saga_under_way"
    title = "Under way"
