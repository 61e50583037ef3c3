"""What a run shows, on a terminal and as plain lines."""

import json
import os
import pty
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import pytest

from bff_core.cli.dev.folding import MAX_PER_SECOND, Folding
from bff_core.cli.dev.keyboard import HELP, folded
from bff_core.cli.dev.keyboard import SIGNS as MEANINGS
from bff_core.cli.dev.log_lines import digest, parsed
from bff_core.cli.dev.logfmt import Logfmt
from bff_core.cli.dev.program import Program
from bff_core.cli.dev.recorded_view import RecordedView
from bff_core.cli.dev.style import Style, is_plain
from bff_core.cli.dev.terminal_view import TerminalView
from bff_core.cli.dev.view import Serving, StartedRun
from bff_core.cli.dev.welcome import welcome
from bff_core.cli.ports import Port
from bff_core.console.logs.ring import LogRing
from tests.cli.dev.traces import degraded, failed, plain
from tests.reference_project import programs

ROOT = Path("/shop")
SIGNS = Style(has_colours=False, has_signs=True)


class Written:
    """A console that holds what is written."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def write(self, text: str) -> None:
        self.texts.append(text)

    @property
    def lines(self) -> list[str]:
        return [line for text in self.texts for line in text.splitlines()]


def gateway(name: str = "mobile") -> Program:
    return Program(name=name, port=Port(8002, "P"), ready="/", root=ROOT, app="a:b", page="/docs")


@pytest.fixture
def written():
    """Hold what is written."""
    return Written()


@pytest.fixture
def screen(written):
    """Show a run of one gateway on a terminal."""
    return TerminalView(written, SIGNS, [gateway()], columns=lambda: 120)


def test_plain_lines_are_for_pipes_ci_and_no_color():
    """A terminal gets colours, unless it is dumb or they are not wanted."""
    controller, terminal = pty.openpty()
    source, sink = os.pipe()

    assert not is_plain({"TERM": "xterm"}, terminal)
    assert is_plain({"TERM": "xterm", "NO_COLOR": "1"}, terminal)
    assert is_plain({"TERM": "xterm", "CI": "true"}, terminal)
    assert is_plain({"TERM": "dumb"}, terminal)
    assert is_plain({"TERM": "xterm"}, sink)
    for descriptor in (controller, terminal, source, sink):
        os.close(descriptor)


def test_the_tree_follows_the_first_request_of_a_route(screen, written):
    """A further one that is as usual is a line."""
    trace = degraded()
    trace.spans = trace.spans[:3]
    trace.seconds = 0.04
    for _ in range(2):
        screen.request("mobile", trace)

    assert [len(text.splitlines()) for text in written.texts] == [2, 1]


@pytest.mark.parametrize(("presses", "heights"), [(0, [6, 6]), (1, [6, 6]), (2, [1, 1])])
def test_a_key_switches_which_trees_are_shown(screen, written, presses, heights):
    """First, slow and degraded; all; none."""
    for _ in range(presses):
        screen.next_trees()
    for _ in range(2):
        screen.request("mobile", degraded())

    assert [len(text.splitlines()) for text in written.texts] == heights


def test_lines_that_the_tree_shows_are_left_out(screen, written):
    """Of the gateway's own log there is what changes what follows; of other loggers everything."""
    opened = {"event": "breaker.changed", "upstream": "reviews", "state": "open", "retry_after": 10}
    for record in (
        {"level": "info", "event": "request.answered", "route": "/v1/home"},
        {"level": "warning", "event": "part.ended", "part": "rating"},
        {"level": "warning", **opened},
        {"level": "warning", "event": "no stock", "logger": "shop", "request_id": "r1"},
    ):
        screen.line("mobile", json.dumps(record))
    screen.line("mobile", "printed")
    screen.line("mobile", "")

    assert [line.partition("  ")[2] for line in written.lines] == [
        "mobile   ▲ breaker of reviews opened: its calls fail at once for 10 s",
        "mobile   ▲ no stock",
        "mobile   printed",
    ]


TRACEBACK = """\
Traceback (most recent call last):
  File "/usr/lib/python3.11/runpy.py", line 198, in _run_module_as_main
    return _run_code(code)
           ^^^^^^^^^^^^^^^
  File "/shop/bffs/mobile/app.py", line 3, in <module>
    from bffs.mobile import home
  File "/shop/.venv/lib/python3.11/site-packages/fastapi/routing.py", line 1, in f
    raise error
  File "/shop/bffs/mobile/home.py", line 12
    return (
           ^
SyntaxError: '(' was never closed"""


