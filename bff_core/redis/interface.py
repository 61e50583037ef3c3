"""The interface of a Redis, as the stores that gateways share use it."""

from collections.abc import Callable, Sequence
from typing import Protocol

Value = str | bytes | int | float


class RedisInterface(Protocol):
    """A shared store that speaks Redis' commands; `name` is its place in logs."""

    name: str

    def prefix(self, group: str) -> str:
        """Return what the keys of a group begin with; one script may touch all of them.

        On one server it is `bff:group:`. In a cluster it is `bff:{group}:`, a hash tag that puts
        them in one slot.
        """
        ...

    async def run(self, *command: Value, within: float | None = None) -> object:
        """Send one command; raise `StoreUnavailable` when it isn't done `within` seconds."""
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

    def subscribe(self, channel: str, *, gap: Callable[[], None]) -> "Subscription":
        """Return what receives a channel on a connection of its own, once it is run."""
        ...

    async def aclose(self) -> None:
        """Close the connections."""


class Subscription(Protocol):
    """Receives what is published on one channel."""

    heard_until: float
    """All that was published before this instant, and after the last gap, was handed on."""

    async def run(self, hear: Callable[[bytes], None]) -> None:
        """Hand on each message until cancelled; say `gap` where some may have been missed."""
        ...
