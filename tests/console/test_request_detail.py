"""What the console says of one request: the sentence, the span to blame, the marks."""

import shlex

import pytest

from bff_core.cache.stores.memory import MemoryCacheStore
from bff_core.cache.stores.redis import RedisCacheStore
from bff_core.cache.stores.tiered import TieredCacheStore
from bff_core.console.requests.detail import add_capture, detail_of
from bff_core.console.requests.headline import blame_of
from bff_core.console.requests.spans import span_rows
from bff_core.console.requests.store import StoredRequest, row_of
from bff_core.console.requests.words import did, reason, words
from bff_core.console.requests.work_names import NAMES
from bff_core.errors import BFFError, UpstreamError
from bff_core.gateway.captures import Capture
from bff_core.observe.request_records import SpanRecord
from bff_core.upstream.layers.cache import CacheLayer
from bff_core.upstream.layers.hedge import HedgeLayer
from bff_core.upstream.layers.purge import PurgeLayer
from tests.console.records import attempt, call, mark, part, record


def said(found) -> str:
    """Return the sentence about a request."""
    return blame_of(found).headline.text


def marks(found) -> list[list[str]]:
    """Return the marks of all spans."""
    return [row.marks for row in span_rows(found)]


def test_the_part_that_waited_is_to_blame():
    """The sentence of the mock-up: who waited, for how long, for whom; and what all others did."""
    found = record(
        part("summary", 0.097, 0.106),
        call("catalog", 0, 0.097, 0.106),
        part("rating", 0.119, 0.6, "fallback", reason="timeout"),
        call("reviews", 2, 0.119, 0.6, "timeout"),
        attempt(3, 0.119, 0.6, "timeout"),
        state="degraded",
    )

    blame = blame_of(found)

    assert blame.headline.text == (
        "Part **rating** waited 600 ms for **reviews**, and has its fallback value. "
        "All other parts were complete after 203 ms."
    )
    assert (blame.headline.state, blame.span) == ("fallback", 2)
    assert blame.headline.links == [("Open reviews", "/console/upstreams/reviews")]
    assert [(row.timeout, row.error) for row in span_rows(found)[2:5]] == [
        (0.6, ""),
        (0.6, "timeout"),
        (0.6, "no answer"),
    ]


@pytest.mark.parametrize(
    ("outcome", "text"),
    [
        ("503", "answered 503"),
        ("circuit_open", "was not called: its circuit breaker is open"),
        ("unavailable", "could not be reached"),
        ("bulkhead_full", "was not called: too many calls to it were running"),
        ("credentials_unavailable", "was not called: there are no credentials for it"),
        ("not_sent", "was not called"),
        ("bad_payload", "sent a reply that the gateway can't read"),
        ("bad_status", "answered with an error"),
        ("upstream_error", "failed"),
        ("timeout", "did not answer within 84 ms"),
        (
            "deadline_exceeded",
            "had not answered after 84 ms, when the time of the request was up",
        ),
        ("cancelled", "had not answered yet when the response was sent"),
        ("some_code", "failed (some code)"),
    ],
)
def test_the_sentence_says_what_the_service_did(outcome, text):
    """Whatever ended the call, it is in words, with the service's name."""
    found = record(
        part("stock", 0.1, 0.084, "missing", reason="upstream"),
        call("inventory", 0, 0.1, 0.084, outcome),
        state="degraded",
    )

    assert said(found) == f"Part **stock** has no value: service **inventory** {text}."


@pytest.mark.parametrize("path", ["//evil.example/v1/home", "/v1/home", "///v1", "http:x"])
def test_the_command_goes_to_the_gateway(path):
    """No client's path becomes the host that an operator sends a token to."""
    stored = StoredRequest(found := record(path=path), row_of("mobile", found, ""), 1, 1)
    detail = detail_of(stored, url="http://localhost:8002")

    assert shlex.split(detail.curl)[1].startswith("http://localhost:8002/")