def test_a_traceback_is_cut_to_the_frames_of_the_project():
    """With paths relative to the project."""
    assert digest(TRACEBACK.splitlines(), ROOT) == [
        '  File "bffs/mobile/app.py", line 3, in <module>',
        "    from bffs.mobile import home",
        '  File "bffs/mobile/home.py", line 12',
        "    return (",
        "           ^",
        "SyntaxError: '(' was never closed",
    ]


def test_a_bug_in_a_view_shows_where():
    """The traceback of a log line is below it."""
    record = {"level": "error", "event": "exception.unhandled", "where": "/v1/home"}
    line = parsed(json.dumps({**record, "traceback": TRACEBACK}), ROOT)

    assert line.text == "exception.unhandled where=/v1/home"
    assert line.below[-1] == "SyntaxError: '(' was never closed"


def test_what_blocks_the_event_loop_is_five_frames_of_the_project():
    """The innermost ones, without those of libraries and without code."""
    own = [f'  File "/shop/bffs/web/page.py", line {n}, in f{n}\n    f()' for n in range(1, 8)]
    foreign = '  File "/usr/lib/python3.13/json/decoder.py", line 3, in decode\n    scan()'
    stack = "\n".join([foreign, *own, foreign])
    record = {"level": "warning", "event": "event_loop.blocked", "waited": 0.5, "stack": stack}
    line = parsed(json.dumps(record), ROOT)

    assert line.text == "event_loop.blocked waited=0.5"
    assert line.below == [f"bffs/web/page.py:{n} in f{n}" for n in range(3, 8)]


def test_a_failure_shows_the_end_of_the_output(screen, written):
    """A syntax error is shown when the file is saved."""
    screen.failure("mobile", "home.py saved, but mobile does not start", TRACEBACK.splitlines())

    assert written.lines[0].endswith("✗ home.py saved, but mobile does not start")
    assert written.lines[-1] == "          │ SyntaxError: '(' was never closed"


def test_many_requests_are_counted():
    """From the 21st of a second on there is a line per second and route."""
    now = [100.2]
    shown, counted, flushes = [], [], []
    folding = Folding(
        lambda name, trace: shown.append(name),
        lambda name, text: counted.append(f"{name} {text}"),
        clock=lambda: now[0],
        later=lambda _, flush: flushes.append(flush),
    )
    for number in range(MAX_PER_SECOND + 100):
        folding.take("web", degraded() if number % 10 == 0 else plain(seconds=number / 1000))
    now[0] = 101.1
    (flush,) = flushes
    flush()

    assert len(shown) == MAX_PER_SECOND
    assert counted == [
        "web GET /v1/dashboard: 10 more requests, 10 degraded, p95 650 ms",
        "web GET /v1/home: 90 more requests, p95 115 ms",
    ]


def started(
    all_programs: Sequence[Program],
    *,
    without: Collection[str] = (),
    elsewhere: Mapping[str, str] | None = None,
) -> StartedRun:
    """Return a run of which all programs serve but those `without`."""
    names = [one.name for one in all_programs if one.name not in without]
    return StartedRun(all_programs, {name: Serving(1, 0.8) for name in names}, elsewhere or {}, 3.1)


def test_the_start_shows_addresses_programs_and_a_request():
    """Gateways at the left, services in columns of five beside them."""
    all_programs = list(programs(BFF_AUTH="demo").values())
    text = welcome(
        SIGNS, started(all_programs), console="http://localhost:8000/console", columns=120
    )

    lines = text.splitlines()
    assert lines[1] == (
        "  console   http://localhost:8000/console   all gateways and services, live"
    )
    assert lines[2] == "  web       http://localhost:8001/"
    assert any(
        line.startswith("  ✓ mobile   :8002  REST     /v1") and "✓ catalog   :9002" in line
        for line in lines
    )
    assert "  ready in 3.1 s" in text
    assert "  try  curl -sD- localhost:8002/v1/home -H 'Authorization: Bearer demo-1'" in lines


@pytest.mark.parametrize("columns", [60, 120])
def test_the_start_names_what_failed_and_offers_none_of_it(columns):
    """Neither the page nor the example of a gateway that does not serve; and no "ready"."""
    all_programs = list(programs(BFF_AUTH="demo").values())
    text = welcome(SIGNS, started(all_programs, without={"cart", "mobile"}), columns=columns)

    assert "✗ cart" in text
    assert "✗ mobile" in text
    assert (
        "\n  11 of 13 programs serve: cart, mobile failed; the reason is above. "
        "Save a file of it, or press b.\n"
    ) in text
    assert "ready in" not in text
    assert "localhost:8002" not in text
    assert "localhost:8003/v1/dashboard" in text


