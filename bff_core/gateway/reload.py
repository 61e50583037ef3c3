"""What a reload needs of a gateway: files that are read again, and what was prepared from them."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from bff_core.policy_reload import PolicyReload
from bff_core.routing.face import Face

RollBack = Callable[[str, str], None]
"""Takes back the content of a file with this digest, for this reason."""


class PreparedReload(Protocol):
    """What was read and opened: `switch` to it, or `discard` it."""

    @property
    def changes(self) -> tuple[str, ...]:
        """What changes with it."""
        ...

    def switch(self) -> None:
        """Let new requests use it; requests under way end with what was before."""

    def discard(self) -> None:
        """Drop it."""


class ReloadsRoutes(Protocol):
    """The routes of a file, which are read again while the gateway serves."""

    roll_back_everywhere: RollBack
    """Takes a content back that fails, in all workers of our own server."""

    async def prepare(self) -> PreparedReload:
        """Read the file, and compile what it changes; raise `ConfigurationError` if it is wrong."""
        ...

    def roll_back(self, digest: str, reason: str, /) -> None:
        """Take a content back in this process, if it is the current one."""


async def prepare_reload(routes: ReloadsRoutes | None, policies: PolicyReload) -> PreparedReload:
    """Read what was configured by files again, and open what it changes.

    Requests notice nothing until `switch` of what is returned; `discard` drops it. Raises
    `ConfigurationError` for a wrong file.
    """
    return policies.prepare() if routes is None else await routes.prepare()


def file_of_routes(face: Face) -> Path | None:
    """Return the file of a face whose routes are data; None for other faces."""
    path = getattr(face, "file_path", None)
    return path if isinstance(path, Path) else None
