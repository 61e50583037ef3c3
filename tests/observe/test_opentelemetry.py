"""OpenTelemetry: what a collector receives over OTLP, by the variables `OTEL_*`."""

import asyncio
from collections.abc import Sequence
from typing import Annotated

import pytest
from fastapi import Depends

from bff_core import (
    ANYONE,
    Cache,
    Composition,
    EdgeOptions,
    Policy,
    Retry,
    Settings,
    Upstream,
    Views,
    compose,
    critical,
    gateway,
    optional,
)
from bff_core.events.sinks import AnyEvent, Sink, Span
from bff_core.observe.opentelemetry.sampling import sampler
from bff_core.observe.otel_options import otel_options
from bff_core.testing import running
from bff_core.testing.scripted import Scripted, ScriptedTransport, fail, reply
from tests.observe.otlp_receiver import OTLPReceiver, ReceivedSpan, values_of

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"
INTERNAL, SERVER, CLIENT = 1, 2, 3


class Names(Upstream):
    """A service that is retried, cached and coalesced."""

    policy = Policy(retry=Retry(backoff=0.01, budget_min=100), cache=Cache(ttl=10, stale=100))

    async def named(self, number: str) -> str:
        return await self.get("/names/{number}", {"number": number}, str)


class Scores(Upstream):
    """A service without retries."""

    policy = Policy(retry=None)

    async def score(self) -> int:
        return await self.get("/score", int)


class Card(Composition):
    """A screen with a critical and an optional part."""

    names: Names
    scores: Scores

    @critical
    async def name(self) -> str:
        return await self.names.named("7")

    @optional(fallback=0)
    async def score(self) -> int:
        return await self.scores.score()


views = Views(access=ANYONE)


@views.get("/cards/{number}")
async def card(number: int, screen: Annotated[Card, Depends(compose(Card))]) -> dict[str, object]:
    """Answer with both parts."""
    return {"number": number, "name": await screen.name(), "score": await screen.score()}


def make_app(
    names: Scripted | None = None, scores: Scripted | None = None, *, sinks: Sequence[Sink] = ()
):
    """Make a gateway in production, which exports by the environment."""
    scripts = {
        "names": names or Scripted(reply(200, "tent")),
        "scores": scores or Scripted(reply(200, 5)),
    }
    return gateway(
        "shop",
        faces=[views],
        settings=Settings(
            allowed_hosts=["test"],
            upstreams={name: f"http://{name}:80/base" for name in scripts},
            log="off",
            host="127.0.0.1",
        ),
        sinks=sinks,
        options=EdgeOptions(client_traces=True, max_lag=0),
        transport=lambda _, runtime: ScriptedTransport(
            {runtime.upstream: scripts[runtime.upstream]}
        ),
    )


def only(spans: list[ReceivedSpan], name: str) -> ReceivedSpan:
    """Return the one span with a name."""
    (found,) = [one for one in spans if one.name == name]
    return found


SENT = {"traceparent": f"00-{TRACE}-{PARENT}-01", "tracestate": "other=a:1,more=b"}


async def test_a_request_is_a_trace(collector: OTLPReceiver) -> None:
    """A span per request, part and call, with parents and HTTP attributes."""
    async with running(make_app()) as client:
        await client.get("/cards/1", headers=SENT)

    spans = collector.spans
    request = only(spans, "GET /cards/{number}")
    part, call = only(spans, "Card.name"), only(spans, "GET /names/{number}")
    assert len(spans) == 5
    assert {one.trace_id for one in spans} == {TRACE}
    assert (request.kind, part.kind, call.kind) == (SERVER, INTERNAL, CLIENT)
    assert (request.parent_id, part.parent_id, call.parent_id) == (
        PARENT,
        request.span_id,
        part.span_id,
    )
    assert {
        "http.request.method": "GET",
        "http.route": "/cards/{number}",
        "http.response.status_code": 200,
        "url.path": "/cards/1",
        "url.scheme": "http",
        "server.address": "localhost",
        "bff.screen": "Card",
        "bff.state": "complete",
    }.items() <= request.attributes.items()
    assert {
        "http.request.method": "GET",
        "http.response.status_code": 200,
        "server.address": "names",
        "server.port": 80,
        "url.template": "/names/{number}",
        "url.full": "http://names/base/names/{number}",
        "bff.source": "upstream",
    }.items() <= call.attributes.items()
    assert not any(one.is_error for one in spans)
    assert all(request.start <= one.start <= one.end <= request.end + 0.01 for one in spans)
    assert request.state == "other=a:1,more=b"
    assert (request.resource["service.name"]) == "shop"


