"""Errors of a mock: problem details, or the error type of the contract."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

from bff_core.contracts.types import Json
from bff_core.mocks.texts import words_of

PROBLEM: Final = "application/problem+json"

TEXTS: Final = {"detail", "message", "error", "description", "reason", "msg"}
"""Properties of an error type that say what happened."""


@dataclass(frozen=True, slots=True)
class Refusal(Exception):
    """A request that the mock does not serve. `faults` name the places in the request."""

    status: int
    detail: str
    faults: Sequence[Mapping[str, Json]] = ()
    headers: Mapping[str, str] = field(default_factory=dict)


def phrase(status: int) -> str:
    """Return the phrase of a status: "Not Found"."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return f"Status {status}"


def problem(refusal: Refusal) -> dict[str, Json]:
    """Return the problem details of a refusal (RFC 9457)."""
    made: dict[str, Json] = {
        "title": phrase(refusal.status),
        "status": refusal.status,
        "detail": refusal.detail,
    }
    if refusal.faults:
        made["errors"] = [dict(one) for one in refusal.faults]
    return made


def filled(value: Json, refusal: Refusal) -> Json:
    """Return a value of the contract's error type that says what happened, where it has a place."""
    if not isinstance(value, dict):
        return value
    made = dict(value)
    for name, one in value.items():
        words = {*words_of(name)}
        if isinstance(one, str) and words & TEXTS:
            made[name] = refusal.detail
        elif name == "title" and isinstance(one, str):
            made[name] = phrase(refusal.status)
        elif words & {"status"} and isinstance(one, int):
            made[name] = refusal.status
        elif isinstance(one, dict) and words & {"error", "fault", "problem"}:
            made[name] = filled(one, refusal)
    return made
