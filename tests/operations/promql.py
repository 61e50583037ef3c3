"""What expressions of PromQL name: metrics with their labels, as far as ours are written."""

import re

from bff_core.observe.metrics.families import FAMILIES

NAME = re.compile(r"\b(?:[a-z_]+:)?bff_[\w:]+")
SELECTOR = re.compile(r"\b(bff_\w+)\{([^}]*)\}")
MATCHER = re.compile(r"(\w+)\s*[=!]~?")
GROUPING = re.compile(r"\b(?:by|on|ignoring|group_left|without)\s*\(([^)]*)\)")
TEMPLATED = re.compile(r"\{\{\s*(?:\$labels\.)?(\w+)\s*\}\}")

OF_PROMETHEUS = {"job", "instance", "le"}


def family_of(name: str) -> str:
    """Return the family of a series: buckets, sums and counts belong to a histogram."""
    for suffix in ("_bucket", "_sum", "_count"):
        base = name.removesuffix(suffix)
        if base in FAMILIES and FAMILIES[base].kind == "histogram":
            return base
    return name


def labels_of(name: str) -> set[str]:
    """Return the labels of a metric."""
    family = FAMILIES[family_of(name)]
    is_of_worker = family.kind == "gauge" and not family.is_over_workers
    return {*family.labels, "gateway", *OF_PROMETHEUS, *(["worker"] if is_of_worker else [])}


def mistakes(
    expr: str, templates: str = "", recorded: dict[str, set[str]] | None = None
) -> list[str]:
    """Return what an expression names that no gateway exports; `templates` name its labels.

    `recorded` are the labels of metrics that rules record.
    """
    known = recorded or {}
    found, labels = [], set[str]()
    text = re.sub(r'"[^"]*"', '""', expr)
    for name in NAME.findall(text):
        if name in known:
            labels |= known[name]
        elif family_of(name) not in FAMILIES:
            found.append(f"{name} is not exported")
        else:
            labels |= labels_of(name)
    for name, matchers in SELECTOR.findall(text):
        if family_of(name) in FAMILIES:
            used = {*MATCHER.findall(matchers)}
            found += [f"{name} has no label {one}" for one in sorted(used - labels_of(name))]
    grouped = {one.strip() for group in GROUPING.findall(text) for one in group.split(",")} - {""}
    named = grouped | {*TEMPLATED.findall(templates)}
    found += [f"no metric of {expr!r} has a label {one}" for one in sorted(named - labels)]
    return found
