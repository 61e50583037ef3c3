"""The report of the bench: medians, ratios, the budget, rows."""

from bench.harness.budget import BUDGETS, Ratio, ratios_of
from bench.harness.comparison import Comparison
from bench.harness.report import as_ratio, ratio_table, remarks_on, row_of
from bench.harness.sample import Sample, median_of


def sample(cpu_us: float, *, load_busy: float = 0.5, disturbed: float = 0.0) -> Sample:
    """Return a plausible run."""
    return Sample(cpu_us, 1000.0, 2.0, 9.0, 64.0, load_busy, disturbed)


def test_the_median_of_each_figure_ignores_one_bad_run() -> None:
    """A hiccup of the machine in one of three runs leaves no trace."""
    runs = [sample(200), sample(900, load_busy=1.0, disturbed=0.7), sample(210)]

    median = median_of(runs)

    assert median == sample(210)


def test_ratios_are_against_the_peers_that_ran() -> None:
    """Peers that were skipped have no ratio."""
    ratios = list(ratios_of({"bff": 120.0, "fastify-undici": 100.0, "nginx-ssi": 48.0}))

    assert [(each.budget.peer, each.value) for each in ratios] == [
        ("fastify-undici", 1.2),
        ("nginx-ssi", 2.5),
    ]


def test_without_our_gateway_there_is_no_ratio() -> None:
    """Peers alone can still be measured."""
    assert list(ratios_of({"fastify-undici": 100.0})) == []


def test_a_verdict_names_the_column_that_is_met() -> None:
    """Budget and measure are compared inclusively."""
    fastify = BUDGETS[0]

    verdicts = [Ratio(fastify, value).verdict for value in (0.9, 1.2, 1.21)]

    assert verdicts == ["goal met", "must met", "missed"]


def test_ratios_are_written_as_people_say_them() -> None:
    """Small ones as a fraction."""
    written = [as_ratio(value) for value in (0.934, 1.2, 1 / 20, 1 / 31.4)]

    assert written == ["0.93", "1.20", "1/20", "1/31.4"]


def test_the_table_of_ratios_says_what_was_owed() -> None:
    """One line per peer with must, goal and verdict."""
    lines = ratio_table([Ratio(BUDGETS[0], 1.0)]).splitlines()

    assert lines[1].split() == ["bff", ":", "fastify-undici", "1.00", "1.20", "0.90", "must", "met"]


def test_a_row_has_the_columns_that_readers_of_the_file_rely_on() -> None:
    """Names and units are a contract."""
    row = row_of("bff", sample(123.45))

    assert row == {
        "name": "bff",
        "cpu_us": 123.5,
        "rps": 1000.0,
        "p50_ms": 2.0,
        "p99_ms": 9.0,
        "rss_mib": 64.0,
    }


def test_a_row_says_when_it_should_not_be_trusted() -> None:
    """A crowded load core and a noisy neighbour are reported beside the figures."""
    calm, crowded = sample(100), sample(100, load_busy=0.99, disturbed=0.2)

    assert remarks_on(calm) == []
    assert remarks_on(crowded) == [
        "requests/s bounded by the load core",
        "others took 20% of a core",
    ]


def test_a_peer_that_was_wrong_once_has_no_row() -> None:
    """Not even when its other runs were right."""
    found = Comparison(taken={"bff": [sample(100)], "nginx-ssi": [sample(50)]}, wrong={"bff": "x"})

    assert list(found.samples) == ["nginx-ssi"]
    assert found.ratios == []
