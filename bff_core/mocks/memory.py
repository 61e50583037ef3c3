"""What clients have created, changed and deleted at a mock: in memory, bounded."""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote

import msgspec

from bff_core.contracts.types import Json

MAX_RESOURCES: Final = 1_000
MAX_BYTES: Final = 32 * 1024 * 1024
"""Resources that are stored, and bytes of their JSON; the oldest are forgotten first."""


class Memory:
    """Resources by their path, `/pets/7`; None stands for one that was deleted."""

    def __init__(self, limit: int = MAX_RESOURCES, max_bytes: int = MAX_BYTES) -> None:
        self._limit = limit
        self._max_bytes = max_bytes
        self._bytes = 0
        self._sizes: dict[str, int] = {}
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
        size = len(path) + len(msgspec.json.encode(value))
        self._bytes += size - self._sizes.get(path, 0)
        self._sizes[path] = size
        self._known[path] = value
        self._known.move_to_end(path)
        while len(self._known) > self._limit or self._bytes > self._max_bytes:
            oldest, _ = self._known.popitem(last=False)
            self._bytes -= self._sizes.pop(oldest)

    def delete(self, path: str) -> None:
        """Note that a resource is deleted."""
        self.put(path, None)

    def delete_below(self, start: str, end: str) -> None:
        """Note that the stored resources are deleted whose paths have this start and end."""
        for path in [one for one in self._known if one.startswith(start) and one.endswith(end)]:
            self.delete(path)

    def below(self, path: str) -> Mapping[str, Json]:
        """Return what is known of the resources of a collection, by their ids."""
        start = f"{path.rstrip('/')}/"
        inner = (
            (one.removeprefix(start), value)
            for one, value in self._known.items()
            if one.startswith(start)
        )
        return {unquote(name): value for name, value in inner if "/" not in name}
