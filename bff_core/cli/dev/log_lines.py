"""Reads the lines that programs write: which are worth showing, and what of a traceback."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

IN_THE_TREE: Final = frozenset(
    {
        *("request.answered", "part.ended", "retry.scheduled", "retry.refused", "call.rejected"),
        *("reply.reduced", "stream.ended", "server.started", "server.drained", "file.opened"),
        *("credentials.refused", "event_loop.freed", "cache.purged", "session.changed"),
    }
)
"""Events that requests and their trees show anyway, or that are part of each start."""

HIDDEN_FIELDS: Final = frozenset(
    {"time", "level", "event", "traceback", "stack", "trace_id", "logger"}
)

MAX_TRACEBACK_LINES: Final = 24

MAX_FRAMES: Final = 5
"""Frames that are shown of what blocks an event loop."""

_is_frame: Final = re.compile(r'  File "(.+)", line (\d+), in (.+)').fullmatch

Level = Literal["debug", "info", "warning", "error", "critical"]


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line of a log: its level, its text, and the lines of a traceback below it."""

    level: str
    text: str
    below: list[str] = field(default_factory=list)


def parsed(text: str, root: Path) -> LogLine | None:
    """Return a line as it is shown; None if it is not."""
    record = _record(text)
    if record is None:
        return LogLine("", text) if text.strip() else None
    event, level = str(record["event"]), str(record.get("level", "info"))
    is_ours = "logger" not in record
    if is_ours and (event in IN_THE_TREE or (level == "info" and not _is_shown(event))):
        return None
    below = digest(str(record.get("traceback", "")).splitlines(), root)
    below += _frames(str(record.get("stack", "")).splitlines(), root)
    return LogLine(level, _sentence(event, record), below)


def digest(lines: Sequence[str], root: Path) -> list[str]:
    """Return the end of an output, its tracebacks cut to the frames of the project."""
    plain = [one for line in lines for one in _as_text(line)]
    found = _without_foreign_frames(plain, root)
    own = [line.replace(f"{root}/", "") for line in found]
    return own[-MAX_TRACEBACK_LINES:]


def _record(text: str) -> dict[str, Any] | None:
    if not text.startswith("{"):
        return None
    try:
        record = json.loads(text)
    except ValueError:
        return None
    return record if isinstance(record, dict) and "event" in record else None


def _as_text(line: str) -> list[str]:
    record = _record(line)
    if record is None:
        return [line]
    if record.get("level") not in {"error", "critical"}:
        return []
    return [_sentence(str(record["event"]), record), *str(record.get("traceback", "")).splitlines()]


def _without_foreign_frames(lines: Sequence[str], root: Path) -> Iterator[str]:
    """Yield lines without the frames of libraries, which follow each other with their code."""
    is_skipped = False
    for line in lines:
        if line.startswith('  File "'):
            path = line[8:].partition('"')[0]
            is_own = path.startswith(f"{root}/") and not {
                ".venv",
                "site-packages",
                "bff_core",
            } & set(Path(path).relative_to(root).parts)
            is_skipped = not is_own
        elif not line.startswith("    "):
            is_skipped = line.startswith("Traceback (most recent call last)")
        if not is_skipped and line.strip():
            yield line


def _frames(stack: Sequence[str], root: Path) -> list[str]:
    """Return the innermost frames of the project: "bffs/web/page.py:12 in home"."""
    own = (_is_frame(line) for line in _without_foreign_frames(stack, root))
    frames = [f"{one[1].removeprefix(f'{root}/')}:{one[2]} in {one[3]}" for one in own if one]
    return frames[-MAX_FRAMES:]


def _is_shown(event: str) -> bool:
    """Whether an event without a warning changes what follows."""
    return event in {"policies.changed", "breaker.changed", "endpoint.restored", "saga.ended"}


def _sentence(event: str, record: dict[str, Any]) -> str:
    """Return what happened in a sentence, or as name and fields."""
    match record:
        case {"event": "breaker.changed", "upstream": name, "state": "open"}:
            pause = record.get("retry_after", 0)
            return f"breaker of {name} opened: its calls fail at once for {pause:.0f} s"
        case {"event": "breaker.changed", "upstream": name, "state": state}:
            return f"breaker of {name} is {state}"
        case {"event": "store.changed", "store": name, "state": state}:
            reason = f": {record['reason']}" if record.get("reason") else ""
            return f"store {name} is {'unavailable' if state == 'open' else 'available'}{reason}"
        case _:
            fields = {key: value for key, value in record.items() if key not in HIDDEN_FIELDS}
            words = " ".join(
                f"{key}={value}" for key, value in fields.items() if key != "request_id"
            )
            return f"{event} {words}".rstrip()