@pytest.mark.parametrize(
    ("outcome", "attempts", "text"),
    [
        ("bad_status", ["503", "500"], "answered 503 and then 500"),
        ("bad_status", ["503", "503"], "answered 503 to each of 2 attempts"),
        ("500", ["503", "503", "500"], "answered 503, 503 and then 500"),
        ("unavailable", ["unavailable"] * 3, "could not be reached in 3 attempts"),
        ("timeout", ["timeout"] * 2, "did not answer within 200 ms, in 2 attempts"),
        (
            "circuit_open",
            ["unavailable"],
            "was not called: its circuit breaker is open, after 1 attempt",
        ),
    ],
)
def test_several_attempts_are_counted(outcome, attempts, text):
    """A service that failed twice is reported as such."""
    found = record(
        part("stock", 0.0, 0.2, "fallback", reason="bad_status"),
        call("inventory", 0, 0.0, 0.2, outcome),
        *(attempt(1, 0.1 * at, 0.1, one) for at, one in enumerate(attempts)),
        state="degraded",
    )

    assert said(found) == f"Part **stock** has its fallback value: service **inventory** {text}."


def codes_of(kind: type[BFFError]) -> set[str]:
    """Return the code of an error class and those of all below it."""
    return {kind.code}.union(*map(codes_of, kind.__subclasses__()))


@pytest.mark.parametrize("code", sorted(codes_of(UpstreamError)))
def test_each_error_of_a_call_has_words(code):
    """A new one fails here, until it has a sentence."""
    assert "failed (" not in did(code, 0.1, [])
    assert reason(code) != words(code)


@pytest.mark.parametrize(
    ("outcome", "fields", "text"),
    [
        ("fallback", {"reason": "shed"}, "has its fallback value: the gateway left it out"),
        ("forbidden", {"reason": "not_allowed"}, "is not shown to this viewer: the viewer has no"),
        ("missing", {"reason": "not_found"}, "has no value: there is none."),
        ("partial", {"reason": "not_attempted"}, "has only some of its values: the time of the"),
        ("fallback", {"reason": "dependency"}, "has its fallback value: another part that it"),
        ("fallback", {"reason": "error", "error": "KeyError: 'a'\nmore"}, ": KeyError: 'a'."),
        ("fallback", {"reason": "timeout"}, "took longer than 100 ms, and has its fallback value."),
        ("fallback", {}, "has its fallback value."),
        ("fallback", {"reason": "own_code"}, "has its fallback value: own code."),
    ],
)
def test_a_part_without_a_failed_call_says_why(outcome, fields, text):
    """Permissions, load, deadlines and errors of its own code."""
    found = record(part("stock", 0.0, 0.1, outcome, **fields), state="degraded")

    assert said(found).startswith("Part **stock** ")
    assert text in said(found)


def test_a_consequence_is_not_to_blame():
    """The part that failed by itself is named first; what awaited it is degraded, too."""
    found = record(
        part("price", 0.1, 0.5, "fallback", reason="dependency"),
        part("summary", 0.0, 0.1, "missing", reason="bad_status"),
        call("catalog", 1, 0.0, 0.1, "500"),
        state="degraded",
    )

    assert said(found) == (
        "Part **summary** has no value: service **catalog** answered 500. "
        "Part **price** is degraded, too."
    )


