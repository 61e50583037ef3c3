"""The states that the models of several pages name."""

from collections.abc import Sequence
from typing import Final, Literal

PartState = Literal["ok", "stale", "fallback", "missing", "forbidden", "failed"]
RequestState = Literal["complete", "degraded", "failed"]
Health = Literal["ok", "degraded", "failed", "stopped", "unknown"]
Severity = Literal["ok", "stale", "fallback", "missing", "failed"]
ViewState = Literal["ok", "quiet", "stale", "fallback", "missing", "failed"]
"""The state of what has figures: `quiet` without a request or call, so that nothing is known."""

SEVERITIES: Final[Sequence[ViewState]] = ("quiet", "ok", "stale", "missing", "fallback", "failed")
"""The states of views, services, layers and endpoints by severity; the worst is the last.

Those of parts have the same order in `PartStatus`.
"""
