"""What the bench makes of a run of wrk."""

import json

import pytest

from bench.harness.load import Load, WrongAnswer, parse_load

QUIET = {"refused": 0, "broken": 0, "timed_out": 0}
REPORTED = {"requests": 1000, "duration_us": 2_000_000, "p50_us": 3210, "p99_us": 9870} | QUIET


def as_output(reported: dict[str, int]) -> str:
    """Return what wrk prints: its own table, then the line of load.lua."""
    return f"Running 2s test\n  Latency   3.30ms\n\n{json.dumps(reported)}\n"


def test_a_run_is_read_from_the_last_line() -> None:
    """Microseconds become milliseconds and requests a rate."""
    load = parse_load(as_output(REPORTED))

    assert load == Load(requests=1000, duration=2.0, p50_ms=3.21, p99_ms=9.87)
    assert load.rps == 500


@pytest.mark.parametrize("failure", QUIET)
def test_one_failed_request_spoils_a_run(failure: str) -> None:
    """An error answered fast must not pass for speed."""
    output = as_output(REPORTED | {failure: 1})

    with pytest.raises(WrongAnswer, match=failure):
        parse_load(output)


def test_a_run_without_answers_is_wrong() -> None:
    """A peer that answers nothing has no speed."""
    output = as_output(REPORTED | {"requests": 0})

    with pytest.raises(WrongAnswer):
        parse_load(output)