async def test_services_continue_the_exported_span(collector: OTLPReceiver) -> None:
    """The parent that a service gets is a span of the trace, also if the call was folded."""
    names = Scripted(fail(), reply(200, "tent"))
    scores = Scripted(reply(200, 5))
    async with running(make_app(names, scores)) as client:
        await client.get("/cards/1", headers=SENT)

    spans = {one.span_id: one for one in collector.spans}
    sent = [call.traceparent.split("-") for call in (*names.calls, *scores.calls)]
    continued = [spans[parent] for _, _, parent, _ in sent]
    assert [one.name for one in continued] == ["attempt names", "attempt names", "GET /score"]
    assert {(version, trace, flags) for version, trace, _, flags in sent} == {("00", TRACE, "01")}
    assert {call.tracestate for call in (*names.calls, *scores.calls)} == {SENT["tracestate"]}


async def test_attempts_and_what_layers_did_are_shown(collector: OTLPReceiver) -> None:
    """Two attempts within their call; the retry is an event of it."""
    async with running(make_app(Scripted(fail(), reply(200, "tent")))) as client:
        await client.get("/cards/1")

    spans = collector.spans
    call = only(spans, "GET /names/{number}")
    first, second = sorted(
        (one for one in spans if one.name == "attempt names"), key=lambda one: one.start
    )
    assert call.kind == INTERNAL
    assert call.attributes["bff.attempts"] == 2
    assert {first.parent_id, second.parent_id} == {call.span_id}
    assert (first.is_error, second.is_error) == (True, False)
    assert "error.type" in first.attributes
    assert second.attributes["http.request.resend_count"] == 1
    assert [name for name, _ in call.events] == ["retry"]


async def test_a_degraded_part_is_an_error_with_its_reason(collector: OTLPReceiver) -> None:
    """The request is not: it was answered, degraded."""
    async with running(make_app(scores=Scripted(reply(500)))) as client:
        await client.get("/cards/1")

    spans = collector.spans
    part, call = only(spans, "Card.score"), only(spans, "GET /score")
    request = only(spans, "GET /cards/{number}")
    assert (part.is_error, call.is_error, request.is_error) == (True, True, False)
    assert part.attributes["bff.part.state"] == "fallback"
    assert (part.attributes["error.type"], call.attributes["error.type"]) == ("bad_status", "500")
    assert request.attributes["bff.state"] == "degraded"


async def test_coalesced_calls_link_the_one_that_was_sent(collector: OTLPReceiver) -> None:
    """The waiting call has a link to an exported span of the other trace, and no attempt."""
    names = Scripted(reply(200, "tent", after=0.1))
    async with running(make_app(names)) as client:
        await asyncio.gather(client.get("/cards/1"), client.get("/cards/2"))

    calls = [one for one in collector.spans if one.name == "GET /names/{number}"]
    sent, waiting = sorted(calls, key=lambda one: len(one.links))
    assert waiting.links == [(sent.trace_id, sent.span_id)]
    assert waiting.trace_id != sent.trace_id
    assert (sent.kind, waiting.kind) == (CLIENT, INTERNAL)


async def test_what_is_cached_is_no_request_to_a_service(collector: OTLPReceiver) -> None:
    """The call's span says so, with the age."""
    names = Scripted(reply(200, "tent", headers={"cache-control": "max-age=10"}))
    async with running(make_app(names)) as client:
        await client.get("/cards/1")
        await client.get("/cards/1")

    calls = [one for one in collector.spans if one.name == "GET /names/{number}"]
    assert [(one.kind, one.attributes["bff.source"]) for one in calls] == [
        (CLIENT, "upstream"),
        (INTERNAL, "cache"),
    ]


