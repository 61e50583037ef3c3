"""Opens the Redis clients of one gateway: one per URL, on first use."""

from bff_core.clock import Chance, Clock
from bff_core.events import Events
from bff_core.extras import needs
from bff_core.redis.interface import RedisInterface


class RedisClients:
    """The clients of one gateway, by URL."""

    def __init__(self, *, clock: Clock, chance: Chance, events: Events) -> None:
        self._clock = clock
        self._chance = chance
        self._events = events
        self._clients: dict[str, RedisInterface] = {}

    def to(self, url: str) -> RedisInterface:
        """Return the client of a URL; raise `ConfigurationError` if it is no Redis URL."""
        client = self._clients.get(url)
        if client is None:
            # Importing redis-py takes a fifth of a second, and most gateways do not use it.
            with needs("redis", "a store at redis://"):
                from bff_core.redis.client import RedisClient  # noqa: PLC0415 # only with a URL

            client = RedisClient(url, clock=self._clock, chance=self._chance, events=self._events)
            self._clients[url] = client
        return client

    async def aclose(self) -> None:
        """Close every client."""
        clients, self._clients = self._clients, {}
        for client in clients.values():
            await client.aclose()
