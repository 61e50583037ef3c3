"""What an admin endpoint does when it is called."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AdminAction:
    """One admin endpoint: `act` takes the body and returns the answer, which is sent as JSON."""

    method: str
    act: Callable[[bytes], Awaitable[Mapping[str, object]]]


AdminActions = Mapping[str, AdminAction]
"""Admin endpoints by path."""
