"""Shows a run as plain lines, where there is no terminal: `key=value` words (logfmt)."""

import time
from collections.abc import Sequence

from bff_core.cli.dev.log_lines import digest, parsed
from bff_core.cli.dev.program import Program
from bff_core.cli.dev.request_summary import summary_of
from bff_core.cli.dev.terminal_writer import TerminalWriter
from bff_core.cli.dev.view import StartedRun
from bff_core.observe.request_records import RequestRecord


class Logfmt:
    """The view of files, pipes and CI; `console` is the address of the console in a browser."""

    def __init__(
        self, terminal: TerminalWriter, programs: Sequence[Program], *, console: str = ""
    ) -> None:
        self._terminal = terminal
        self._console = console
        self._root = programs[0].root

    def starting(self, programs: Sequence[Program]) -> None:
        """Log the address of the console, and how many programs are started."""
        if self._console:
            self._write(event="run.console", url=self._console)
        self._write(event="run.starting", programs=len(programs))

    def ready(self, run: StartedRun) -> None:
        """Log a line per program, then one for all."""
        for one in run.programs:
            if (found := run.serving.get(one.name)) is not None:
                took = f"{found.seconds:.1f}"
                self._write(
                    event="program.ready",
                    program=one.name,
                    url=one.url,
                    pid=found.pid,
                    seconds=took,
                )
        for name, address in run.elsewhere.items():
            self._write(event="program.elsewhere", program=name, url=address)
        for one in run.programs:
            if one.example:
                self._write(event="run.example", program=one.name, command=one.example)
        self._write(event="run.ready", programs=len(run.programs), seconds=f"{run.seconds:.1f}")

    def line(self, name: str, text: str) -> None:
        """Log a line of a program."""
        found = parsed(text, self._root)
        if found is not None:
            self._write(program=name, level=found.level or None, line=found.text)
            self._below(name, found.below)

    def request(self, name: str, trace: RequestRecord) -> None:
        """Log a request."""
        summary = summary_of(trace)
        self._write(
            at=trace.time,
            gateway=name,
            method=trace.method,
            route=trace.route or trace.path,
            status=trace.status,
            state=summary.state,
            duration_ms=f"{trace.seconds * 1000:.1f}",
            bytes=trace.size,
            calls=summary.calls,
            request_id=trace.request_id,
            parts=",".join(f"{row.name}:{row.state}" for row in summary.rows) or None,
            error=trace.error or None,
        )

    def note(self, text: str, *, is_reload: bool = False) -> None:
        """Log an event that is as expected."""
        self._write(event="run.reloaded" if is_reload else "run.note", message=text)

    def failure(self, name: str, text: str, lines: Sequence[str] = ()) -> None:
        """Log a failure, and the end of the output."""
        self._write(event="run.failed", program=name or None, message=text)
        self._below(name, digest(lines, self._root))

    def _below(self, name: str, lines: Sequence[str]) -> None:
        for line in lines:
            self._write(program=name or None, line=line)

    def _write(self, *, at: float | None = None, **fields: object) -> None:
        clock = time.strftime("%H:%M:%S", time.localtime(at))
        words = [
            f"{key}={_quoted(str(value))}" for key, value in fields.items() if value is not None
        ]
        self._terminal.write(" ".join((f"time={clock}", *words)))


def _quoted(text: str) -> str:
    """Quote a value with spaces, quotes or equals signs."""
    if text and not any(one in text for one in ' "=\\') and text.isprintable():
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
