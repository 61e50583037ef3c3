"""What the gateways of a fleet share, as those see it who keep something there."""

from collections.abc import Sequence
from typing import Protocol

Value = str | bytes | int | float


class Link(Protocol):
    """A shared store that speaks Redis' commands; `name` tells logs where it is."""

    name: str

    async def run(self, *command: Value, within: float | None = None) -> object:
        """Send one command; raise `StoreUnavailable` when it isn't answered `within` seconds."""
        ...

    async def script(
        self,
        source: str,
        keys: Sequence[str | bytes],
        args: Sequence[Value] = (),
        *,
        within: float | None = None,
    ) -> object:
        """Run a Lua script atomically."""
        ...

    async def aclose(self) -> None:
        """Close the connections."""
