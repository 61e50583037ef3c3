"""How a request looks on a terminal: its line, and the tree of its parts."""

import re
from pathlib import Path

import pytest

from bff_core.cli.dev.request_lines import RequestLines
from bff_core.cli.dev.request_summary import summary_of
from bff_core.cli.dev.style import Style, fitted, has_signs, milliseconds, size_of
from bff_core.observe.request_records import RequestRecord, SpanMark, SpanRecord
from tests.cli.dev.traces import degraded, failed, plain

SIGNS = Style(has_colours=False, has_signs=True)
ASCII = Style(has_colours=False, has_signs=False)
COLOURS = Style(has_colours=True, has_signs=True)


def shown(trace, *, style=SIGNS, width=120):
    """Return the line of a request without its time, and its tree."""
    lines, summary = RequestLines(style, 7), summary_of(trace)
    line = lines.line("desktop", trace, summary, width)
    return [line.partition("  ")[2], *lines.tree(trace, summary, width)]


@pytest.mark.parametrize("make", [degraded, failed])
def test_a_request_says_of_each_part_what_happened(make):
    """Attempts, stale and cached replies, a timeout, a failed screen: as in the files beside."""
    expected = Path(__file__).with_name(f"{make.__name__}.txt").read_text(encoding="utf-8")

    assert shown(make()) == expected.splitlines()


@pytest.mark.parametrize(
    ("width", "has_bars", "has_services"),
    [(120, True, True), (99, False, True), (75, False, False), (60, False, False)],
)
def test_a_narrow_terminal_drops_bars_first_and_then_services(width, has_bars, has_services):
    """What is left fits."""
    lines = shown(degraded(), width=width)
    text = "\n".join(lines)

    assert ("▇" in text, "reviews" in text) == (has_bars, has_services)
    assert "fallback: timeout" in text
    assert max(map(len, lines)) <= width
    assert "650 ms" in lines[0]


def test_without_utf8_there_are_words_and_hashes():
    """Each character is ASCII."""
    lines = shown(degraded(), style=ASCII)

    assert "\n".join(lines).isascii()
    assert "degraded" in lines[0]
    assert re.search(r"fallback +rating .* #{10,}", lines[-1])


def test_colours_do_not_change_the_text():
    """The line with colours, without its escape sequences, is the plain one."""
    coloured = [re.sub(r"\x1b\[[\d;]*m", "", line) for line in shown(degraded(), style=COLOURS)]

    assert coloured == shown(degraded())
    assert "\x1b[91m" in shown(degraded(), style=COLOURS)[2]  # the failed attempt is red


@pytest.mark.parametrize(
    ("trace", "state"),
    [
        (plain(), "complete"),
        (plain(status=304), "complete"),
        (plain(status=404), "refused"),
        (plain(status=499), "left"),
        (plain(status=500), "failed"),
        (plain(is_truncated=True), "failed"),
        (degraded(), "degraded"),
        (failed(), "failed"),
    ],
)
def test_the_state_of_a_request(trace, state):
    """A refusal is the client's matter, a truncated answer is a failure."""
    assert summary_of(trace).state == state


def part(*calls: SpanRecord, **more: object) -> RequestRecord:
    """Return a request with one part and its calls."""
    fields = {"seconds": 0.01, "outcome": "ok", **more}
    return RequestRecord(
        0.0, "GET", "r", "/", spans=[SpanRecord("part", "a", "Home", 0.0, **fields), *calls]
    )


def call(**more: object) -> SpanRecord:
    return SpanRecord("call", "GET /a", "catalog", 0.0, 0, 0.01, "200", **more)


@pytest.mark.parametrize(
    ("trace", "reason"),
    [
        (part(), ""),
        (part(call(source="upstream")), ""),
        (part(call(marks=[SpanMark("joined", 0.0, request_id="9c41f0aabb")])), "joined 9c41f0aa"),
        (
            part(call(marks=[SpanMark("hedge", 0.0), SpanMark("hedge_won", 0.1)])),
            "hedged, attempt 2 won",
        ),
        (part(call(marks=[SpanMark("hedge", 0.0)])), "hedged"),
        (
            part(
                call(source="stale", age=9.0),
                SpanRecord("attempt", "e", "c", 0, 1),
                outcome="stale",
            ),
            "stale, 9 s old, refreshing",
        ),
        (
            part(call(), SpanRecord("attempt", "e", "c", 0, 1, 0.1, "304")),
            "not modified",
        ),
        (part(outcome="missing", reason="circuit_open"), "missing: circuit_open"),
        (part(outcome="forbidden", reason="forbidden"), "forbidden"),
    ],
)
def test_the_reason_of_a_part(trace, reason):
    """In a few words, empty where all is as usual."""
    (row,) = summary_of(trace).rows
    assert row.reason == reason


def test_calls_outside_of_parts_have_their_own_row():
    """A view may call a service itself."""
    trace = RequestRecord(
        0.0, "GET", "r", "/", spans=[SpanRecord("call", "GET /a", "catalog", 0.0, -1, 0.01, "200")]
    )

    (row,) = summary_of(trace).rows
    assert (row.name, row.services, row.state) == ("GET /a", "catalog", "ok")


def test_a_query_is_named_by_its_screens():
    """All queries have one route."""
    trace = plain(route="/graphql", spans=[SpanRecord("part", "cart", "Home", 0.0, outcome="ok")])

    assert summary_of(trace).title == "graphql Home"


def test_numbers_have_units_that_fit():
    """Short times have a digit more, sizes grow."""
    assert [milliseconds(one) for one in (0.0004, 0.044, 1.5)] == ["0.4", "44", "1,500"]
    assert [size_of(one) for one in (0, 999, 2900, 3_000_000)] == [
        "0 B",
        "999 B",
        "2.9 KB",
        "3.0 MB",
    ]


def test_a_line_that_is_too_long_is_cut_between_its_colours():
    """Escape sequences have no width, and the last one stays."""
    assert fitted("\x1b[91mred\x1b[0m and more", 5) == "\x1b[91mred\x1b[0m a"
    assert fitted("short", 5) == "short"


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"LANG": "C.UTF-8"}, True),
        ({"LANG": "en_US.utf8"}, True),
        ({"LC_ALL": "C", "LANG": "C.UTF-8"}, False),
        ({"LC_CTYPE": "de_DE.UTF-8"}, True),
        ({"LC_CTYPE": "C.UTF-8", "LANG": "C"}, False),
        ({}, False),
    ],
)
def test_signs_are_for_locales_of_utf8(environ, expected):
    """LC_ALL takes precedence, as everywhere."""
    assert has_signs(environ) is expected