def test_a_failed_critical_part_fails_the_response():
    """The sentence leads from the status to the service."""
    found = record(
        part("profile", 0.0, 0.3, "failed", is_critical=True, error="BadStatus"),
        call("users", 0, 0.0, 0.3, "500"),
        part("cart", 0.0, -1.0, ""),
        status=502,
        state="failed",
    )

    blame = blame_of(found)

    assert blame.headline.text == (
        "Part **profile** failed: service **users** answered 500. "
        "It is critical, so the response failed with 502."
    )
    assert (blame.headline.state, blame.span) == ("failed", 0)
    assert [(row.outcome, row.seconds) for row in span_rows(found)][2] == ("cancelled", 0.726)


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"reason": "shed", "status": 503}, "The gateway refused it: too many requests at once."),
        (
            {"error": "KeyError: 'a'\nmore", "status": 500},
            "Answered 500 Internal Server Error after 726 ms. KeyError: 'a'.",
        ),
        ({"is_truncated": True, "error": "x"}, "The response broke off after 726 ms. x."),
    ],
)
def test_a_request_that_failed_without_a_part(fields, text):
    """Shed, crashed, broken off: the sentence says which."""
    assert said(record(state="failed", **fields)) == text


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (record(seconds=0.0021), "Answered 200 after 2 ms."),
        (record(status=404, seconds=0.01), "Answered 404 Not Found after 10 ms."),
        (
            record(status=401, reason="token_expired", seconds=0.001),
            "Answered 401 Unauthorized (token expired) after 1 ms.",
        ),
        (record(is_cached=True, seconds=0.0004), "Answered from the view cache in 0.4 ms."),
        (
            record(part("a", 0.0, 0.01), part("b", 0.01, 0.02), seconds=0.035),
            "All 2 parts were complete after 30 ms; the slowest was **b**, 20 ms.",
        ),
        (
            record(part("a", 0.0, 0.6), call("orders", 0, 0.0, 0.6), seconds=0.65),
            "Part **a** took 600 ms of 650 ms, waiting for **orders**.",
        ),
        (
            record(call("orders", -1, 0.0, 1.25), seconds=1.3),
            "The call to **orders** took 1.25 s of 1.3 s.",
        ),
        (
            record(part("deals", 0.0, 0.01, "stale"), call("x", 0, 0, 0.01, age=23), seconds=0.02),
            "Part **deals** came from the cache, 23 s old. Its only part was complete after 10 ms.",
        ),
        (
            record(part("a", 0.0, 0.01), seconds=0.02),
            "Its only part, **a**, was complete after 10 ms.",
        ),
        (
            record(call("x", -1, 0, 0.01), call("y", -1, 0, 0.01), seconds=0.02),
            "Answered 200 after 20 ms, with 2 calls to **x** and **y**.",
        ),
    ],
)
def test_a_request_that_went_well(found, text):
    """Fast, refused, cached, slow or stale: one sentence with the numbers."""
    assert said(found) == text


def test_marks_are_words():
    """Retries, hedges, caches and flights are named as the waterfall shows them."""
    found = record(
        call("orders", -1, 0.0, 0.19, marks=[mark("retry", 0.057, delay=0.025)]),
        attempt(0, 0.0, 0.057, "503"),
        attempt(0, 0.083, 0.104),
        call("inventory", -1, 0.1, 0.1, marks=[mark("hedge", 0.15), mark("hedge_won", 0.2)]),
        attempt(3, 0.1, 0.1, "cancelled"),
        attempt(3, 0.15, 0.05),
        call("pricing", -1, 0.0, 0.001, source="stale", marks=[mark("stale", delay=23)]),
        call("x", -1, 0.0, 0.01, source="cache", age=3),
        call("w", -1, 0.0, 0.01, source="cache", age=0.2),
        call("y", -1, 0.0, 0.01, marks=[mark("joined", request_id="9c41f0")]),
        call("z", -1, 0.0, 0.0, "circuit_open", marks=[mark("rejected", reason="circuit_open")]),
        gateway="web",
    )

    assert marks(found)[:11] == [
        ["2 attempts"],
        ["backoff 25 ms"],
        [],
        ["hedged, second one won"],
        [],
        ["hedge"],
        ["cached, 23 s old"],
        ["cached, 3 s old"],
        ["cached, <1 s old"],
        ["joined the flight of web 9c41f0"],
        ["not sent: circuit breaker open"],
    ]


