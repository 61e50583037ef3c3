"""The Redis clients of one gateway, by URL: each is opened when it is first needed."""

from bff_core.clock import Chance, Clock
from bff_core.events import Events
from bff_core.redis.interface import RedisInterface


class RedisClients:
    """The clients of one gateway: one per URL, closed with it."""

    def __init__(self, *, clock: Clock, chance: Chance, events: Events) -> None:
        self._clock = clock
        self._chance = chance
        self._events = events
        self._links: dict[str, RedisInterface] = {}

    def to(self, url: str) -> RedisInterface:
        """Return the link to a Redis; raise `ConfigurationError` where the URL names none."""
        link = self._links.get(url)
        if link is None:
            # Loading the client takes a fifth of a second that most gateways need not wait for.
            from bff_core.redis.client import RedisClient  # noqa: PLC0415 # only where a URL is set

            link = RedisClient(url, clock=self._clock, chance=self._chance, events=self._events)
            self._links[url] = link
        return link

    async def aclose(self) -> None:
        """Close every link."""
        links, self._links = self._links, {}
        for link in links.values():
            await link.aclose()
