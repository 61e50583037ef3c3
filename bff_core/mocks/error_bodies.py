"""Fills the error types of a contract with what happened: texts, codes, places of faults."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from bff_core.contracts.types import Array, Enum, Field, Json, ObjectType, Scalar, Type, Union
from bff_core.mocks.limits import MAX_ITEMS, count_of
from bff_core.mocks.problems import Refusal, phrase
from bff_core.mocks.texts import words_of
from bff_core.mocks.values import ValueMaker

TEXTS: Final = {"detail", "details", "message", "error", "description", "reason", "msg"}
"""Properties of an error type that say what happened."""

INNER: Final = {"error", "errors", "fault", "faults", "problem", "problems", "detail", "details"}
INNER_LISTS: Final = INNER | {"violations", "issues", "invalid"}
CODES: Final = {"code", "type", "reason", "kind", "error", "status"}
PLACES: Final = {"loc", "location", "path"}
NAMES: Final = {"field", "name", "parameter", "param", "property", "source", "path", "location"}
POINTERS: Final = {"pointer"}

WORDS: Final[Mapping[int, str]] = {
    400: "bad invalid malformed validation syntax request",
    401: "unauthorized unauthenticated authentication credentials token",
    403: "forbidden denied permission access",
    404: "not found missing unknown absent",
    405: "method not allowed",
    406: "not acceptable accept",
    409: "conflict exists duplicate already",
    410: "gone deleted removed",
    412: "precondition failed",
    413: "too large size content payload",
    415: "unsupported media type",
    422: "unprocessable invalid validation content entity",
    429: "too many requests rate limit limited throttled",
    500: "internal server error failure",
    502: "bad gateway upstream",
    503: "unavailable service maintenance overloaded",
    504: "timeout gateway timed out",
}
"""Words that the codes of an error have, by its status."""


def error_body(made: Json, kind: Type, refusal: Refusal, values: ValueMaker) -> Json:
    """Return a value of the contract's error type that says what happened, where it has a place."""
    found = values.resolved(kind)
    if isinstance(found, Array):
        return _faults(found, refusal, values)
    if isinstance(found, Scalar):
        return refusal.detail if found.kind == "string" and isinstance(made, str) else made
    return _filled(made, kind, refusal, values) if isinstance(made, dict) else made


def _filled(
    made: Mapping[str, Json], kind: Type, refusal: Refusal, values: ValueMaker
) -> dict[str, Json]:
    fields = values.fields(kind)
    filled = dict(made)
    for name, value in made.items():
        own = fields.get(name)
        filled[name] = _plain(name, value, refusal) if own is None else value
        if own is not None:
            filled[name] = _member(own, value, refusal, values)
    return filled


def _member(own: Field, value: Json, refusal: Refusal, values: ValueMaker) -> Json:
    words, kind = {*words_of(own.name)}, _chosen(own.type, value, values)
    if isinstance(kind, Enum):
        return code_of(kind.values, refusal) if words & CODES else value
    if isinstance(kind, Array) and words & INNER_LISTS:
        return _faults(kind, refusal, values)
    if isinstance(kind, ObjectType) and isinstance(value, dict) and words & INNER:
        return _filled(value, kind, refusal, values)
    filled = _plain(own.name, value, refusal)
    return filled if values.fits(own.type, filled) else value


def _chosen(kind: Type, value: Json, values: ValueMaker) -> Type:
    """Return the type of a member; of a union the option that the value has."""
    found = values.resolved(kind)
    if not isinstance(found, Union):
        return found
    wanted = Array if isinstance(value, list) else ObjectType if isinstance(value, dict) else Scalar
    options = (values.resolved(one) for one in found.options)
    return next((one for one in options if isinstance(one, wanted)), found)


def _plain(name: str, value: Json, refusal: Refusal) -> Json:
    """Return a member of an error by its name: its text, title, code or status."""
    words = {*words_of(name)}
    if isinstance(value, int) and not isinstance(value, bool) and words & {"status", "code"}:
        return refusal.status
    if not isinstance(value, str):
        return _plain_members(value, words, refusal)
    if name in {"title", "type"}:
        return phrase(refusal.status) if name == "title" else "about:blank"
    if words & {"code", "status"}:
        return snake(phrase(refusal.status))
    return refusal.detail if words & TEXTS else value


