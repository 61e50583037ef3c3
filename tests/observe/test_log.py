"""Logs: one line per event, without forged lines and without credentials."""

import io
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import fields

from bff_core.call import Call
from bff_core.errors import CircuitOpen
from bff_core.events import (
    Attempted,
    BreakerChanged,
    CallRejected,
    Coalesced,
    Crashed,
    Ejected,
    LoadShed,
    PartEnded,
    Purged,
    ReplyReduced,
    RequestAnswered,
    Resolved,
    Restored,
    Retried,
    RetryRefused,
    SagaEnded,
    SagaStuck,
    SessionChanged,
    Sink,
    StoreChanged,
)
from bff_core.observe.formatters import json_line
from bff_core.observe.log import LOGGER, log_sink
from bff_core.observe.log_levels import level_of
from bff_core.observe.masking import masked

CALL = Call("users", "GET", "/users/7", "GET /users/{id}", 0.0)
OPEN = CircuitOpen("refuses calls", call=CALL, retry_after=5.0)
EVERY = [
    Attempted("users", "GET /users/{id}", "http://a:1", "200", 0.0123456),
    Retried("users", "GET /users/{id}", 2, "connect", 0.05),
    RetryRefused("users", "GET /users/{id}", "budget"),
    BreakerChanged("users", "GET /users/{id}", "open", 5.0),
    CallRejected("users", "GET /users/{id}", "circuit_open"),
    Coalesced("users", "GET /users/{id}"),
    Ejected("users", "GET /users/{id}", "http://a:1", 10.0),
    Restored("users", "GET /users/{id}", "http://a:1"),
    Resolved("users", "", ("http://a:1", "http://b:1")),
    PartEnded("Home", "orders", "fallback", "circuit_open", OPEN),
    RequestAnswered("GET", "/v1/home", 200, 0.0123, "r-1", "0" * 32),
    SagaEnded("Checkout", "s-1", "done"),
    SagaStuck("Checkout", "s-1", "charge", "bad_status", 10.0),
    ReplyReduced("users", "GET /users", ("$[2].role: an unknown member",), 1),
    SessionChanged("refreshed"),
    StoreChanged("redis://cache:6379/0", "open"),
    LoadShed({"sheddable": 5}, 3, 1.0, 14, 15.2, 0.0021),
    Crashed("/v1/home", "r-1", ValueError("boom")),
]


@pytest.fixture(autouse=True)
def quiet_again():
    """Take our handler off again after each test."""
    logger = logging.getLogger(LOGGER)
    yield
    log_sink("off")
    logger.setLevel(logging.NOTSET)
    logger.propagate = True


def written(form, *events, level="debug"):
    """Return what the sink writes for these events."""
    stream = io.StringIO()
    sink = log_sink(form, level, stream=stream)
    assert sink is not None
    for event in events:
        sink(event)
    return stream.getvalue()


def failed(error):
    """Return the error as if it had been raised."""
    try:
        raise error
    except type(error) as raised:
        return raised


@pytest.mark.parametrize("event", EVERY, ids=lambda event: type(event).__name__)
def test_an_event_is_one_json_object_on_one_line(event):
    """Machines read each line by itself, with every field of the event."""
    (line,) = written("json", event).splitlines()

    record = json.loads(line)
    expected = {one.name for one in fields(event) if getattr(event, one.name) != one.default}
    assert expected <= record.keys()
    assert record["time"].endswith("+00:00")


def test_an_access_line_has_ids_route_status_and_duration():
    """And no path."""
    record = json.loads(
        written("json", RequestAnswered("GET", "/v1/users/{id}", 503, 0.5, "r-1", "t-1"))
    )

    del record["time"]
    assert record == {
        "level": "error",
        "event": "request.answered",
        "method": "GET",
        "route": "/v1/users/{id}",
        "status": 503,
        "duration": 0.5,
        "request_id": "r-1",
        "trace_id": "t-1",
    }


