"""What a process reports about sessions, limits and sagas."""

from typing import Final

import msgspec

from bff_core.console.model import LimitRow, SagaRow, SessionRow

SHARED_SESSIONS: Final = "sessions.shared"
"""The command that reports what all processes of a gateway share; one of them is enough."""

LOCAL_SESSIONS: Final = "sessions.local"
"""The command that reports what is in the memory of a process alone."""


class SessionsReport(msgspec.Struct):
    """`count` is how many sessions there are, None if they were not all counted."""

    sessions: list[SessionRow] = []
    count: int | None = 0
    limits: list[LimitRow] = []
    sagas: list[SagaRow] = []
    notes: list[str] = []
