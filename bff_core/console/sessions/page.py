"""Builds the page of sessions, callers near a limit and sagas; resumes sagas."""

import asyncio
from collections.abc import Sequence
from typing import Final

import msgspec

from bff_core.admin.operations import ResumeSaga
from bff_core.console.answers import ConsoleProblem
from bff_core.console.console import Console
from bff_core.console.model import Headline, SagaRow, SessionsPage
from bff_core.console.sessions.report import LOCAL_SESSIONS, SHARED_SESSIONS, SessionsReport
from bff_core.console.sources import Sources
from bff_core.console.upstreams.actions import act_on

MAX_ROWS: Final = 200
"""Lines of each table."""


async def sessions_page(console: Console, gateway: str) -> SessionsPage:
    """Return the page of one gateway, or of all if it is empty."""
    names = console.sources.selected(gateway)
    found = await asyncio.gather(*(_reports(console, name) for name in names))
    reports = [report for some in found for report in some]
    sagas = {one.id: one for report in reversed(reports) for one in report.sagas}
    rows = sorted(sagas.values(), key=lambda one: (one.state != "stuck", one.started))
    counts = [one.count for one in reports]
    count = None if None in counts else sum(one or 0 for one in counts)
    sessions = [row for one in reports for row in one.sessions]
    limits = [row for one in reports for row in one.limits]
    return SessionsPage(
        headline=_headline(rows, count),
        sessions=sorted(sessions, key=lambda one: one.began or 0.0, reverse=True)[:MAX_ROWS],
        session_count=count,
        limits=sorted(limits, key=lambda one: one.left)[:MAX_ROWS],
        sagas=rows[:MAX_ROWS],
        notes=list(dict.fromkeys(note for one in reports for note in one.notes)),
    )


async def _reports(console: Console, gateway: str) -> list[SessionsReport]:
    """Return what the processes of a gateway share, and what each of them has alone."""
    sources = console.sources
    shared, local = await asyncio.gather(
        _shared(sources, gateway), sources.send_all(gateway, LOCAL_SESSIONS)
    )
    notes = [f"{gateway}: {one.reason}." for one in local.failed if local.answered]
    return [shared, *local.decoded(SessionsReport), SessionsReport(notes=notes)]


async def _shared(sources: Sources, gateway: str) -> SessionsReport:
    """Return what one process reports for all; only a note if none answers."""
    try:
        shared = await sources.send_one(gateway, SHARED_SESSIONS)
    except ConsoleProblem as problem:
        return SessionsReport(count=None, notes=[f"{problem.title}: {problem.detail}"])
    return msgspec.json.decode(shared, type=SessionsReport)


async def resume(console: Console, gateway: str, record_id: str) -> str:
    """Resume a saga at once; return what was done. Raises a `ConsoleProblem`."""
    names = [console.sources.get(gateway).name]
    return " ".join(await act_on(console, names, ResumeSaga(record_id)))


def _headline(sagas: Sequence[SagaRow], count: int | None) -> Headline:
    stuck = [one for one in sagas if one.state == "stuck"]
    if stuck:
        first = stuck[0]
        text = "**1 saga is stuck.**" if len(stuck) == 1 else f"**{len(stuck)} sagas are stuck.**"
        reason = first.reason.rstrip(".")
        return Headline(state="failed", text=f"{text} {first.saga} on {first.gateway}: {reason}.")
    text = f"{_sessions_in_words(count)}. {_sagas_in_words(len(sagas))}."
    return Headline(state="ok", text=text)


def _sessions_in_words(count: int | None) -> str:
    if count is None:
        return "Sessions are live, but not all could be counted"
    return {0: "No session is live", 1: "1 session is live"}.get(
        count, f"{count:,} sessions are live"
    )


def _sagas_in_words(count: int) -> str:
    return {0: "No saga is open", 1: "1 saga runs and is not stuck"}.get(
        count, f"{count:,} sagas run, and none is stuck"
    )
