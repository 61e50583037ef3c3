"""What is counted in bounded memory: histograms, budgets, labels, steps, totals of the ended."""

import os

import pytest

from bff_core import events
from bff_core.gateway.metrics import GatewayMetrics
from bff_core.objective import parsed_objective
from bff_core.observe.metrics.budget import Budget, budget_left, burn_rate
from bff_core.observe.metrics.clients import Clients
from bff_core.observe.metrics.ended import add_ended, ended_totals, store_totals
from bff_core.observe.metrics.histogram import BOUNDS, Histogram, exported_counts, quantile
from bff_core.observe.metrics.process import MeasuredView, ProcessMetrics
from bff_core.observe.metrics.requests import MAX_UNFLUSHED, MAX_VIEWS
from bff_core.observe.metrics.samples import SamplesQuery, Totals, encoded
from bff_core.observe.metrics.scrape import SAMPLES
from bff_core.observe.metrics.series import Bounded
from bff_core.observe.metrics.sink import MAX_OCCURRENCES, MAX_RARE, MetricsSink
from bff_core.observe.metrics.steps import MAX_STEPS
from bff_core.observe.metrics.totals import totals_of
from bff_core.observe.metrics.versions import MAX_ANONYMOUS, MAX_VERSIONS
from bff_core.observe.process_socket import SOCKETS_VARIABLE
from bff_core.scope import Scope


class Clock:
    """Unix time that a test moves."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


def answered(sink: MetricsSink, route: str = "/a", status: int = 200, seconds: float = 0.1) -> None:
    """Count an answer outside of a request."""
    sink(events.RequestAnswered("GET", route, status, seconds, "id", "trace"))


@pytest.mark.parametrize("share", [0.5, 0.95, 0.99])
def test_percentiles_are_right_to_a_third(share):
    """Durations from 2 ms to 20 s, evenly spread over their logarithm."""
    durations = [0.002 * 10 ** (4 * place / 999) for place in range(1000)]
    histogram = Histogram()
    for one in durations:
        histogram.observe(one)

    exact = durations[int(share * 1000) - 1]
    assert quantile(histogram.since_mark(), share) == pytest.approx(exact, rel=1 / 3)
    assert quantile({}, share) is None
    assert exported_counts(histogram.counts)[-1] == 1000


def test_a_duration_belongs_to_the_bucket_whose_bound_it_reaches():
    """As `le` says; what is longer than all bounds is in the last one."""
    histogram = Histogram()
    histogram.observe(BOUNDS[3])
    histogram.observe(1000.0)

    assert histogram.since_mark() == {3: 1, len(BOUNDS): 1}


def test_pending_durations_are_few_whatever_is_not_read():
    """Nothing reads the histograms of a gateway without a scrape."""
    sink = MetricsSink()
    for _ in range(5 * MAX_UNFLUSHED):
        answered(sink)
        sink(events.CallEnded("reviews", "GET /", "200", "upstream", 0.1))

    series = (*sink.requests.views.found.values(), *sink.requests.calls.found.values())
    assert max(len(one.durations) for one in series) < MAX_UNFLUSHED
    assert [sum(one.histogram.counts) for one in series] == [5 * MAX_UNFLUSHED] * 2


def test_a_budget_has_the_answers_of_each_window():
    """Old answers leave the shorter windows first; after a day nothing is left."""
    budget, clock = Budget(), Clock()
    budget.count("failed", clock.now)
    clock.now += 600
    for _ in range(9):
        budget.count("good", clock.now)

    assert budget.windows(clock.now) == {
        "5m": (9, 0), "1h": (10, 1), "6h": (10, 1), "24h": (10, 1)
    }  # fmt: skip
    assert budget.windows(clock.now + 7200)["1h"] == (0, 0)
    assert budget.windows(clock.now + 7200)["6h"] == (10, 1)
    assert budget.windows(clock.now + 2 * 86_400)["24h"] == (0, 0)
    assert budget.outcomes == {"good": 9, "degraded": 0, "failed": 1, "slow": 0}


def test_a_clock_that_is_set_back_loses_no_answers():
    """They count for the newest minute that has begun."""
    budget, clock = Budget(), Clock()
    budget.count("good", clock.now)
    budget.count("failed", clock.now - 7200)

    assert budget.windows(clock.now - 7200)["5m"] == budget.windows(clock.now)["5m"] == (2, 1)


def test_burn_rate_and_rest_of_a_budget():
    """A tenth of the answers is bad, and a hundredth may be."""
    assert burn_rate((10, 1), 0.01) == pytest.approx(10)
    assert budget_left((1000, 5), 0.01) == pytest.approx(0.5)
    assert burn_rate((0, 0), 0.01) is budget_left((0, 0), 0.01) is None


@pytest.mark.parametrize(
    ("agent", "version", "labels"),
    [
        (b"Shop/5.2 CFNetwork/1490 Darwin/23", b"5.2.1", ("ios", "5.2")),
        (b"okhttp/4.12", b"5", ("android", "5")),
        (b"Mozilla/5.0 (X11)", None, ("browser", "")),
        (b"curl/8.5", b"x' or 1=1", ("script", "other")),
        (b"Something", b"5.2-beta", ("other", "other")),
        (None, None, ("", "")),
    ],
)
def test_clients_are_known_by_kind_and_version(agent, version, labels):
    """What is no version has no label of its own."""
    fields = {b"user-agent": agent, b"x-app-version": version}
    scope = Scope(1.0, fields={name: value for name, value in fields.items() if value is not None})

    assert Clients().of(scope).labels == labels


def of_app(version: str, address: str = "198.51.100.7", **options: object) -> Scope:
    """Return a request of an app."""
    fields = {b"user-agent": b"okhttp/4.12", b"x-app-version": version.encode()}
    return Scope(1.0, fields=fields, client=(address, 0), **options)


VIEWER = {"audience": "amy#rights", "is_guarded": True}


@pytest.mark.parametrize(
    "stranger",
    [
        {},
        {"address": "2001:db8::{}"},
        {"address": "::ffff:198.51.100.8"},
        {"audience": "eve#{}"},
        {"is_guarded": True},
        {"address": "10.0.{}.1", "is_guarded": True},
    ],
    ids=["address", "IPv6 network", "mapped IPv4", "viewer", "anonymous", "many addresses"],
)
def test_made_up_versions_of_a_stranger_leave_labels_to_those_of_apps(stranger):
    """After an hour of them, the next release has a label as soon as a viewer uses it."""
    clients = Clients(Clock())
    for number in range(250):
        options = {
            name: one.format(number) if isinstance(one, str) else one
            for name, one in stranger.items()
        }
        clients.of(of_app(f"{number}.7", **options)).states["complete"] += 1
    clients.of(of_app("5.2.1", "203.0.113.9", **VIEWER)).states["complete"] += 1
    clients.of(of_app("5.2.2")).states["complete"] += 1

    assert clients.found["android", "5.2"].states == {"complete": 2}
    assert sum(one.states["complete"] for one in clients.found.values()) == 252
    assert len(clients.found) <= MAX_ANONYMOUS + 2


def test_a_client_may_use_two_new_versions_a_day():
    """A developer with one address gets the labels of all releases in the end."""
    clock = Clock()
    clients = Clients(clock)
    versions = [f"{number}.0" for number in range(6)]
    shown = []
    for _ in range(3):
        shown.append([clients.of(of_app(one)).labels[1] for one in versions])
        clock.now += 86_400

    assert shown == [[*versions[: 2 * day], *["other"] * (6 - 2 * day)] for day in (1, 2, 3)]


def test_long_headers_are_not_stored():
    """A client can't fill the memory with them."""
    clients = Clients()
    for number in range(10):
        agent = b"%d" % number + b"x" * 10_000
        clients.of(Scope(1.0, fields={b"user-agent": agent}))

    assert clients.found.keys() == {("other", "")}
    assert sum(map(len, (str(key) for key in clients._known))) == 0