def test_a_failed_request_leads_to_the_console(written):
    """Below its tree is the address of its page."""
    screen = TerminalView(written, SIGNS, [gateway()], console="http://localhost:8000/console")
    screen.request("mobile", failed())
    screen.request("mobile", degraded())
    address = f"          → http://localhost:8000/console/requests/{failed().request_id}"

    assert [address in text.splitlines() for text in written.texts] == [True, False]


def test_the_address_of_the_console_comes_first(written):
    """On a terminal, and as a line of key=value words."""
    address = "http://localhost:8000/console"
    for view in (
        TerminalView(written, SIGNS, [gateway()], console=address),
        Logfmt(written, [gateway()], console=address),
    ):
        view.starting([gateway()])

    assert written.lines[0].endswith(f"starting 1 programs; console: {address}")
    assert written.lines[1].endswith(f" event=run.console url={address}")


@pytest.mark.parametrize("columns", [60, 90])
def test_a_narrow_terminal_gets_the_programs_below_each_other(columns):
    """No line of the tables is longer than the terminal."""
    all_programs = list(programs().values())
    text = welcome(SIGNS, started(all_programs), columns=columns)
    tables = [line for line in text.splitlines() if "✓" in line]

    assert len(tables) >= 8
    assert max(map(len, tables)) <= columns


@pytest.mark.parametrize("columns", [40, 80, 100])
def test_the_help_fits_the_terminal(columns):
    """No line is cut or broken inside a word; the text below a key is aligned with its text."""
    text = folded(HELP + MEANINGS, columns)
    lines = text.splitlines()

    assert max(map(len, lines)) <= columns
    assert text.split() == (HELP + MEANINGS).split()
    assert "  q  quit; Ctrl-C does so, too" in lines
    assert "  ○ missing    ⊘ forbidden   ✗ failed" in lines
    assert columns > 40 or "     it; make a mock slow, or let it" in lines


def test_services_that_run_elsewhere_have_their_address():
    """They are not started, and marked by an arrow."""
    run = started([gateway()], elsewhere={"maps": "https://maps.example"})
    text = welcome(SIGNS, run, columns=99)

    assert "→ maps https://maps.example" in text


def test_plain_lines_are_logfmt(written):
    """A line per request, with its parts; values with spaces are quoted."""
    view = Logfmt(written, [gateway()])
    view.request("desktop", degraded())
    view.request("mobile", failed())
    view.note("bffs/home.py saved, mobile restarted in 0.7 s", is_reload=True)
    view.line("mobile", 'say "hi"')

    of_dashboard, of_home, *others = [line.partition(" ")[2] for line in written.lines]
    assert of_dashboard.split() == [
        *("gateway=desktop", "method=GET", "route=/v1/dashboard", "status=200", "state=degraded"),
        *("duration_ms=650.0", "bytes=39800", "calls=3", "request_id=317787c3aa"),
        "parts=profile:ok,orders:ok,deals:stale,summary:ok,rating:fallback",
    ]
    assert of_home.endswith(' error="BadStatus: users: GET /users/{id}: answered 500"')
    assert others == [
        'event=run.reloaded message="bffs/home.py saved, mobile restarted in 0.7 s"',
        'program=mobile line="say \\"hi\\""',
    ]


def test_what_happens_to_programs_is_recorded(written):
    """Failures and reloads are events, and lines of the log; what people stop is a line only."""
    logs = LogRing()
    view = RecordedView(Logfmt(written, [gateway()]), logs)
    view.failure("catalog", "catalog (pid 7) was killed by SIGKILL", ["out of memory"])
    view.failure("users", "did not come up: ended with status 4")
    view.failure("cart", "cart is stopped")
    view.note("waiting for users")
    view.note("bffs/home.py saved, mobile restarted in 0.7 s", is_reload=True)

    assert [(one.subject, one.state, one.text) for one in view.events] == [
        ("catalog", "failed", "**catalog** (pid 7) was killed by SIGKILL"),
        ("users", "failed", "**users** did not come up: ended with status 4"),
        ("bff dev", "ok", "bffs/home.py saved, mobile restarted in 0.7 s"),
    ]
    assert [(one.process, one.level) for one in logs.page().lines] == [
        ("catalog", "error"), ("users", "error"), ("cart", "error"),
        ("bff dev", "info"), ("bff dev", "info"),
    ]  # fmt: skip
    assert len(written.lines) == 6