@pytest.mark.parametrize(
    ("status", "level"),
    [(200, "INFO"), (304, "INFO"), (404, "WARNING"), (499, "WARNING"), (500, "ERROR")],
)
def test_the_level_of_an_answer_depends_on_its_status(status, level):
    """Alerts use errors, people warnings."""
    event = RequestAnswered("GET", "/", status, 0.0, "r", "t")

    assert logging.getLevelName(level_of(event)) == level


def test_the_text_form_is_words():
    """The same event in development: short, without empty words."""
    line = written("text", RequestAnswered("GET", "", 200, 0.0123456, "r-1", "t-1"))

    assert line.endswith(
        " info    request.answered method=GET status=200 duration=0.01235 request_id=r-1"
        " trace_id=t-1\n"
    )


def test_a_terminal_gets_colours_and_a_file_does_not():
    """Escape sequences are written to terminals only."""

    class Terminal(io.StringIO):
        """Plays a terminal."""

        def isatty(self):
            """Be one."""
            return True

    terminal, file = Terminal(), io.StringIO()
    for stream in (terminal, file):
        sink = log_sink("text", stream=stream)
        assert sink is not None
        sink(EVERY[3])

    assert "\x1b[33mwarning" in terminal.getvalue()
    assert "\x1b" not in file.getvalue()


def test_a_crash_is_logged_with_its_traceback():
    """The place in the code is in the log, in both forms."""
    first, second = (Crashed("/v1/home", "r-1", failed(ValueError("boom"))) for _ in range(2))

    record = json.loads(written("json", first))
    words = written("text", second)

    assert "raise error" in record["traceback"]
    assert record["error"] == "ValueError: boom"
    assert "    ValueError: boom" in words


def test_a_part_that_failed_for_a_known_reason_needs_no_traceback():
    """An outage logs one line per part, not forty."""
    record = json.loads(written("json", EVERY[9]))

    assert "traceback" not in record
    assert record["error"] == "CircuitOpen: users: GET /users/{id}: refuses calls"


def test_a_bug_in_a_part_is_logged_with_its_traceback():
    """An unexpected exception in a part is a bug although the screen is answered."""
    event = PartEnded("Home", "orders", "fallback", "error", failed(KeyError("sku")))

    assert "raise error" in json.loads(written("json", event))["traceback"]


@given(st.text())
def test_no_value_can_forge_a_line(text):
    """Line ends and escape sequences stay inside the line and are visible."""
    event = Resolved("users", text, (text,), text)

    for form in ("json", "text"):
        line = written(form, event)
        assert line.endswith("\n")
        assert line[:-1].isprintable()


def test_a_message_of_an_exception_can_not_forge_a_line():
    """Input of a request in an exception's message is indented and escaped."""
    event = Crashed(
        "/", "r", failed(ValueError("x\n00:00:00 info answered status=200\x1b[2J\u009b"))
    )

    first, *others = written("text", event).splitlines()

    assert "\x1b" not in first
    assert all(line.startswith("    ") and line.isprintable() for line in others)


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("sent Authorization: Bearer abc.def-1", "abc"),
        ("basic dXNlcjpwYXNz refused", "dXNlcjpwYXNz"),
        ("Cookie: session=s3cr3t; a=b", "s3cr3t"),
        ("Set-Cookie: sid=s3cr3t", "s3cr3t"),
        ("token eyJhbGciOi.eyJzdWIi.c2ln in url", "eyJzdWIi"),
    ],
)
def test_credentials_do_not_enter_the_log(text, secret):
    """Exceptions quote their input; the log masks credentials in it."""
    written_down = written("json", Crashed("/", "r", failed(ValueError(text))))

    assert secret not in masked(text)
    assert secret not in written_down


def test_harmless_text_is_not_masked():
    """Messages stay readable."""
    text = "users: GET /users/{id}: connect to http://a:1 refused"

    assert masked(text) == text


