"""The lines of processes: how they are stored, read and filtered."""

import json

import pytest

from bff_core.console.logs.ring import MAX_BYTES, MAX_LINE, LogRing

REQUEST = {
    "time": "2026-11-30T02:15:24.250+00:00",
    "level": "warning",
    "event": "request.answered",
    "method": "GET",
    "route": "/v1/home",
    "status": 502,
    "request_id": "1ae36fe9",
    "trace_id": "4bf92f35",
    "duration": 0.047,
}


@pytest.fixture
def ring() -> LogRing:
    """Return a ring of three lines a process, whose clock stands still."""
    return LogRing(lines=3, now=lambda: 1000.0)


def texts(ring: LogRing, **filters: object) -> list[str]:
    """Return the texts of the lines that match."""
    return [line.text for line in ring.page(**filters).lines]


def test_a_line_of_json_has_its_own_time_level_and_ids(ring):
    """What else it has are its fields, as text."""
    ring.add("mobile", json.dumps(REQUEST))
    line = ring.page().lines[0]

    assert line.process == "mobile"
    assert line.time == 1796004924.25
    assert (line.level, line.text) == ("warning", "GET /v1/home 502")
    assert (line.request_id, line.trace_id) == ("1ae36fe9", "4bf92f35")
    assert line.fields["duration"] == "0.047"
    assert line.fields.keys() == {"method", "route", "status", "duration"}


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("users  http://127.0.0.1:9001", "info"),
        ("Traceback (most recent call last):", "error"),
        ("12:00:00 ERROR no disk", "error"),
        ("WARNING: slow", "warning"),
        ('{"event": 1', "info"),
        ('{"a": "no event"}', "info"),
        ("[" * 100_000, "info"),
    ],
)
def test_a_plain_line_is_shown_as_it_is(ring, text, level):
    """Its time is that of its arrival, and its level the word that it begins with."""
    ring.add("users", text)
    line = ring.page().lines[0]

    assert (line.time, line.level, line.fields) == (1000.0, level, {})
    assert line.text.startswith(text[:100])


def test_credentials_are_masked(ring):
    """In plain lines as in the fields of others."""
    ring.add("users", "sent Authorization: Bearer abc.def.ghi")
    ring.add("web", json.dumps({"event": "x", "note": "Cookie: a=secret-of-a-session"}))
    ring.add("web", json.dumps({"event": "got Bearer abc.def.ghi"}))
    shown = str(ring.page().lines)

    assert "abc.def" not in shown
    assert "secret-of" not in shown
    assert shown.count("***") == 3


def test_fields_are_masked_by_their_names(ring):
    """Those of the application's own lines, also within others; one that is too deep is hidden."""
    deep = {"a": 1}
    for _ in range(450):
        deep = {"a": deep}
    fields = {"token": "hush", "user": {"pin": 1234, "id": 7}, "auth": {"a": "hush"}, "code": "no"}
    ring.add("web", json.dumps({"event": "x", "deep": deep, **fields}))

    found = ring.page().lines[0].fields

    assert found.pop("deep").startswith(('{"a":', "***"))
    assert found == {"token": "***", "user": '{"pin":"***","id":7}', "auth": "***", "code": "no"}


def test_each_process_has_room_for_its_newest_lines(ring):
    """A process that writes much drops lines of its own only; they are counted."""
    ring.add("users", "first")
    for number in range(5):
        ring.add("web", f"line {number}")

    assert texts(ring) == ["first", "line 2", "line 3", "line 4"]
    assert ring.page().dropped == 2
    assert ring.page(process="users").dropped == 0


def test_the_memory_of_a_process_is_bounded():
    """Long lines are cut, and many of them drop the oldest ones."""
    ring = LogRing()
    for _ in range(1000):
        ring.add("web", "x" * 2 * MAX_LINE)
    lines = ring.page(limit=2000).lines

    assert lines[0].text.endswith(f"… ({2 * MAX_LINE:,} characters)")
    assert MAX_BYTES * 0.99 < sum(len(line.text) for line in lines) <= MAX_BYTES


def test_lines_are_filtered(ring):
    """By process, lowest level, text in any case, and request; the newest ones come last."""
    ring.add("users", "slept")
    ring.add("web", json.dumps(REQUEST))
    ring.add("users", "ERROR of 1ae36fe9")
    ring.add("web", json.dumps({"event": "Slow", "level": "debug", "x": "1ae36fe9"}))
    ring.add("web", json.dumps({"event": "other", "request_id": "2b", "of": "1ae36fe9"}))

    assert texts(ring, process="users") == ["slept", "ERROR of 1ae36fe9"]
    assert texts(ring, level="warning") == ["GET /v1/home 502", "ERROR of 1ae36fe9"]
    assert texts(ring, level="error") == ["ERROR of 1ae36fe9"]
    assert texts(ring, text="SL") == ["slept", "Slow"]
    assert texts(ring, text="status=502") == ["GET /v1/home 502"]
    assert texts(ring, text="x=1AE") == ["Slow"]
    assert texts(ring, text="status=50 ") == []
    assert texts(ring, text='"event"') == []
    assert texts(ring, request="1ae36fe9") == ["GET /v1/home 502", "ERROR of 1ae36fe9", "Slow"]
    assert texts(ring, request="1ae") == ["GET /v1/home 502", "ERROR of 1ae36fe9", "Slow"]
    assert texts(ring, limit=2) == ["Slow", "other"]
    assert texts(ring, process="nonsense") == []


def test_live_pages_get_what_is_newer(ring):
    """Of too many lines the newest; all processes are in one order."""
    ring.add("users", "one")
    before = ring.newest
    for process in ("web", "users", "mobile"):
        ring.add(process, f"of {process}")

    assert [line.text for line in ring.newer(before)] == ["of web", "of users", "of mobile"]
    assert [line.text for line in ring.newer(before, limit=1)] == ["of mobile"]
    assert ring.newer(ring.newest) == []


def test_a_field_without_a_value_is_not_shown(ring):
    """A stale part has no reason."""
    ring.add("mobile", json.dumps({"event": "part.ended", "state": "stale", "reason": ""}))

    assert ring.page().lines[0].fields == {"state": "stale"}
