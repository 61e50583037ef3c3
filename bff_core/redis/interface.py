"""The interface to Redis for the stores that gateways share."""

from collections.abc import Callable, Sequence
from typing import Protocol

Value = str | bytes | int | float


class RedisInterface(Protocol):
    """A shared store that understands Redis commands; `name` names it in logs."""

    name: str

    def prefix(self, group: str) -> str:
        """Return the prefix of a group's keys; one script may use all keys of a group.

        On one server it is `bff:group:`. In a cluster it is `bff:{group}:`, a hash tag that puts
        them in one slot.
        """
        ...

    async def run(self, *command: Value, within: float | None = None) -> object:
        """Send one command; raise `StoreUnavailable` if it takes longer than `within` seconds."""
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
        """Return a subscription with a connection of its own; it receives once it is run."""
        ...

    async def aclose(self) -> None:
        """Close the connections."""


class Subscription(Protocol):
    """Receives the messages of one channel."""

    received_until: float
    """All messages from the last gap to this instant were passed on."""

    async def run(self, receive: Callable[[bytes], None]) -> None:
        """Pass on each message until cancelled; call `gap` if some may have been missed."""
        ...
