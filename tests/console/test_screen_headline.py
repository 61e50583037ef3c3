"""The sentence that the page of a screen starts with."""

import pytest

from bff_core.console.model import PlanNode
from bff_core.console.screens.columns import add_awaited, longest_path, set_columns
from bff_core.console.screens.headline import screen_headline


def node(part: str, *upstreams: str, awaits: tuple[str, ...] = (), **more) -> PlanNode:
    """Return a part of a plan."""
    defaults = {"is_critical": False, "timeout": 0.6, "column": 0}
    return PlanNode(part=part, upstreams=list(upstreams), awaits=list(awaits), **defaults | more)


def plan() -> list[PlanNode]:
    """Return a screen whose slow part is at the end of the way that takes longest."""
    nodes = [
        node("profile", "users", is_critical=True, p95=0.02),
        node("picks", "recommendations", p95=0.1),
        node("summary", "catalog", awaits=("picks",), p95=0.03),
        node("price", "pricing", awaits=("summary",), p95=0.02),
        node("rating", "reviews", awaits=("summary",), p95=0.6),
    ]
    set_columns(nodes)
    return nodes


def test_the_way_that_takes_longest():
    """It is named, with the part that takes all of its time."""
    headline = screen_headline("Home", plan(), {})

    assert headline.state == "ok"
    assert headline.text == (
        "**Home fails only when users fails. Every other part is optional.** "
        "Critical path: picks \u2192 summary \u2192 rating, which now takes all of its 0.6 s."
    )


@pytest.mark.parametrize(
    ("p95", "end"),
    [
        (0.3, "rating."),
        (0.47, "rating."),
        (0.5, "rating, which now takes 0.5 s of its 0.6 s."),
        (0.7, "rating, which now takes all of its 0.6 s."),
    ],
)
def test_a_part_near_its_timeout(p95, end):
    """A part is said to be slow from four fifths of its timeout on."""
    nodes = plan()
    nodes[-1].p95 = p95

    assert screen_headline("Home", nodes, {}).text.endswith(end)


def test_without_times_the_way_with_most_parts():
    """What was measured once decides where metrics know nothing."""
    nodes = [node("a"), node("b", awaits=("a",)), node("c")]
    set_columns(nodes)

    assert longest_path(nodes, {}) == ["a", "b"]
    assert longest_path(nodes, {"c": 2.0, "a": 0.5, "b": 0.5}) == ["c"]


@pytest.mark.parametrize(
    ("nodes", "text"),
    [
        ([node("a", "x")], "**No service can make Cart fail.** Every part is optional."),
        (
            [node("a", "x", is_critical=True), node("b", "y", is_critical=True)],
            "**Cart fails only when x or y fail. Every part is critical.**",
        ),
    ],
)
def test_what_makes_a_screen_fail(nodes, text):
    """The services of critical parts are named."""
    assert screen_headline("Cart", nodes, {}).text == text


def test_columns_follow_the_longest_way():
    """A part that follows two others stands after the later one; a circle does not end it."""
    nodes = [node("c"), node("a"), node("b", awaits=("a",))]
    add_awaited(nodes, [("b", "c"), ("a", "c"), ("unknown", "c"), ("b", "c")])
    set_columns(nodes)

    assert {one.part: one.column for one in nodes} == {"c": 2, "a": 0, "b": 1}
    assert nodes[0].awaits == ["b", "a"]
    nodes[1].awaits.append("c")
    set_columns(nodes)
    assert max(one.column for one in nodes) <= len(nodes)