def test_events_below_the_level_are_not_logged():
    """With level warning, only warnings and errors."""
    lines = written("json", *EVERY, level="warning").splitlines()

    assert [json.loads(line)["event"] for line in lines] == [
        "breaker.changed",
        "endpoint.ejected",
        "part.ended",
        "saga.stuck",
        "reply.reduced",
        "store.changed",
        "load.shed",
        "exception.unhandled",
    ]


def test_logs_that_are_off_cost_nothing():
    """Without a sink, producers build no event."""
    assert log_sink("off") is None
    assert logging.getLogger(LOGGER).handlers == []


def test_a_second_set_up_replaces_the_first():
    """A reloaded gateway does not write each line twice."""
    first, second = io.StringIO(), io.StringIO()
    log_sink("json", stream=first)
    sink = log_sink("json", stream=second)
    assert sink is not None

    sink(EVERY[3])

    assert first.getvalue() == ""
    assert len(second.getvalue().splitlines()) == 1


def test_handlers_of_users_are_not_removed():
    """Handlers that others added to our logger get the records."""
    mine = logging.Handler()
    records = []
    mine.emit = records.append
    logger = logging.getLogger(LOGGER)
    logger.addHandler(mine)
    try:
        written("json", EVERY[3])
    finally:
        logger.removeHandler(mine)

    assert [record.event["state"] for record in records] == ["open"]


WITHIN_ITSELF: list[object] = []
WITHIN_ITSELF.append(WITHIN_ITSELF)


class Silent:
    """A value that can't be shown."""

    def __str__(self) -> str:
        raise RuntimeError("no")

    __repr__ = __str__


def test_a_filter_in_place_of_ours_is_used():
    """Also one that refuses the line."""
    stream = io.StringIO()
    sink = log_sink("json", stream=stream)
    (own,) = logging.getLogger(LOGGER).handlers
    own.filters[:] = [lambda _: False]

    sink(EVERY[3])

    assert stream.getvalue() == ""


def test_a_factory_of_records_is_used():
    """A program may add fields to all of its records."""
    stream, made = io.StringIO(), []
    sink = log_sink("json", stream=stream)
    before = logging.getLogRecordFactory()
    logging.setLogRecordFactory(lambda *args, **kwargs: made.append(1) or before(*args, **kwargs))
    try:
        sink(EVERY[3])
    finally:
        logging.setLogRecordFactory(before)

    assert made == [1]


@pytest.mark.parametrize(
    "event",
    [
        RequestAnswered("GET", "", 500, 0.1, "r", "t", error="Bearer abc.def"),
        StoreChanged("redis", "open", "sent Bearer abc.def"),
        Resolved("users", "", (), "Bearer abc.def"),
    ],
    ids=lambda event: type(event).__name__,
)
def test_text_that_quotes_what_was_sent_is_masked(event):
    """Whatever the event."""
    assert "abc.def" not in written("json", event)


@dataclass
class Logged:
    """Our logger, what our handler wrote, and a handler of a user with the records that it got."""

    logger: logging.Logger
    own: logging.Handler
    stream: io.StringIO
    sink: Sink
    mine: logging.Handler
    records: list[logging.LogRecord]


@pytest.fixture
def logged() -> Iterator[Logged]:
    """Set up our logger; take the handler of the user off again."""
    stream, mine, records = io.StringIO(), logging.Handler(), []
    mine.emit = records.append
    sink, logger = log_sink("json", stream=stream), logging.getLogger(LOGGER)
    (own,) = logger.handlers
    yield Logged(logger, own, stream, sink, mine, records)
    logger.removeHandler(mine)
    logging.getLogger().removeHandler(mine)


def add_handler(logged: Logged) -> None:
    """Add a handler to our logger."""
    logged.logger.addHandler(logged.mine)


def add_filter(logged: Logged) -> None:
    """Add a filter to our handler."""
    logged.own.addFilter(lambda record: logged.records.append(record) or True)


