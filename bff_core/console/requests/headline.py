"""What made an answer late, degraded or failed, as one sentence."""

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

from bff_core.console.links import upstream_link
from bff_core.console.model import Headline, Severity
from bff_core.console.model.states import SHOWN_STATES
from bff_core.console.requests.spans import TIMEOUTS, calls_of, children, failed_renewal, seconds_of
from bff_core.console.requests.words import HAS, did, reason, words
from bff_core.console.wording import age, counted, duration, listed_names
from bff_core.events.part_states import DEPENDENCY, is_degraded
from bff_core.observe.request_records import SLOW_SECONDS, RequestRecord, SpanRecord


@dataclass(frozen=True, slots=True)
class RequestBlame:
    """The sentence about a request, and the span to blame: its index, None if there is none."""

    headline: Headline
    span: int | None = None


def blame_of(record: RequestRecord) -> RequestBlame:
    """Return what happened to a request."""
    parts = [index for index, one in enumerate(record.spans) if one.kind == "part"]
    if record.state == "failed":
        return _failed(record, parts)
    degraded = [index for index in parts if _is_degraded(record.spans[index])]
    if degraded:
        return _degraded(record, parts, degraded)
    if record.status >= 400:
        return RequestBlame(_line("ok", f"{_refusal(record)} after {duration(record.seconds)}."))
    if record.is_cached:
        text = f"Answered from the view cache in {duration(record.seconds)}."
        return RequestBlame(_line("ok", text))
    if record.seconds >= SLOW_SECONDS and record.spans:
        return _slow(record, parts)
    return RequestBlame(_complete(record, parts))


def _failed(record: RequestRecord, parts: Sequence[int]) -> RequestBlame:
    broken = [index for index in parts if _is_degraded(record.spans[index])]
    fatal = [index for index in broken if record.spans[index].outcome == "failed"] or broken
    if record.reason == "shed":
        return RequestBlame(_line("failed", "The gateway refused it: too many requests at once."))
    if record.is_truncated:
        text = f"The response broke off after {duration(record.seconds)}. {_cause(record)}"
        return RequestBlame(_line("failed", text.rstrip()), fatal[0] if fatal else None)
    if fatal:
        index = _root(record, fatal)
        text = f"{_sentence(record, index)} {_consequence(record, index)}"
        return RequestBlame(_line("failed", text, _service(record, index)), index)
    call = _worst(record, [i for i, one in enumerate(record.spans) if one.kind == "call"])
    if call is not None and _is_bad(record.spans[call]):
        span = record.spans[call]
        text = f"**{span.owner}** {_did(record, call)}. {_consequence(record, call)}"
        return RequestBlame(_line("failed", text, span.owner), call)
    text = f"{_refusal(record)} after {duration(record.seconds)}. {_cause(record)}"
    return RequestBlame(_line("failed", text.rstrip()))


def _consequence(record: RequestRecord, index: int) -> str:
    """Return what became of the response when a span failed."""
    why = "It is critical, so the" if record.spans[index].is_critical else "The"
    return f"{why} response failed with {record.status}."


def _degraded(record: RequestRecord, parts: Sequence[int], degraded: Sequence[int]) -> RequestBlame:
    index = _root(record, degraded)
    state = SHOWN_STATES.get(record.spans[index].outcome, "fallback")
    severity: Severity = "missing" if state in {"missing", "forbidden"} else "fallback"
    if state == "failed":
        severity = "failed"
    text = f"{_sentence(record, index)} {_others(record, parts, degraded, index)}"
    return RequestBlame(_line(severity, text.rstrip(), _service(record, index)), index)


def _others(
    record: RequestRecord, parts: Sequence[int], degraded: Sequence[int], index: int
) -> str:
    """Return the sentence about all other parts."""
    if not record.has_spans:
        return "Its other parts were not recorded: under load only some requests are."
    also = [record.spans[one].name for one in degraded if one != index]
    if also:
        names = list(dict.fromkeys(also))
        noun, verb = ("Part", "is") if len(names) == 1 else ("Parts", "are")
        return f"{noun} {listed_names(names)} {verb} degraded, too."
    rest = [one for one in parts if one not in degraded]
    if not rest:
        return ""
    ends = duration(max(_end(record, one) for one in rest))
    return f"All other parts were complete after {ends}."


def _slow(record: RequestRecord, parts: Sequence[int]) -> RequestBlame:
    tops = parts or [index for index, one in enumerate(record.spans) if one.kind == "call"]
    if not tops:
        return RequestBlame(_complete(record, parts))
    index = max(tops, key=lambda one: seconds_of(record, record.spans[one]))
    span, service = record.spans[index], _service(record, index)
    took = f"took {duration(seconds_of(record, span))} of {duration(record.seconds)}"
    if span.kind == "call":
        text = f"The call to **{span.owner}** {took}."
    else:
        waiting = f", waiting for **{service}**" if service else ""
        text = f"Part **{span.name}** {took}{waiting}."
    return RequestBlame(_line("ok", text, service), index)


