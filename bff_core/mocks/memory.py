"""What clients have created, changed and deleted at a mock: in memory, bounded."""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote

from bff_core.contracts.types import Json

MAX_RESOURCES: Final = 1_000
"""Resources that are stored; the oldest ones are forgotten first."""


class Memory:
    """Resources by their path, `/pets/7`; None stands for one that was deleted."""

    def __init__(self, limit: int = MAX_RESOURCES) -> None:
        self._limit = limit
        self._known: OrderedDict[str, Json] = OrderedDict()

    def __contains__(self, path: str) -> bool:
        """Whether something is known of a path: also that it was deleted."""
        return path in self._known

    def get(self, path: str) -> Json:
        """Return the resource of a path; None if it was deleted, or never stored."""
        return self._known.get(path)

    def is_deleted(self, path: str) -> bool:
        """Whether the resource of a path, or one around it, was deleted."""
        steps = path.split("/")
        around = ("/".join(steps[:end]) for end in range(2, len(steps) + 1))
        return any(one in self._known and self._known[one] is None for one in around)

    def put(self, path: str, value: Json) -> None:
        """Store a resource, and forget the oldest one if there are too many."""
        self._known[path] = value
        self._known.move_to_end(path)
        while len(self._known) > self._limit:
            self._known.popitem(last=False)

    def delete(self, path: str) -> None:
        """Note that a resource is deleted."""
        self.put(path, None)

    def below(self, path: str) -> Mapping[str, Json]:
        """Return what is known of the resources of a collection, by their ids."""
        start = f"{path.rstrip('/')}/"
        inner = (
            (one.removeprefix(start), value)
            for one, value in self._known.items()
            if one.startswith(start)
        )
        return {unquote(name): value for name, value in inner if "/" not in name}
