"""How long a saga may take over what, as those see it who move it on."""

from typing import Protocol


class Pace(Protocol):
    """How long a saga may take over what; see `SagaPolicy`."""

    @property
    def tries(self) -> int:
        """How often in a row something is tried."""
        ...

    @property
    def backoff(self) -> float:
        """The first pause between two tries (seconds)."""
        ...

    @property
    def pause(self) -> float:
        """The first pause of a saga that is stuck (seconds)."""
        ...

    @property
    def longest_pause(self) -> float:
        """The longest."""
        ...

    @property
    def key_lifetime(self) -> float:
        """How long services remember a key (seconds)."""
        ...

    @property
    def check_delay(self) -> float:
        """For how long a service may go on with what was sent, unseen by a check (seconds)."""
        ...

    @property
    def retention(self) -> float:
        """How long an end is remembered (seconds)."""
        ...


def longest_backoff(pace: Pace) -> float:
    """Return the longest pause between two tries in a row, in seconds."""
    return float(pace.backoff * 2 ** max(0, min(pace.tries - 2, 6)))
