"""The access log: which requests have a line, by settings, and how it names the viewer."""

import io
import json
import logging
from contextlib import suppress
from dataclasses import replace

import pytest

from bff_core import ANYONE, EdgeOptions, Settings, Views, gateway
from bff_core.auth.viewer import ANONYMOUS, Viewer
from bff_core.edge.viewer_hash import ViewerHash
from bff_core.errors import ConfigurationError
from bff_core.events import Events, RequestAnswered
from bff_core.observe.access_log import AccessLog
from bff_core.observe.formatters import JSONLines, Words
from bff_core.observe.log import LOGGER, log_sink
from bff_core.observe.request_recorder import RequestRecorder
from bff_core.observe.request_records import RequestRecords
from bff_core.testing import running


@pytest.fixture(autouse=True)
def quiet_again():
    """Take our handler off again after each test."""
    yield
    log_sink("off")
    logging.getLogger(LOGGER).propagate = True


def answered(status: int = 200, route: str = "/v1/home", trace: int = 0) -> RequestAnswered:
    """Return the event of a request."""
    return RequestAnswered("GET", route, status, 0.1, "r", f"{trace:032x}")


@pytest.mark.parametrize(
    ("mode", "ok", "error"),
    [("all", True, True), ("errors", False, True), ("off", False, False), ("0", False, True)],
)
def test_a_mode_decides(mode: str, ok: bool, error: bool) -> None:
    """Of requests that were answered well, and of others."""
    access = AccessLog(Settings(access_log=mode).access_log)

    assert access.has_line(answered()) == ok
    assert access.has_line(answered(404)) == error
    assert access.has_line(answered(502)) == error


def test_a_share_chooses_by_the_trace() -> None:
    """So that the lines of one trace are there in all gateways, or in none."""
    access = AccessLog("0.25")
    traces = [number << 24 for number in range(256)]

    assert sum(access.has_line(answered(trace=trace)) for trace in traces) == 64
    assert all(access.has_line(answered(500, trace=trace)) for trace in traces)


def test_excluded_routes_have_lines_for_errors_only() -> None:
    """By their template, or by its start."""
    settings = Settings.load({"BFF_ACCESS_LOG_EXCLUDE": "/v1/ping, /internal/*"})
    access = AccessLog("all", settings.access_log_exclude)

    lines = [access.has_line(answered(route=one)) for one in ("/v1/ping", "/internal/a", "/v1/p")]
    assert lines == [False, False, True]
    assert access.has_line(answered(500, "/v1/ping"))


@pytest.mark.parametrize("mode", ["some", "1.1", "-1", "nan"])
def test_another_mode_is_refused(mode: str) -> None:
    """The error names the variable."""
    with pytest.raises(ConfigurationError, match="BFF_ACCESS_LOG"):
        Settings.load({"BFF_ACCESS_LOG": mode})


def test_the_log_has_the_chosen_lines() -> None:
    """The other events are logged as before."""
    stream = io.StringIO()
    sink = log_sink("json", stream=stream, access=AccessLog("errors"))
    for event in (answered(), answered(404)):
        sink(event)

    assert [json.loads(line)["status"] for line in stream.getvalue().splitlines()] == [404]


def test_a_viewer_is_named_by_a_keyed_hash() -> None:
    """The same in all processes with the key; another key gives another hash."""
    one, again, other = ViewerHash(["a" * 20]), ViewerHash(["", "a" * 20]), ViewerHash(["b" * 20])
    seven, eight = Viewer("7").audience, Viewer("8").audience

    assert one(seven) == again(seven)
    assert len({one(seven), one(eight), other(seven), ViewerHash()(seven)}) == 4
    assert one(ANONYMOUS.audience) == ""
    assert len(one(seven)) == 12


def test_a_viewer_has_one_hash_whatever_its_rights_are() -> None:
    """A session on the web and a token of the phone have other scopes; another issuer differs."""
    hashed = ViewerHash(["a" * 20])
    web = Viewer("7", scopes=frozenset({"openid"}), session="s", issuer="https://id.test#email")
    phone = Viewer("7", roles=frozenset({"staff"}), client="phone", issuer="https://id.test#email")

    assert hashed(web.audience) == hashed(phone.audience)
    assert hashed(web.audience) != hashed(replace(web, issuer="https://id.test").audience)
    assert hashed(web.audience) != hashed(replace(web, tenant="other").audience)


def test_the_key_is_a_setting_or_derived_from_a_secret() -> None:
    """Fixed in development; without any secret it is random."""
    session, own = "s" * 32, "v" * 20
    derived = Settings(session_keys=session)
    chosen = Settings(session_keys=session, viewer_hash_key=own)

    assert next(filter(None, derived.viewer_hash_keys)) == session
    assert next(filter(None, chosen.viewer_hash_keys)) == own
    assert Settings(env="development").viewer_hash_keys == ("", "development")
    assert not any(Settings().viewer_hash_keys)


views = Views(access=ANYONE)


@views.get("/things/{name}")
async def thing(name: str) -> str:
    """Fail with what the client sent."""
    raise RuntimeError(f"no thing {name}")


BREAKS = "\n{}\r\n\x1b[31m\x1b]0;t\x07\u2028\u2029\x85\x0b\x0c\x00\u202e\ufeff"
"""Line ends of all kinds, escape sequences, separators and what changes the direction of text."""


@pytest.mark.parametrize("form", ["json", "text"])
async def test_no_field_of_a_client_forges_a_line(form: str) -> None:
    """Path, query, method, host, request id, trace and each header, in lines and in records."""
    stream, records = io.StringIO(), RequestRecords()
    sink = log_sink(form, "debug", stream=stream)
    app = gateway(
        "shop",
        faces=[views],
        settings=Settings(env="development", log="off"),
        options=EdgeOptions(client_traces=True),
        log_headers=["X-App-Version"],
        events=Events(sink, RequestRecorder(records=records, shows_values=True)),
    )
    evil = BREAKS.encode("utf-8")
    for place in ("path", "query", "method", "host", "x-request-id", "traceparent", "x-app-version",
                  "user-agent", "tracestate", "accept", "content-type"):  # fmt: skip
        async with running(app):
            await _send(app, place, evil)

    text = stream.getvalue()
    lines = text.split("\n")[:-1]
    assert "thing" in text
    assert all(line.isprintable() for line in lines)
    if form == "json":
        assert all(isinstance(json.loads(line), dict) for line in lines)
    else:
        assert not [line for line in lines if not line.startswith(("    ", *"0123456789"))]
    assert b"\n" not in records.since(0, 100)
    assert b"thing" in records.since(0, 100)


async def _send(app, place: str, evil: bytes) -> None:
    """Send a request with such a value, as a server passes it on."""
    headers = {b"host": b"localhost", b"accept": b"*/*"}
    if place not in {"path", "query", "method"}:
        headers[place.encode()] = evil
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": f"GET{BREAKS}" if place == "method" else "GET",
        "scheme": "http",
        "path": f"/things/a{BREAKS}" if place == "path" else "/things/a",
        "raw_path": b"/things/a",
        "root_path": "",
        "query_string": evil if place == "query" else b"",
        "headers": list(headers.items()),
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
        "state": {},
    }

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(_message):
        pass

    with suppress(RuntimeError):
        await app(scope, receive, send)


def test_formatters_escape_what_they_are_given() -> None:
    """Also lines of other loggers."""
    record = logging.LogRecord("shop", logging.INFO, __file__, 1, f"a {BREAKS} b", (), None)

    for formatter in (JSONLines(), Words()):
        assert formatter.format(record).isprintable()
