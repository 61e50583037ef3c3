"""The columns of a plan, and the way through it that takes longest."""

from collections.abc import Iterable, Mapping, Sequence

from bff_core.console.model import PlanNode


def add_awaited(nodes: Sequence[PlanNode], edges: Iterable[tuple[str, str]]) -> None:
    """Add what nodes await: pairs of a part, and one that follows it."""
    by_name = {one.part: one for one in nodes}
    for first, last in edges:
        if first in by_name and last in by_name and first not in by_name[last].awaits:
            by_name[last].awaits.append(first)


def set_columns(nodes: Sequence[PlanNode]) -> None:
    """Set the column of each node: how many parts come before it on the longest way to it."""
    by_name = {one.part: one for one in nodes}
    known: dict[str, int] = {}
    for node in nodes:
        node.column = _column(node.part, by_name, known, frozenset())


def _column(
    name: str, nodes: Mapping[str, PlanNode], known: dict[str, int], above: frozenset[str]
) -> int:
    if name not in known and name not in above:
        inner = [one for one in nodes[name].awaits if one in nodes]
        before = [_column(one, nodes, known, above | {name}) for one in inner]
        known[name] = max(before, default=-1) + 1
    return known.get(name, 0)


def longest_path(nodes: Sequence[PlanNode], seconds: Mapping[str, float]) -> list[str]:
    """Return the parts on the way that takes longest; `seconds` is how long each part takes.

    Without times it is the way with most parts.
    """
    best: dict[str, tuple[float, list[str]]] = {}
    for node in sorted(nodes, key=lambda one: one.column):
        before = [best[one] for one in node.awaits if one in best]
        took, path = max(before, key=_rank, default=(0.0, []))
        best[node.part] = took + seconds.get(node.part, 0.0), [*path, node.part]
    return max(best.values(), key=_rank, default=(0.0, []))[1]


def _rank(way: tuple[float, list[str]]) -> tuple[float, int]:
    return way[0], len(way[1])
