"""Checks each answer against the invariants."""

import json
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.chaos.invariants import InvariantReport
from tests.chaos.screens import Request
from tests.processes.client import Answer

MARK = re.compile(rb"[\w.+-]+@example\.com|\b\d{4}-00\d{5}\b|surplus")
"""Data of one customer (e-mail addresses, numbers of orders), and bytes of unsolicited answers."""

DEGRADED = {"partial", "fallback", "missing", "forbidden"}
TOLERANCE = 0.1
EXCERPT = 200


@dataclass
class Viewer:
    """A customer: private data, and whole screens without failures."""

    number: int
    marks: frozenset[bytes] = frozenset()
    screens: dict[tuple[str, str], bytes] = field(default_factory=dict)

    @property
    def headers(self) -> Mapping[str, str]:
        """Return the credentials for the demo authenticator."""
        return {"authorization": f"Bearer demo-{self.number}"}


@dataclass
class Checker:
    """Checks answers against the invariants; `timeout` is the gateways' (seconds).

    `newest` is the number of the last order before the run; a later one belongs to the viewer who
    gets it first.
    """

    report: InvariantReport
    timeout: float
    newest: int = sys.maxsize
    owners: dict[bytes, int] = field(default_factory=dict)

    def judge(
        self, viewer: Viewer, request: Request, answer: Answer, *, wish: float | None, stall: float
    ) -> bool:
        """Check a whole answer; return whether it was a good one.

        `wish` is the client's own timeout, `stall` how long this client itself stood still
        meanwhile: both in seconds.
        """
        where = f"{request.gateway} {request.name} of {viewer.number}: {answer.status}"
        self._canaries(viewer, answer, where)
        self._deadline(request, answer, wish, stall, where)
        self._problem(answer, where)
        if request.kind == "bad":
            is_served = answer.status < 400 and not _codes(answer)
            self.report.hold(1, not is_served, f"{where}: served what must be refused")
            self.report.counts["refused"] += not is_served
            return False
        return self._contents(viewer, request, answer, where)

    def _canaries(self, viewer: Viewer, answer: Answer, where: str) -> None:
        found = set(MARK.findall(answer.body)) - viewer.marks
        strange = sorted(mark for mark in found if not self._is_new_and_of(viewer, mark))
        self.report.hold(1, not strange, f"{where} holds {strange[:3]}")

    def _is_new_and_of(self, viewer: Viewer, mark: bytes) -> bool:
        number = mark.rpartition(b"-")[2]
        if not number.isdigit() or int(number) <= self.newest:
            return False
        return self.owners.setdefault(mark, viewer.number) == viewer.number

    def _deadline(
        self, request: Request, answer: Answer, wish: float | None, stall: float, where: str
    ) -> None:
        if request.name == "export":  # streams go on for as long as they are read
            return
        limit = min(self.timeout, self.timeout if wish is None else wish) + TOLERANCE
        late = answer.seconds - stall - limit
        self.report.hold(3, late <= 0, f"{where} after {answer.seconds:.3f} s, {late:.3f} late")

    def _problem(self, answer: Answer, where: str) -> None:
        if answer.status < 500:
            self.report.hold(6, is_held=True)
            return
        media_type = answer.headers.get("content-type", "").partition(";")[0]
        problem = _parsed(answer) if media_type == "application/problem+json" else {}
        is_explained = bool(problem.get("trace_id")) and problem.get("status") == answer.status
        self.report.hold(6, is_explained, f"{where} is {media_type} {answer.body[:EXCERPT]!r}")
        if answer.status == 503:
            says_when = answer.headers.get("retry-after", "").isdigit()
            self.report.hold(
                7, says_when, f"{where} without Retry-After: {answer.body[:EXCERPT]!r}"
            )

    def _contents(self, viewer: Viewer, request: Request, answer: Answer, where: str) -> bool:
        counts = self.report.counts
        if request.kind == "buy" and answer.status < 500:
            return self._purchase(answer)
        if answer.status != 200:
            counts[f"answered {answer.status}"] += 1
            is_failure = answer.status >= 500
            self.report.hold(7, is_failure, f"{where}: {answer.body[:EXCERPT]!r}")
            return False
        if request.kind == "lines" and self._ends_in_a_problem(answer, where):
            return False
        parts, codes = _parts(request, answer), _codes(answer)
        if codes or DEGRADED & set(parts.values()):
            counts["degraded"] += 1
            no_store = answer.headers.get("cache-control") == "no-store"
            self.report.hold(7, no_store, f"{where} is degraded and may be stored")
            return False
        counts["stale" if "stale" in parts.values() else "complete"] += 1
        self._is_whole(viewer, request, answer, where)
        return True

    def _purchase(self, answer: Answer) -> bool:
        """Count the outcome of a purchase; `audit` verifies it with the services."""
        is_bought = answer.status in {200, 201} and not _codes(answer)
        outcome = "bought" if is_bought else f"not bought ({answer.status})"
        self.report.counts[outcome] += 1
        return is_bought

    def _ends_in_a_problem(self, answer: Answer, where: str) -> bool:
        last = json.loads(_last_line(answer.body))
        if "problem" in last:
            self.report.counts["lines that end in a problem"] += 1
            is_explained = bool(last["problem"].get("trace_id"))
            self.report.hold(6, is_explained, f"{where}: {last}")
        return "problem" in last

    def _is_whole(self, viewer: Viewer, request: Request, answer: Answer, where: str) -> None:
        """Check that an answer without degraded parts is complete."""
        if request.kind == "write":
            lines = _lines_of_cart(answer)
            self.report.hold(7, request.expected in lines, f"{where} lacks {request.expected}")
            return
        usual = viewer.screens.get((request.gateway, request.name))
        if usual is None:
            return
        lacking = difference(_content(request, usual), _content(request, answer.body))
        what = f"{where} claims to be complete: {lacking}, {answer.headers.get('part-status')}"
        self.report.hold(7, not lacking, what)


