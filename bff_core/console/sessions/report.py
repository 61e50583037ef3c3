"""What a process reports about sessions, limits and sagas."""

from typing import Final

import msgspec

from bff_core.console.model import LimitRow, SagaRow, SessionRow

SHARED: Final = "live.shared"
"""The command that reports what all processes of a gateway share; one of them is enough."""

LOCAL: Final = "live.local"
"""The command that reports what is in the memory of a process alone."""


class LiveReport(msgspec.Struct):
    """`count` is how many sessions there are, None if they were not all counted."""

    sessions: list[SessionRow] = []
    count: int | None = 0
    limits: list[LimitRow] = []
    sagas: list[SagaRow] = []
    notes: list[str] = []
