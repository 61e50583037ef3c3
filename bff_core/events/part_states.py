"""What the states and reasons of parts mean: for compositions, and for readers of events."""

from typing import Final

COMPLETE_STATES: Final = frozenset({"ok", "stale"})
"""States of parts that degrade no answer."""

DEPENDENCY: Final = "dependency"
"""The reason of a part that degraded because a part that it awaited did."""

CANCELLED: Final = "part_cancelled"
"""The reason of a part that was cancelled with its screen."""


def is_degraded(state: str, reason: str) -> bool:
    """Whether a part ended without its service's own value.

    One that was cancelled with its screen has no state, or the reason `CANCELLED`.
    """
    return state != "" and state not in COMPLETE_STATES and reason != CANCELLED
