"""What a saga that did not come through tells: step by step, and truthfully."""

from collections.abc import Mapping

from bff_core.errors import BFFError
from bff_core.saga.entry import Entry, Failure, told


class SagaFailed(BFFError):
    """A step failed, and what was done before it was undone as far as `steps` tell.

    Status, code and title are those of the failed step's cause, as with the critical part of a
    composition.
    """

    def __init__(self, entry: Entry, failure: Failure) -> None:
        super().__init__(f"saga {entry.saga} failed: {failure.code}")
        self.status, self.code, self.title = failure.status, failure.code, failure.title
        self._detail = failure.detail
        self._steps = told(entry)

    @property
    def detail(self) -> str:
        """What the cause may tell."""
        return self._detail

    @property
    def members(self) -> Mapping[str, object]:
        """What problem details say beside the usual."""
        return {"steps": self._steps}


class SagaUnsettled(BFFError):
    """The time of the request is over and the saga's is not; the gateway goes on with it."""

    status = 504
    code = "saga_unsettled"
    title = "Not settled in time"
    retry_after = 2.0

    def __init__(self, entry: Entry) -> None:
        super().__init__(f"saga {entry.saga} is not settled")
        self._steps = told(entry)

    @property
    def detail(self) -> str:
        """What to do."""
        return (
            "It will be settled. Send the request again with the same Idempotency-Key to learn how."
        )

    @property
    def members(self) -> Mapping[str, object]:
        """What problem details say beside the usual."""
        return {"steps": self._steps}


class SagaUnderWay(SagaUnsettled):
    """An earlier request with the same key began it, and it is not settled."""

    status = 409
    code = "saga_under_way"
    title = "Under way"
