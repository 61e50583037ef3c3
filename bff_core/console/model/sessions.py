"""The JSON of sessions, limits and sagas that are live."""

from typing import Literal

import msgspec

from bff_core.console.model.overview import Headline


class SessionRow(msgspec.Struct, kw_only=True):
    """A browser's session; `id` and `viewer` are hashes."""

    id: str
    viewer: str
    began: float | None
    expires: float | None
    gateway: str = ""


class LimitRow(msgspec.Struct, kw_only=True):
    """A rate limit's bucket that is nearly empty; `key` is a hash, `left` the share of it."""

    gateway: str
    limit: str
    key: str
    left: float
    resets: float | None


class SagaStep(msgspec.Struct, kw_only=True):
    """A step of a saga; `state` is its word in the journal."""

    step: str
    state: str
    attempts: int
    error: str = ""


class SagaRow(msgspec.Struct, kw_only=True):
    """A saga that is not ended; `next_try` is when it is resumed."""

    id: str
    gateway: str
    saga: str
    state: Literal["running", "undoing", "stuck"]
    started: float
    next_try: float | None
    reason: str = ""
    steps: list[SagaStep] = []
    can_resume: bool = False


class SessionsPage(msgspec.Struct, kw_only=True):
    """What is live, and what is stuck; `notes` say what can't be listed, and why."""

    headline: Headline
    sessions: list[SessionRow]
    session_count: int | None
    limits: list[LimitRow]
    sagas: list[SagaRow]
    notes: list[str] = []