def _plain_members(value: Json, words: set[str], refusal: Refusal) -> Json:
    if isinstance(value, dict) and words & INNER:
        return {name: _plain(name, one, refusal) for name, one in value.items()}
    return value


def snake(text: str) -> str:
    """Return the words of a text in lower case, with underscores: "not_found"."""
    return "_".join(words_of(text))


def code_of(codes: Sequence[Json], refusal: Refusal) -> Json:
    """Return the code of an enum that is nearest to a refusal: by its status, then its words.

    It is the first one if none is near.
    """
    if refusal.status in codes:
        return refusal.status
    if str(refusal.status) in codes:
        return str(refusal.status)
    near = [one for one in codes if _nearness(one, refusal) > 0] or codes[:1]
    return max(near, key=lambda one: _nearness(one, refusal), default=None)


def _nearness(code: Json, refusal: Refusal) -> int:
    """Return how many words a code shares with a refusal: those of the place count most."""
    words = {*words_of(str(code))}
    if not words:
        return 0
    status = {*words_of(phrase(refusal.status)), *WORDS.get(refusal.status, "").split()}
    places = {each for one in refusal.faults for each in words_of(str(one.get("name", "")))}
    places |= {each for one in refusal.faults for each in words_of(str(one.get("pointer", "")))}
    if refusal.status in {400, 422} and words & {"found", "conflict", "exists", "unauthorized"}:
        return 0
    return 2 * len(words & status) + 3 * len(words & places) - len(words - status - places)


def _faults(kind: Array, refusal: Refusal, values: ValueMaker) -> Json:
    """Return the faults of a refusal as items of the contract's type."""
    known = refusal.faults or ({"message": refusal.detail},)
    items: list[Json] = []
    for number, fault in enumerate(known):
        message = str(fault.get("message", refusal.detail))
        inner = Refusal(refusal.status, message, (fault,))
        item = values.make(kind.items, f"fault/{number}", "fault")
        if isinstance(item, dict):
            items.append(_fault(item, kind.items, inner, values))
        else:
            items.append(message if values.fits(kind.items, message) else item)
    return items[: count_of(kind.limits, "maxItems", MAX_ITEMS)]


def _fault(
    item: Mapping[str, Json], kind: Type, refusal: Refusal, values: ValueMaker
) -> dict[str, Json]:
    """Return one fault: its place as a list, a pointer or a name; its message; its kind."""
    made, fields, fault = dict(item), values.fields(kind), refusal.faults[0]
    steps = steps_of(fault)
    for name, value in item.items():
        own = fields.get(name)
        words = {*words_of(name)}
        found: Json = value
        if own is not None and isinstance(values.resolved(own.type), Array) and words & PLACES:
            found = [*steps]
        elif words & POINTERS:
            found = str(fault.get("pointer", ""))
        elif words & NAMES and isinstance(value, str):
            found = ".".join(str(one) for one in steps[1:] or steps)
        elif name == "in":
            found = fault.get("in", value)
        elif name == "type" and isinstance(value, str):
            found = _kind_of(refusal.detail)
        elif own is not None:
            found = _member(own, value, refusal, values)
        made[name] = found
    for name in ("input", "ctx", "context"):
        if name in made and not (fields[name].is_required if name in fields else True):
            del made[name]
    return made


def steps_of(fault: Mapping[str, Json]) -> list[str | int]:
    """Return the place of a fault in steps, as FastAPI writes them: `["query", "limit"]`."""
    steps: list[str | int] = [str(fault[key]) for key in ("in", "name") if fault.get(key)]
    for one in str(fault.get("pointer", "")).split("/")[1:]:
        text = one.replace("~1", "/").replace("~0", "~")
        steps.append(int(text) if re.fullmatch(r"[0-9]{1,9}", text) else text)
    return steps or ["request"]


def _kind_of(message: str) -> str:
    """Return the kind of a fault: "missing" or "value_error"."""
    is_missing = "required" in message
    return "missing" if is_missing else "value_error"