@pytest.mark.parametrize(
    ("spans", "marks_of_call", "why"),
    [
        ([(0.0, 0.1, "200")], [], ""),
        ([(0.0, 0.1, "cancelled")], [], ""),
        ([(0.0, 0.1, "503"), (0.2, 0.1, "200")], [], ""),
        (
            [(0.0, 0.1, "unavailable"), (0.2, 0.1, "unavailable")],
            [],
            "could not be reached in 2 attempts",
        ),
        ([(0.0, 0.1, "503")], [], "answered 503"),
        (
            [],
            [mark("rejected", reason="circuit_open")],
            "was not called: its circuit breaker is open",
        ),
        (
            [],
            [mark("rejected", reason="circuit_forced")],
            "was not called: an operator opened its circuit",
        ),
    ],
)
def test_a_stale_part_says_why_it_could_not_be_renewed(spans, marks_of_call, why):
    """The sentence and the first mark of the row name the cause; nothing if it was renewed."""
    old = call("reviews", 0, 0, 0.01, source="stale", age=180, marks=marks_of_call)
    found = record(
        part("rating", 0, 0.01, "stale"), old, *(attempt(1, *one) for one in spans), seconds=0.02
    )

    since = f", since **reviews** {why}" if why else ""
    assert said(found).startswith(f"Part **rating** came from the cache, 3 min old{since}. Its")
    assert blame_of(found).headline.links == (
        [("Open reviews", "/console/upstreams/reviews")] if why else []
    )
    noted = [one for one in marks(found)[1] if one.startswith("not renewed")]
    assert noted == ([f"not renewed, since it {why}"] if why else [])
    assert marks(found)[1][:1] == noted or not why


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (mark("retry_refused", reason="budget"), "not tried again: retry budget spent"),
        (mark("retry_refused", reason="deadline"), "not tried again: no time left"),
        (
            mark("retry_refused", reason="retry_after"),
            "not tried again: the service wants a longer pause",
        ),
        (mark("hedge_refused", reason="budget"), "not hedged: hedge budget spent"),
        (
            mark("rejected", reason="circuit_forced"),
            "not sent: an operator opened the circuit",
        ),
        (mark("rejected", reason="bulkhead_full"), "not sent: too many calls were running"),
        (mark("rejected", reason="queue"), "not sent: waited too long for its turn"),
        (mark("credentials_refused"), "credentials refused"),
        (
            mark("credentials_refused", reason="sent again"),
            "credentials refused, sent again",
        ),
        (mark("token_refused", reason="invalid_grant"), "no token from the provider"),
        (mark("reduced", count=2), "2 unreadable values left out"),
        (mark("ejected", delay=30.0), "endpoint ejected for 30 s"),
        (mark("stream_ended", count=2900), "streamed 2.9 KB"),
    ],
)
def test_each_mark_has_plain_words(found, text):
    """What was refused says why."""
    assert marks(record(call("orders", -1, 0.0, 0.1, marks=[found])))[0] == [text]


def test_background_work_has_a_plain_name():
    """Of caches it is a sentence, of an application the words of its function."""
    names = ["MemoryCacheStore.release", "CacheLayer._refreshed", "Shop.send_mail", "run"]
    works = [SpanRecord("work", name, "web", 0.1, seconds=0.1, outcome="done") for name in names]

    assert [row.name for row in span_rows(record(*works))][:4] == [
        "unlock the cache",
        "renew the cache",
        "send mail",
        "run",
    ]


@pytest.mark.parametrize("function", NAMES)
def test_each_work_with_a_sentence_exists(function):
    """A function that is renamed would lose its sentence."""
    kinds = (
        CacheLayer,
        HedgeLayer,
        PurgeLayer,
        MemoryCacheStore,
        RedisCacheStore,
        TieredCacheStore,
    )
    kind, _, name = function.partition(".")

    assert [vars(one)[name].__qualname__ for one in kinds if one.__name__ == kind] == [function]


def test_harmless_headers_are_shown_as_they_are():
    """Names of parts in them look like those of secrets; values of others are hidden."""
    shown = [
        ("content-length", "4111111111111111"),
        ("part-status", "session=ok, cards=missing;reason=timeout"),
        ("cache-status", "bff; hit; ttl=20; key=token"),
        ("server-timing", "session;dur=4.1, pin=2"),
        ("x-shop", "pears"),
    ]
    secret = [("set-cookie", "a=b"), ("x-api-key", "4f"), ("x-shop", "bearer 4f5a")]
    capture = Capture(
        span_id="1", method="GET", target="/x", request_headers=[], response_headers=shown + secret
    )
    detail = detail_of(StoredRequest(record(), row_of("web", record(), "r1"), 1, 1), url="http://a")

    add_capture(detail, capture, url="http://a", graphql="")

    assert detail.response_headers == [
        *shown,
        *(("set-cookie", "***"), ("x-api-key", "***"), ("x-shop", "bearer ***")),
    ]


