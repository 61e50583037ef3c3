"""The states that the models of several pages name."""

from typing import Literal

PartState = Literal["ok", "stale", "fallback", "missing", "forbidden", "failed"]
RequestState = Literal["complete", "degraded", "failed"]
Health = Literal["ok", "degraded", "failed", "stopped", "unknown"]
Severity = Literal["ok", "stale", "fallback", "missing", "failed"]
ViewState = Literal["ok", "quiet", "stale", "fallback", "missing", "failed"]
"""The state of what has figures: `quiet` without a request or call, so that nothing is known."""
