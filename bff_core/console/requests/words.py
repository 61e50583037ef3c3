"""Outcomes and reasons of parts, calls and requests in plain English."""

from collections.abc import Mapping, Sequence
from typing import Final

from bff_core.console.wording import counted, duration

HAS: Final[Mapping[str, str]] = {
    "fallback": "has its fallback value",
    "partial": "has only some of its values",
    "missing": "has no value",
    "forbidden": "is not shown to this viewer",
    "failed": "failed",
}
"""What a part has, by its outcome."""

_NOT_CALLED: Final[Mapping[str, str]] = {
    "circuit_open": "was not called: its circuit breaker is open",
    "circuit_forced": "was not called: an operator opened its circuit",
    "bulkhead_full": "was not called: too many calls to it were running",
    "queue": "was not called: too many calls to it were running",
    "affinity_lost": "was not called: the endpoint of this client is gone",
    "credentials_unavailable": "was not called: there are no credentials for it",
    "not_sent": "was not called",
}

_FAILED: Final[Mapping[str, str]] = {
    "unavailable": "could not be reached",
    "bad_payload": "sent a reply that the gateway can't read",
    "bad_status": "answered with an error",
    "upstream_error": "failed",
}

_TIMEOUTS: Final[Mapping[str, str]] = {
    "timeout": "did not answer within {0}",
    "deadline_exceeded": "had not answered after {0}, when the time of the request was up",
}

_REASONS: Final[Mapping[str, str]] = {
    "dependency": "another part that it needs is degraded",
    "shed": "the gateway left it out, since it was overloaded",
    "not_allowed": "the viewer has no permission for it",
    "not_authenticated": "the viewer is not signed in",
    "not_found": "there is none",
    "not_attempted": "the time of the request was up before its turn",
    "invalid_input": "its input is not valid",
    "timeout": "it took too long",
    "deadline_exceeded": "the time of the request was up",
    "circuit_open": "the circuit breaker of its service is open",
    "bulkhead_full": "too many calls to its service were running",
    "unavailable": "its service could not be reached",
    "bad_status": "its service answered with an error",
    "bad_payload": "its service sent a reply that the gateway can't read",
    "affinity_lost": "the endpoint of this client is gone",
    "credentials_unavailable": "there are no credentials for its service",
    "not_sent": "its service was not called",
    "upstream_error": "its service failed",
    "provider_unavailable": "the identity provider could not be reached",
    "store_unavailable": "the shared store could not be reached",
    "overloaded": "the gateway was overloaded",
    "error": "its code raised an error",
}


def did(outcome: str, seconds: float, statuses: Sequence[str] = ()) -> str:
    """Return what a service did to a call that failed: "could not be reached in 3 attempts".

    `statuses` are the outcomes of its attempts, in their order.
    """
    tries = len(statuses)
    if outcome == "bad_status" or outcome.isdigit():
        found = [one for one in statuses if one.isdigit()] or [outcome]
        return _answered(found) if found[-1].isdigit() else _in_attempts(_FAILED[outcome], tries)
    if outcome in _TIMEOUTS:
        return _in_attempts(f"{_TIMEOUTS[outcome].format(duration(seconds))},", tries).rstrip(",")
    if outcome in {"", "cancelled"}:
        return "had not answered yet when the response was sent"
    if outcome in _NOT_CALLED:
        return _NOT_CALLED[outcome] + (f", after {counted(tries, 'attempt')}" if tries else "")
    return _in_attempts(_FAILED.get(outcome, f"failed ({words(outcome)})"), tries)


def _answered(statuses: Sequence[str]) -> str:
    """Return the statuses of attempts: "answered 503, 503 and then 500"."""
    if len(set(statuses)) == 1:
        times = f" to each of {len(statuses)} attempts" if len(statuses) > 1 else ""
        return f"answered {statuses[0]}{times}"
    return f"answered {', '.join(statuses[:-1])} and then {statuses[-1]}"


def _in_attempts(text: str, tries: int) -> str:
    return f"{text} in {tries} attempts" if tries > 1 else text


def reason(code: str) -> str:
    """Return why a part is degraded: a clause; empty for an empty code."""
    return _REASONS.get(code, words(code))


def words(code: str) -> str:
    """Return a code as words: `retry_after` is "retry after"."""
    return code.replace("_", " ")
