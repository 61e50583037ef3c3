"""Writes metrics as text: OpenMetrics 1.0 with exemplars, or the classic format of Prometheus."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from bff_core.objective import parsed_objective
from bff_core.observe.metrics.budget import budget_left, burn_rate
from bff_core.observe.metrics.families import FAMILIES, Family
from bff_core.observe.metrics.histogram import BOUNDS, EXPORTED, exported_counts
from bff_core.observe.metrics.samples import (
    HistogramSample,
    Labels,
    SampledView,
    Samples,
    Totals,
    added_spent,
    added_totals,
)

OPENMETRICS: Final = "application/openmetrics-text; version=1.0.0; charset=utf-8"
CLASSIC: Final = "text/plain; version=0.0.4; charset=utf-8"

_ESCAPES: Final = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})

Row = tuple[Labels, float]


def content_type_for(accept: str) -> str:
    """Return the format for a request's `Accept`: OpenMetrics only where it is named."""
    return OPENMETRICS if "application/openmetrics-text" in accept.lower() else CLASSIC


def exposition(
    samples: Sequence[Samples],
    ended: Sequence[Totals],
    content_type: str,
    *,
    gateway: str,
    silent: Iterable[int] = (),
) -> bytes:
    """Return the metrics of a gateway.

    `ended` are the totals of processes that have ended, or are `silent`: they do not answer.
    """
    is_open = content_type == OPENMETRICS
    totals = added_totals([*ended, *(one.totals for one in samples)])
    workers = {**dict.fromkeys(silent, 0.0), **{one.pid: 1.0 for one in samples}}
    gauges: dict[str, list[Row]] = {
        **_gauges(samples),
        **objective_gauges(samples),
        "bff_worker_up": [((str(pid),), value) for pid, value in sorted(workers.items())],
    }
    lines: list[str] = []
    for family in FAMILIES.values():
        own: Iterable[str]
        if family.kind == "histogram":
            histograms = totals.histograms.get(family.name, ())
            own = _histogram(family, histograms, gateway, is_open=is_open)
        elif family.kind == "counter":
            own = _plain(family, totals.counters.get(family.name, ()), gateway, ())
        else:
            own = _plain(family, gauges.get(family.name, ()), gateway, _extra(family))
        written = list(own)
        if written:
            lines += _head(family, is_open=is_open)
            lines += written
    if is_open:
        lines.append("# EOF")
    return "".join(f"{line}\n" for line in lines).encode()


def objective_gauges(samples: Sequence[Samples]) -> dict[str, list[Row]]:
    """Return target, burn rates and budget of each view with an objective, over all workers."""
    targets: list[Row] = []
    burns: list[Row] = []
    left: list[Row] = []
    for label, view in added_sampled_views(samples).items():
        if not view.objective:
            continue
        objective = parsed_objective(view.objective)
        targets.append(((label,), objective.share))
        for window, spent in view.spent.items():
            burns.append(((label, window), burn_rate(spent, objective.budget) or 0.0))
        day = budget_left(view.spent.get("24h", (0, 0)), objective.budget)
        left.append(((label,), 1.0 if day is None else day))
    return {
        "bff_objective_target_ratio": targets,
        "bff_objective_burn_rate": burns,
        "bff_objective_budget_left_ratio": left,
    }


def added_sampled_views(samples: Sequence[Samples]) -> dict[str, SampledView]:
    """Return the views of all workers, with what they spent together."""
    labels = dict.fromkeys(label for one in samples for label in one.views)
    found = {}
    for label in labels:
        views = [one.views[label] for one in samples if label in one.views]
        found[label] = SampledView(
            views[0].screen, views[0].objective, added_spent(one.spent for one in views)
        )
    return found


def _gauges(samples: Sequence[Samples]) -> dict[str, list[Row]]:
    """Return the gauges of all workers, each with the worker as its last label."""
    found: dict[str, list[Row]] = {}
    for one in samples:
        for name, rows in one.gauges.items():
            known = found.setdefault(name, [])
            known += [((*labels, str(one.pid)), value) for labels, value in rows]
    return found


def _extra(family: Family) -> tuple[str, ...]:
    return () if family.is_over_workers else ("worker",)


def _head(family: Family, *, is_open: bool) -> Iterator[str]:
    name = family.name
    if is_open and family.kind == "counter":
        name = name.removesuffix("_total")
    text = family.help.replace("\\", r"\\").replace("\n", r"\n")
    yield f"# HELP {name} {text}"
    yield f"# TYPE {name} {family.kind}"
    if is_open and name.endswith(("_seconds", "_bytes")):
        yield f"# UNIT {name} {name.rpartition('_')[2]}"


def _plain(
    family: Family, rows: Iterable[Row], gateway: str, extra: tuple[str, ...]
) -> Iterator[str]:
    names = (*family.labels, *extra)
    for labels, value in rows:
        yield f"{family.name}{_labels(names, labels, gateway)} {_number(value)}"


def _histogram(
    family: Family, rows: Iterable[tuple[Labels, HistogramSample]], gateway: str, *, is_open: bool
) -> Iterator[str]:
    bounds = [*(_number(BOUNDS[place]) for place in EXPORTED), "+Inf"]
    names = (*family.labels, "le")
    for labels, sample in rows:
        exemplars = _exemplars(sample) if is_open else {}
        for place, count in enumerate(exported_counts(sample.counts)):
            shown = _labels(names, (*labels, bounds[place]), gateway)
            yield f"{family.name}_bucket{shown} {count}{exemplars.get(place, '')}"
        shown = _labels(family.labels, labels, gateway)
        yield f"{family.name}_sum{shown} {_number(sample.total)}"
        yield f"{family.name}_count{shown} {sum(sample.counts)}"


def _exemplars(sample: HistogramSample) -> dict[int, str]:
    """Return the newest exemplar of each exported bucket, as it is written."""
    newest: dict[int, tuple[str, float, float]] = {}
    for place, exemplar in sample.exemplars.items():
        exported = min((place + 1) // 2, len(EXPORTED))
        newest[exported] = max(exemplar, newest.get(exported, exemplar), key=lambda one: one[2])
    return {
        place: f' # {{trace_id="{trace}"}} {_number(seconds)} {when:.3f}'
        for place, (trace, seconds, when) in newest.items()
    }


def _labels(names: Sequence[str], values: Sequence[str], gateway: str) -> str:
    pairs = zip(("gateway", *names), (gateway, *values), strict=True)
    return "{" + ",".join(f'{name}="{value.translate(_ESCAPES)}"' for name, value in pairs) + "}"


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(float(value))
