"""Which journal the URL of the settings names."""

from typing import Protocol

from bff_core.clock import Clock
from bff_core.redis.interface import RedisInterface
from bff_core.saga.journal.interface import Journal
from bff_core.saga.journal.redis import RedisJournal
from bff_core.saga.journal.sqlite import SQLiteJournal
from bff_core.sqlite import path_of


class JournalClients(Protocol):
    """Opens connections to Redis."""

    def to(self, url: str, /) -> RedisInterface:
        """Return the connection to the Redis at a URL."""
        ...


def open_journal(url: str, links: JournalClients, wall: Clock) -> Journal:
    """Return the journal of a URL; "sqlite://" is a journal in memory, for tests."""
    if url.startswith("sqlite:"):
        return SQLiteJournal(path_of(url), wall)
    return RedisJournal(links.to(url))
