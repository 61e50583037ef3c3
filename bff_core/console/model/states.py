"""The states that the models of several pages name."""

from collections.abc import Mapping, Sequence
from typing import Final, Literal

PartState = Literal["ok", "stale", "fallback", "missing", "forbidden", "failed"]
"""The state of a part as pages show it."""

RequestState = Literal["complete", "degraded", "failed"]
Health = Literal["ok", "degraded", "failed", "stopped", "unknown"]
Severity = Literal["ok", "stale", "fallback", "missing", "failed"]
ViewState = Literal["ok", "quiet", "stale", "fallback", "missing", "failed"]
"""The state of what has figures: `quiet` without a request or call, so that nothing is known."""

SEVERITIES: Final[Sequence[ViewState]] = ("quiet", "ok", "stale", "missing", "fallback", "failed")
"""The states of views, services, layers and endpoints by severity; the worst is the last.

Those of parts have the same order in `PartStatus`.
"""

SHOWN_STATES: Final[Mapping[str, PartState]] = {
    "ok": "ok",
    "stale": "stale",
    "partial": "fallback",
    "fallback": "fallback",
    "missing": "missing",
    "forbidden": "forbidden",
    "failed": "failed",
}
"""What pages show for the states of `Part-Status`, and for a part that failed."""
