"""The report on mirrors: how the replies of each mirror compare, from what was counted."""

from collections.abc import Iterable

import msgspec

from bff_core.observe.metrics.samples import Totals


class CountedDifference(msgspec.Struct):
    """A word and a JSON path, and in how many comparisons it was found."""

    difference: str
    count: int


class MirrorReport(msgspec.Struct):
    """The copies of a route's requests since the processes started.

    `outcomes` are how their replies compare. `same_ratio` is the share of the same among those
    that were compared; None before the first. `differences` are the most frequent first. `dropped`
    counts requests that were not copied, by reason.
    """

    route: str
    upstream: str
    copies: int = 0
    same_ratio: float | None = None
    outcomes: dict[str, int] = {}
    dropped: dict[str, int] = {}
    differences: list[CountedDifference] = []


UNCOMPARED = frozenset({"failed", "too_large"})


def mirror_reports(totals: Totals) -> list[MirrorReport]:
    """Return the report on each mirror, by route."""
    found: dict[tuple[str, str], MirrorReport] = {}
    for family, field in (
        ("bff_mirrored_requests_total", "outcomes"),
        ("bff_mirror_dropped_total", "dropped"),
    ):
        for (route, upstream, word), count in totals.counters.get(family, ()):
            report = found.setdefault((route, upstream), MirrorReport(route, upstream))
            getattr(report, field)[word] = int(count)
    for (route, difference), count in totals.counters.get("bff_mirror_differences_total", ()):
        for report in _of_route(route, found.values()):
            report.differences.append(CountedDifference(difference, int(count)))
    for report in found.values():
        _complete(report)
    return [found[key] for key in sorted(found)]


def _of_route(route: str, reports: Iterable[MirrorReport]) -> list[MirrorReport]:
    return [one for one in reports if one.route == route]


def _complete(report: MirrorReport) -> None:
    outcomes = report.outcomes
    compared = sum(count for word, count in outcomes.items() if word not in UNCOMPARED)
    report.copies = sum(outcomes.values())
    report.same_ratio = round(outcomes.get("same", 0) / compared, 4) if compared else None
    report.differences.sort(key=lambda one: (-one.count, one.difference))
