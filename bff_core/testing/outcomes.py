"""What an answer shows of a failure, and whether a client can rely on it."""

import json
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from bff_core.http_statuses import FAILED_SERVICE
from bff_core.testing.assertions import HTTPAnswer, assert_parts, errors_of, is_degraded, parts_of
from bff_core.testing.lost_data import EndedParts, is_explained_by_none, leaves, wrongly_lost

DIFFERENCES = 10
"""How many differences an error lists."""

if sys.platform != "win32":
    import fcntl

REPORTS = ("extensions", "_meta", "errors")
"""Members of a body that report its parts."""

Expected: TypeAlias = int | str | Mapping[str, str] | Callable[[HTTPAnswer], object]
"""A status, an `outcome` text, states of parts, or a function that raises `AssertionError`."""


def outcome(answer: HTTPAnswer, /) -> str:
    """Return an answer in a line: its status, its problem, and the parts that lack data.

    Such as `200 complete`, `200 rating=missing;reason=timeout`, or `504 timeout product`.
    """
    degraded = [f"{name}={state}" for name, state in parts_of(answer).items() if is_degraded(state)]
    problem = _problem(answer)
    about = [str(problem[name]) for name in ("code", "part") if name in problem]
    errors = [f"{path}:{code}" for path, code, _ in errors_of(answer)]
    return " ".join([str(answer.status_code), *(about + sorted(degraded + errors) or ["complete"])])


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the kit knows of a failure beside the answer: the parts of both requests."""

    parts: EndedParts
    happy_parts: EndedParts
    is_empty: bool = False
    """Whether the service answered with an empty success, which may mean that there is nothing."""


def check_outcome(answer: HTTPAnswer, happy: HTTPAnswer) -> None:
    """Fail if an answer hides a failure: a client must get all data, or learn what is missing.

    It is complete, as `happy` is; or parts of it are reported as degraded; or it is a problem with
    the status 502, 503 or 504. A reported part excuses all that is missing: `failure_matrix`, which
    knows what the parts yielded, is stricter.
    """
    check_failure(answer, happy, None)


def check_failure(answer: HTTPAnswer, happy: HTTPAnswer, evidence: Evidence | None) -> None:
    """Fail as `check_outcome` does, and if an answer lacks what the parts that are ok yielded."""
    if answer.status_code >= 400:
        if answer.status_code not in FAILED_SERVICE or not _problem(answer):
            raise AssertionError(
                f"the failure became {answer.status_code}: it has to become an answer that "
                f"reports it, or a problem with the status 502, 503 or 504\n{_body(answer)}"
            )
        return
    if answer.status_code != happy.status_code:
        raise AssertionError(
            f"the failure became {answer.status_code}, and the status is {happy.status_code} "
            f"without it\n{_body(answer)}"
        )
    errors = list(errors_of(answer))
    for path, code, status in errors:
        if status not in FAILED_SERVICE:
            raise AssertionError(
                f"the failure became the error {code!r} at {path}: {_body(answer)}"
            )
    is_reported = bool(errors) or any(map(is_degraded, parts_of(answer).values()))
    if is_reported:
        _check_intact(answer, happy, evidence)
        return
    lines = list(_differences(_data(happy), _data(answer), ""))
    if lines and not (evidence and evidence.is_empty and _is_nothing(answer, happy, evidence)):
        raise AssertionError(
            "the answer is not complete, and does not say so: each of its parts is reported as "
            "ok\n" + "\n".join(lines[:DIFFERENCES])
        )


def _check_intact(answer: HTTPAnswer, happy: HTTPAnswer, evidence: Evidence | None) -> None:
    """Fail if an answer lacks more than the parts that it reports."""
    if evidence is None:
        return
    nulls = list(_null_ancestors(answer))
    lost = [
        f"{path} is lost, which was {value!r}"
        for path, value in wrongly_lost(
            _data(happy), _data(answer), evidence.parts, evidence.happy_parts
        )
        if not any(path == one or path.startswith((f"{one}.", f"{one}[")) for one in nulls)
    ]
    if lost:
        failed = ", ".join(sorted(evidence.parts.failed))
        raise AssertionError(
            f"the answer lacks more than it reports ({failed}): parts that are ok have this data\n"
            + "\n".join(lost[:DIFFERENCES])
        )


def _is_nothing(answer: HTTPAnswer, happy: HTTPAnswer, evidence: Evidence) -> bool:
    present = set(leaves(_data(answer)))
    lost = [leaf for leaf in leaves(_data(happy)) if leaf not in present]
    return is_explained_by_none(lost, evidence.parts, evidence.happy_parts)


def _null_ancestors(answer: HTTPAnswer) -> Iterator[str]:
    """Yield the places that GraphQL made null for an error below them."""
    nulls = {path for path, value in leaves(_data(answer)) if value is None}
    for path, _, _ in errors_of(answer):
        place = "data"
        for name in path.split("."):
            if place in nulls:
                yield place
            place += "[]" if name.isdigit() else f".{name}"


def check_expected(answer: HTTPAnswer, expected: Expected) -> None:
    """Fail unless an answer is as expected."""
    if callable(expected):
        expected(answer)
    elif isinstance(expected, Mapping):
        assert_parts(answer, expected)
    else:
        found = answer.status_code if isinstance(expected, int) else outcome(answer)
        if found != expected:
            raise AssertionError(f"the outcome is {found}, not {expected}\n{_body(answer)}")


class Snapshot:
    """The recorded outcomes of a failure matrix: a JSON file from failures to their outcomes.

    `cases` are the names of all its failures; outcomes of others are out of date.
    """

    def __init__(self, path: Path, cases: Collection[str]) -> None:
        self._path = path
        self._cases = frozenset(cases)

    def check(self, failure: str, answer: HTTPAnswer, *, records: bool) -> None:
        """Compare the outcome of a failure with the recorded one, or record it."""
        found = outcome(answer)
        if records:
            self._record(failure, found)
            return
        recorded = self._read()
        known = recorded.get(failure)
        if known != found:
            raise AssertionError(
                f"{failure}: the outcome is {found!r}, and {known!r} in {self._path}: if that is "
                f"intended, run pytest --bff-record\n{_body(answer)}"
            )
        if obsolete := sorted(recorded.keys() - self._cases):
            raise AssertionError(
                f"{self._path} has outcomes of failures that this matrix does not have, "
                f"{', '.join(obsolete)}: run pytest --bff-record, which removes them"
            )

    def _record(self, failure: str, found: str) -> None:
        """Add an outcome to the file; the processes of pytest-xdist do so one after another."""
        with self._path.open("a+", encoding="utf-8") as file:
            if sys.platform != "win32":
                fcntl.flock(file, fcntl.LOCK_EX)
            known = {name: one for name, one in self._read().items() if name in self._cases}
            text = json.dumps({**known, failure: found}, indent=2, sort_keys=True)
            file.truncate(0)
            file.write(f"{text}\n")

    def _read(self) -> dict[str, str]:
        text = self._path.read_text(encoding="utf-8") if self._path.exists() else ""
        known: dict[str, str] = json.loads(text or "{}")
        return known


def _problem(answer: HTTPAnswer) -> Mapping[str, object]:
    kind = answer.headers.get("content-type", "")
    value = _value(answer) if kind.startswith("application/problem+json") else None
    return value if isinstance(value, Mapping) else {}


def _value(answer: HTTPAnswer) -> object:
    try:
        value: object = answer.json()
    except ValueError:
        return answer.content
    return value


def _data(answer: HTTPAnswer) -> object:
    """Return the body without what reports its parts."""
    value = _value(answer)
    if not isinstance(value, Mapping):
        return value
    return {name: one for name, one in value.items() if name not in REPORTS}


def _differences(wanted: object, found: object, path: str) -> Iterator[str]:
    """Yield a line for each member that differs."""
    if isinstance(wanted, Mapping) and isinstance(found, Mapping):
        for name in [*wanted, *(found.keys() - wanted.keys())]:
            below = f"{path}.{name}" if path else str(name)
            yield from _differences(wanted.get(name), found.get(name), below)
    elif wanted != found:
        yield f"{path or 'the body'} is {found!r}, and {wanted!r} without the failure"


def _body(answer: HTTPAnswer) -> str:
    return answer.content[:500].decode(errors="replace")
