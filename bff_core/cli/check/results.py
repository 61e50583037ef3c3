"""What `bff check` finds, and how it is printed: for people, as JSON, as annotations of GitHub."""

import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from rich.text import Text

from bff_core.cli.findings import Finding, State, tables_of
from bff_core.cli.output import console, counted, print_json, print_lines

ResultLevel = Literal["error", "warning", "info", "detail"]
"""An error ends the command with status 1. A detail is printed with `--all` only."""

Step = Literal["code", "production", "access", "services", "releases"]

STATES: Final[dict[ResultLevel, State]] = {
    "error": "fail",
    "warning": "note",
    "info": "ok",
    "detail": "ok",
}


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One result of a step: what was found in an `area`, such as a gateway, and what to do.

    `place` is a file, with a line, and with a column. `rule`, `operation` and `field` are those of
    a change of a contract; `views` are those that it affects: "mobile: GET /v1/home".
    """

    step: Step
    area: str
    level: ResultLevel
    what: str
    advice: str = ""
    place: str = ""
    rule: str = ""
    operation: str = ""
    field: str = ""
    views: tuple[str, ...] = ()

    @property
    def gateways(self) -> tuple[str, ...]:
        """The gateways of the views."""
        return tuple(dict.fromkeys(one.partition(":")[0] for one in self.views))


def status_of(results: Iterable[CheckResult]) -> int:
    """Return the exit status: 1 if there is an error."""
    return int(any(one.level == "error" for one in results))


def print_results(results: Sequence[CheckResult], form: str, *, shows_all: bool) -> None:
    """Print results in a form: text, json or github."""
    if form == "json":
        print_json(_document(results, shows_all=shows_all))
        return
    shown = [one for one in results if shows_all or one.level != "detail"]
    if form == "github":
        sys.stdout.writelines(f"{_annotation(one)}\n" for one in shown if one.level in _COMMANDS)
    out = console()
    is_utf8 = (out.encoding or "").lower().startswith("utf")
    findings = [Finding(one.area, STATES[one.level], _sentence(one), _advice(one)) for one in shown]
    print_lines(out, *tables_of(findings, is_utf8=is_utf8), _summary(results))


def _sentence(one: CheckResult) -> str:
    return f"{one.place}: {one.what}" if one.place else one.what


def _advice(one: CheckResult) -> str:
    lines = [f"affects {view}" for view in one.views] if one.level != "detail" else []
    return "\n".join([*lines, *([one.advice] if one.advice else [])])


def _summary(results: Sequence[CheckResult]) -> Text:
    errors = sum(one.level == "error" for one in results)
    warnings = sum(one.level == "warning" for one in results)
    noted = f", {counted(warnings, 'warning')}" if warnings else ""
    if errors:
        return Text(f"\n{counted(errors, 'error')}{noted}", "red")
    return Text(f"\nno errors{noted}", "green")


def _document(results: Sequence[CheckResult], *, shows_all: bool) -> dict[str, object]:
    return {
        "status": status_of(results),
        "errors": sum(one.level == "error" for one in results),
        "warnings": sum(one.level == "warning" for one in results),
        "results": [
            {
                "step": one.step,
                "area": one.area,
                "level": one.level,
                "what": one.what,
                "advice": one.advice,
                "place": one.place,
                "rule": one.rule,
                "operation": one.operation,
                "field": one.field,
                "views": one.views,
                "gateways": one.gateways,
            }
            for one in results
            if shows_all or one.level != "detail"
        ],
    }


_PLACE: Final = re.compile(r"(.*?):([0-9]+)(?::([0-9]+))?")
_COMMANDS: Final = {"error": "error", "warning": "warning"}


def _annotation(one: CheckResult) -> str:
    """Return a workflow command of GitHub Actions, whose values are escaped."""
    found = _PLACE.fullmatch(one.place)
    file, line, column = found.groups() if found else (one.place, "", "")
    place = {"file": file, "line": line, "col": column, "title": f"bff check: {one.area}"}
    options = ",".join(f"{name}={_option(value)}" for name, value in place.items() if value)
    message = "\n".join(text for text in (one.what, _advice(one)) if text)
    return f"::{_COMMANDS[one.level]} {options}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _option(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