def _complete(record: RequestRecord, parts: Sequence[int]) -> Headline:
    stale = [record.spans[one] for one in parts if record.spans[one].outcome == "stale"]
    if not parts:
        calls = [one for one in record.spans if one.kind == "call"]
        services = list(dict.fromkeys(one.owner for one in calls))
        made = f", with {counted(len(calls), 'call')} to {listed_names(services)}" if calls else ""
        return _line("ok", f"Answered {record.status} after {duration(record.seconds)}{made}.")
    longest = max(parts, key=lambda one: seconds_of(record, record.spans[one]))
    name, took = record.spans[longest].name, seconds_of(record, record.spans[longest])
    after = duration(max(_end(record, one) for one in parts))
    all_parts = f"All {len(parts)} parts were"
    if len(parts) == 1:
        all_parts = f"Its only part, **{name}**, was" if not stale else "Its only part was"
    if stale:
        names = list(dict.fromkeys(one.name for one in stale))
        old = max((_age(record, one) for one in stale), default=0.0)
        noun = "Part" if len(names) == 1 else "Parts"
        why, service = _not_renewed(record, stale)
        text = f"{noun} {listed_names(names)} came from the cache, {age(old)} old{why}."
        return _line("stale", f"{text} {all_parts} complete after {after}.", service)
    slowest = "" if len(parts) == 1 else f"; the slowest was **{name}**, {duration(took)}"
    return _line("ok", f"{all_parts} complete after {after}{slowest}.")


def _not_renewed(record: RequestRecord, stale: Sequence[SpanRecord]) -> tuple[str, str]:
    """Return why stale parts could not be renewed, and whose fault it is; else nothing."""
    for part in stale:
        for call in calls_of(record, record.spans.index(part)):
            if failure := failed_renewal(record, call):
                service = record.spans[call].owner
                return f", since **{service}** {failure}", service
    return "", ""


def _sentence(record: RequestRecord, index: int) -> str:
    """Return what a part has, and why."""
    part, service = record.spans[index], _service(record, index)
    took = duration(seconds_of(record, part))
    has = HAS.get(part.outcome, "is degraded")
    if part.reason in TIMEOUTS:
        waited = f"waited {took} for **{service}**" if service else f"took longer than {took}"
        return f"Part **{part.name}** {waited}, and {has}."
    call = _worst(record, calls_of(record, index))
    if call is not None and _is_bad(record.spans[call]):
        return f"Part **{part.name}** {has}: service **{service}** {_did(record, call)}."
    why = reason(part.reason)
    if part.error and part.reason in {"", "error"}:
        why = part.error.splitlines()[0][:120].rstrip(".")
    return f"Part **{part.name}** {has}" + (f": {why}." if why else ".")


def _did(record: RequestRecord, call: int) -> str:
    """Return what a service did to a call."""
    span = record.spans[call]
    tries = [record.spans[one].outcome for one in children(record, call, "attempt")]
    return did(span.outcome, seconds_of(record, span), tries)


def _root(record: RequestRecord, degraded: Sequence[int]) -> int:
    """Return the degraded part that took longest, of those that are no consequence of another."""
    own = [one for one in degraded if record.spans[one].reason != DEPENDENCY]
    return max(own or degraded, key=lambda one: seconds_of(record, record.spans[one]))


def _service(record: RequestRecord, index: int) -> str:
    """Return the service that a span waited for; empty if it called none."""
    if record.spans[index].kind == "call":
        return record.spans[index].owner
    call = _worst(record, calls_of(record, index))
    return "" if call is None else record.spans[call].owner


def _worst(record: RequestRecord, calls: Sequence[int]) -> int | None:
    """Return the call that failed, or else the longest."""
    return max(
        calls,
        key=lambda one: (_is_bad(record.spans[one]), seconds_of(record, record.spans[one])),
        default=None,
    )


def _is_bad(call: SpanRecord) -> bool:
    outcome = call.outcome
    return outcome != "ok" and not (outcome.isdigit() and int(outcome) < 400)


def _is_degraded(part: SpanRecord) -> bool:
    return is_degraded(part.outcome, part.reason)


def _end(record: RequestRecord, index: int) -> float:
    span = record.spans[index]
    return span.start + seconds_of(record, span)


def _age(record: RequestRecord, part: SpanRecord) -> float:
    calls = calls_of(record, record.spans.index(part))
    return max((record.spans[one].age for one in calls), default=part.age)


def _cause(record: RequestRecord) -> str:
    return f"{record.error.splitlines()[0][:160].rstrip('.')}." if record.error else ""


def _refusal(record: RequestRecord) -> str:
    try:
        phrase = f" {HTTPStatus(record.status).phrase}"
    except ValueError:
        phrase = ""
    why = f" ({words(record.reason)})" if record.reason else ""
    return f"Answered {record.status}{phrase}{why}"


def _line(state: Severity, text: str, service: str = "") -> Headline:
    return Headline(state=state, text=text, links=[upstream_link(service)] if service else [])
