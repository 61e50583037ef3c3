"""What the bench makes of a profiler's stacks."""

from bench.hotspots import Hotspot, parse_stacks

STACKS = [
    "serve (app.py:10);screen (views.py:4);decode (json.py:7) 6",
    "serve (app.py:11);screen (views.py:9);decode (json.py:8) 2",
    "serve (app.py:10);walk (tree.py:1);walk (tree.py:2) 2",
]


def test_shares_are_by_function_not_by_line() -> None:
    """Own time counts the innermost function only, total time each stack once."""
    hotspots = parse_stacks(STACKS)

    assert hotspots == [
        Hotspot("decode (json.py)", own=0.8, total=0.8),
        Hotspot("walk (tree.py)", own=0.2, total=0.2),
        Hotspot("serve (app.py)", own=0.0, total=1.0),
        Hotspot("screen (views.py)", own=0.0, total=0.8),
    ]