def test_the_last_row_is_the_work_of_the_view():
    """What is left after the last part is the gateway's own time."""
    row = span_rows(record(part("a", 0.0, 0.7)))[-1]

    assert (row.kind, row.name, row.start) == ("work", "shape, encode", 0.7)
    assert row.seconds == pytest.approx(0.026)


def captured(**fields) -> Capture:
    """Return the capture of a request."""
    values = {"span_id": "1", "method": "POST", "target": "/x", "request_headers": [], **fields}
    return Capture(**values)


def command_of(capture: Capture, route: str = "/x") -> str:
    """Return the command of a captured request."""
    stored = StoredRequest(record(route=route), row_of("web", record(route=route), "r1"), 1, 1)
    detail = detail_of(stored, url="http://a")
    add_capture(detail, capture, url="http://a", graphql="")
    return detail.curl


def test_the_command_of_a_capture_is_exact_but_for_what_is_masked():
    """Its path and query are encoded as they were; headers are whole, secrets placeholders."""
    agent = "app " * 200
    command = command_of(
        captured(
            target="/reset/4f5a/a%2Fb%3F?q=it%27s+1&sig=4f",
            request_headers=[
                *(("user-agent", agent.strip()), ("authorization", "Basic dTpw"), ("x-a", "b")),
                *(("content-type", "application/json"), ("accept", "*/*")),
            ],
            request=b'{ "pin": "1234", "n": 1.10 }',
        ),
        "/reset/{token}/{rest}",
    )

    assert "'http://a/reset/***/a%2Fb%3F?q=it%27s+1&sig=***'" in command
    assert agent.strip() in command
    assert "'authorization: ''Basic '\"${TOKEN:?" in command
    assert "'x-a: '\"${HEADER_X_A:?" in command
    assert '{"pin":"***","n":1.1}' in command
    assert not any(secret in command for secret in ("4f", "dTpw", "1234"))


def test_without_a_capture_the_path_is_encoded_again():
    """A record has it decoded: a `?` in it is no query."""
    one = record(path="/a b/c?d#e/é", query="x=1")
    detail = detail_of(StoredRequest(one, row_of("web", one, "r1"), 1, 1), url="http://a")

    assert "'http://a/a%20b/c%3Fd%23e/%C3%A9?x=1'" in detail.curl


@pytest.mark.parametrize(
    "fields",
    [
        {"request": b"a", "is_request_cut": True},
        {"request": b"a", "request_headers": [("content-encoding", "gzip")]},
        {"request": b"\xff\0"},
        {"request": b"[" * 100_000 + b"]" * 100_000},
    ],
)
def test_a_body_that_can_not_be_masked_is_a_file(fields):
    """One that is cut, compressed, binary or nested too deeply is not in the command."""
    assert command_of(captured(**fields)).endswith(
        '--data-binary "@${BODY:?Set BODY to a file with the body of the request first}"'
    )


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        ("/a/b", "/a/b"),
        ("/a?code=4f#x", "/a?***"),
        ("https://u:p@shop.example/a#access_token=4f", "https://***@shop.example/a#***"),
        ("/reset/" + "0f" * 32, "/reset/***"),
        ("", ""),
    ],
)
def test_a_redirect_is_shown_without_query_and_fragment(location, shown):
    """Codes and tokens are in both."""
    one = captured(response_headers=[("location", location), ("x-auth", "a b")])
    detail = detail_of(StoredRequest(record(), row_of("web", record(), "r1"), 1, 1), url="http://a")
    add_capture(detail, one, url="http://a", graphql="")

    assert detail.response_headers == [("location", shown), ("x-auth", "***")]