def add_handler_of_parent(logged: Logged) -> None:
    """Add a handler to the root logger, which gets our records."""
    logging.getLogger().addHandler(logged.mine)
    logged.logger.propagate = True


@pytest.mark.parametrize("add", [add_handler, add_filter, add_handler_of_parent])
def test_who_changes_the_logger_gets_its_records(logged, add):
    """A line is written without a record only as long as this makes no difference."""
    add(logged)
    logged.sink(EVERY[3])

    assert [one.event["state"] for one in logged.records] == ["open"]
    assert json.loads(logged.stream.getvalue())["state"] == "open"


def test_a_formatter_of_the_user_writes_the_line(logged):
    """It gets a record, as formatters do."""
    logged.own.setFormatter(logging.Formatter("%(event_name)s mine"))
    logged.sink(EVERY[3])

    assert logged.stream.getvalue() == "breaker.changed mine\n"


def test_a_level_of_the_user_is_obeyed(logged):
    """Events below the level of the handler are not written."""
    logged.own.setLevel(logging.ERROR)
    logged.sink(EVERY[3])

    assert logged.stream.getvalue() == ""


def test_both_ways_write_the_same_line():
    """Whether a record is made or not."""
    text, with_records = written("json", *EVERY, level="info"), io.StringIO()
    sink = log_sink("json", stream=with_records)
    logging.getLogger(LOGGER).addHandler(logging.NullHandler())
    for event in EVERY:
        sink(event)
    logging.getLogger(LOGGER).handlers.clear()

    lines, others = (
        [json.loads(line) for line in one.splitlines()] for one in (text, with_records.getvalue())
    )
    for line in (*lines, *others):
        line.pop("time")
        line.pop("traceback", None)
    assert len(lines) > len(EVERY) / 2
    assert lines == others


def test_a_log_that_can_not_be_written_fails_no_request(capsys):
    """Standard error says so, as it does for every handler of the standard library."""
    stream = io.StringIO()
    sink = log_sink("json", stream=stream)
    stream.close()

    sink(EVERY[3])

    assert "Logging error" in capsys.readouterr().err


@pytest.mark.parametrize(
    "value",
    [
        *("\ud800", "ö\u2028", float("inf"), {1: 1j}, b"\xff", {"a": {"b"}}, ["ö", float("nan")]),
        *(WITHIN_ITSELF, Silent()),
    ],
    ids=lambda value: type(value).__name__,
)
def test_any_value_becomes_a_line_of_ascii(value):
    """Also one that JSON has no type for."""
    line = json_line(1.5, logging.INFO, "shop.sold", {"value": value})

    assert line.isascii()
    assert "\n" not in line
    assert json.loads(line)["time"] == "1970-01-01T00:00:01.500+00:00"


@pytest.mark.parametrize(("count", "level"), [(0, logging.DEBUG), (1, logging.INFO)])
def test_a_purge_of_nothing_is_debug(count, level):
    """Services purge after each write, mostly without an effect."""
    assert level_of(Purged(("product:42",), "webhook", count)) == level


@pytest.mark.parametrize(
    ("event", "level"),
    [
        (PartEnded("Home", "orders", "fallback", "timeout", OPEN), logging.WARNING),
        (PartEnded("Home", "orders", "failed", "timeout", OPEN, is_raised=True), logging.DEBUG),
        (PartEnded("Home", "total", "fallback", "dependency"), logging.DEBUG),
        (RequestAnswered("POST", "/graphql", 200, 0.1, "r", "t", error=OPEN), logging.WARNING),
    ],
)
def test_a_failure_that_is_logged_elsewhere_is_debug(event, level):
    """A part whose failure is raised, and one that failed by another part."""
    assert level_of(event) == level


def test_a_path_is_masked():
    """A link to reset a password may contain a token."""
    path = "/reset/eyJhbGciOi.eyJzdWIi.c2ln"

    record = json.loads(written("json", RequestAnswered("GET", "", 404, 0.1, "r", "t", path=path)))

    assert record["path"] == "/reset/***"