async def test_the_flag_of_the_client_decides(
    collector: OTLPReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Parent-based samplers keep it in both directions, and services get it."""
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_always_off")
    scores = Scripted(reply(200, 5))
    async with running(make_app(scores=scores)) as client:
        for flag in ("00", "01"):
            await client.get("/cards/1", headers={"traceparent": f"00-{TRACE}-{PARENT}-{flag}"})
        await client.get("/cards/1")

    assert [call.traceparent[-2:] for call in scores.calls] == ["00", "01", "00"]
    assert len([one for one in collector.spans if one.kind == SERVER]) == 1


async def test_metrics_count_every_request(
    collector: OTLPReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also those whose traces are not sampled; with the buckets that the conventions advise."""
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_off")
    async with running(make_app(Scripted(fail(), reply(200, "tent")))) as client:
        for _ in range(3):
            await client.get("/cards/1")

    (server,) = collector.metrics["http.server.request.duration"]
    client_points = collector.metrics["http.client.request.duration"]
    assert server.count == 3
    assert list(server.explicit_bounds)[:3] == [0.005, 0.01, 0.025]
    assert values_of(server) == {
        "http.request.method": "GET",
        "http.route": "/cards/{number}",
        "http.response.status_code": 200,
        "url.scheme": "http",
    }
    failed = [one for one in client_points if "error.type" in values_of(one)]
    assert sum(one.count for one in client_points) == 2 + 3  # names are cached
    assert [values_of(one)["server.address"] for one in failed] == ["names"]
    assert collector.spans == []


class Counting:
    """A sink that counts: it gets few events."""

    counts = True

    def __init__(self) -> None:
        self.names: set[str] = set()

    def __call__(self, event: AnyEvent, /) -> None:
        """Note the name of an event."""
        self.names.add(event.name)


async def test_a_request_that_is_not_sampled_has_no_event_of_its_spans(
    collector: OTLPReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor of attempts and lookups; one that is sampled has them."""
    monkeypatch.setenv("OTEL_METRICS_EXPORTER", "none")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_always_off")
    counting = Counting()
    async with running(make_app(sinks=[counting])) as client:
        await client.get("/cards/1")
        unsampled = set(counting.names)
        await client.get("/cards/1", headers=SENT)

    started = {"request.started", "part.started", "call.started", "attempt.started"}
    assert unsampled == {"parts.ended", "request.answered"}
    assert counting.names >= {*started, "attempt.ended", "cache.looked_up"}
    assert {one.trace_id for one in collector.spans} == {TRACE}


async def test_metrics_without_traces_and_logs_count_attempts(
    collector: OTLPReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing else needs the events of attempts then."""
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "none")
    async with running(make_app()) as client:
        await client.get("/cards/1")

    assert sum(one.count for one in collector.metrics["http.client.request.duration"]) == 2


async def test_a_collector_that_is_down_fails_no_request(
    collector: OTLPReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does it hold up the shutdown for long."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    collector.status = 400
    async with running(make_app()) as client:
        answer = await client.get("/cards/1")

    assert answer.status_code == 200
    assert len(collector.headers) == 2
    assert collector.spans == []


def test_a_ratio_chooses_by_the_trace_id() -> None:
    """So that all processes decide alike."""
    options = otel_options(
        {
            "OTEL_TRACES_EXPORTER": "otlp",
            "OTEL_TRACES_SAMPLER": "traceidratio",
            "OTEL_TRACES_SAMPLER_ARG": "0.25",
        }
    )
    assert options is not None
    is_sampled = sampler(options)

    halves = [f"{number << 56:016x}" for number in range(256)]
    chosen = [is_sampled(Span("0" * 16 + half, PARENT)) for half in halves]
    assert chosen == [True] * 64 + [False] * 192
