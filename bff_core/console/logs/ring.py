"""The newest lines of each process, for the page of logs; they are parsed when they are read."""

import heapq
import itertools
import re
import time
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple

import msgspec

from bff_core.console.model import LogEntry, LogPage
from bff_core.observe.body_masking import masked_text
from bff_core.observe.masking import HIDDEN, masked
from bff_core.observe.secret_names import hides

LINES: Final = 5_000
"""Lines that are stored of a process."""

MAX_BYTES: Final = 8 << 20
"""Characters that are stored of a process; its oldest lines are dropped first."""

MAX_LINE: Final = 16_384
"""A longer line is cut."""

RECENT: Final = 2_000
"""Lines of all processes that a live page may be behind."""

Level = Literal["debug", "info", "warning", "error"]
LEVELS: Final[tuple[Level, ...]] = ("debug", "info", "warning", "error")

_PIECES: Final = re.compile(r"[a-z0-9_-]+")
"""The parts of a search that stand in a line as they are, also if the line is JSON."""

_WORDS: Final[Mapping[Level, Sequence[str]]] = {
    "warning": ('"warning"', '"error"', '"critical"'),
    "error": ('"error"', '"critical"'),
}
"""Words of JSON lines of at least a level; lines of other levels are many, or have any word."""

_OWN: Final = frozenset({"time", "level", "event", "request_id", "trace_id", "span_id"})
_is_error = re.compile(r"(?:\S+ )?(?:ERROR|CRITICAL|FATAL|Traceback)\b").match
_is_warning = re.compile(r"(?:\S+ )?WARN(?:ING)?\b").match
_decode = msgspec.json.Decoder(dict[str, Any]).decode


class Line(NamedTuple):
    """A line as it was written; `number` counts those of all processes."""

    number: int
    time: float
    process: str
    text: str


class LogRing:
    """Stores lines in bounded memory; `dropped` ones were replaced by newer ones."""

    def __init__(self, *, lines: int = LINES, now: Callable[[], float] = time.time) -> None:
        self._lines = lines
        self._now = now
        self._numbers = itertools.count(1)
        self._of: dict[str, deque[Line]] = {}
        self._sizes: dict[str, int] = {}
        self._recent: deque[Line] = deque(maxlen=RECENT)
        self._dropped: dict[str, int] = {}
        self.newest = 0

    @property
    def names(self) -> Collection[str]:
        """The processes that have written a line."""
        return self._of.keys()

    def add(self, process: str, text: str) -> None:
        """Store a line."""
        if len(text) > MAX_LINE:
            text = f"{text[:MAX_LINE]} … ({len(text):,} characters)"
        self.newest = next(self._numbers)
        line = Line(self.newest, self._now(), process, text)
        stored = self._of.setdefault(process, deque())
        stored.append(line)
        self._recent.append(line)
        size = self._sizes.get(process, 0) + len(text)
        while len(stored) > self._lines or size > MAX_BYTES:
            size -= len(stored.popleft().text)
            self._dropped[process] = self._dropped.get(process, 0) + 1
        self._sizes[process] = size

    def newer(self, number: int, limit: int = 200) -> list[LogEntry]:
        """Return the lines after the one with this number, oldest first; the newest, if too many.

        `newest` is the number to continue with.
        """
        found = itertools.takewhile(lambda line: line.number > number, reversed(self._recent))
        return [entry_of(line) for line in itertools.islice(found, limit)][::-1]

    def page(
        self,
        *,
        process: str = "",
        level: Level = "debug",
        text: str = "",
        request: str = "",
        limit: int = 500,
    ) -> LogPage:
        """Return the newest lines that match, oldest first.

        `level` is the lowest one. `text` is searched for in what the page shows of a line, such as
        `status=503`, in any case of its letters; `request` is
        (the start of) a request id. An empty filter matches all.
        """
        processes = [process] if process else list(self._of)
        found: list[LogEntry] = []
        pieces, words = _PIECES.findall(text.lower()), _WORDS.get(level, ())
        for line in self._newest_first(processes):
            if request not in line.text or not _may_match(line.text, pieces, words):
                continue
            entry = entry_of(line)
            if text.lower() not in _shown_of(entry):
                continue
            if LEVELS.index(entry.level) < LEVELS.index(level) or not _is_of(entry, request):
                continue
            found.append(entry)
            if len(found) == limit:
                break
        return LogPage(lines=found[::-1], dropped=sum(self._dropped.get(p, 0) for p in processes))

    def _newest_first(self, processes: list[str]) -> Iterator[Line]:
        stored = [reversed(self._of.get(name, ())) for name in processes]
        return heapq.merge(*stored, reverse=True)


def _may_match(text: str, pieces: Collection[str], words: Collection[str]) -> bool:
    """Whether a line is worth parsing: it has all pieces, and as JSON one of the level's words."""
    if words and text.startswith("{") and not any(word in text for word in words):
        return False
    lowered = text.lower() if pieces else ""
    return all(piece in lowered for piece in pieces)


def _shown_of(entry: LogEntry) -> str:
    """Return what the page shows of a line, in lower case."""
    fields = " ".join(f"{name}={value}" for name, value in entry.fields.items())
    return f"{entry.text} {fields} {entry.request_id}".lower()


def _is_of(entry: LogEntry, request: str) -> bool:
    """Whether a line that names a request belongs to it, and not to another one."""
    return not entry.request_id or entry.request_id.startswith(request)


def entry_of(line: Line) -> LogEntry:
    """Return a line as the page shows it: fields of JSON apart, credentials masked."""
    record = _record(line.text)
    if record is None:
        return LogEntry(
            id=str(line.number),
            time=line.time,
            process=line.process,
            level=_level_of(line.text),
            text=masked(line.text),
        )
    fields = {
        name: _field(name, value)
        for name, value in record.items()
        if name not in _OWN and value != ""
    }
    return LogEntry(
        id=str(line.number),
        time=_instant(record.get("time"), line.time),
        process=line.process,
        level=_known_level(str(record.get("level", "info"))),
        text=masked(_sentence(record)),
        request_id=str(record.get("request_id", "")),
        trace_id=str(record.get("trace_id", "")),
        fields=fields,
    )


def _record(text: str) -> dict[str, Any] | None:
    if not text.startswith("{"):
        return None
    try:
        record = _decode(text)
    except (msgspec.DecodeError, RecursionError):
        return None
    return record if "event" in record else None


def _sentence(record: dict[str, Any]) -> str:
    """Return the event, and for an answered request what it was."""
    match record:
        case {"event": "request.answered", "method": method, "status": status}:
            return f"{method} {record.get('route') or record.get('path', '')} {status}"
        case {"event": event}:
            return str(event)
        case _:
            return ""


def _level_of(text: str) -> Level:
    """Return the level that a plain line starts with; `info` without one."""
    if _is_error(text):
        return "error"
    return "warning" if _is_warning(text) else "info"


def _known_level(name: str) -> Level:
    if name == "critical":
        return "error"
    return next((one for one in LEVELS if one == name), "info")


def _instant(text: object, default: float) -> float:
    try:
        return datetime.fromisoformat(str(text)).timestamp()
    except ValueError:
        return default


def _field(name: str, value: object) -> str:
    """Return a field as text; values of names that sound secret are masked, also within it."""
    if isinstance(value, dict | list):
        try:
            return HIDDEN if hides(name, "") else masked_text(_shown(value), "application/json")
        except RecursionError:
            return HIDDEN
    return HIDDEN if hides(name, _shown(value)) else masked(_shown(value))


def _shown(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
