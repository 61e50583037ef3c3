"""The type of admin endpoints: a method, and the function that handles a body."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AdminAction:
    """One admin endpoint: `act` gets the body and returns the answer, which is sent as JSON."""

    method: str
    act: Callable[[bytes], Awaitable[Mapping[str, object]]]


AdminActions = Mapping[str, AdminAction]
"""Admin endpoints by path."""
