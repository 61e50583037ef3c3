"""Assertions about answers: the states of their parts, and their size."""

import gzip
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

LARGEST = 8
"""How many members `assert_size` lists."""

COMPLETE = frozenset({"ok", "stale"})
"""The states of parts that lack nothing."""


class HTTPAnswer(Protocol):
    """An answer of a gateway, as httpx and the test client of Starlette return it."""

    status_code: int

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers; names are compared without case."""

    @property
    def content(self) -> bytes:
        """The body, decoded."""

    def json(self) -> Any:
        """Return the JSON value of the body."""


def parts_of(answer: HTTPAnswer, /) -> dict[str, str]:
    """Return the state of each part of an answer: `{"reviews": "fallback;reason=timeout"}`.

    They are in the header `Part-Status` of REST answers, in `extensions.parts` of GraphQL ones, and
    in the last line of progressive ones.
    """
    header = answer.headers.get("part-status")
    if header is not None:
        members = (member.strip().partition("=") for member in header.split(","))
        return {name: state for name, _, state in members if name}
    parts = _report(answer).get("parts")
    if not isinstance(parts, Mapping):
        return {}
    return {name: _state(part) for name, part in parts.items()}


def _report(answer: HTTPAnswer) -> Mapping[str, object]:
    """Return the JSON object of a body that may have the member `parts`."""
    is_lines = answer.headers.get("content-type", "").startswith("application/x-ndjson")
    last_line = answer.content.rstrip().rpartition(b"\n")[2]
    try:
        body = json.loads(last_line) if is_lines else answer.json()
    except ValueError:
        return {}
    report = body.get("extensions") if isinstance(body, Mapping) and not is_lines else body
    return report if isinstance(report, Mapping) else {}


def _state(part: Mapping[str, object]) -> str:
    details = [f"{name}={part[name]}" for name in ("reason", "age") if name in part]
    return ";".join([str(part["status"]), *details])


def assert_parts(
    answer: HTTPAnswer,
    expected: Mapping[str, str] | None = None,
    /,
    *,
    exact: bool = False,
    **states: str,
) -> None:
    """Fail unless the parts of an answer have these states.

        assert_parts(answer, product="ok", reviews="fallback")

    A state may have a reason: "fallback;reason=timeout". With `exact` the answer has no other
    parts. `expected` has parts whose names are no keywords.
    """
    found = {name.lower(): state for name, state in parts_of(answer).items()}
    wanted = {name.lower(): state for name, state in {**(expected or {}), **states}.items()}
    wrong = [
        f"{name} is {found[name]}, not {state}" if name in found else f"{name} is not reported"
        for name, state in wanted.items()
        if name not in found or not _fits(found[name], state)
    ]
    if exact:
        wrong += [f"{name} is {found[name]}, and not expected" for name in found.keys() - wanted]
    if wrong or not (wanted or exact):
        missing = [] if wanted or exact else ["no states are given: assert_parts(answer, name=...)"]
        raise AssertionError("\n".join([*missing, *sorted(wrong), _shown(answer, found)]))


def assert_complete(answer: HTTPAnswer, /) -> None:
    """Fail unless the answer is a success without errors, and all parts are `ok` or `stale`."""
    found = parts_of(answer)
    degraded = [f"{name} is {state}" for name, state in found.items() if is_degraded(state)]
    degraded += [
        f"{path or 'the query'} has the error {code}" for path, code, _ in errors_of(answer)
    ]
    if degraded or not 200 <= answer.status_code < 300:
        raise AssertionError("\n".join([*degraded, _shown(answer, found)]))


def errors_of(answer: HTTPAnswer) -> Iterator[tuple[str, object, object]]:
    """Yield path, code and status of each error of a GraphQL answer."""
    try:
        body = answer.json()
    except ValueError:
        return
    # A problem has a status, and may have `errors` of its own.
    errors = body.get("errors") if isinstance(body, Mapping) and "status" not in body else None
    for error in errors if isinstance(errors, list) else ():
        if not (isinstance(error, Mapping) and isinstance(error.get("extensions"), Mapping)):
            continue
        extensions = error["extensions"]
        path = ".".join(map(str, error.get("path") or ()))
        yield path, extensions.get("code"), extensions.get("status")


def is_degraded(state: str) -> bool:
    """Whether a part in this state lacks data."""
    return state.partition(";")[0] not in COMPLETE


def _fits(found: str, wanted: str) -> bool:
    """Whether a state has all that is wanted of it; parameters that are not named may differ."""
    state, *parameters = found.split(";")
    wanted_state, *wanted_parameters = wanted.replace(" ", "").split(";")
    return state == wanted_state and set(wanted_parameters) <= set(parameters)


def _shown(answer: HTTPAnswer, parts: Mapping[str, str]) -> str:
    states = ", ".join(f"{name}={state}" for name, state in parts.items()) or "no parts"
    body = answer.content[:500].decode(errors="replace")
    return f"the answer: {answer.status_code}, {states}\n{body}"


def assert_size(
    answer: HTTPAnswer, /, at_most: int | None = None, *, compressed_at_most: int | None = None
) -> None:
    """Fail if the body has more than `at_most` bytes, or more than that compressed by gzip.

    The error lists the members that take most of the body.
    """
    if at_most is None and compressed_at_most is None:
        raise TypeError("assert_size(answer, at_most=...) needs a number of bytes")
    sizes = (
        ("", len(answer.content), at_most),
        (" compressed", len(gzip.compress(answer.content)), compressed_at_most),
    )
    for how, size, limit in sizes:
        if limit is not None and size > limit:
            rows = "\n".join(_largest(answer))
            raise AssertionError(f"the body has {size:_} bytes{how}, more than {limit:_}\n{rows}")


def _largest(answer: HTTPAnswer) -> Iterator[str]:
    """Yield a line for each of the largest members; elements of a list count together."""
    try:
        value = answer.json()
    except ValueError:
        yield f"the body is no JSON: {answer.headers.get('content-type')}"
        return
    sizes: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    for path, size in _leaves(value, ""):
        sizes[path] += size
        counts[path] += 1
    for path, size in sizes.most_common(LARGEST):
        times = f" in {counts[path]} values" if counts[path] > 1 else ""
        yield f"{size:>8_} bytes{times}: {path or 'the value'}"


def _leaves(value: object, path: str) -> Iterator[tuple[str, int]]:
    """Yield the path and the bytes of each value that holds no others, its name included."""
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            below = f"{path}.{name}" if path else str(name)
            for where, size in _leaves(inner, below):
                yield where, size + (len(json.dumps(name)) + 1 if where == below else 0)
    elif isinstance(value, list) and value:
        for inner in value:
            yield from _leaves(inner, f"{path}[]")
    else:
        yield path, len(json.dumps(value, ensure_ascii=False).encode()) + 1
