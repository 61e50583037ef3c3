"""Operators read how a mirror compares: as metrics, and in a report of an admin endpoint."""

from pydantic import SecretStr

from bff_core import Settings, gateway
from bff_core.events import MirrorCompared, MirrorDropped, SplitChosen
from bff_core.observe.metrics.mirror_report import CountedDifference, MirrorReport, mirror_reports
from bff_core.observe.metrics.samples import Totals
from bff_core.observe.metrics.sink import MAX_RARE, MetricsSink
from bff_core.observe.metrics.totals import totals_of
from bff_core.testing import running

TOKEN = "a-token-of-the-test-for-operators"
OPERATOR = {"authorization": f"Bearer {TOKEN}"}
EVENTS = [
    *[MirrorCompared("stock", "next", "same", 200, 200)] * 6,
    MirrorCompared("stock", "next", "status_differs", 200, 404),
    MirrorCompared("stock", "next", "body_differs", differences=("changed $.a[3].b", "added $.c")),
    MirrorCompared(
        "stock", "next", "body_differs", differences=("changed $.a[0].b", "changed $.a[7].b")
    ),
    MirrorCompared("stock", "next", "failed", reason="timeout"),
    MirrorCompared("stock", "next", "too_large"),
    *[MirrorDropped("stock", "next", "busy")] * 3,
    MirrorCompared("prices", "old", "failed", reason="unavailable"),
    SplitChosen("stock", "stock"),
]
STOCK = MirrorReport(
    "stock",
    "next",
    copies=11,
    same_ratio=0.6667,
    outcomes={"body_differs": 2, "failed": 1, "same": 6, "status_differs": 1, "too_large": 1},
    dropped={"busy": 3},
    differences=[CountedDifference("changed $.a[*].b", 2), CountedDifference("added $.c", 1)],
)
PRICES = MirrorReport("prices", "old", copies=1, outcomes={"failed": 1})


def counted(events):
    """Return the totals of a sink that got these events."""
    sink = MetricsSink()
    for event in events:
        sink(event)
    return totals_of(sink)


def test_report_has_outcomes_and_the_most_frequent_differences():
    """Of an array all elements count as one place, once for each comparison."""
    assert mirror_reports(counted(EVENTS)) == [PRICES, STOCK]


def test_a_gateway_without_mirrors_reports_none():
    """The report is empty, and no ratio is made of nothing."""
    assert mirror_reports(Totals()) == []


def test_sides_of_a_split_are_counted():
    """By route and upstream."""
    assert counted(EVENTS).counters["bff_split_requests_total"] == [(("stock", "stock"), 1)]


def test_places_of_differences_are_bounded():
    """A mirror that differs everywhere does not fill the memory."""
    events = [
        MirrorCompared("stock", "next", "body_differs", differences=(f"changed $.{'x' * n}",))
        for n in range(2 * MAX_RARE)
    ]

    assert len(counted(events).counters["bff_mirror_differences_total"]) <= MAX_RARE + 1


async def test_admin_endpoint_returns_the_report():
    """With the operator's token."""
    app = gateway(
        "shop",
        settings=Settings(env="development", operator_token=SecretStr(TOKEN)),
    )
    async with running(app) as client:
        for event in EVENTS:
            app.events.emit(event)
        refused = await client.get("/operator/mirrors")
        report = (await client.get("/operator/mirrors", headers=OPERATOR)).json()

    assert refused.status_code == 401
    assert [one["route"] for one in report["mirrors"]] == ["prices", "stock"]
    assert report["mirrors"][1]["differences"][0] == {"difference": "changed $.a[*].b", "count": 2}
