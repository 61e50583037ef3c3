"""The API of the logs: lines of all processes that `bff dev` runs, filtered and live."""

from collections.abc import Mapping
from time import monotonic
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bff_core.console.answers import ConsoleProblem, answer
from bff_core.console.console import Console
from bff_core.console.logs.ring import LEVELS, Level, LogRing
from bff_core.console.model import Live

DEFAULT_LIMIT: Final = 500
MAX_LIMIT: Final = 2_000

MAX_GAP: Final = 2.0
"""After so many seconds without readers, live pages begin with new lines."""


def routes(console: Console) -> list[Route]:
    """Return the routes of this area; none where `bff dev` does not run the processes."""
    run = console.run
    if run is None:
        return []
    console.live.add(_LiveLogs(run.logs).contribute)

    async def get(request: Request) -> Response:
        query = request.query_params
        process = query.get("process", "")
        if process and process not in run.logs.names:
            run.process(process)
        page = run.logs.page(
            process=process,
            level=_level(query),
            text=query.get("text", ""),
            request=query.get("request", ""),
            limit=_limit(query),
        )
        return answer(page)

    return [Route("/logs", get, methods=["GET"])]


class _LiveLogs:
    """Adds the lines that were written since the last message."""

    def __init__(self, logs: LogRing) -> None:
        self._logs = logs
        self._newest = logs.newest
        self._read_at = monotonic()

    async def contribute(self, live: Live, is_new: bool) -> None:  # of `Contribute`
        now = monotonic()
        if is_new:  # the page has loaded the lines before
            return
        if now - self._read_at > MAX_GAP:
            self._newest = self._logs.newest
        live.logs = self._logs.newer(self._newest)
        self._newest, self._read_at = self._logs.newest, now


def _level(query: Mapping[str, str]) -> Level:
    name = query.get("level") or "debug"
    found = next((one for one in LEVELS if one == name), None)
    if found is None:
        raise ConsoleProblem(422, f"{name!r} is no level", f"Use one of {', '.join(LEVELS)}.")
    return found


def _limit(query: Mapping[str, str]) -> int:
    text = query.get("limit") or str(DEFAULT_LIMIT)
    is_number = text.isascii() and text.isdigit() and len(text) < 10
    if not (is_number and 0 < int(text) <= MAX_LIMIT):
        raise ConsoleProblem(
            422, f"limit={text[:20]} is no number of lines", f"Give a number from 1 to {MAX_LIMIT}."
        )
    return int(text)
