"""The plan of a composition as it ran: which part awaited which."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bff_core.composition.part_status import PartStatus


@dataclass(frozen=True, slots=True)
class ExecutedPlan:
    """Ended parts, and the edges (waiter, awaited) between them."""

    title: str
    parts: Sequence[PartStatus]
    edges: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        awaited = {name for waiter, name in self.edges if waiter != name}
        roots = [part.name for part in self.parts if part.name not in awaited]
        return "\n".join([self.title, *self._branches(roots, "")])

    def _branches(
        self, names: Sequence[str], indent: str, above: tuple[str, ...] = ()
    ) -> Iterator[str]:
        for position, name in enumerate(names):
            is_last = position == len(names) - 1
            yield f"{indent}{'└─' if is_last else '├─'} {self._line(name)}"
            # A part may await itself with other arguments: its name is drawn once per branch.
            path = (*above, name)
            below = [b for a, b in self.edges if a == name and b not in path]
            yield from self._branches(below, indent + ("   " if is_last else "│  "), path)

    def _line(self, name: str) -> str:
        for part in self.parts:
            if part.name == name:
                reason = f" ({part.reason})" if part.reason else ""
                return f"{name}  {part.state}{reason}  {part.duration * 1000:.1f} ms"
        return f"{name}  running"
