"""Errors of a mock: problem details, or the error type of the contract."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

from bff_core.contracts.types import Json

PROBLEM: Final = "application/problem+json"


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