def test_versions_beyond_the_last_label_are_matched_once():
    """Clients of the newest release cost no more than others, when all labels are given."""
    clients = Clients(Clock())
    for number in range(MAX_VERSIONS):
        clients.of(of_app(f"{number}.0", f"10.0.0.{number}"))
    newest = of_app("99.0")

    assert clients.of(newest).labels == ("android", "other")
    assert (b"okhttp/4.12", b"99.0") in clients._known


def test_series_beyond_the_bound_share_one_by_their_last_labels():
    """What a series is about is lost last: client and version of a blame before its part."""
    counts: Bounded[list[int]] = Bounded(lambda _: [0], 4)
    for number in range(40):
        counts.add(("home", "price", f"v{number}"))[0] += 1
    for number in range(40):
        counts.add(("cart", f"part {number}", "v1"))[0] += 1
    for number in range(40):
        counts.add((f"view {number}", "price", "v1"))[0] += 1

    assert {labels: one[0] for labels, one in counts.found.items()} == {
        **{("home", "price", f"v{number}"): 1 for number in range(4)},
        ("home", "price", "other"): 36,
        ("cart", "other", "other"): 40,
        ("other", "other", "other"): 40,
    }


def test_labels_are_bounded_whatever_clients_send():
    """Routes, versions, errors: what comes later shares a series, and nothing is lost."""
    sink = MetricsSink()
    clients = Clients()
    for number in range(1000):
        answered(sink, f"/{number}")
        sink(events.CallRejected(f"service-{number}", "GET /", "queue"))
        sink(events.BreakerChanged("reviews", "GET /", ("open", "closed")[number % 2], 1.0))
        clients.of(of_app(f"{number}.0", f"10.0.{number // 250}.{number % 250}"))

    counters = totals_of(sink).counters
    assert len(counters["bff_requests_total"]) == MAX_VIEWS + 1
    assert sum(value for _, value in counters["bff_requests_total"]) == 1000
    assert len(counters["bff_calls_rejected_total"]) == 1.5 * MAX_RARE + 1
    assert len(sink.occurrences) == MAX_OCCURRENCES
    assert len(clients.found) == MAX_VERSIONS + 1


