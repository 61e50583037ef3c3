"""The report: ratios first, absolute figures second; the same as JSON."""

from collections.abc import Mapping, Sequence

from bench.harness.budget import Ratio
from bench.harness.sample import Sample

CROWDED = 0.95
DISTURBED = 0.05

Json = dict[str, object]


def row_of(name: str, sample: Sample) -> Json:
    """Return a row of latest.json."""
    return {
        "name": name,
        "cpu_us": round(sample.cpu_us, 1),
        "rps": round(sample.rps, 1),
        "p50_ms": round(sample.p50_ms, 3),
        "p99_ms": round(sample.p99_ms, 3),
        "rss_mib": round(sample.rss_mib, 1),
    }


def ratio_row_of(ratio: Ratio) -> Json:
    """Return a ratio as JSON."""
    return {
        "ours": ratio.budget.ours,
        "against": ratio.budget.peer,
        "ratio": round(ratio.value, 4),
        "must": round(ratio.budget.must, 4),
        "goal": round(ratio.budget.goal, 4),
        "verdict": ratio.verdict,
    }


def as_ratio(value: float) -> str:
    """Format a ratio: 0.93 or 1/31."""
    return f"1/{1 / value:.1f}".removesuffix(".0") if value < 0.1 else f"{value:.2f}"


def ratio_table(ratios: Sequence[Ratio]) -> str:
    """Return the ratios with their budget."""
    rows = [
        (
            f"{ratio.budget.ours} : {ratio.budget.peer}",
            as_ratio(ratio.value),
            as_ratio(ratio.budget.must),
            as_ratio(ratio.budget.goal),
            ratio.verdict,
        )
        for ratio in ratios
    ]
    return table(("CPU per request", "ratio", "must <=", "goal <=", ""), rows)


def absolute_table(samples: Mapping[str, Sample]) -> str:
    """Return each peer's figures; a column shows how far the session can be trusted."""
    header = ("", "CPU/request", "requests/s", "p50", "p99", "RSS", "load core", "")
    rows = [
        (
            name,
            f"{sample.cpu_us:,.0f} us",
            f"{sample.rps:,.0f}",
            f"{sample.p50_ms:.2f} ms",
            f"{sample.p99_ms:.2f} ms",
            f"{sample.rss_mib:.0f} MiB",
            f"{min(sample.load_busy, 1):.0%}",
            ", ".join(remarks_on(sample)),
        )
        for name, sample in samples.items()
    ]
    return table(header, rows)


def remarks_on(sample: Sample) -> list[str]:
    """Return the reasons to distrust a row."""
    remarks = []
    if sample.load_busy > CROWDED:
        remarks.append("requests/s bounded by the load core")
    if sample.disturbed > DISTURBED:
        remarks.append(f"others took {sample.disturbed:.0%} of a core")
    return remarks


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return aligned columns: figures to the right, words to the left."""
    columns = list(zip(header, *rows, strict=True))
    written = [aligned(column, to_the_right=holds_figures(column[1:])) for column in columns]
    return "\n".join("  ".join(line).rstrip() for line in zip(*written, strict=True))


def holds_figures(cells: Sequence[str]) -> bool:
    """Whether every cell begins like a number."""
    return all(cell[:1].isdigit() or cell[:1] in {"+", "-"} for cell in cells)


def aligned(cells: Sequence[str], *, to_the_right: bool) -> list[str]:
    """Return the cells at equal width."""
    width = max(map(len, cells))
    return [cell.rjust(width) if to_the_right else cell.ljust(width) for cell in cells]
