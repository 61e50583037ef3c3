"""Describes an exception of the application's own code that prevents its loading."""

import re
from collections.abc import Iterator
from pathlib import Path
from traceback import StackSummary, TracebackException
from typing import Final

from bff_core.gateway.named_app import is_of_application

MAX_TRACEBACK_LINES: Final = 16

_MARKER: Final = re.compile(r"^(<{7}|>{7})( |$)", re.MULTILINE)


def reason_of(error: BaseException) -> str:
    """Return what is wrong and where, in one line."""
    if found := _conflict(error):
        file, line = found
        return (
            f"{_shown(file)}, line {line}: there are conflict markers of a merge: choose one side "
            "of each conflict, and remove the lines <<<<<<<, ======= and >>>>>>>"
        )
    kind, text = type(error).__name__, str(error)
    if isinstance(error, SyntaxError):
        text, places = error.msg, [(error.filename or "", error.lineno or 0)]
    else:
        stack = TracebackException.from_exception(error).stack
        own = [one for one in stack if is_of_application(one.filename)] or stack[-1:]
        places = [(one.filename, one.lineno or 0) for one in own]
    shown = f"{kind}: {text.splitlines()[0]}" if text.strip() else kind
    return "".join(f"{_shown(file)}, line {line}: " for file, line in places[-1:]) + shown


def traceback_of(error: BaseException) -> list[str]:
    """Return the last lines of the traceback, without the frames of libraries.

    Conflict markers need none.
    """
    if _conflict(error):
        return []
    described = TracebackException.from_exception(error)
    for one in _chain(described):
        own = [frame for frame in one.stack if is_of_application(frame.filename)]
        one.stack = StackSummary.from_list(own or one.stack[-1:])
    lines = "".join(described.format()).splitlines()
    return lines[-MAX_TRACEBACK_LINES:]


def _chain(described: TracebackException | None) -> Iterator[TracebackException]:
    """Yield an exception and its causes."""
    if described is not None:
        yield described
        yield from _chain(described.__cause__)
        yield from _chain(described.__context__)


def _conflict(error: BaseException) -> tuple[str, int] | None:
    """Return the file and the line of the first conflict marker of a merge."""
    if not isinstance(error, SyntaxError) or not error.filename:
        return None
    try:
        text = Path(error.filename).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    found = _MARKER.search(text)
    return None if found is None else (error.filename, text.count("\n", 0, found.start()) + 1)


def _shown(file: str) -> str:
    """Return a path relative to the working directory."""
    path = Path(file)
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