def test_a_circuit_that_stays_open_is_one_occurrence():
    """Probes of an open one neither add any nor drop others; all changes are counted."""
    sink = MetricsSink()
    for state in ("open", *("half-open", "open") * 3, "half-open", "closed", "open"):
        sink(events.BreakerChanged("reviews", "GET /", state, 1.0))

    assert [one.details["state"] for one in sink.occurrences] == ["open", "closed", "open"]
    assert sink.breakers == {"reviews": "open"}
    assert sum(value for _, value in totals_of(sink).counters["bff_breaker_changes_total"]) == 10


def test_steps_are_those_of_fifteen_minutes_and_add_up():
    """Each has what was counted in its five seconds; idle ones are left out."""
    clock = Clock()
    sink = MetricsSink(now=clock)
    process = ProcessMetrics(sink, "web", views={})
    for number in range(MAX_STEPS + 20):
        clock.now += 5
        for _ in range(number % 3):
            answered(sink, seconds=0.1)
    steps = process.samples(SamplesQuery()).steps

    assert len(steps) <= MAX_STEPS + 1
    assert {sum(one.views["GET /a"].buckets.values()) for one in steps if one.views} == {1, 2}
    newest = process.samples(SamplesQuery(since=steps[-3].number, has_totals=False))
    assert [one.number for one in newest.steps] == [one.number for one in steps[-3:]]
    assert newest.totals == Totals()


def test_what_operators_want_to_know_is_stored_with_its_details():
    """Other events are counted only."""
    sink = MetricsSink(now=Clock())
    sink(events.Hedged("reviews", "GET /"))
    sink(events.Purged(("price:862",), "operator", 14))
    sink(events.Purged(("price:863",), "peer", 0))

    (purged,) = sink.occurrences
    assert (purged.kind, purged.details) == (
        "cache.purged",
        {"tags": "price:862", "by": "operator", "count": "14"},
    )
    assert totals_of(sink).counters["bff_hedges_total"] == [(("reviews", "sent"), 1)]
    assert totals_of(sink).counters["bff_cache_purged_total"] == [
        (("operator",), 14),
        (("peer",), 0),
    ]


def test_objectives_apply_to_their_views_only_and_not_to_wrong_requests():
    """A 404 spends no budget; a view without an objective has none."""
    sink = MetricsSink(now=Clock())
    ProcessMetrics(sink, "web", views={"GET /a": MeasuredView("A", parsed_objective("≤ 300 ms"))})
    for status, seconds in ((200, 0.3), (200, 0.4), (404, 0.1), (404, 0.4), (503, 0.1)):
        answered(sink, "/a", status, seconds)
        answered(sink, "/b", status, seconds)

    assert totals_of(sink).counters["bff_objective_answers_total"] == [
        (("GET /a", "degraded"), 0),
        (("GET /a", "failed"), 1),
        (("GET /a", "good"), 1),
        (("GET /a", "slow"), 1),
    ]


def totals(value: float) -> Totals:
    """Return the totals of a process that has counted so much."""
    return Totals({"bff_exceptions_total": [((), value)]})


def counted(folder, running=()) -> float:
    """Return what the ended processes of a folder have counted."""
    return sum(
        value
        for one in ended_totals(folder, running)
        for _, value in one.counters.get("bff_exceptions_total", ())
    )


def test_totals_of_an_ended_process_count_once_at_any_time(tmp_path):
    """Before its parent has added them, meanwhile and after; not while it runs."""
    store_totals(tmp_path, totals(5))
    path = tmp_path / f"{os.getpid()}.totals"
    content = path.read_bytes()

    assert counted(tmp_path, [os.getpid()]) == 0
    assert counted(tmp_path) == 5
    add_ended(tmp_path, os.getpid())
    assert not path.exists()
    assert counted(tmp_path) == 5
    path.write_bytes(content)  # the parent was between its two writes
    assert counted(tmp_path) == 5
    (tmp_path / "77.totals").write_bytes(content)
    add_ended(tmp_path, 77)
    add_ended(tmp_path, 78)  # it has stored nothing
    assert counted(tmp_path) == 10


@pytest.mark.parametrize(
    ("query", "is_stored"),
    [
        (b"", False),
        (encoded(SamplesQuery()), False),
        (encoded(SamplesQuery(has_totals=False)), False),
        (encoded(SamplesQuery(is_scrape=True)), True),
    ],
)
async def test_only_a_scrape_writes_a_file(tmp_path, query, is_stored):
    """Pages read totals as well, and need none after the process has ended."""
    process = ProcessMetrics(MetricsSink(now=Clock()), "web", views={})
    metrics = GatewayMetrics(process, {SOCKETS_VARIABLE: str(tmp_path)})
    await metrics.commands()[SAMPLES](query)

    assert [*tmp_path.iterdir()] == ([tmp_path / f"{os.getpid()}.totals"] if is_stored else [])