def _content(request: Request, body: bytes) -> object:
    """Return the content of a screen, without the states of its parts."""
    if request.kind == "lines":
        return json.loads(_last_line(body)).get("answer")
    if request.kind == "stream":
        return [json.loads(line) for line in body.splitlines()]
    return json.loads(body)["data"] if request.gateway == "web" else json.loads(body)


def difference(usual: object, actual: object, place: str = "") -> str:
    """Return the first difference of two JSON values; an empty text for equal ones."""
    if isinstance(usual, dict) and isinstance(actual, dict) and usual.keys() == actual.keys():
        return next(
            filter(None, (difference(usual[k], actual[k], f"{place}/{k}") for k in usual)), ""
        )
    if isinstance(usual, list) and isinstance(actual, list) and len(usual) == len(actual):
        pairs = enumerate(zip(usual, actual, strict=True))
        return next(filter(None, (difference(*two, f"{place}/{n}") for n, two in pairs)), "")
    return "" if usual == actual else f"{place} is {actual!r:.80} instead of {usual!r:.80}"


def _last_line(body: bytes) -> bytes:
    return body.strip().rpartition(b"\n")[2]


def _parsed(answer: Answer) -> dict[str, Any]:
    try:
        value = json.loads(answer.body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _codes(answer: Answer) -> list[str]:
    """Return the codes of GraphQL errors."""
    if not answer.body.startswith(b'{"'):
        return []
    errors = _parsed(answer).get("errors") or []
    return [error.get("extensions", {}).get("code", "?") for error in errors]


def _parts(request: Request, answer: Answer) -> Mapping[str, str]:
    """Return the states of parts, from the header or the last line."""
    if request.kind != "lines":
        return answer.parts
    states = json.loads(_last_line(answer.body))["parts"]
    return {
        name: part if isinstance(part, str) else part["status"] for name, part in states.items()
    }


def _lines_of_cart(answer: Answer) -> list[dict[str, Any]]:
    value = _parsed(answer)
    cart = value.get("data", {}).get("setCartItem") if "data" in value else value
    return [{"sku": line["sku"], "quantity": line["quantity"]} for line in cart["lines"]]
