"""What an answer shows of a failure, and whether a client can rely on it."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

from bff_core.http_statuses import FAILED_SERVICE
from bff_core.testing.assertions import HTTPAnswer, assert_parts, errors_of, is_degraded, parts_of

DIFFERENCES = 10
"""How many differences an error lists."""

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


def check_outcome(answer: HTTPAnswer, happy: HTTPAnswer) -> None:
    """Fail if an answer hides a failure: a client must get all data, or learn what is missing.

    It is complete, as `happy` is; or parts of it are reported as degraded; or it is a problem with
    the status 502, 503 or 504.
    """
    if answer.status_code >= 400:
        if answer.status_code not in FAILED_SERVICE or not _problem(answer):
            raise AssertionError(
                f"the failure became {answer.status_code}: it has to become an answer that "
                f"reports it, or a problem with the status 502, 503 or 504\n{_body(answer)}"
            )
        return
    errors = list(errors_of(answer))
    for path, code, status in errors:
        if status not in FAILED_SERVICE:
            raise AssertionError(
                f"the failure became the error {code!r} at {path}: {_body(answer)}"
            )
    is_reported = bool(errors) or any(map(is_degraded, parts_of(answer).values()))
    lines = [] if is_reported else list(_differences(_value(happy), _value(answer), ""))
    if lines:
        raise AssertionError(
            "the answer is not complete, and does not say so: each of its parts is reported as "
            "ok\n" + "\n".join(lines[:DIFFERENCES])
        )


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
    """The recorded outcomes of a failure matrix: a JSON file from failures to their outcomes."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def check(self, failure: str, answer: HTTPAnswer, *, records: bool) -> None:
        """Compare the outcome of a failure with the recorded one, or record it."""
        known, found = self._read(), outcome(answer)
        if records:
            text = json.dumps({**known, failure: found}, indent=2, sort_keys=True)
            self._path.write_text(f"{text}\n", encoding="utf-8")
        elif known.get(failure) != found:
            raise AssertionError(
                f"{failure}: the outcome is {found!r}, and {known.get(failure)!r} in "
                f"{self._path.name}: if that is intended, run pytest --bff-record\n{_body(answer)}"
            )

    def _read(self) -> dict[str, str]:
        if not self._path.exists():
            return {}
        known: dict[str, str] = json.loads(self._path.read_text(encoding="utf-8"))
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


def _differences(wanted: object, found: object, path: str) -> Iterator[str]:
    """Yield a line for each member that differs."""
    if isinstance(wanted, Mapping) and isinstance(found, Mapping):
        for name in [*wanted, *(found.keys() - wanted.keys())]:
            if name not in ("extensions", "_meta") or path:
                below = f"{path}.{name}" if path else str(name)
                yield from _differences(wanted.get(name), found.get(name), below)
    elif wanted != found:
        yield f"{path or 'the body'} is {found!r}, and {wanted!r} without the failure"


def _body(answer: HTTPAnswer) -> str:
    return answer.content[:500].decode(errors="replace")
