"""The timeouts and retries of a saga, as its class declares them."""

from dataclasses import dataclass
from typing import Annotated

from bff_core.keywords import checks_keywords
from bff_core.policy.options import Option, check


@checks_keywords
@dataclass(frozen=True, slots=True, kw_only=True)
class SagaPolicy:
    """The timeouts and retries of a saga; durations in seconds.

    Raises `ConfigurationError` if an option is out of its range.
    """

    step_timeout: Annotated[
        float, Option("Timeout of one attempt of a step or its compensation", 0.01, 600)
    ] = 5.0
    tries: Annotated[int, Option("Attempts of a step or its compensation in a row", 1, 100)] = 5
    backoff: Annotated[
        float, Option("First backoff between two attempts; it doubles", 0.001, 60)
    ] = 0.1
    pause: Annotated[
        float, Option("First pause before a stuck saga is resumed; it doubles", 0.1, 3600)
    ] = 10.0
    longest_pause: Annotated[
        float, Option("Longest pause before a stuck saga is resumed", 0.1, 86_400)
    ] = 600.0
    key_lifetime: Annotated[
        float,
        Option("How long services store a key; no request is repeated later", 1, 90 * 86_400),
    ] = 86_400.0
    check_delay: Annotated[
        float,
        Option("How long after a timeout a service may still process a request", 0, 86_400),
    ] = 10.0
    retention: Annotated[
        float, Option("How long the journal stores the outcome of a saga", 1, 90 * 86_400)
    ] = 86_400.0

    def __post_init__(self) -> None:
        check(self)

    @property
    def longest_backoff(self) -> float:
        """The longest backoff between two attempts in a row (seconds)."""
        return float(self.backoff * 2 ** max(0, min(self.tries - 2, 6)))
